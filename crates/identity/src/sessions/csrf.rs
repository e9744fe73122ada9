//! Whether a request that carries a session cookie was made by our own pages.
//!
//! The cookie is `SameSite=Strict` already. This holds where a browser does not know that, and against other
//! origins of the same site. No page of somebody else's can send `X-CSRF` without being asked for leave,
//! which nobody gives, and `Sec-Fetch-Site` and `Origin` are not theirs to set (Fetch Metadata; OAuth 2.0 for
//! Browser-Based Apps, 6.1.3.3).

use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use request_context::{Origin, PublicUrl};
use url::Url;

const X_CSRF: HeaderName = HeaderName::from_static("x-csrf");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Where a browser comes from, or back from, the provider, which is another site.
const SIGN_IN: [&str; 2] = ["/auth/login", "/auth/callback"];

/// The origins whose pages may write.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    own: String,
    others: Vec<Origin>,
}

/// A header that means nothing if it is there twice.
enum Once<'a> {
    Absent,
    Is(&'a [u8]),
    Doubled,
}

impl Origins {
    pub(crate) fn new(public_url: &PublicUrl) -> Self {
        let url = Url::parse(&public_url.join("")).expect("it was parsed before");
        Self { own: url.origin().ascii_serialization(), others: vec![] }
    }

    pub(crate) fn allow(&mut self, others: &[Origin]) {
        self.others = others.to_vec();
    }

    /// Our own.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// Whether a request with a session cookie is one of our own pages'.
    pub(crate) fn made(&self, head: &Parts) -> bool {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(&head.method) {
            return match once(&head.headers, &SEC_FETCH_SITE) {
                Once::Absent => true,
                Once::Is(site) => site != b"cross-site" || SIGN_IN.contains(&head.uri.path()),
                Once::Doubled => false,
            };
        }
        let said = matches!(once(&head.headers, &X_CSRF), Once::Is(b"1"));
        said && self.wrote(&head.headers)
    }

    /// An origin that the settings name is never `same-origin`, but has to be of our site: to another one,
    /// browsers do not give the cookie.
    fn wrote(&self, headers: &HeaderMap) -> bool {
        let origin = once(headers, &ORIGIN);
        let is =
            |origin: &Once<'_>, known: &str| matches!(origin, Once::Is(text) if *text == known.as_bytes());
        let other = self.others.iter().any(|known| is(&origin, known.as_str()));
        match once(headers, &SEC_FETCH_SITE) {
            Once::Is(b"same-origin") => true,
            Once::Is(b"same-site") => other,
            Once::Absent => other || is(&origin, &self.own),
            Once::Is(_) | Once::Doubled => false,
        }
    }
}

fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Once<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Once::Absent,
        (Some(value), None) => Once::Is(value.as_bytes()),
        (Some(_), Some(_)) => Once::Doubled,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const OWN: &str = "https://shop.example";

    fn made(method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let public = Url::parse("https://shop.example/web").unwrap().try_into().unwrap();
        let mut origins = Origins::new(&public);
        origins.allow(&["https://admin.shop.example".to_owned().try_into().unwrap()]);
        let request =
            headers.iter().fold(Request::builder().method(method).uri(path), |request, (name, value)| {
                request.header(*name, *value)
            });
        origins.made(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_write_says_that_it_is_ours_and_the_browser_agrees() {
        let site = |site| ("sec-fetch-site", site);
        let origin = |origin| ("origin", origin);
        let csrf = ("x-csrf", "1");
        for (headers, expected) in [
            (vec![csrf, site("same-origin")], true),
            (vec![csrf, site("same-origin"), origin(OWN)], true),
            (vec![csrf, origin(OWN)], true),
            (vec![csrf, origin("https://admin.shop.example")], true),
            (vec![csrf, site("same-site"), origin("https://admin.shop.example")], true),
            (vec![], false),
            (vec![csrf], false),
            (vec![site("same-origin")], false),
            (vec![origin(OWN)], false),
            (vec![("x-csrf", "0"), site("same-origin")], false),
            (vec![("x-csrf", ""), site("same-origin")], false),
            (vec![csrf, csrf, site("same-origin")], false),
            (vec![csrf, site("same-site")], false),
            (vec![csrf, site("same-site"), origin(OWN)], false),
            (vec![csrf, site("same-site"), origin("https://blog.shop.example")], false),
            (vec![csrf, site("cross-site"), origin(OWN)], false),
            (vec![csrf, site("cross-site"), origin("https://admin.shop.example")], false),
            (vec![csrf, site("none")], false),
            (vec![csrf, site("Same-Origin")], false),
            (vec![csrf, site("same-origin"), site("same-origin")], false),
            (vec![csrf, origin("null")], false),
            (vec![csrf, origin("http://shop.example")], false),
            (vec![csrf, origin("https://shop.example:444")], false),
            (vec![csrf, origin("https://shop.example.evil")], false),
            (vec![csrf, origin(OWN), origin(OWN)], false),
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "get", "ODD"] {
                assert_eq!(made(method, "/orders", &headers), expected, "{method} {headers:?}");
            }
        }
    }

    #[test]
    fn a_read_is_not_from_another_site_but_for_sign_in() {
        for (path, site, expected) in [
            ("/dashboard", None, true),
            ("/dashboard", Some("same-origin"), true),
            ("/dashboard", Some("same-site"), true),
            ("/dashboard", Some("none"), true),
            ("/dashboard", Some("cross-site"), false),
            ("/auth/session", Some("cross-site"), false),
            ("/auth/login", Some("cross-site"), true),
            ("/auth/login?returnTo=/", Some("cross-site"), true),
            ("/auth/callback?code=c&state=s", Some("cross-site"), true),
            ("/auth/loginx", Some("cross-site"), false),
            ("/auth/login/", Some("cross-site"), false),
        ] {
            let headers: Vec<_> = site.map(|site| ("sec-fetch-site", site)).into_iter().collect();
            for method in ["GET", "HEAD", "OPTIONS"] {
                assert_eq!(made(method, path, &headers), expected, "{method} {path} {site:?}");
            }
            assert!(!made("POST", path, &headers), "POST {path}");
        }
        assert!(!made("GET", "/", &[("sec-fetch-site", "none"), ("sec-fetch-site", "none")]));
    }
}
