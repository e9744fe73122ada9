//! SIGTERM under load: nobody who was let in is let down.

mod line;

use end_to_end::{Bff, Client, EVERY_CALL, Kind, RunDir, Shop, within};
use futures::future::join_all;
use serde_json::json;

use line::{Line, Protocol};

/// A mobile BFF in front of a shop of its own, and Ada's credential. A call is a request that is under way.
async fn mobile(changes: &[(&str, &str)]) -> (Shop, Bff, String) {
    let dir = RunDir::create();
    let shop = Shop::open("demo-shop", &[], &dir).await;
    let bff = Bff::start(Kind::Mobile, &shop, &[EVERY_CALL, changes].concat(), &dir).await;
    let authorization = format!("Bearer {}", shop.user_token("u_42").await);
    (shop, bff, authorization)
}

#[tokio::test]
async fn first_it_is_not_ready_and_still_serves() {
    let (_shop, bff, authorization) = mobile(&[("BFF__SERVER__LAME_DUCK", "1h")]).await;
    assert_eq!(bff.ready().await, 200);
    bff.process.terminate();
    within("not being ready", async { while bff.ready().await != 503 {} }).await;

    let client = bff.client().with("authorization", &authorization);
    let answer = client.get("/home").await;
    assert_eq!((answer.outcome().as_str(), answer.header("connection")), ("200", "close"));
    let client = Client::http2(format!("http://{}", bff.address)).with("authorization", &authorization);
    assert_eq!(client.get("/home").await.outcome(), "200");

    // Somebody is in a hurry.
    bff.process.terminate();
    assert_eq!(bff.process.ended().await.code(), Some(128 + 15));
}

#[tokio::test]
async fn then_what_runs_is_answered() {
    const EACH: usize = 6;
    let patient = [
        ("BFF__SERVER__LAME_DUCK", "0s"),
        ("BFF__UPSTREAMS__USERS__TIMEOUT", "30s"),
        ("BFF__REQUESTS__DEADLINE", "30s"),
    ];
    let (shop, bff, authorization) = mobile(&patient).await;
    let mut lines = Vec::new();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for _ in 0..EACH {
            let mut line = Line::open(bff.address, protocol, &authorization).await;
            // A connection that has been used before, as those of a proxy are.
            assert_eq!(line.ask().await.map(|answer| answer.status), Some(200));
            lines.push(line);
        }
    }
    let calls = async || shop.calls().await["users GET /users/{id}"];
    let before = calls().await;
    shop.strike("users", &json!([{"path": "*", "mode": "latency", "latencyMs": 1000}])).await;
    let asking = join_all(lines.iter_mut().map(Line::ask));
    let ending = async {
        within("all requests", async { while calls().await < before + 2 * EACH as u64 {} }).await;
        bff.process.terminate();
        bff.process.ended().await
    };
    let (answers, ended) = tokio::join!(asking, ending);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(|answer| answer.status)).collect();
    assert_eq!(statuses, vec![Some(200); 2 * EACH]);
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn no_request_is_lost_while_clients_learn_to_go_elsewhere() {
    const CLIENTS: usize = 3;
    let (shop, bff, authorization) = mobile(&[("BFF__SERVER__LAME_DUCK", "2s")]).await;
    let mut lines = Vec::new();
    for protocol in [Protocol::Http1, Protocol::Http2].repeat(CLIENTS) {
        lines.push(Line::open(bff.address, protocol, &authorization).await);
    }
    let asking = join_all(lines.iter_mut().map(Line::ask_until_told_to_leave));
    let ending = async {
        let busy = async || shop.calls().await.get("users GET /users/{id}").is_some_and(|calls| *calls >= 50);
        within("50 requests", async { while !busy().await {} }).await;
        bff.process.terminate();
        bff.process.ended().await
    };
    let (answered, ended) = tokio::join!(asking, ending);
    assert!(answered.iter().all(|answered| *answered > 0), "{answered:?}");
    assert_eq!(ended.code(), Some(0));
}
