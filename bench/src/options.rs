//! What command lines say in the same way.

use http::uri::Authority;
use http::{HeaderName, HeaderValue, Uri};

/// A header, written `Name: value`.
pub(crate) fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as Name: value")?;
    let name = name.trim().parse().map_err(|_| "no header has this name")?;
    let value = value.trim().parse().map_err(|_| "no header has this value")?;
    Ok((name, value))
}

/// A service and where it is, written `users=http://127.0.0.1:3001`.
pub(crate) fn service(text: &str) -> Result<(String, Authority), String> {
    let (name, url) = text.split_once('=').ok_or("write it as name=http://host:port")?;
    let url: Uri = url.parse().map_err(|_| "not a URL")?;
    match (url.scheme_str(), url.authority()) {
        (Some("http"), Some(authority)) => Ok((name.to_owned(), authority.clone())),
        _ => Err("the URL must begin with http://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_wrong_is_refused() {
        assert!(header("Authorization: Bearer a:b").is_ok_and(|(_, value)| value == "Bearer a:b"));
        assert!(header("Authorization").is_err());
        assert!(
            service("users=http://127.0.0.1:1")
                .is_ok_and(|(name, at)| name == "users" && at == "127.0.0.1:1")
        );
        for wrong in ["users", "users=127.0.0.1", "users=https://127.0.0.1", "users=/path"] {
            assert!(service(wrong).is_err(), "{wrong}");
        }
    }
}
