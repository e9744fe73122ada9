//! More than a service can take: what finds no place is refused at once, and the BFF lives.

use end_to_end::{Kind, until};
use futures::future::join_all;

use super::{ADA, Site, begin};

const REQUESTS: usize = 200;

#[tokio::test]
async fn it_stays_alive_and_ready_and_refuses_what_finds_no_place() {
    let site = Site::open().await;
    let apart: &[_] = &[("BFF__UPSTREAMS__ORDERS__COALESCING", "false")];
    let web = site.start(Kind::Web, &[apart]).await;
    let ada = site.client(&web, ADA).await;
    site.shop.hold("orders").await;
    let asking: Vec<_> = (0..REQUESTS).map(|_| begin(&ada, "GET", "/orders", None)).collect();
    let operator = web.operator();
    let mut asked = 0;
    while asked < 20 || !asking.iter().all(tokio::task::JoinHandle::is_finished) {
        for path in ["/livez", "/readyz"] {
            assert_eq!(operator.get(path).await.status, 200, "{path}");
        }
        asked += 1;
    }
    let mut shed = 0;
    for answer in join_all(asking).await {
        let answer = answer.expect("it does not panic");
        match &*answer.outcome() {
            "503 overloaded" => {
                assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                shed += 1;
            }
            other => assert!(["503 unavailable", "504 deadline-exceeded"].contains(&other), "{other}"),
        }
    }
    assert!(shed > 0, "nobody was refused");
    assert!(site.calls("orders GET /orders").await < REQUESTS as u64);
    site.shop.release("orders").await;
    until("all places", async || {
        let state = web.upstreams().await["upstreams"]["orders"]["concurrency"].take();
        (state["inFlight"] == 0 && state["queued"] == 0).then_some(())
    })
    .await;
}
