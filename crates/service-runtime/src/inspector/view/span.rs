use std::borrow::Cow;
use std::collections::BTreeMap;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use request_context::Recorded;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::micros;

/// Attributes are words of ours, but for what a service answered: the path of a field may be as long as it likes.
const LONGEST_TEXT: usize = 256;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    id: String,
    parent: String,
    name: &'a str,
    /// It left the process.
    left: bool,
    began_us: u64,
    took_us: u64,
    failed: bool,
    /// The span whose work it waited for, perhaps in another trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_for: Option<Link>,
    attributes: Attributes<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    trace_id: String,
    span_id: String,
}

struct Attributes<'a>(&'a Recorded);

/// The spans as JSON, in the order in which they began.
pub(super) fn written(spans: &[Recorded]) -> Box<RawValue> {
    let mut spans: Vec<_> = spans.iter().map(span).collect();
    spans.sort_by_key(|span| span.began_us);
    // Texts and numbers alone: there is no way in which they could not be written.
    serde_json::value::to_raw_value(&spans).unwrap_or_default()
}

fn span(recorded: &Recorded) -> Span<'_> {
    Span {
        id: recorded.id.to_string(),
        parent: recorded.parent.to_string(),
        name: recorded.name.as_str(),
        left: recorded.kind == SpanKind::Client,
        began_us: micros(recorded.began),
        took_us: micros(recorded.took),
        failed: matches!(recorded.status, Status::Error { .. }),
        waited_for: recorded
            .link
            .as_ref()
            .map(|link| Link { trace_id: link.trace_id().to_string(), span_id: link.span_id().to_string() }),
        attributes: Attributes(recorded),
    }
}

/// What happened to the calls that is worth a mark, and how often.
pub(super) fn marks(spans: &[Recorded]) -> BTreeMap<&'static str, u32> {
    let mut marks = BTreeMap::new();
    for attribute in spans.iter().flat_map(Recorded::attributes) {
        if let Some(mark) = mark(attribute) {
            *marks.entry(mark).or_default() += 1;
        }
    }
    marks
}

fn mark(KeyValue { key, value, .. }: &KeyValue) -> Option<&'static str> {
    let text = value.as_str();
    Some(match (key.as_str(), &*text) {
        ("triptych.attempt", "retry") => "retry",
        ("triptych.attempt", "hedge") => "hedge",
        ("triptych.attempt", "fresh_token") => "fresh_token",
        ("triptych.cache", "hit") => "hit",
        ("triptych.cache", "revalidated") => "revalidated",
        ("triptych.cache", "stale_while_revalidate" | "stale_if_error") => "stale",
        ("triptych.coalesced", "true") => "coalesced",
        ("triptych.outcome", "timeout") => "timeout",
        ("triptych.outcome", "unavailable") => "unavailable",
        ("triptych.outcome", "shed") => "shed",
        ("triptych.outcome", "breaker_open") => "breaker_open",
        ("triptych.outcome", "contract_violation") => "contract_violation",
        _ => return None,
    })
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for KeyValue { key, value, .. } in self.0.attributes() {
            match value {
                Value::Bool(value) => map.serialize_entry(key.as_str(), value),
                Value::I64(value) => map.serialize_entry(key.as_str(), value),
                Value::F64(value) => map.serialize_entry(key.as_str(), value),
                Value::Array(Array::String(values)) => {
                    let values: Vec<_> = values.iter().map(|value| clipped(value.as_str())).collect();
                    map.serialize_entry(key.as_str(), &values)
                }
                other => map.serialize_entry(key.as_str(), &*clipped(&other.as_str())),
            }?;
        }
        map.end()
    }
}

fn clipped(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
