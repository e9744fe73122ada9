//! Log records for a collector: the same events that the log has as lines.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{AnyValue, LogRecord};
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};

use super::otlp::Record;
use super::queue::Queue;

/// Puts every record into the queue, as one of the span that its fields name.
#[derive(Clone, Debug)]
pub(super) struct IntoQueue(pub(super) Arc<Queue<Record>>);

impl LogProcessor for IntoQueue {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.0.put(1, || {
            in_its_trace(record);
            Box::new((record.clone(), scope.clone()))
        });
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn in_its_trace(record: &mut SdkLogRecord) {
    let field = |name: &str| match record.attributes_iter().find(|(key, _)| key.as_str() == name) {
        Some((_, AnyValue::String(value))) => Some(value.as_str()),
        _ => None,
    };
    let trace = field("trace_id").and_then(|id| TraceId::from_hex(id).ok());
    let span = field("span_id").and_then(|id| SpanId::from_hex(id).ok());
    if let Some(trace) = trace {
        record.set_trace_context(trace, span.unwrap_or(SpanId::INVALID), None);
    }
}
