//! What a screen is while a breaker is open. No call is made then, so it is the same for every fault.

use std::collections::BTreeSet;

use end_to_end::{Answer, until};

use super::calls;
use super::fault::{DOWN, Group, OPEN};
use super::trial::{Changes, Trial};
use crate::routes::{ROUTES, Route};

const NOTHING_KEPT: Changes = &[("BFF__CACHE__MAX_BYTES", "0B")];

#[tokio::test]
async fn every_route_with_an_open_breaker_of_every_call() {
    Trial::each(NOTHING_KEPT, calls(), async |trial, to| {
        let of_call = || ROUTES.iter().filter(|route| route.calls.iter().any(|call| call.to == to));
        let mut wrong = BTreeSet::new();
        trial.strike(to, r#"{"mode": "error", "status": 500}"#).await;
        for route in of_call() {
            wrong.extend(until_open(trial, route, to).await);
        }
        trial.system.shop.heal(to.split(' ').next().unwrap_or_default()).await;
        for route in of_call() {
            until_well(trial, route).await;
        }
        trial.system.shop.reset().await;
        wrong.into_iter().collect()
    })
    .await;
}

/// Asks until an answer is given without the call, as its breaker is open. Up to then the call fails; then and now it is a
/// probe, and fails.
async fn until_open(trial: &Trial, route: &Route, to: &str) -> Vec<String> {
    let mut wrong = vec![];
    let answer = until("an open breaker", async || {
        let answer = ask_anew(trial, route).await;
        if !trial.system.shop.calls().await.contains_key(to) {
            return Some(answer);
        }
        let failed = [&DOWN, &OPEN].map(|group| differs(trial, route, &answer, to, group));
        if let [Some(failed), Some(_)] = failed {
            wrong.push(failed);
        }
        None
    })
    .await;
    wrong.extend(differs(trial, route, &answer, to, &OPEN));
    wrong
}

async fn until_well(trial: &Trial, route: &Route) {
    let what = format!("a good answer of {route}");
    until(&what, async || {
        let answer = ask_anew(trial, route).await;
        trial.wrong("", route, &answer, |_| None).is_none().then_some(())
    })
    .await;
}

async fn ask_anew(trial: &Trial, route: &Route) -> Answer {
    trial.system.shop.reset().await;
    trial.system.shop.forget_calls().await;
    trial.ask(route).await
}

fn differs(trial: &Trial, route: &Route, answer: &Answer, to: &str, group: &'static Group) -> Option<String> {
    let mut answer = answer.clone();
    // When the next probe is due is up to the dice: in one second or two.
    if answer.header("retry-after") == "2" {
        answer.headers.insert("retry-after", http::HeaderValue::from_static("1"));
    }
    let what = format!("{to} {}", group.heading);
    trial.wrong(&what, route, &answer, |call| (call.to == to).then_some(group))
}
