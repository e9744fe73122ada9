use std::net::SocketAddr;

use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, SET_COOKIE};
use http::{HeaderName, Request as HttpRequest};
use http_body_util::BodyExt;
use opentelemetry::trace::SpanKind;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::view::tests::{Said, span};
use super::*;
use crate::settings::Secret;

const TOKEN: &str = "0123456789abcdef";
const BEARER: (HeaderName, &str) = (AUTHORIZATION, "Bearer 0123456789abcdef");
const WEB: Name = Name { name: "web-bff", version: "1.2.3" };

/// An inspector and its routes, of a service that has `/upstreams`.
fn inspector(token: Option<&str>) -> (Inspector, Router) {
    let inspector = Inspector::new(200, std::time::Duration::from_secs(1));
    let listen = SocketAddr::from(([0, 0, 0, 0], 9081));
    let hosts = vec!["admin.shop.example".to_owned()];
    let settings = AdminSettings { listen, token: token.map(Secret::new), hosts };
    let own = Router::new().route("/upstreams", get(async || r#"{"upstreams":{}}"#));
    let router = inspector.router(WEB, &settings, &own);
    (inspector, router)
}

async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(HeaderName, &str)],
    body: &str,
) -> Response {
    let mut request = HttpRequest::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| name == HOST) {
        request = request.header(HOST, "127.0.0.1:9081");
    }
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

async fn ask(router: &Router, path: &str, headers: &[(HeaderName, &str)]) -> (u16, String) {
    let answer = send(router, "GET", path, headers, "").await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn read(router: &Router, path: &str) -> Value {
    let (status, body) = ask(router, path, &[BEARER]).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

async fn log_in(router: &Router, body: &str) -> Response {
    let json = HeaderName::from_static("content-type");
    send(router, "POST", "/inspector/session", &[(json, "application/json")], body).await
}

#[tokio::test]
async fn without_a_token_in_the_settings_nothing_is_there() {
    let (_, router) = inspector(None);
    for path in ["/inspector", "/inspector/requests", "/inspector/style.css", "/inspector/login.js"] {
        assert_eq!(ask(&router, path, &[BEARER]).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn only_who_knows_the_token_sees_anything() {
    let (inspector, router) = inspector(Some(TOKEN));
    inspector.keep(&Said::ok().completed());
    let id = inspector.kept().all()[0].trace_id.clone();
    let one = format!("/inspector/requests/{id}");
    let wrong = [(AUTHORIZATION, "Bearer 0123456789abcdeF"), (COOKIE, "inspector-web-bff=9999999999.00")];
    for path in ["/inspector", "/inspector/main.js", "/inspector/requests", &one, "/inspector/upstreams"] {
        assert_eq!(ask(&router, path, &[BEARER]).await.0, 200, "{path}");
        let (status, body) = ask(&router, path, &wrong).await;
        assert_eq!((status, body.contains(&id)), (401, false), "{path}");
    }
    let (_, page) = ask(&router, "/inspector", &wrong).await;
    assert!(page.contains("Admin token") && !page.contains("main.js"), "{page}");
    for path in ["/inspector/style.css", "/inspector/login.js", "/inspector/icon.svg"] {
        assert_eq!(ask(&router, path, &[]).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn a_browser_shows_the_token_once_and_a_session_from_then_on() {
    let (_, router) = inspector(Some(TOKEN));
    let answer = log_in(&router, &json!({"token": TOKEN}).to_string()).await;
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let (session, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(attributes, "Max-Age=43200; HttpOnly; SameSite=Strict; Path=/inspector");
    assert!(session.starts_with("inspector-web-bff=") && !session.contains(TOKEN), "{session}");
    let among_others = format!("theme=dark; {session}");
    assert_eq!(ask(&router, "/inspector/requests", &[(COOKIE, &among_others)]).await.0, 200);

    for (body, status) in [
        (r#"{"token":"0123456789abcdeF"}"#.to_owned(), 401),
        (r#"{"token":""}"#.to_owned(), 401),
        (r#"{"pass":"0123456789abcdef"}"#.to_owned(), 422),
        (TOKEN.to_owned(), 400),
        (json!({"token": "x".repeat(5000)}).to_string(), 413),
    ] {
        let answer = log_in(&router, &body).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get(SET_COOKIE)), (status, None), "{body}");
    }
    // What another site's form could send.
    let form = (HeaderName::from_static("content-type"), "text/plain");
    let answer =
        send(&router, "POST", "/inspector/session", &[form], &json!({"token": TOKEN}).to_string()).await;
    assert_eq!(answer.status(), 415);
    let answer = send(&router, "DELETE", "/inspector/session", &[], "").await;
    let forgotten = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(forgotten.starts_with("inspector-web-bff=; Max-Age=0;"), "{forgotten}");
}

#[tokio::test]
async fn a_name_that_anybody_could_own_is_refused() {
    let (_, router) = inspector(Some(TOKEN));
    for good in
        ["127.0.0.1:9081", "localhost:9081", "LOCALHOST", "[::1]:9081", "10.1.2.3", "admin.shop.example:9081"]
    {
        assert_eq!(ask(&router, "/inspector/requests", &[BEARER, (HOST, good)]).await.0, 200, "{good}");
    }
    for bad in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:9081",
        "shop.example",
        "localhost@evil.example",
        "evil.example@localhost",
        "0x7f.1",
        "",
    ] {
        for path in ["/inspector", "/inspector/requests", "/inspector/style.css", "/inspector/session"] {
            let (status, body) = ask(&router, path, &[BEARER, (HOST, bad)]).await;
            assert_eq!(status, 421, "{bad} {path}");
            assert!(body.contains("localhost, admin.shop.example"), "{body}");
        }
    }
    // Over HTTP/2 it is a part of the address.
    for (authority, status) in [("127.0.0.1:9081", 200), ("evil.example", 421)] {
        let uri = format!("http://{authority}/inspector/requests");
        let request = HttpRequest::get(uri).header(AUTHORIZATION, BEARER.1).body(Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status, "{authority}");
    }
}

#[tokio::test]
async fn every_answer_says_what_its_page_may_do() {
    let (_, router) = inspector(Some(TOKEN));
    for (path, headers) in [
        ("/inspector", vec![BEARER]),
        ("/inspector", vec![]),
        ("/inspector/requests", vec![BEARER]),
        ("/inspector/requests/none", vec![BEARER]),
        ("/inspector/style.css", vec![]),
        ("/inspector", vec![(HOST, "evil.example")]),
    ] {
        let answer = send(&router, "GET", path, &headers, "").await;
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers()["cross-origin-resource-policy"], "same-origin", "{path}");
        assert!(answer.headers().get("access-control-allow-origin").is_none(), "{path}");
    }
}

#[tokio::test]
async fn requests_are_found_by_what_is_known_of_them() {
    let (inspector, router) = inspector(Some(TOKEN));
    let calls = vec![span(
        (2, 1),
        SpanKind::Client,
        "GET /users/{id}",
        (1, 8),
        &[("triptych.upstream", "users".into())],
    )];
    let slow = std::time::Duration::from_millis(1500);
    for said in [
        Said { spans: calls, ..Said::ok() },
        Said { warnings: vec![("promos", "timeout")], ..Said::ok() },
        Said { status: Some(503), error: Some("upstream-unavailable"), took: slow, ..Said::ok() },
        Said { status: Some(404), error: Some("not-found"), ..Said::ok() },
    ] {
        inspector.keep(&said.completed());
    }
    for (query, numbers) in [
        ("", json!([4, 3, 2, 1])),
        ("?outcome=ok", json!([1])),
        ("?outcome=degraded", json!([2])),
        ("?outcome=failed", json!([3])),
        ("?outcome=refused", json!([4])),
        ("?outcome=slow", json!([3])),
        ("?outcome=cancelled", json!([])),
        ("?since=2", json!([4, 3])),
        ("?route=/dashboard&since=3", json!([4])),
        ("?route=/orders", json!([])),
        ("?user=afc2d29f5ba19d74&outcome=ok", json!([1])),
        ("?user=u_42", json!([])),
    ] {
        let list = read(&router, &format!("/inspector/requests{query}")).await;
        let found: Vec<_> =
            list["requests"].as_array().unwrap().iter().map(|one| one["number"].clone()).collect();
        assert_eq!((json!(found), &list["newest"]), (numbers, &json!(4)), "{query}");
        assert_eq!(
            (&list["service"], &list["version"], &list["keeps"]),
            (&json!("web-bff"), &json!("1.2.3"), &json!(200))
        );
    }
    for query in ["?outcome=good", "?since=-1", "?page=2"] {
        assert_eq!(ask(&router, &format!("/inspector/requests{query}"), &[BEARER]).await.0, 400, "{query}");
    }

    let list = read(&router, "/inspector/requests?outcome=ok").await;
    assert!(list["requests"][0].get("spans").is_none());
    let id = list["requests"][0]["traceId"].as_str().unwrap();
    let found = read(&router, &format!("/inspector/requests/{id}")).await;
    assert_eq!(found["requests"][0]["spans"][0]["name"], "GET /users/{id}");
    assert_eq!(ask(&router, "/inspector/requests/00000000000000000000000000000001", &[BEARER]).await.0, 404);
}

#[tokio::test]
async fn requests_of_one_trace_are_found_together() {
    let (inspector, router) = inspector(Some(TOKEN));
    let first = Said::ok().completed();
    let mut second = Said { status: Some(404), ..Said::ok() }.completed();
    second.context = first.context.clone();
    inspector.keep(&first);
    inspector.keep(&second);
    inspector.keep(&Said::ok().completed());
    let path = format!("/inspector/requests/{}", first.context.trace().trace_id());
    let found = read(&router, &path).await;
    let statuses: Vec<_> =
        found["requests"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(json!(statuses), json!([404, 200]));
}

#[tokio::test]
async fn upstreams_are_what_the_service_itself_says() {
    let (inspector, router) = inspector(Some(TOKEN));
    assert_eq!(read(&router, "/inspector/upstreams").await, json!({"upstreams": {}}));
    let settings = AdminSettings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        token: Some(Secret::new(TOKEN)),
        hosts: vec![],
    };
    let alone = inspector.router(WEB, &settings, &Router::new());
    assert_eq!(ask(&alone, "/inspector/upstreams", &[BEARER]).await.0, 404);
}

/// Every file that a page or a script names is served, and nothing is asked of anybody else.
#[tokio::test]
async fn the_page_is_whole() {
    let (_, router) = inspector(Some(TOKEN));
    let mut left = vec!["/inspector".to_owned()];
    let mut seen: Vec<String> = vec![];
    while let Some(path) = left.pop() {
        let (status, text) = ask(&router, &path, &[BEARER]).await;
        assert_eq!(status, 200, "{path}");
        let foreign = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!foreign.contains("http://") && !foreign.contains("https://"), "{path}");
        assert!(
            !text.contains("innerHTML") && !text.contains("outerHTML") && !text.contains("eval("),
            "{path}"
        );
        let quoted = text.split(['"', '\'']);
        let named = quoted.filter_map(|word| match word.strip_prefix("./") {
            Some(module) if module.split('.').next_back() == Some("js") => {
                Some(format!("/inspector/{module}"))
            }
            _ => word.starts_with("/inspector/").then(|| word.to_owned()),
        });
        let files = named.filter(|path| path.contains('.'));
        left.extend(files.filter(|path| !seen.contains(path)));
        seen.push(path);
    }
    assert!(seen.len() > 10, "{seen:?}");
}
