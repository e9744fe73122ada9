//! A request as the page is told of it. Its spans are written down as JSON at once: that is as compact as anything,
//! its size is known exactly, and most of it is never read.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use request_context::{Completed, RequestContext};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::hex;
use crate::telemetry::sampled;

mod span;

/// A request, without its spans.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "a request id is called so everywhere")]
pub(super) struct Request {
    /// Counted from the start of the process.
    pub(super) number: u64,
    pub(super) trace_id: String,
    span_id: String,
    request_id: String,
    /// The first 64 bits of a hash of who asked, as in the audit log.
    pub(super) user: Option<String>,
    method: &'static str,
    pub(super) route: Option<String>,
    status: Option<u16>,
    outcome: Outcome,
    slow: bool,
    /// Why its spans are exported, if they are exported at all and are.
    sampled: Option<&'static str>,
    began_at: Timestamp,
    took_us: u64,
    /// How long after its beginning it had to be answered.
    deadline_us: u64,
    /// The bytes of the answer's body.
    size: Option<u64>,
    /// Why it failed.
    error: Option<String>,
    warnings: Vec<Warning>,
    /// How often something happened to its calls that is worth a mark, such as `hedge`.
    marks: BTreeMap<&'static str, u32>,
    #[serde(skip)]
    spans: Box<RawValue>,
}

/// A request and its spans.
#[derive(Serialize)]
pub(super) struct Whole<'a> {
    #[serde(flatten)]
    request: &'a Request,
    spans: &'a RawValue,
}

/// A section that was lost or old.
#[derive(Debug, Serialize)]
struct Warning {
    section: String,
    status: &'static str,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    /// Answered, without some of its sections or with old ones.
    Degraded,
    /// It was the client's fault.
    Refused,
    /// It was ours.
    Failed,
    /// The client did not wait.
    Cancelled,
}

/// What can be asked for: the outcomes, and `slow`, which any of them may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wanted {
    Ok,
    Degraded,
    Refused,
    Failed,
    Cancelled,
    Slow,
}

impl Request {
    pub(super) fn of(completed: &Completed, slow: Duration) -> Self {
        let context = &completed.context;
        let (outcome, sampled) = (outcome(completed), sampled(completed, slow));
        let slow = completed.took >= slow && !completed.streamed;
        let warning = |(section, status): &(std::borrow::Cow<'static, str>, &'static str)| Warning {
            section: section.clone().into_owned(),
            status,
        };
        Self {
            number: 0,
            trace_id: context.trace().trace_id().to_string(),
            span_id: context.trace().span_id().to_string(),
            request_id: context.request_id().as_str().to_owned(),
            user: context.caller().map(|caller| hashed(caller.subject.as_str())),
            method: completed.method,
            route: completed.route.as_ref().map(ToString::to_string),
            status: completed.status,
            outcome,
            slow,
            sampled,
            began_at: timestamp(context.began_at()),
            took_us: micros(completed.took),
            deadline_us: micros(deadline(context, completed.took)),
            size: completed.size,
            error: completed.error.clone().map(Into::into),
            warnings: completed.warnings.iter().map(warning).collect(),
            marks: span::marks(&completed.spans),
            spans: span::written(&completed.spans),
        }
    }

    pub(super) fn with_spans(&self) -> Whole<'_> {
        Whole { request: self, spans: &self.spans }
    }

    pub(super) fn is(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Ok => self.outcome == Outcome::Ok,
            Wanted::Degraded => self.outcome == Outcome::Degraded,
            Wanted::Refused => self.outcome == Outcome::Refused,
            Wanted::Failed => self.outcome == Outcome::Failed,
            Wanted::Cancelled => self.outcome == Outcome::Cancelled,
            Wanted::Slow => self.slow,
        }
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.trace_id, &self.span_id, &self.request_id].map(String::len).iter().sum::<usize>();
        let options = [&self.user, &self.route, &self.error].map(|text| text.as_ref().map_or(0, String::len));
        let warnings = self.warnings.iter().map(|warning| size_of::<Warning>() + warning.section.len());
        // A tree's node has room for eleven, whatever is in it.
        let marks = if self.marks.is_empty() { 0 } else { 11 * size_of::<(&str, u32)>() };
        size_of::<Self>()
            + texts
            + options.iter().sum::<usize>()
            + warnings.sum::<usize>()
            + marks
            + self.spans.get().len()
    }
}

fn outcome(completed: &Completed) -> Outcome {
    match completed.status {
        None => Outcome::Cancelled,
        Some(500..) => Outcome::Failed,
        Some(400..) => Outcome::Refused,
        Some(_) if completed.warnings.is_empty() => Outcome::Ok,
        Some(_) => Outcome::Degraded,
    }
}

/// How long it had, from its beginning. Its end is now.
fn deadline(context: &RequestContext, took: Duration) -> Duration {
    let (now, deadline) = (Instant::now(), context.deadline().instant());
    (took + deadline.saturating_duration_since(now)).saturating_sub(now.saturating_duration_since(deadline))
}

/// As the audit log names people, so that one can be followed from there to here. A span's name for them has a key,
/// since spans leave the machine; this stays in it.
fn hashed(subject: &str) -> String {
    hex(&digest(&SHA256, subject.as_bytes()).as_ref()[..8])
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests;
