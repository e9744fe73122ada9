//! What a screen is while answers of the services behind it are at hand.

use std::time::Duration;

use end_to_end::{ADMIN_TOKEN, Kind};
use tokio::time::{Instant, sleep_until};

use super::calls;
use super::fault::{DOWN, FAULTS, Fault, Group, OLD};
use super::trial::{Changes, Trial, assert_right};
use crate::routes::{Call, ROUTES, kept};

const WITH_ADMIN: Changes = &[("BFF__ADMIN__TOKEN", ADMIN_TOKEN), ("BFF__UPSTREAMS__*__BREAKER", "false")];
/// Within the first and the second kind of freshness of some calls, and beyond all.
const AGES: [u64; 3] = [15, 75, 340];

#[tokio::test]
async fn what_is_fresh_is_shown_without_a_call_so_that_no_fault_of_it_is_noticed() {
    let trial = Trial::start(WITH_ADMIN).await;
    fill(&trial).await;
    let calls: Vec<_> = calls().into_iter().filter(|call| kept(call).is_some()).collect();
    trial.strike_each(&calls, r#"{"mode": "hang"}"#).await;
    trial.system.shop.forget_calls().await;
    let answers = trial.ask_all().await;
    let wrong = ROUTES.iter().zip(&answers);
    let mut wrong: Vec<_> =
        wrong.filter_map(|(route, answer)| trial.wrong("all kept", route, answer, |_| None)).collect();
    wrong.extend(trial.late());
    assert_right(&wrong);
    let made = trial.system.shop.calls().await;
    assert!(calls.iter().all(|call| !made.contains_key(*call)), "{made:?}");
}

/// What is fresh for no time is old at once, or at once to be renewed.
#[tokio::test]
async fn what_is_no_longer_fresh_bridges_what_its_rule_says_and_no_refusal() {
    let cells = FAULTS.iter().flat_map(|fault| calls().into_iter().map(move |to| (fault, to)));
    let cells = cells.filter_map(|(fault, to)| Some((fault, to, kept(to)?)));
    // What is renewed may hear of a refusal sooner or later.
    let cells = cells.filter(|(fault, _, kept)| !(kept.renewed && is_refusal(fault)));
    Trial::each(WITH_ADMIN, cells, async |trial, (fault, to, _)| {
        let of_call =
            || ROUTES.iter().filter(|route| route.reads() && route.calls.iter().any(|call| call.to == to));
        trial.strike(to, r#"{"mode": "expired"}"#).await;
        forget(trial).await;
        for route in of_call() {
            trial.ask(route).await;
        }
        trial.strike(to, fault.rule).await;
        let answers = trial.ask_each(of_call()).await;
        trial.system.shop.heal(to.split(' ').next().unwrap_or_default()).await;
        let what = format!("{to} old, {}", fault.rule);
        let failure =
            |call: &Call| fault.group.filter(|_| call.to == to).and_then(|group| bridged(call, fault, group));
        let compared = of_call().zip(&answers);
        compared.filter_map(|(route, answer)| trial.wrong(&what, route, answer, failure)).collect()
    })
    .await;
}

/// What becomes of a call that fails when its answer is no longer fresh.
fn bridged(call: &Call, fault: &Fault, group: &'static Group) -> Option<&'static Group> {
    match kept(call.to) {
        Some(kept) if kept.renewed => None,
        Some(_) if call.old && !is_refusal(fault) => Some(&OLD),
        _ => Some(group),
    }
}

/// Whether the service says something that is true now.
fn is_refusal(fault: &Fault) -> bool {
    ["404", "403", "401"].iter().any(|status| fault.rule.contains(status))
}

#[tokio::test]
#[ignore = "answers must grow old: six minutes"]
async fn what_grows_old_is_shown_as_old_or_not_at_all() {
    let trial = Trial::start(WITH_ADMIN).await;
    let begun = Instant::now();
    fill(&trial).await;
    let calls: Vec<_> = calls().into_iter().filter(|call| kept(call).is_some()).collect();
    trial.strike_each(&calls, r#"{"mode": "error", "status": 500}"#).await;
    let reads = || ROUTES.iter().filter(|route| route.reads());
    let mut wrong = vec![];
    for age in AGES.map(Duration::from_secs) {
        sleep_until(begun + age).await;
        let answers = trial.ask_each(reads()).await;
        let compared = reads().zip(&answers).filter_map(|(route, answer)| {
            trial.wrong(&format!("all {age:?} old"), route, answer, |call| at_age(call, age))
        });
        wrong.extend(compared);
    }
    wrong.extend(trial.late());
    assert_right(&wrong);
}

/// Every answer that may be kept has been asked for just now, and is about what the shop began with.
async fn fill(trial: &Trial) {
    forget(trial).await;
    trial.warm().await;
}

async fn forget(trial: &Trial) {
    for kind in Kind::ALL {
        trial.system.bff(kind).invalidate(&["*"]).await;
    }
}

/// What becomes of a call whose service is down and whose answer is so old.
fn at_age(call: &Call, age: Duration) -> Option<&'static Group> {
    let kept = kept(call.to)?;
    let old = call.old && age <= kept.if_error;
    (age >= kept.unnoticed).then_some(if old { &OLD } else { &DOWN })
}
