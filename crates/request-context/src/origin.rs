//! Whose pages may read our answers, beside our own.

use std::fmt;

use http::HeaderValue;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An origin as browsers write it (RFC 6454, section 6.2): `https://shop.example`. Cheap to clone, and compared byte by
/// byte, so that nothing is let in for being alike.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(HeaderValue);

/// A text that is no origin whose pages could be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnOrigin;

impl Origin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As `Origin` has it.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl TryFrom<String> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        let url = Url::parse(&text).map_err(|_| NotAnOrigin)?;
        // Whoever is between us and a page that comes in the clear can write into it.
        let safe = match (url.scheme(), url.host()) {
            ("https", Some(_)) => true,
            ("http", Some(Host::Domain(name))) => name == "localhost",
            ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
            ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
            _ => false,
        };
        // What browsers would write otherwise would never be equal to it; a pattern is no origin, though a URL may have
        // a host of such a name.
        let plain = url.origin().ascii_serialization() == text && !text.contains('*');
        (safe && plain).then(|| HeaderValue::from_str(&text).ok().map(Self)).flatten().ok_or(NotAnOrigin)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.as_str().to_owned()
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an origin as browsers write it, such as https://shop.example: https (http on loopback alone), lower case, no usual port, no path, no *")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_as_browsers_write_it() {
        for good in [
            "https://shop.example",
            "https://shop.example:8443",
            "https://xn--bcher-kva.example",
            "https://10.1.2.3",
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert_eq!(Origin::try_from(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "*",
            "null",
            "shop.example",
            "https://",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example/app",
            "https://shop.example?a",
            "https://shop.example#a",
            "https://u@shop.example",
            "https://Shop.example",
            "HTTPS://shop.example",
            "https://shop.example:443",
            "https://b\u{fc}cher.example",
            " https://shop.example",
            "http://shop.example",
            "http://localhost.evil.example",
            "ws://shop.example",
            "file:///",
            "data:text/html,",
        ] {
            assert_eq!(Origin::try_from(bad.to_owned()), Err(NotAnOrigin), "{bad}");
        }
    }
}
