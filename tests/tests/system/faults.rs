//! The degradation matrix: every route with every fault of every call. What it says is in docs/degradation.md.

mod breakers;
mod document;
mod expected;
mod fault;
mod kept;
mod times;
mod trial;

use std::collections::BTreeSet;

use fault::{FAULTS, Fault};
use serde_json::json;
use trial::{Changes, Trial, assert_right};

use crate::routes::{Call, ROUTES};

/// Each fault is seen alone: nothing bridges it, and none that came before is remembered.
const NOTHING_KEPT: Changes = &[("BFF__CACHE__MAX_BYTES", "0B"), ("BFF__UPSTREAMS__*__BREAKER", "false")];

/// Every call of an upstream that there is.
fn calls() -> BTreeSet<&'static str> {
    ROUTES.iter().flat_map(|route| route.calls).map(|call| call.to).collect()
}

#[tokio::test]
async fn every_route_with_every_fault_of_every_call() {
    let cells = FAULTS.iter().flat_map(|fault| calls().into_iter().map(move |to| (fault, to)));
    Trial::each(NOTHING_KEPT, cells, async |trial, (fault, to)| {
        trial.strike(to, fault.rule).await;
        let answers = trial.ask_all().await;
        trial.system.shop.heal(to.split(' ').next().unwrap_or_default()).await;
        trial.system.shop.reset().await;
        let group = |call: &Call| fault.group.filter(|_| call.to == to && applies(call, fault));
        let what = format!("{to} {}", fault.rule);
        let compared = ROUTES.iter().zip(&answers);
        compared.filter_map(|(route, answer)| trial.wrong(&what, route, answer, group)).collect()
    })
    .await;
}

fn applies(call: &Call, fault: &Fault) -> bool {
    call.shaped || !fault.rule.contains("wrong_shape")
}

#[tokio::test]
async fn a_lost_identity_provider_is_not_noticed_by_those_who_are_signed_in() {
    let trial = Trial::start(NOTHING_KEPT).await;
    trial.system.shop.strike("identity", &json!([{"path": "*", "mode": "error", "status": 500}])).await;
    let answers = trial.ask_all().await;
    let compared = ROUTES.iter().zip(&answers);
    let wrong: Vec<_> =
        compared.filter_map(|(route, answer)| trial.wrong("identity", route, answer, |_| None)).collect();
    assert_right(&wrong);
}
