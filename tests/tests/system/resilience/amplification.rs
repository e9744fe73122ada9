//! However much fails, services are not asked much more often than clients ask.

use end_to_end::{Client, Kind};
use futures::{StreamExt, stream};
use serde_json::json;
use tokio::time::Instant;

use super::{ADA, FORGETFUL, PATIENT, Site, figure};

const REQUESTS: u32 = 120;
const AT_ONCE: usize = 8;
/// The sections of the dashboard whose loss ends no other call, by service: how many calls each page makes.
const CALLS: [(&str, u32); 4] = [("billing", 1), ("usage", 1), ("notifications", 1), ("catalog", 2)];
/// Every request makes its own calls.
const APART: &[(&str, &str)] = &[
    ("BFF__UPSTREAMS__USERS__COALESCING", "false"),
    ("BFF__UPSTREAMS__ORDERS__COALESCING", "false"),
    ("BFF__UPSTREAMS__BILLING__COALESCING", "false"),
    ("BFF__UPSTREAMS__USAGE__COALESCING", "false"),
    ("BFF__UPSTREAMS__NOTIFICATIONS__COALESCING", "false"),
    ("BFF__UPSTREAMS__CATALOG__COALESCING", "false"),
];
/// Without breakers nothing but the budget is in the way.
const UNBROKEN: &[(&str, &str)] = &[
    ("BFF__UPSTREAMS__BILLING__BREAKER", "false"),
    ("BFF__UPSTREAMS__USAGE__BREAKER", "false"),
    ("BFF__UPSTREAMS__NOTIFICATIONS__BREAKER", "false"),
    ("BFF__UPSTREAMS__CATALOG__BREAKER", "false"),
];

#[tokio::test]
async fn attempts_are_bounded_whatever_share_fails() {
    let site = Site::open().await;
    for breakers in [true, false] {
        for errors in [0, 10, 50, 100] {
            amplify(&site, errors, breakers).await;
        }
    }
}

async fn amplify(site: &Site, errors: u32, breakers: bool) {
    for (service, _) in CALLS {
        let rules = json!([
            {"path": "*", "mode": "error", "status": 500, "rate": f64::from(errors) / 100.0},
            // Some are slow, so that there is something to hedge.
            {"path": "*", "mode": "latency", "latencyMs": 100, "rate": 0.04},
        ]);
        site.shop.strike(service, &rules).await;
    }
    site.shop.forget_calls().await;
    let begun = Instant::now();
    let web =
        site.start(Kind::Web, &[FORGETFUL, PATIENT, APART, if breakers { &[] } else { UNBROKEN }]).await;
    ask(&site.client(&web, ADA).await).await;
    let counts = site.shop.calls().await;
    let seconds = begun.elapsed().as_secs_f64();
    let (mut calls, mut attempts, mut bounds) = (0, 0, 0.0);
    for (service, each) in CALLS {
        let mine = counts.iter().filter(|(route, _)| route.starts_with(service));
        let (made, asked) = (mine.map(|(_, count)| *count).sum::<u64>(), each * REQUESTS);
        let bound = 1.1 * f64::from(asked) + seconds + 1.0;
        #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
        let holds = made as f64 <= bound;
        assert!(
            holds,
            "{service} with {errors} % errors: {asked} calls, {made} attempts, {bound:.1} allowed"
        );
        if !breakers {
            assert!(made >= u64::from(asked), "{service}: {made} attempts for {asked} calls");
            assert!(errors == 0 || made > u64::from(asked), "{service}: nothing was tried again");
        }
        (calls, attempts, bounds) = (calls + asked, attempts + made, bounds + bound);
    }
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let ratio = attempts as f64 / f64::from(calls);
    let breakers = if breakers { "on" } else { "off" };
    let (errors, ratio, bounds) = (format!("{errors} %"), format!("{ratio:.2}"), format!("{bounds:.0}"));
    figure("amplification", &[&errors, &breakers, &calls, &attempts, &ratio, &bounds]);
}

async fn ask(client: &Client) {
    let pages = stream::iter(0..REQUESTS).map(|_| client.get("/dashboard")).buffer_unordered(AT_ONCE);
    let answers: Vec<_> = pages.map(|page| page.outcome()).collect().await;
    assert!(answers.iter().all(|outcome| outcome == "200"), "{answers:?}");
}
