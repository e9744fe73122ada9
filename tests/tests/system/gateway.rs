//! What the gateway adds, takes away and answers by itself.

mod compression;
mod identity;
mod paths;

use end_to_end::{Bff, Client, Kind, System, assert_problem};
use http::Version;
use serde_json::json;

#[tokio::test]
async fn what_passes_through_the_gateway() {
    let system = System::start().await;
    identity::what_comes_from_outside_reaches_no_domain_service(&system).await;
    identity::a_bff_does_not_leave_it_to_the_gateway(&system).await;
    paths::a_path_reaches_one_place(&system).await;
    compression::answers_are_compressed_as_the_client_likes(&system).await;
    an_answer_that_has_not_changed_is_not_sent_again(&system).await;
    http2_works_as_well(&system).await;
}

#[tokio::test]
async fn a_bff_that_is_gone_is_a_problem_until_it_is_back() {
    let mut system = System::start().await;
    for (kind, path) in [(Kind::Web, "/dashboard"), (Kind::Mobile, "/home"), (Kind::Partner, "/v1/orders")] {
        let bff = system.take(kind);
        let address = bff.address;
        let answer = cut_off(&system, kind, path, bff).await;
        assert_eq!(answer, "503 unavailable", "{} was killed in the middle of it", kind.name());

        let answer = system.frontend(kind).get(path).await;
        assert_eq!(answer.outcome(), "503 unavailable", "{} is gone", kind.name());
        let instance = answer.json()["instance"].take();
        assert_eq!(instance, format!("{}{path}", kind.prefix()));
        for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
            assert_eq!(elsewhere(&system, other).await, "404 not-found", "{} still answers", other.name());
        }

        system.put_back(kind, address).await;
        assert_eq!(system.frontend(kind).get(path).await.outcome(), "200", "{} is back", kind.name());
    }
}

/// The answer to a request whose BFF is killed while it waits for the orders service.
async fn cut_off(system: &System, kind: Kind, path: &str, bff: Bff) -> String {
    system.shop.forget_calls().await;
    system.shop.strike("orders", &json!([{"path": "*", "mode": "hang"}])).await;
    let kill = async {
        while !system.shop.calls().await.contains_key("orders GET /orders") {
            tokio::task::yield_now().await;
        }
        bff.process.kill();
        bff.process.ended().await;
    };
    let frontend = system.frontend(kind);
    let (answer, ()) = tokio::join!(frontend.get(path), kill);
    system.shop.heal("orders").await;
    answer.outcome()
}

async fn elsewhere(system: &System, kind: Kind) -> String {
    system.frontend(kind).get("/nowhere").await.outcome()
}

async fn an_answer_that_has_not_changed_is_not_sent_again(system: &System) {
    for (kind, path) in [(Kind::Web, "/dashboard"), (Kind::Mobile, "/home"), (Kind::Partner, "/v1/orders")] {
        let frontend = system.frontend(kind);
        let first = frontend.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        assert_eq!(first.header("cache-control"), "private, no-cache");
        assert_eq!(first.header("vary"), "Authorization, Cookie, Accept-Encoding");

        let again = frontend.clone().with("if-none-match", &tag);
        for accepted in ["identity", "zstd", "br", "gzip"] {
            let answer = again.clone().with("accept-encoding", accepted).get(path).await;
            assert_eq!(answer.status, 304, "{path} in {accepted}");
            for name in ["etag", "cache-control", "vary"] {
                assert_eq!(answer.header(name), first.header(name), "{path} {name}");
            }
        }
        let other = frontend.with("if-none-match", "W/\"another\"").get(path).await;
        assert_eq!(other.status, 200, "{path}");
        assert_eq!(other.body, first.body, "{path}");
    }
}

async fn http2_works_as_well(system: &System) {
    let client = Client::http2(&system.gateway.url).of(system.credential(Kind::Mobile));
    let home = client.get("/mobile/home").await;
    assert_eq!((home.status.as_u16(), home.version), (200, Version::HTTP_2));
    assert_eq!(home.body, system.frontend(Kind::Mobile).get("/home").await.body);
    let nowhere = client.get("/nowhere").await;
    assert_eq!((nowhere.outcome().as_str(), nowhere.version), ("404 not-found", Version::HTTP_2));
    assert_problem(&nowhere);
}
