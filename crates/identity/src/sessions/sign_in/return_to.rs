//! Where people go after they have signed in: a path of the web app, and never another site.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The longest path that is taken, in bytes as it is kept: five of them have to fit into what browsers send.
const MAX_LEN: usize = 1024;
/// What a URL cannot have as it is.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');

/// `path` as it is sent, if it is a path of our own, with a query or without.
///
/// However often it is decoded, by us or by whatever is behind it, it stays one.
pub(super) fn checked(path: &str) -> Option<String> {
    let sent = utf8_percent_encode(path, ENCODED).to_string();
    if sent.len() > MAX_LEN || path.contains('#') {
        return None;
    }
    let mut form = path.to_owned();
    loop {
        if !is_own_path(&form) {
            return None;
        }
        // A slash that begins a form was there before it was decoded: what begins with `%` was refused.
        let decoded = percent_decode_str(&form).decode_utf8().ok()?;
        if decoded == form {
            return Some(sent);
        }
        form = decoded.into_owned();
    }
}

/// Browsers take a backslash for a slash, and leave out tabs and line breaks before they look.
fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(|it: char| it == '\\' || it.is_control() || it == '\u{2028}' || it == '\u{2029}')
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn paths_of_our_own_are_kept() {
        for (path, sent) in [
            ("/", "/"),
            ("/orders", "/orders"),
            ("/orders?status=shipped&cursor=a%2Bb", "/orders?status=shipped&cursor=a%2Bb"),
            ("/products?q=50%25", "/products?q=50%25"),
            ("/products?q=caf%C3%A9", "/products?q=caf%C3%A9"),
            ("/products?q=café au lait", "/products?q=caf%C3%A9%20au%20lait"),
            ("/products?q=c%23", "/products?q=c%23"),
            ("/a//b", "/a//b"),
            ("/search?next=https://e.example/", "/search?next=https://e.example/"),
            ("/@e.example", "/@e.example"),
            ("/.e.example", "/.e.example"),
            ("/..//e.example", "/..//e.example"),
            ("/javascript:alert(1)", "/javascript:alert(1)"),
        ] {
            assert_eq!(checked(path).as_deref(), Some(sent), "{path}");
        }
        let longest = format!("/{}", "a".repeat(MAX_LEN - 1));
        assert_eq!(checked(&longest).as_deref(), Some(longest.as_str()));
        // It counts as it is kept: five that are encoded must leave room for the session's cookie.
        assert_eq!(checked(&format!("/{}", " ".repeat(MAX_LEN / 3 + 1))), None);
    }

    /// Each was an open redirect somewhere.
    const ATTACKS: &[&str] = &[
        "",
        "orders",
        "?a",
        "#a",
        "//e.example",
        "///e.example",
        "////e.example",
        "/\\e.example",
        "\\\\e.example",
        "\\/e.example",
        "/a\\b",
        "/\t/e.example",
        "/\n/e.example",
        "/\r\nLocation: //e.example",
        "\t//e.example",
        " //e.example",
        " /a",
        "/a\0",
        "/a\u{7f}",
        "/a\u{85}b",
        "/a\u{2028}b",
        "/a#b",
        "http://e.example",
        "https://e.example/",
        "https:e.example",
        "http:/e.example",
        "//e.example%2f@shop.example/",
        "@e.example",
        ".e.example",
        ":80/",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "%2f%2fe.example",
        "%2Fe.example",
        "%5c%5ce.example",
        "/%2fe.example",
        "/%2Fe.example",
        "/%5ce.example",
        "/%5Ce.example",
        "/%09/e.example",
        "/%0d%0aLocation:%20//e.example",
        "/%00",
        "/a%7f",
        "/%252fe.example",
        "/%25252fe.example",
        "/%255ce.example",
        "/%25%32%66e.example",
        "/%%32fe.example",
        "/%2525255c",
        "/a%c0%afb",
        "/%ff",
        "/%e2%80%a8",
        "%6aavascript:alert(1)",
    ];

    #[test]
    fn whatever_leads_elsewhere_is_refused() {
        for attack in ATTACKS {
            assert_eq!(checked(attack), None, "{attack:?}");
        }
        assert_eq!(checked(&format!("/{}", "a".repeat(MAX_LEN))), None);
    }

    #[test]
    fn encoding_an_attack_any_number_of_times_makes_it_no_path_of_ours() {
        for attack in ATTACKS.iter().filter(|attack| !attack.is_empty() && !attack.contains('#')) {
            let mut encoded = (*attack).to_owned();
            for _ in 0..4 {
                encoded = utf8_percent_encode(&encoded, percent_encoding::NON_ALPHANUMERIC).to_string();
                let rooted = format!("/{encoded}");
                let decoded = percent_decode_str(&rooted).decode_utf8_lossy().into_owned();
                assert_eq!(checked(&encoded), None, "{encoded}");
                assert!(checked(&rooted).is_none() || checked(&decoded).is_some(), "{rooted}");
            }
        }
    }

    #[test]
    fn what_is_kept_stays_on_our_origin_however_often_it_is_decoded() {
        let ours = Url::parse("https://shop.example/").unwrap();
        let pieces =
            ["/", "//", "\\", "%2f", "%5c", "%252f", "%25", "a", "?", "@", ":", ".", "..", "%09", " "];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let path = format!("/{first}{second}{third}e.example");
                    let Some(mut form) = checked(&path) else { continue };
                    for _ in 0..4 {
                        assert_eq!(ours.join(&form).unwrap().origin(), ours.origin(), "{path}: {form}");
                        form = percent_decode_str(&form).decode_utf8().unwrap().into_owned();
                    }
                }
            }
        }
    }
}
