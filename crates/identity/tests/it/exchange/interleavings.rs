//! Whatever comes together, nobody ever gets what speaks for another, or what another service takes.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::json;

use super::super::exchanger::Exchanger;
use super::super::support::pass;
use super::{request_of, token, tokens};

const USERS: [&str; 2] = ["adas", "bobs"];
const SERVICES: [&str; 3] = ["users", "orders", "catalog"];

#[derive(Clone, Debug)]
struct Call {
    user: usize,
    service: usize,
    /// Whether the service has just refused the first token for this.
    rejected: bool,
    /// How often others go first.
    late: u8,
}

#[derive(Clone, Debug)]
enum Step {
    Together(Vec<Call>),
    Pass(u64),
    Down(bool),
    Refuse(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let call = (0..USERS.len(), 0..SERVICES.len(), any::<bool>(), 0..20_u8)
        .prop_map(|(user, service, rejected, late)| Call { user, service, rejected, late });
    prop_oneof![
        6 => prop::collection::vec(call, 1..20).prop_map(Step::Together),
        2 => prop_oneof![Just(1_u64), Just(5), Just(30), Just(70)].prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Down),
        1 => (0..USERS.len()).prop_map(Step::Refuse),
    ]
}

async fn hold_for(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let exchanger = Exchanger::start().await;
    exchanger.set_expires_in(Some(60));
    let tokens = tokens(&exchanger, &json!({}));
    for step in steps {
        match step {
            Step::Pass(seconds) => pass(Duration::from_secs(seconds)).await,
            Step::Down(down) => exchanger.set_down(down),
            Step::Refuse(user) => exchanger.refuse(USERS[user]),
            Step::Together(calls) => {
                let calls = calls.into_iter().map(|call| {
                    let tokens = Arc::clone(&tokens);
                    tokio::spawn(async move {
                        for _ in 0..call.late {
                            tokio::task::yield_now().await;
                        }
                        let (user, service) = (USERS[call.user], SERVICES[call.service]);
                        let rejected = call.rejected.then(|| format!("{user}@{service}#1"));
                        let got = token(&tokens, &request_of(user, user), service, rejected.as_deref()).await;
                        (user, service, rejected, got)
                    })
                });
                for call in calls.collect::<Vec<_>>() {
                    let (user, service, rejected, got) = call.await.unwrap();
                    let none = matches!(got.as_str(), "refused" | "unavailable");
                    prop_assert!(
                        none || got.starts_with(&format!("{user}@{service}#")),
                        "{user} at {service}: {got}"
                    );
                    prop_assert_ne!(Some(got), rejected, "the token that was refused");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn two_users_and_three_services_never_meet() {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 1..12))| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(hold_for(steps))?;
    });
}
