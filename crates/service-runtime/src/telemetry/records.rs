//! Log records for a collector: the same events that the log has as lines.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanId, TraceId};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::queue::Queue;
use super::wire::Message;

/// Puts every event into the queue, as one of the span that its fields name.
#[derive(Debug)]
pub(super) struct IntoQueue(pub(super) Arc<Queue>);

impl<S: Subscriber> Layer<S> for IntoQueue {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.put(1, |to| Message::new(to).long_message(2, |record| write(event, record)));
    }
}

/// What there is in a `LogRecord`.
fn write(event: &Event<'_>, record: &mut Message<'_>) {
    let (level, now) = (*event.metadata().level(), nanoseconds(SystemTime::now()));
    record.fixed64(1, now);
    record.number(2, severity(level));
    record.text(3, level.as_str());
    record.fixed64(11, now);
    record.attribute(6, "target", |any| any.text(1, event.metadata().target()));
    event.record(&mut Fields(record));
}

/// Nanoseconds since the epoch, as everything in OTLP that has a time.
pub(super) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The first of each range of four.
fn severity(level: Level) -> u64 {
    match level {
        Level::TRACE => 1,
        Level::DEBUG => 5,
        Level::INFO => 9,
        Level::WARN => 13,
        Level::ERROR => 17,
    }
}

/// Writes the fields of an event into its record.
struct Fields<'a, 'b>(&'a mut Message<'b>);

impl Fields<'_, '_> {
    /// The message is the body; the ids are those of a span, if they are ids; everything else is an attribute.
    fn text(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.0.message(5, |body| body.text(1, value)),
            "trace_id" if let Ok(id) = TraceId::from_hex(value) => self.0.bytes(9, &id.to_bytes()),
            "span_id" if let Ok(id) = SpanId::from_hex(value) => self.0.bytes(10, &id.to_bytes()),
            name => self.0.attribute(6, name, |any| any.text(1, value)),
        }
    }

    /// The same of what has no text yet, which need not be made for an attribute.
    fn printed(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        match field.name() {
            "message" => self.0.message(5, |body| body.printed(1, value)),
            "trace_id" | "span_id" => self.text(field, &value.to_string()),
            name => self.0.attribute(6, name, |any| any.printed(1, value)),
        }
    }
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.attribute(6, field.name(), |any| any.number(2, u64::from(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.attribute(6, field.name(), |any| any.number(3, value.cast_unsigned()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.attribute(6, field.name(), |any| any.fixed64(4, value.to_bits()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.printed(field, format_args!("{value:?}"));
    }
}
