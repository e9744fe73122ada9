//! What a screen is while answers of the services behind it are at hand.

use std::time::Duration;

use end_to_end::{ADMIN_TOKEN, Kind};
use tokio::time::{Instant, sleep_until};

use super::calls;
use super::fault::{DOWN, Group, OLD};
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
    let wrong: Vec<_> =
        wrong.filter_map(|(route, answer)| trial.wrong("all kept", route, answer, |_| None)).collect();
    assert_right(&wrong);
    let made = trial.system.shop.calls().await;
    assert!(calls.iter().all(|call| !made.contains_key(*call)), "{made:?}");
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
    assert_right(&wrong);
}

/// Every answer that may be kept has been asked for just now, and is about what the shop began with.
async fn fill(trial: &Trial) {
    for kind in Kind::ALL {
        trial.system.bff(kind).invalidate(&["*"]).await;
    }
    trial.warm().await;
}

/// What becomes of a call whose service is down and whose answer is so old.
fn at_age(call: &Call, age: Duration) -> Option<&'static Group> {
    let kept = kept(call.to)?;
    let old = call.old && age <= kept.if_error;
    (age >= kept.unnoticed).then_some(if old { &OLD } else { &DOWN })
}
