use std::sync::mpsc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Said;
use opentelemetry_proto::tonic::common::v1::{self as proto, AnyValue, ArrayValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::BuildError;
use crate::telemetry::queue::{Queue, Sink};
use crate::telemetry::records::IntoQueue;
use crate::telemetry::variables::Limits;

fn said(value: Said) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn attribute(key: &str, value: Said) -> proto::KeyValue {
    proto::KeyValue { key: key.to_owned(), value: Some(said(value)), ..proto::KeyValue::default() }
}

fn envelope() -> Envelope {
    Envelope::new(&Resource::builder_empty().with_attribute(KeyValue::new("service.name", "web-bff")).build())
}

#[test]
fn spans_are_read_as_they_were_written() {
    // Where a length takes one byte more, and around it; nested, so that one shifts the other.
    for length in [0, 1, 90, 100, 110, 117, 118, 119, 120, 127, 128, 129, 16_370, 16_383, 16_384, 3_000_000] {
        let text = "x".repeat(length);
        let written = [
            KeyValue::new("text", text.clone()),
            KeyValue::new("yes", true),
            KeyValue::new("less", -7),
            KeyValue::new("half", 0.5),
            KeyValue::new("texts", Value::Array(Array::String(vec!["a".into(), "b".into()]))),
        ];
        let mut items = vec![];
        for name in ["first", "second"] {
            Message::new(&mut items).long_message(2, |span| {
                span.bytes(2, &[1, 2, 3, 4, 5, 6, 7, 8]);
                span.text(5, name);
                span.number(6, 300);
                span.fixed64(7, u64::MAX);
                span.fixed32(16, 0x301);
                span.attributes(9, &written);
                span.message(15, |status| status.number(3, 2));
            });
        }
        let read = ExportTraceServiceRequest::decode(&*envelope().around(&items)).unwrap();
        let [of] = &read.resource_spans[..] else { panic!("{read:?}") };
        let service = attribute("service.name", Said::StringValue("web-bff".to_owned()));
        assert_eq!(of.resource.as_ref().unwrap().attributes, [service]);
        let [scope] = &of.scope_spans[..] else { panic!("{of:?}") };
        assert_eq!(scope.scope.as_ref().unwrap().name, "triptych");
        let [first, second] = &scope.spans[..] else { panic!("{scope:?}") };
        assert_eq!((first.name.as_str(), second.name.as_str()), ("first", "second"));
        let texts = ["a", "b"].map(|text| said(Said::StringValue(text.to_owned())));
        let expected = [
            attribute("text", Said::StringValue(text)),
            attribute("yes", Said::BoolValue(true)),
            attribute("less", Said::IntValue(-7)),
            attribute("half", Said::DoubleValue(0.5)),
            attribute("texts", Said::ArrayValue(ArrayValue { values: texts.to_vec() })),
        ];
        for span in [first, second] {
            let Span { span_id, kind, start_time_unix_nano, flags, status, attributes, .. } = span;
            assert_eq!(span_id, &[1, 2, 3, 4, 5, 6, 7, 8]);
            assert_eq!((*kind, *start_time_unix_nano, *flags), (300, u64::MAX, 0x301));
            assert_eq!(status.as_ref().unwrap().code, 2);
            assert_eq!(attributes, &expected);
        }
    }
}

struct Hands(mpsc::Sender<Vec<u8>>);

impl Sink for Hands {
    fn send(&mut self, batch: &[u8]) -> Result<usize, BuildError> {
        self.0.send(batch.to_vec())?;
        Ok(0)
    }
}

fn record_of(event: impl FnOnce()) -> LogRecord {
    let (sent, arrived) = mpsc::channel();
    let limits = Limits { queue: 10, batch: 1, delay: Duration::from_secs(1) };
    let queue = Queue::start("log_records", limits, std::sync::Arc::default(), Hands(sent)).unwrap();
    let subscriber = tracing_subscriber::registry().with(IntoQueue(std::sync::Arc::new(queue)));
    tracing::subscriber::with_default(subscriber, event);
    let items = arrived.recv().unwrap();
    let read = ExportLogsServiceRequest::decode(&*envelope().around(&items)).unwrap();
    read.resource_logs[0].scope_logs[0].log_records[0].clone()
}

#[test]
fn an_event_is_a_record_of_the_span_that_it_names() {
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let record = record_of(|| {
        tracing::warn!(
            target: "access",
            trace_id = trace,
            span_id = %span,
            http.response.status_code = 503_u16,
            cached = false,
            share = 0.25,
            cause = ?Some("it"),
            "GET /home"
        );
    });
    let text = |text: &str| Said::StringValue(text.to_owned());
    assert_eq!(record.body.unwrap(), said(text("GET /home")));
    assert_eq!((record.severity_number, record.severity_text.as_str()), (13, "WARN"));
    assert_eq!(record.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes());
    assert_eq!(record.span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
    assert!(record.time_unix_nano > 0 && record.time_unix_nano == record.observed_time_unix_nano);
    let expected = [
        attribute("target", text("access")),
        attribute("http.response.status_code", Said::IntValue(503)),
        attribute("cached", Said::BoolValue(false)),
        attribute("share", Said::DoubleValue(0.25)),
        attribute("cause", text(r#"Some("it")"#)),
    ];
    assert_eq!(record.attributes, expected);
}

#[test]
fn what_is_no_id_is_an_attribute() {
    let record = record_of(|| tracing::info!(trace_id = "none", "serving on port {}", 7));
    assert_eq!(record.body.unwrap(), said(Said::StringValue("serving on port 7".to_owned())));
    let text = |text: &str| Said::StringValue(text.to_owned());
    let target = attribute("target", text(module_path!()));
    assert_eq!(record.attributes, [target, attribute("trace_id", text("none"))]);
    assert!(record.trace_id.is_empty() && record.span_id.is_empty());
}

#[test]
fn a_short_message_may_be_taken_for_a_long_one() {
    let mut items = vec![];
    Message::new(&mut items).long_message(2, |span| span.text(5, "x"));
    Message::new(&mut items).long_message(2, |span| span.text(5, "y"));
    assert_eq!(items, [0x12, 3, 0x2a, 1, b'x', 0x12, 3, 0x2a, 1, b'y']);
}

#[test]
fn what_was_not_taken_is_said_in_the_answer() {
    let partial =
        |rejected_spans| ExportTracePartialSuccess { rejected_spans, error_message: "full".to_owned() };
    let answer = |partial_success| ExportTraceServiceResponse { partial_success }.encode_to_vec();
    for (answered, not_taken) in [
        (answer(None), 0),
        (answer(Some(partial(0))), 0),
        (answer(Some(partial(300))), 300),
        // An error is said in another way; whatever this is, it refuses nothing.
        (b"<html>".to_vec(), 0),
        (vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], 0),
        (vec![0x0a], 0),
        (vec![0xff; 40], 0),
    ] {
        assert_eq!(rejected(&answered), not_taken, "{answered:?}");
    }
}
