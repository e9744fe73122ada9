//! What a route must answer when calls of its fail, to the last value of what is left.

use end_to_end::Answer;
use serde_json::{Value, json};

use super::fault::Group;
use crate::routes::{Call, Lost, Route};

/// What a route answers when these calls of its fail in these ways, and would answer `good` otherwise.
pub(super) fn expected(route: &Route, good: &Answer, failed: &[(&Call, &Group)]) -> String {
    let mut body = comparable(route, good);
    let (mut warnings, mut lost) = (vec![], vec![]);
    for (call, group) in failed {
        let Lost::Section(section, leaves) = &call.lost else {
            return group.required.to_owned();
        };
        let mut warning = json!({
            "section": section,
            "status": group.optional,
            "retryable": !["contract_violation", "not_found", "forbidden"].contains(&group.optional),
        });
        if group.optional == "stale" {
            warning["ageSeconds"] = true.into();
        } else {
            leaves.iter().for_each(|(pointer, value)| put(&mut body, pointer, &json(value)));
            lost.push(*section);
        }
        warnings.push(warning);
    }
    if !failed.is_empty() {
        // Nothing more is said of what is inside a section that is lost.
        let others = body["warnings"].as_array().into_iter().flatten();
        warnings.extend(others.filter(|other| !lost.iter().any(|lost| is_inside(other, lost))).cloned());
        body["warnings"] = warnings.into();
        sort_warnings(&mut body);
    }
    format!("{} {body}", route.status)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the table has JSON")
}

fn is_inside(warning: &Value, section: &str) -> bool {
    let rest = warning["section"].as_str().and_then(|inner| inner.strip_prefix(section));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// An answer as far as it can be compared: what is wrong with it, or what it says.
pub(super) fn shown(route: &Route, answer: &Answer) -> String {
    let outcome = answer.outcome();
    match answer.header("retry-after") {
        _ if answer.status.is_success() => format!("{outcome} {}", comparable(route, answer)),
        "" => outcome,
        seconds => format!("{outcome}, Retry-After {seconds}"),
    }
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
        if let Some(age) = warning.get_mut("ageSeconds") {
            *age = age.is_u64().into();
        }
    }
    sort_warnings(&mut body);
    body
}

/// They come in the order of the view, which the table does not know.
fn sort_warnings(body: &mut Value) {
    if let Some(warnings) = body.get_mut("warnings").and_then(Value::as_array_mut) {
        warnings.sort_by_key(|warning| [warning["section"].to_string(), warning["status"].to_string()]);
    }
}

/// What follows where two texts begin to differ, as far as it fits a line.
pub(super) fn difference<'a>(seen: &'a str, expected: &'a str) -> (&'a str, &'a str) {
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
