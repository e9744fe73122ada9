//! What browsers are told about other pages, and about TLS.

use axum::Router;
use axum::routing::get as on_get;
use http::Method;
use http::request::Builder;
use middleware::{RequestSettings, stack};
use problem::{Naming, Problem, kind};

use crate::support::{Answer, get, public_url, send, unobserved};

const OURS: &str = "https://shop.example";
const ALSO_OURS: &str = "https://admin.shop.example:8443";

fn app(allowed: &[&str], url: &str) -> Router {
    let allowed_origins = allowed.iter().map(|it| (*it).to_owned().try_into().unwrap()).collect();
    let settings = RequestSettings { allowed_origins, ..RequestSettings::default() };
    let routes = Router::new()
        .route("/", on_get(async || "fine"))
        .route("/refused", on_get(async || Problem::new(kind::UNAUTHENTICATED)));
    stack(routes, &settings, &public_url(url), Naming::CamelCase, unobserved())
}

fn preflight(origin: &str) -> Builder {
    get("/")
        .method(Method::OPTIONS)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-csrf,content-type")
}

/// The headers that let a page in, and that tell caches of it.
fn said(answer: &Answer) -> String {
    let names = ["access-control-allow-origin", "access-control-allow-credentials"];
    let allowed = names.map(|name| if answer.header(name).is_empty() { "-" } else { answer.header(name) });
    let varies =
        answer.headers.get_all("vary").iter().any(|vary| vary.as_bytes().eq_ignore_ascii_case(b"origin"));
    format!("{} {} {varies}", answer.verdict(), allowed.join(" "))
}

#[tokio::test]
async fn only_the_pages_of_the_list_may_read() {
    let app = app(&[OURS, ALSO_OURS], OURS);
    for (origin, path, expected) in [
        (OURS, "/", "200  https://shop.example true true"),
        (ALSO_OURS, "/", "200  https://admin.shop.example:8443 true true"),
        (OURS, "/refused", "401 unauthenticated https://shop.example true true"),
        (OURS, "/nowhere", "404 not-found https://shop.example true true"),
        ("https://evil.example", "/", "200  - - true"),
        ("https://shop.example.evil.example", "/", "200  - - true"),
        ("https://a.shop.example", "/", "200  - - true"),
        ("http://shop.example", "/", "200  - - true"),
        ("https://SHOP.example", "/", "200  - - true"),
        ("https://admin.shop.example", "/", "200  - - true"),
        ("null", "/", "200  - - true"),
        ("*", "/", "200  - - true"),
        ("", "/", "200  - - true"),
    ] {
        let answer = send(&app, get(path).header("origin", origin), "").await;
        assert_eq!(said(&answer), expected, "{origin} {path}");
        let asked = send(&app, preflight(origin), "").await;
        let allowed = expected.split_whitespace().rev().nth(2).unwrap();
        assert_eq!(said(&asked).split_whitespace().rev().nth(2).unwrap(), allowed, "{origin}");
    }
    let answer = send(&app, get("/"), "").await;
    assert_eq!(said(&answer), "200  - - true");
    let varies: Vec<_> = answer.headers.get_all("vary").iter().map(|it| it.to_str().unwrap()).collect();
    assert!(varies.contains(&"Authorization, Cookie, Accept-Encoding"), "{varies:?}");
}

#[tokio::test]
async fn a_preflight_says_what_a_page_may_send() {
    let answer = send(&app(&[OURS], OURS), preflight(OURS), "").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(answer.header("access-control-max-age"), "600");
    assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD,POST");
    let headers = answer.header("access-control-allow-headers");
    for name in [
        "authorization",
        "content-type",
        "dpop",
        "idempotency-key",
        "last-event-id",
        "x-api-key",
        "x-app-version",
        "x-csrf",
        "x-request-timeout-ms",
    ] {
        assert!(headers.split(',').any(|allowed| allowed == name), "{name} in {headers}");
    }
    assert_eq!(headers.split(',').count(), 9);
}

#[tokio::test]
async fn without_a_list_nothing_is_said() {
    let app = app(&[], OURS);
    for request in [get("/").header("origin", OURS), preflight(OURS), preflight("null")] {
        let answer = send(&app, request, "").await;
        assert_eq!(
            said(&answer).split_once(' ').unwrap().1.trim_start_matches("method-not-allowed"),
            " - - false"
        );
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn tls_is_for_ever_where_there_is_any() {
    for (url, expected) in [(OURS, "max-age=31536000"), ("http://127.0.0.1:8080/web", "")] {
        for path in ["/", "/refused", "/nowhere"] {
            let answer = send(&app(&[], url), get(path), "").await;
            assert_eq!(answer.header("strict-transport-security"), expected, "{url} {path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        }
    }
}
