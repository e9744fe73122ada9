//! Every route with every fault of every call: the degradation matrix.

use std::collections::BTreeSet;

use end_to_end::{Answer, System};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::routes::{Call, Lost, ROUTES, Route};
use crate::samples::Samples;

/// What an upstream does, and what that means.
struct Fault {
    rule: &'static str,
    /// The answer of a route that needs the call.
    required: &'static str,
    /// The status of the warning of a route that does not.
    optional: &'static str,
}

const FAULTS: &[Fault] = &[
    fault(r#"{"mode": "error", "status": 500}"#, "503 unavailable", "unavailable"),
    // With Retry-After, as an overloaded service does.
    fault(r#"{"mode": "error", "status": 503}"#, "503 overloaded", "shed"),
    fault(r#"{"mode": "error", "status": 429}"#, "503 overloaded", "shed"),
    // A fresh token is tried once; the client's own was good here, so it is never told to get another.
    fault(r#"{"mode": "error", "status": 401}"#, "502 bad-upstream", "unavailable"),
    fault(r#"{"mode": "reset"}"#, "503 unavailable", "unavailable"),
    fault(r#"{"mode": "truncate"}"#, "503 unavailable", "unavailable"),
    fault(r#"{"mode": "hang"}"#, "504 deadline-exceeded", "timeout"),
    fault(r#"{"mode": "drip"}"#, "504 deadline-exceeded", "timeout"),
    fault(r#"{"mode": "html"}"#, "502 bad-upstream", "contract_violation"),
    fault(r#"{"mode": "oversize"}"#, "502 bad-upstream", "contract_violation"),
    fault(r#"{"mode": "redirect"}"#, "502 bad-upstream", "contract_violation"),
    fault(r#"{"mode": "wrong_shape"}"#, "502 bad-upstream", "contract_violation"),
];

const fn fault(rule: &'static str, required: &'static str, optional: &'static str) -> Fault {
    Fault { rule, required, optional }
}

#[tokio::test]
async fn every_route_with_every_fault_of_every_call() {
    let system = System::start().await;
    let samples = Samples::find(&system).await;
    let healthy = ask_all(&system, &samples).await;
    let calls: BTreeSet<&str> = ROUTES.iter().flat_map(|route| route.calls).map(|call| call.to).collect();
    let mut wrong = Vec::new();
    for to in calls {
        for fault in FAULTS {
            let answers = with_fault(&system, &samples, to, fault).await;
            for ((route, answer), good) in ROUTES.iter().zip(&answers).zip(&healthy) {
                let (expected, seen) = (expected(route, good, to, fault), shown(route, answer));
                if seen != expected {
                    let (seen, expected) = difference(&seen, &expected);
                    wrong.push(format!(
                        "{to} {}\n  {route}\n    seen     {seen}\n    expected {expected}",
                        fault.rule
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong answers\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_lost_identity_provider_is_not_noticed_by_those_who_are_signed_in() {
    let system = System::start().await;
    let samples = Samples::find(&system).await;
    let healthy = ask_all(&system, &samples).await;
    system.shop.strike("identity", &json!([{"path": "*", "mode": "error", "status": 500}])).await;
    system.shop.reset().await;
    let answers = ask_all(&system, &samples).await;
    for ((route, answer), good) in ROUTES.iter().zip(&answers).zip(&healthy) {
        assert_eq!(shown(route, answer), shown(route, good), "{route}");
    }
}

async fn with_fault(system: &System, samples: &Samples, to: &str, fault: &Fault) -> Vec<Answer> {
    let (service, route) = to.split_once(' ').expect("a service and a route");
    let (method, template) = route.split_once(' ').expect("a method and a path");
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment });
    let mut rule: Value = serde_json::from_str(fault.rule).expect("a rule");
    rule["method"] = method.into();
    rule["path"] = segments.collect::<Vec<_>>().join("/").into();
    system.shop.reset().await;
    system.shop.strike(service, &json!([rule])).await;
    let answers = ask_all(system, samples).await;
    system.shop.heal(service).await;
    answers
}

/// The answers of all routes: first of those that read, so that they all see the same data.
async fn ask_all(system: &System, samples: &Samples) -> Vec<Answer> {
    let (reads, writes): (Vec<_>, Vec<_>) =
        ROUTES.iter().enumerate().partition(|(_, route)| route.method == "GET");
    let mut answers = Vec::new();
    for half in [reads, writes] {
        let asked = half.into_iter().map(async |(place, route): (usize, &Route)| {
            (place, route.ask(&system.frontend(route.kind), samples).await)
        });
        answers.extend(join_all(asked).await);
    }
    answers.sort_unstable_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// What a route answers to a fault of one call, which may be none of its own.
fn expected(route: &Route, good: &Answer, to: &str, fault: &Fault) -> String {
    let applies = |call: &&Call| call.to == to && (call.shaped || !fault.rule.contains("wrong_shape"));
    let Some(call) = route.calls.iter().find(applies) else {
        return shown(route, good);
    };
    let Lost::Section(section, leaves) = &call.lost else {
        return fault.required.to_owned();
    };
    let mut body = comparable(route, good);
    for (pointer, value) in *leaves {
        put(&mut body, pointer, &serde_json::from_str(value).expect("JSON"));
    }
    let retryable = fault.optional != "contract_violation";
    let warning = json!({"section": section, "status": fault.optional, "retryable": retryable});
    // Nothing more is said of what is inside a section that is lost.
    let mut warnings = vec![warning];
    for other in body["warnings"].as_array().into_iter().flatten() {
        let rest = other["section"].as_str().and_then(|other| other.strip_prefix(section));
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            warnings.push(other.clone());
        }
    }
    body["warnings"] = warnings.into();
    sort_warnings(&mut body);
    format!("{} {body}", route.status)
}

/// An answer as far as it can be compared: what is wrong with it, or what it says.
fn shown(route: &Route, answer: &Answer) -> String {
    let outcome = answer.outcome();
    if answer.status.is_success() { format!("{outcome} {}", comparable(route, answer)) } else { outcome }
}

/// The body without what is different each time, and without the words of warnings.
fn comparable(route: &Route, answer: &Answer) -> Value {
    let mut body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    for pointer in route.varying {
        put(&mut body, pointer, &Value::Null);
    }
    for warning in body.get_mut("warnings").and_then(Value::as_array_mut).into_iter().flatten() {
        let message = warning.as_object_mut().and_then(|warning| warning.remove("message"));
        assert!(message.is_some_and(|text| text.as_str().is_some_and(|text| !text.is_empty())), "{route}");
    }
    sort_warnings(&mut body);
    body
}

/// They come in the order of the losses, which is nobody's business.
fn sort_warnings(body: &mut Value) {
    if let Some(warnings) = body.get_mut("warnings").and_then(Value::as_array_mut) {
        warnings.sort_by_key(|warning| warning["section"].to_string());
    }
}

/// What follows where two texts begin to differ, as far as it fits a line.
fn difference<'a>(seen: &'a str, expected: &'a str) -> (&'a str, &'a str) {
    let same = seen.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
    let part = |text: &'a str| {
        &text[text.floor_char_boundary(same.saturating_sub(60))..text.floor_char_boundary(same + 200)]
    };
    (part(seen), part(expected))
}

/// Replaces what is at a JSON pointer, if it is there; `*` is every item.
fn put(body: &mut Value, pointer: &str, value: &Value) {
    match pointer.split_once("/*") {
        Some((list, rest)) => {
            let items = body.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            items.for_each(|item| put(item, rest, value));
        }
        None => {
            if let Some(place) = body.pointer_mut(pointer) {
                *place = value.clone();
            }
        }
    }
}
