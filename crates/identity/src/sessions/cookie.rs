//! The session cookie: an opaque id, and nothing else.

use std::net::IpAddr;

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use request_context::PublicUrl;
use url::{Host, Url};

use super::BadSession;
use crate::rejection::Fault;

/// Browsers take it over TLS alone, for this host and every path of it, and from no script (RFC 6265bis).
const NAME: &str = "__Host-Http-triptych";
/// Some browsers take no `Secure` cookie over plain HTTP, not even from this machine.
const DEVELOPMENT_NAME: &str = "triptych-dev";
const ID_LEN: usize = 32;
/// The most that is read of all `Cookie` headers together, in bytes: more than the listener takes of a whole head, so that
/// nobody is signed out by the cookies of others.
const MAX_COOKIES: usize = 64 << 10;

/// How the session cookie is called and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    name: &'static str,
    secure: bool,
}

/// 256 random bits that stand for a session. Whoever has them is its user: never stored, never shown.
pub(crate) struct SessionId([u8; ID_LEN]);

/// The name under which a session is kept: the hash of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey(pub(super) [u8; 32]);

impl Cookie {
    /// The cookie of a service that browsers know as `public_url`.
    pub(crate) fn of(public_url: &PublicUrl) -> Result<Self, BadSession> {
        let url = Url::parse(&public_url.join("")).expect("it was parsed before");
        if url.scheme() == "https" {
            return Ok(Self { name: NAME, secure: true });
        }
        if is_loopback(&url) {
            return Ok(Self { name: DEVELOPMENT_NAME, secure: false });
        }
        let problem = "must begin with https:// where there are sessions: without TLS anybody on the way has them \
                       (http:// is for 127.0.0.1, [::1] and localhost)";
        Err(BadSession { key: "public_url", problem: problem.into() })
    }

    /// Whether this is a developer's machine.
    pub(crate) fn is_for_development(self) -> bool {
        !self.secure
    }

    /// The id that a browser sent; `None` if it sent none.
    pub(crate) fn read(self, headers: &HeaderMap) -> Result<Option<SessionId>, Fault> {
        let mut left = MAX_COOKIES;
        let mut found = None;
        for header in headers.get_all(COOKIE) {
            left = left.checked_sub(header.len()).ok_or(Fault::Oversized)?;
            for pair in header.as_bytes().split(|byte| *byte == b';') {
                let pair = pair.trim_ascii();
                let Some(value) =
                    pair.strip_prefix(self.name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
                else {
                    continue;
                };
                // Which of two is ours, only who set them knows.
                if found.replace(value).is_some() {
                    return Err(Fault::Doubled);
                }
            }
        }
        found.map(|value| SessionId::parse(value).ok_or(Fault::Malformed)).transpose()
    }

    /// Hands a browser its id.
    pub(crate) fn set(self, id: &SessionId) -> HeaderValue {
        self.header(&URL_SAFE_NO_PAD.encode(id.0), "")
    }

    /// Takes it back.
    pub(crate) fn remove(self) -> HeaderValue {
        self.header("", "; Max-Age=0")
    }

    fn header(self, value: &str, more: &str) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/{secure}; HttpOnly; SameSite=Strict{more}", self.name);
        let mut header = HeaderValue::try_from(text).expect("base64 is visible ASCII");
        header.set_sensitive(true);
        header
    }
}

impl SessionId {
    pub(crate) fn random() -> Self {
        let mut id = [0; ID_LEN];
        rand::fill(&mut id).expect("the system has randomness");
        Self(id)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        // Decoding refuses what is not the one way to write it.
        let bytes = (text.len() == 43).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn key(&self) -> SessionKey {
        let hash = digest::digest(&digest::SHA256, &self.0);
        SessionKey(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl SessionKey {
    /// What the store knows the session by.
    pub(crate) fn name(&self) -> String {
        format!("session:{}", self.text())
    }

    /// The lease of whoever refreshes it.
    pub(crate) fn lease(&self) -> String {
        format!("refresh:{}", self.text())
    }

    fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(url: &str) -> PublicUrl {
        Url::parse(url).unwrap().try_into().unwrap()
    }

    fn cookie() -> Cookie {
        Cookie::of(&public("https://shop.example/web")).unwrap()
    }

    fn read(values: &[&str]) -> Result<Option<SessionKey>, Fault> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, value.parse().unwrap());
        }
        cookie().read(&headers).map(|id| id.map(|id| id.key()))
    }

    #[test]
    fn the_name_follows_from_where_browsers_find_us() {
        for (url, name) in [
            ("https://shop.example/web", Some(NAME)),
            ("https://127.0.0.1:8443/web", Some(NAME)),
            ("http://127.0.0.1:8080/web", Some(DEVELOPMENT_NAME)),
            ("http://[::1]:8080", Some(DEVELOPMENT_NAME)),
            ("http://localhost:8080/web", Some(DEVELOPMENT_NAME)),
            ("http://shop.localhost", Some(DEVELOPMENT_NAME)),
            ("http://shop.example/web", None),
            ("http://localhost.shop.example", None),
            ("http://10.0.0.7:8080", None),
        ] {
            assert_eq!(Cookie::of(&public(url)).ok().map(|cookie| cookie.name), name, "{url}");
        }
    }

    #[test]
    fn an_id_goes_out_and_comes_back() {
        let id = SessionId::random();
        let set = cookie().set(&id);
        assert!(set.is_sensitive());
        let (pair, attributes) = set.to_str().unwrap().split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");
        for sent in [&[pair][..], &["a=1", &format!("b=2; {pair};c=3")], &[&format!("{pair} ; x")]] {
            assert_eq!(read(sent), Ok(Some(id.key())), "{sent:?}");
        }
        assert_ne!(id.key(), SessionId::random().key());
    }

    #[test]
    fn what_is_not_one_good_id_is_nobodys() {
        let good = "A".repeat(43);
        let many = format!("{}; {NAME}={good}", "a=b; ".repeat(14_000));
        for (sent, expected) in [
            (vec![], Ok(None)),
            (vec!["other=1; x__Host-Http-triptych=2".to_owned()], Ok(None)),
            (vec![format!("__host-http-triptych={good}")], Ok(None)),
            (vec![format!("{NAME}-login-00000000={good}")], Ok(None)),
            (vec![format!("{NAME}={good}; {NAME}={good}")], Err(Fault::Doubled)),
            (vec![format!("{NAME}={good}"), format!("{NAME}=")], Err(Fault::Doubled)),
            (vec![format!("{NAME}=")], Err(Fault::Malformed)),
            (vec![format!("{NAME}=\"{good}\"")], Err(Fault::Malformed)),
            (vec![format!("{NAME}={}", "A".repeat(42))], Err(Fault::Malformed)),
            (vec![format!("{NAME}={}B", "A".repeat(42))], Err(Fault::Malformed)),
            (vec![format!("{NAME}={}+", "A".repeat(42))], Err(Fault::Malformed)),
            (vec![many], Err(Fault::Oversized)),
        ] {
            let sent: Vec<_> = sent.iter().map(String::as_str).collect();
            assert_eq!(read(&sent), expected, "{sent:.80?}");
        }
    }

    #[test]
    fn a_cookie_is_taken_back_as_it_was_given() {
        let removed = Cookie::of(&public("http://127.0.0.1:8080/web")).unwrap().remove();
        assert_eq!(removed, "triptych-dev=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
