//! What can be hidden in a request.

use end_to_end::{ACME_KEY, Content, Kind, System};
use serde_json::{Value, json};

use super::doors;

#[tokio::test]
async fn ids_that_steer_the_url() {
    let system = System::start().await;
    system.shop.forget_calls().await;
    for (door, web) in doors(&system, Kind::Web) {
        let web = web.of(system.credential(Kind::Web));
        for id in [
            "..%2fadmin",
            "../admin",
            "%2e%2e%2fadmin",
            "%2e%2e",
            "a%3fb",
            "a%23b",
            "a;b",
            "a%3bb",
            "o_1%00",
            "o_1%0d%0a",
            "%252e%252e%252fadmin",
            "o_1%2f..%2f..%2fusers",
            ".",
            "..",
            "%c0%ae%c0%ae",
        ] {
            for path in [format!("/orders/{id}"), format!("/products/{id}")] {
                let answer = web.get(&path).await;
                assert!(answer.status.is_client_error(), "{path} {door}: {}", answer.outcome());
            }
        }
    }
    let calls = system.shop.calls().await;
    let templates = ["orders GET /orders", "catalog GET /products", "catalog GET /promos"];
    assert!(calls.keys().all(|call| templates.contains(&&**call)), "{calls:?}");
}

#[tokio::test]
async fn upstream_answers_that_lead_elsewhere() {
    let system = System::start().await;
    system.shop.strike("orders", &json!([{"path": "*", "mode": "redirect"}])).await;
    let answer = system.frontend(Kind::Mobile).get("/orders").await;
    assert_eq!(answer.outcome(), "502 bad-upstream");
    assert!(answer.headers.get("location").is_none());
}

#[tokio::test]
async fn json_bombs() {
    let system = System::start().await;
    let before = system.bff(Kind::Web).process.resident_bytes();
    let deep = |brackets: usize| format!("{}{}", "[".repeat(brackets), "]".repeat(brackets));
    let many: Vec<_> = (0..1_000_000).map(|key| format!("\"k{key}\":1")).collect();
    let many = format!("{{{}}}", many.join(","));
    let zeros = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for (door, web) in doors(&system, Kind::Web) {
        let web = web.of(system.credential(Kind::Web));
        for (what, body, expected) in [
            ("depth", deep(30_000), ["400 malformed-json", "400 invalid-request"]),
            (
                "a deep value",
                format!(r#"{{"productId":{},"quantity":1}}"#, deep(10_000)),
                ["400 malformed-json", "400 invalid-request"],
            ),
            (
                "a key twice",
                r#"{"productId":"p_1","productId":"p_2","quantity":1}"#.to_owned(),
                ["400 invalid-request", "400 invalid-request"],
            ),
            ("a million keys", many.clone(), ["413 body-too-large", "413 body-too-large"]),
        ] {
            let outcome = web.send("POST", "/orders", Some(Content::json(body))).await.outcome();
            assert!(expected.contains(&&*outcome), "{what} {door}: {outcome}");
        }
        let packed = web.clone().with("content-encoding", "gzip");
        let outcome = packed.send("POST", "/orders", Some(Content::json(zeros.clone()))).await.outcome();
        assert_eq!(outcome, "415 unsupported-media-type", "{door}");
    }
    let grown = system.bff(Kind::Web).process.resident_bytes().saturating_sub(before);
    assert!(grown <= 16 << 20, "{grown} bytes more are held");
}

#[tokio::test]
async fn log_injection_and_secrets_in_logs() {
    let system = System::start().await;
    let token = system.shop.user_token("u_42").await;
    let secrets: Vec<String> = Kind::ALL.iter().map(|kind| system.credential(*kind).0[0].1.clone()).collect();
    for kind in Kind::ALL {
        for (_, client) in doors(&system, kind) {
            let client = client.of(system.credential(kind)).with("user-agent", "evil\t{\"level\":\"ERROR\"}");
            for path in [
                format!("/orders?access_token={token}"),
                format!("/v1/orders/%0a%7b%22level%22?api_key={ACME_KEY}"),
                "/dashboard".to_owned(),
                "/home".to_owned(),
                format!("/{token}"),
                "/auth/callback?code=a-code-of-somebody&state=a-state-of-somebody".to_owned(),
            ] {
                client.get(&path).await;
            }
        }
    }
    let logs = Kind::ALL.map(|kind| system.bff(kind).process.log());
    for log in logs.iter().chain([&system.gateway.log()]) {
        for secret in secrets.iter().flat_map(|secret| secret.split([' ', '='])).chain([&*token, ACME_KEY]) {
            assert!(secret.len() < 12 || !log.contains(secret), "a secret is in a log");
        }
        for trace in ["a-code-of-somebody", "a-state-of-somebody", "Lovelace", "@"] {
            assert!(!log.contains(trace), "{trace} is in a log");
        }
    }
    for log in &logs {
        for line in log.lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(event.is_object(), "{line}");
        }
    }
}

#[tokio::test]
async fn cors_framing_and_sniffing() {
    let system = System::start().await;
    for kind in Kind::ALL {
        let path = if kind == Kind::Partner { "/v1/orders" } else { "/orders" };
        for (door, client) in doors(&system, kind) {
            for origin in ["https://evil.test", "null", "https://shop.example"] {
                let client = client.clone().of(system.credential(kind)).with("origin", origin);
                let asked = client.clone().with("access-control-request-method", "POST");
                for answer in [client.get(path).await, asked.send("OPTIONS", path, None).await] {
                    let cors = answer.headers.keys().find(|name| name.as_str().starts_with("access-control"));
                    assert_eq!(cors, None, "{origin} at {} {door}", kind.name());
                    assert_eq!(answer.header("x-content-type-options"), "nosniff");
                    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
                    assert!(answer.header("strict-transport-security").starts_with("max-age="), "{door}");
                }
            }
        }
    }
}
