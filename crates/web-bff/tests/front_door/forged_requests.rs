//! Requests that another site makes with a signed-in browser: refused before anybody is asked.

use http::Method;
use serde_json::json;
use test_support::Reply;

use crate::Bff;

const WRITES: [(&str, &str); 4] = [
    ("/orders", r#"{"productId": "p_1", "quantity": 1}"#),
    ("/orders/o_1/cancel", ""),
    ("/notifications/n_1/read", ""),
    ("/auth/logout", ""),
];

/// `None` stands for a header that is not sent.
const FORGED: [(Option<&str>, Option<&str>, Option<&str>); 9] = [
    // X-CSRF, Sec-Fetch-Site, Origin
    (None, Some("same-origin"), None),
    (None, None, Some("http://127.0.0.1:8080")),
    (Some("0"), Some("same-origin"), None),
    (Some("1"), Some("cross-site"), None),
    (Some("1"), Some("same-site"), None),
    (Some("1"), None, Some("http://e.example")),
    (Some("1"), None, Some("null")),
    (Some("1"), None, None),
    (Some("1"), Some("cross-site"), Some("http://127.0.0.1:8080")),
];

#[tokio::test]
async fn a_write_of_another_site_is_refused_before_any_service_is_called() {
    let bff = Bff::start().await;
    let asked = bff.backend.identity.seen().len();
    for (path, body) in WRITES {
        for (csrf, site, origin) in FORGED {
            let mut client = bff.anonymous().with("cookie", &cookie(&bff));
            for (name, value) in [("x-csrf", csrf), ("sec-fetch-site", site), ("origin", origin)] {
                client = value.into_iter().fold(client, |client, value| client.with(name, value));
            }
            let answer = client.send(Method::POST, path, Some(body.to_owned())).await;
            assert_eq!(answer.status, 403, "{path} {csrf:?} {site:?} {origin:?}");
            assert_eq!(answer.json()["type"], "urn:triptych:problem:cross-site");
        }
    }
    assert_eq!(bff.backend.services.seen().len(), 0);
    assert_eq!(bff.backend.identity.seen().len(), asked);
    assert_eq!(
        bff.client().get("/auth/session").await.json()["authenticated"],
        true,
        "nobody was logged out"
    );
}

#[tokio::test]
async fn a_read_of_another_site_is_refused_and_one_of_ours_is_not() {
    let bff = Bff::start().await;
    bff.backend.services.on("GET /orders", Reply::Json(json!({"items": [], "nextCursor": null})));
    for (site, status) in
        [(Some("cross-site"), 403), (Some("same-origin"), 200), (Some("none"), 200), (None, 200)]
    {
        let client = bff.anonymous().with("cookie", &cookie(&bff));
        let client = site.into_iter().fold(client, |client, site| client.with("sec-fetch-site", site));
        assert_eq!(client.get("/orders").await.status, status, "{site:?}");
    }
    assert_eq!(bff.backend.services.count("GET /orders"), 3);
}

#[tokio::test]
async fn a_bearer_token_is_no_credential_here() {
    let bff = Bff::start().await;
    let client = bff.anonymous().with("authorization", &bff.backend.bearer("u_42"));
    assert_eq!(client.get("/orders").await.status, 401);
    assert_eq!(bff.backend.services.seen().len(), 0);
}

fn cookie(bff: &Bff) -> String {
    let pairs: Vec<_> = bff.browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}
