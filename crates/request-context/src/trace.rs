//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>): which trace a request belongs to.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use crate::tracestate;

/// `traceparent`.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `tracestate`.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Sampled, and of the second level of the recommendation, that the id is random. Others must be sent as zero.
const KNOWN_FLAGS: u8 = 0b11;

/// One request's place in a distributed trace: the trace, and this service's span in it.
#[derive(Clone, Debug)]
pub struct Trace {
    id: TraceId,
    span: SpanId,
    /// The span of whoever asked us.
    parent: Option<SpanId>,
    flags: TraceFlags,
    state: Option<HeaderValue>,
}

impl Trace {
    /// The first span of a new trace. Not sampled: whoever records spans decides that.
    pub fn start() -> Self {
        Self {
            // No UUID: its fixed bits are among those by which samplers tell a share of all traces.
            id: TraceId::from(rand::random::<u128>().max(1)),
            span: new_span_id(),
            parent: None,
            flags: TraceFlags::default(),
            state: None,
        }
    }

    /// A new span in the trace that `headers` name; `None` when their `traceparent` is absent or malformed.
    pub fn continued(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let (id, parent, flags) = parse(value.to_str().ok()?)?;
        let state = tracestate::read(headers);
        Some(Self { id, span: new_span_id(), parent: Some(parent), flags, state })
    }

    /// The same, recorded by whoever follows it, or not.
    #[must_use]
    pub fn sampled(self, sampled: bool) -> Self {
        Self { flags: self.flags.with_sampled(sampled), ..self }
    }

    /// Whether those who take part in the trace are to record it.
    pub fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// The id shared by every span of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.id
    }

    /// This service's own span.
    pub fn span_id(&self) -> SpanId {
        self.span
    }

    /// The span of whoever asked us; `None` when the trace begins here.
    pub fn parent_id(&self) -> Option<SpanId> {
        self.parent
    }

    /// What others need to know of one of our spans in this trace, to be its child or to name it.
    pub fn context_of(&self, span: SpanId) -> SpanContext {
        SpanContext::new(self.id, span, self.flags, false, TraceState::NONE)
    }

    /// What each vendor of the trace keeps in it.
    pub fn state(&self) -> Option<&str> {
        self.state.as_ref()?.to_str().ok()
    }

    /// The headers that make an upstream's span a child of `span`, which is one of ours.
    pub fn inject(&self, span: SpanId, headers: &mut HeaderMap) {
        let mut parent = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&self.id.to_bytes(), &mut parent[3..35]);
        write_hex(&span.to_bytes(), &mut parent[36..52]);
        write_hex(&[self.flags.to_u8()], &mut parent[53..]);
        headers
            .insert(TRACEPARENT, HeaderValue::from_bytes(&parent).expect("hexadecimal digits and hyphens"));
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }
}

/// The id of a new span: random, and never the invalid one.
pub(crate) fn new_span_id() -> SpanId {
    SpanId::from(rand::random::<u64>().max(1))
}

/// Two digits for each byte.
fn write_hex(bytes: &[u8], to: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, digits) in bytes.iter().zip(to.chunks_exact_mut(2)) {
        digits.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]);
    }
}

/// `version "-" trace-id "-" parent-id "-" flags`; a version after 00 may append fields, 00 may not.
fn parse(value: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let mut fields = value.split('-');
    let (version, trace, parent, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let lower_hex = |field: &str, len| {
        field.len() == len && field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let lengths = [(version, 2), (trace, 32), (parent, 16), (flags, 2)];
    if !lengths.into_iter().all(|(field, len)| lower_hex(field, len)) || version == "ff" {
        return None;
    }
    if version == "00" && fields.next().is_some() {
        return None;
    }
    let trace_id = TraceId::from_hex(trace).ok().filter(|id| *id != TraceId::INVALID)?;
    let parent = SpanId::from_hex(parent).ok().filter(|id| *id != SpanId::INVALID)?;
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some((trace_id, parent, TraceFlags::new(flags & KNOWN_FLAGS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(parent: &str) -> HeaderMap {
        HeaderMap::from_iter([(TRACEPARENT, HeaderValue::from_str(parent).unwrap())])
    }

    #[test]
    fn a_trace_is_continued_with_a_span_of_our_own() {
        let mut incoming = headers(PARENT);
        incoming.insert(TRACESTATE, HeaderValue::from_static("vendor=1"));
        let trace = Trace::continued(&incoming).unwrap();
        let mut outgoing = HeaderMap::new();
        let call = SpanId::from(7);
        trace.inject(call, &mut outgoing);

        assert_eq!(trace.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(trace.span_id().to_string(), "00f067aa0ba902b7");
        assert_eq!(trace.parent_id().unwrap().to_string(), "00f067aa0ba902b7");
        assert_eq!(outgoing[TRACEPARENT], "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01");
        assert_eq!(outgoing[TRACESTATE], "vendor=1");
    }

    #[test]
    fn flags_that_nobody_knows_are_not_sent_on() {
        let incoming = headers("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff");
        let mut outgoing = HeaderMap::new();
        Trace::continued(&incoming).unwrap().inject(SpanId::from(7), &mut outgoing);
        assert!(outgoing[TRACEPARENT].to_str().unwrap().ends_with("-03"));
    }

    #[test]
    fn malformed_parents_are_not_continued() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert!(Trace::continued(&headers(bad)).is_none(), "{bad:?} was continued");
        }
        let mut doubled = headers(PARENT);
        doubled.append(TRACEPARENT, HeaderValue::from_static(PARENT));
        assert!(Trace::continued(&doubled).is_none());
    }

    #[test]
    fn a_later_version_may_append_fields() {
        let parent = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert!(Trace::continued(&headers(parent)).is_some());
    }
}
