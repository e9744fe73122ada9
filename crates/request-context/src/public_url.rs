//! Where clients know a service.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

/// The base of every URL that leaves the service, the gateway's prefix included. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Url", into = "String")]
pub struct PublicUrl {
    /// Without a slash at its end.
    base: Arc<str>,
    /// Where in it the path begins.
    path: usize,
}

/// A URL that clients could not build on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPublic;

impl PublicUrl {
    /// The URL of `path`, which begins with a slash.
    pub fn join(&self, path: &str) -> String {
        [&self.base, path].concat()
    }

    /// Whether clients come by TLS.
    pub fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// The path that the gateway takes off: empty, or a slash and more.
    pub fn prefix(&self) -> &str {
        &self.base[self.path..]
    }
}

impl TryFrom<Url> for PublicUrl {
    type Error = NotPublic;

    fn try_from(url: Url) -> Result<Self, NotPublic> {
        let plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain || !matches!(url.scheme(), "http" | "https") {
            return Err(NotPublic);
        }
        let base = url.as_str().trim_end_matches('/');
        let path = base.len() - url.path().trim_end_matches('/').len();
        Ok(Self { path, base: base.into() })
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        (*url.base).to_owned()
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must begin with http:// or https:// and have no query, fragment or credential")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PublicUrl, NotPublic> {
        Url::parse(url).unwrap().try_into()
    }

    #[test]
    fn a_path_is_joined_to_the_prefix() {
        for (url, prefix, joined) in [
            ("https://api.example.com", "", "https://api.example.com/orders/o_1"),
            ("https://api.example.com/", "", "https://api.example.com/orders/o_1"),
            ("http://127.0.0.1:8080/web", "/web", "http://127.0.0.1:8080/web/orders/o_1"),
            ("http://127.0.0.1:8080/a/b/", "/a/b", "http://127.0.0.1:8080/a/b/orders/o_1"),
        ] {
            let url = parse(url).unwrap();
            assert_eq!((url.prefix(), url.join("/orders/o_1").as_str()), (prefix, joined));
            assert_eq!(url.is_https(), joined.starts_with("https://"));
        }
    }

    #[test]
    fn what_clients_cannot_build_on_is_refused() {
        for bad in ["ftp://a", "http://a?b", "http://a#b", "http://u@a", "http://u:p@a", "mailto:a@b"] {
            assert_eq!(parse(bad), Err(NotPublic), "{bad}");
        }
    }
}
