//! Each caller asks as often as its plan allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::routing::get as on_get;
use axum::{Extension, Router};
use middleware::{Allowance, Plan, PlanSettings, Quotas, authentication};
use problem::{Problem, kind};
use test_support::Metrics;
use tokio::time::advance;

use crate::authentication::Bearer;
use crate::support::{Answer, app, get, send};
use crate::writes::store::{Fault, FaultyStore};

/// A service with a plan of three requests a minute, but for `u_free`, who has none.
struct Shop {
    app: Router,
    quotas: Quotas<FaultyStore>,
    handled: Arc<AtomicUsize>,
}

impl Shop {
    fn new(store: &FaultyStore) -> Self {
        let settings = PlanSettings { requests: 3.try_into().unwrap(), per: Duration::from_mins(1) };
        let plan = Plan::new("small", &settings);
        let quotas = Quotas::new("shop", store.clone(), move |caller| {
            (caller.subject.as_str() != "u_free").then(|| Arc::clone(&plan))
        });
        let handled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&handled);
        let look = move |allowance: Option<Extension<Allowance>>| {
            count.fetch_add(1, Ordering::Relaxed);
            let said = allowance.map(|Extension(it)| format!("{} {}", it.remaining, it.resets_in_seconds));
            std::future::ready(said.unwrap_or_default())
        };
        let fail = async || Problem::new(kind::CONFLICT);
        let routes = Router::new().route("/look", on_get(look)).route("/fail", on_get(fail));
        Self { app: app(routes.route_layer((authentication(Bearer), quotas.clone()))), quotas, handled }
    }

    async fn ask(&self, path: &str, who: &str) -> Answer {
        send(&self.app, get(path).header("authorization", format!("Bearer {who}")), "").await
    }
}

/// `200 "small";r=2;t=20`, and `Retry-After` where there is one.
fn line(answer: &Answer) -> String {
    let parts = [answer.status.as_str(), answer.header("ratelimit"), answer.header("retry-after")];
    parts.join(" ").trim_end().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_counted_down_refused_and_comes_back() {
    let (shop, metrics) = (Shop::new(&FaultyStore::new()), Metrics::new());
    shop.quotas.observe(&metrics.meter());
    for (passed, path, expected) in [
        (0, "/look", r#"200 "small";r=2;t=20"#),
        (5, "/fail", r#"409 "small";r=1;t=15"#),
        (0, "/look", r#"200 "small";r=0;t=15"#),
        (0, "/look", r#"429 "small";r=0;t=15 15"#),
        (14, "/fail", r#"429 "small";r=0;t=1 1"#),
        (1, "/look", r#"200 "small";r=0;t=20"#),
        (60, "/look", r#"200 "small";r=2;t=20"#),
    ] {
        advance(Duration::from_secs(passed)).await;
        let answer = shop.ask(path, "u_42").await;
        assert_eq!(line(&answer), expected);
        assert_eq!(answer.header("ratelimit-policy"), r#""small";q=3;w=60"#);
    }
    assert_eq!(shop.handled.load(Ordering::Relaxed), 4, "what is refused costs nothing");
    assert_eq!(metrics.value(r#"triptych_quota_refused_total{triptych_plan="small"}"#), 2);
    assert_eq!(line(&shop.ask("/look", "u_43").await), r#"200 "small";r=2;t=20"#);
    assert_eq!(line(&shop.ask("/look", "nobody").await), "401");
    for _ in 0..10 {
        assert_eq!(line(&shop.ask("/look", "u_free").await), "200");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_the_plan_allows() {
    let shop = Shop::new(&FaultyStore::new());
    assert_eq!(shop.ask("/look", "u_42").await.body, "2 20");
    for _ in 0..2 {
        shop.ask("/look", "u_42").await;
    }
    let answer = shop.ask("/look", "u_42").await;
    assert_eq!(answer.verdict(), "429 too-many-requests");
    assert_eq!(answer.fault(), "The plan small allows 3 requests in 1m.");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_did_not_change_says_what_is_left_too() {
    let shop = Shop::new(&FaultyStore::new());
    let tag = shop.ask("/look", "u_42").await.header("etag").to_owned();
    advance(Duration::from_mins(1)).await;
    let request = get("/look").header("authorization", "Bearer u_42").header("if-none-match", tag);
    assert_eq!(line(&send(&shop.app, request, "").await), r#"304 "small";r=2;t=20"#);
}

#[tokio::test(start_paused = true)]
async fn without_the_store_each_replica_gives_a_whole_quota() {
    let store = FaultyStore::new();
    let (one, two) = (Shop::new(&store), Shop::new(&store));
    for (shop, expected) in [(&one, "r=2"), (&two, "r=1"), (&one, "r=0")] {
        assert!(line(&shop.ask("/look", "u_42").await).contains(expected), "replicas share");
    }
    assert_eq!(two.ask("/look", "u_42").await.status, 429);
    for fault in [Fault::Down, Fault::Full] {
        store.is(fault);
        advance(Duration::from_mins(1)).await;
        for shop in [&one, &two] {
            for status in [200, 200, 200, 429] {
                assert_eq!(shop.ask("/look", "u_42").await.status, status);
            }
        }
    }
    store.is(None);
    assert_eq!(line(&one.ask("/look", "u_42").await), r#"200 "small";r=2;t=20"#);
}
