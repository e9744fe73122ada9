use std::borrow::Cow;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use request_context::{
    AccessToken, Caller, Deadline, Recorded, RequestContext, RequestId, Scopes, Subject, Trace,
};
use serde_json::json;

use super::*;

const SLOW: Duration = Duration::from_secs(1);

/// What is said of a request in a test; the rest is always the same.
pub(in super::super) struct Said {
    pub(in super::super) status: Option<u16>,
    pub(in super::super) took: Duration,
    pub(in super::super) error: Option<&'static str>,
    pub(in super::super) warnings: Vec<(&'static str, &'static str)>,
    pub(in super::super) spans: Vec<Recorded>,
}

impl Said {
    pub(in super::super) fn ok() -> Self {
        Self {
            status: Some(200),
            took: Duration::from_millis(180),
            error: None,
            warnings: vec![],
            spans: vec![],
        }
    }

    pub(in super::super) fn completed(self) -> Completed {
        let deadline = Deadline::after(Duration::from_secs(2).saturating_sub(self.took));
        let context = RequestContext::new(RequestId::generate(), Trace::start(), deadline);
        let caller = Caller {
            realm: "shop".into(),
            subject: Subject::parse("u_42").unwrap(),
            scopes: Scopes::default(),
            token: AccessToken::new("a-token-that-nobody-may-see"),
        };
        let warning = |(section, status)| (Cow::Borrowed(section), status);
        Completed {
            context: context.with_caller(caller),
            method: "GET",
            route: Some("/dashboard".into()),
            status: self.status,
            size: Some(18_432),
            took: self.took,
            error: self.error.map(Cow::Borrowed),
            warnings: self.warnings.into_iter().map(warning).collect(),
            spans: self.spans,
            streamed: false,
        }
    }
}

/// A span from `began` to `ended`, in milliseconds.
pub(in super::super) fn span(
    (id, parent): (u64, u64),
    kind: SpanKind,
    name: &'static str,
    (began, ended): (u64, u64),
    attributes: &[(&'static str, Value)],
) -> Recorded {
    Recorded {
        id: SpanId::from(id),
        parent: SpanId::from(parent),
        kind,
        name: name.into(),
        began: Duration::from_millis(began),
        took: Duration::from_millis(ended - began),
        known: None,
        said: attributes.iter().map(|(key, value)| KeyValue::new(*key, value.clone())).collect(),
        status: Status::Unset,
        link: None,
    }
}

pub(in super::super) fn request_with_spans(number: u64) -> Request {
    let attributes = [("triptych.upstream", "orders".into()), ("url.template", "/orders/{id}".into())];
    let call = |id| span((id, 1), SpanKind::Client, "GET /orders/{id}", (1, 30), &attributes);
    Request::of(&Said { spans: (0..number).map(call).collect(), ..Said::ok() }.completed(), SLOW)
}

/// A request whose call was hedged, and which shared one that broke its contract.
fn eventful() -> Completed {
    let orders = ("triptych.upstream", "orders".into());
    let outcome = |word: &'static str| ("triptych.outcome", word.into());
    let attempt = |word: &'static str| ("triptych.attempt", word.into());
    let mut late = span(
        (3, 2),
        SpanKind::Client,
        "GET /orders",
        (1, 90),
        &[orders.clone(), outcome("cancelled"), ("triptych.wait", 12.into())],
    );
    late.status = Status::error("");
    let mut shared = span(
        (5, 2),
        SpanKind::Internal,
        "GET /promos",
        (91, 91),
        &[("triptych.coalesced", true.into()), ("triptych.contract.path", "x".repeat(300).into())],
    );
    shared.link = Some(Trace::start().context_of(SpanId::from(9)));
    let section = [("triptych.section", "orders".into()), ("triptych.section.status", "ok".into())];
    Said {
        warnings: vec![("promos", "breaker_open")],
        spans: vec![
            shared,
            span(
                (4, 2),
                SpanKind::Client,
                "GET /orders",
                (60, 91),
                &[orders, attempt("hedge"), outcome("ok")],
            ),
            late,
            span((2, 1), SpanKind::Internal, "section orders", (0, 91), &section),
        ],
        ..Said::ok()
    }
    .completed()
}

#[tokio::test(start_paused = true)]
async fn a_request_is_told_with_what_happened_to_its_calls() {
    let request = Request::of(&eventful(), SLOW);
    let told = serde_json::to_value(request.with_spans()).unwrap();
    insta::assert_json_snapshot!(told, {
        ".traceId" => "[id]", ".spanId" => "[id]", ".requestId" => "[id]", ".beganAt" => "[time]",
        ".spans[].waitedFor.traceId" => "[id]",
        ".spans[].attributes[\"triptych.contract.path\"]" => insta::dynamic_redaction(|path, _| {
            assert_eq!(path.as_str().unwrap().chars().count(), 257);
            "[clipped]"
        }),
    }, @r#"
    {
      "beganAt": "[time]",
      "deadlineUs": 2000000,
      "error": null,
      "marks": {
        "coalesced": 1,
        "hedge": 1
      },
      "method": "GET",
      "number": 0,
      "outcome": "degraded",
      "requestId": "[id]",
      "route": "/dashboard",
      "sampled": null,
      "size": 18432,
      "slow": false,
      "spanId": "[id]",
      "spans": [
        {
          "attributes": {
            "triptych.section": "orders",
            "triptych.section.status": "ok"
          },
          "beganUs": 0,
          "failed": false,
          "id": "0000000000000002",
          "left": false,
          "name": "section orders",
          "parent": "0000000000000001",
          "tookUs": 91000
        },
        {
          "attributes": {
            "triptych.outcome": "cancelled",
            "triptych.upstream": "orders",
            "triptych.wait": 12
          },
          "beganUs": 1000,
          "failed": true,
          "id": "0000000000000003",
          "left": true,
          "name": "GET /orders",
          "parent": "0000000000000002",
          "tookUs": 89000
        },
        {
          "attributes": {
            "triptych.attempt": "hedge",
            "triptych.outcome": "ok",
            "triptych.upstream": "orders"
          },
          "beganUs": 60000,
          "failed": false,
          "id": "0000000000000004",
          "left": true,
          "name": "GET /orders",
          "parent": "0000000000000002",
          "tookUs": 31000
        },
        {
          "attributes": {
            "triptych.coalesced": true,
            "triptych.contract.path": "[clipped]"
          },
          "beganUs": 91000,
          "failed": false,
          "id": "0000000000000005",
          "left": false,
          "name": "GET /promos",
          "parent": "0000000000000002",
          "tookUs": 0,
          "waitedFor": {
            "spanId": "0000000000000009",
            "traceId": "[id]"
          }
        }
      ],
      "status": 200,
      "tookUs": 180000,
      "traceId": "[id]",
      "user": "afc2d29f5ba19d74",
      "warnings": [
        {
          "section": "promos",
          "status": "breaker_open"
        }
      ]
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_request_is_what_its_client_saw() {
    let lost = vec![("promos", "timeout")];
    for (said, outcome, slow) in [
        (Said::ok(), "ok", false),
        (Said { took: Duration::from_millis(1100), ..Said::ok() }, "ok", true),
        (Said { warnings: lost.clone(), ..Said::ok() }, "degraded", false),
        (Said { status: Some(304), ..Said::ok() }, "ok", false),
        (Said { status: Some(404), error: Some("not-found"), ..Said::ok() }, "refused", false),
        (
            Said { status: Some(503), warnings: lost, took: Duration::from_secs(3), ..Said::ok() },
            "failed",
            true,
        ),
        (Said { status: None, error: Some("cancelled"), ..Said::ok() }, "cancelled", false),
    ] {
        let request = serde_json::to_value(Request::of(&said.completed(), SLOW)).unwrap();
        assert_eq!((&request["outcome"], &request["slow"]), (&json!(outcome), &json!(slow)), "{request}");
    }
}

#[tokio::test]
async fn who_asked_is_a_hash_and_nothing_else_of_them() {
    let request = Request::of(&Said::ok().completed(), SLOW);
    // As `identity` writes it into the audit log.
    assert_eq!(request.user.as_deref(), Some("afc2d29f5ba19d74"));
    let told = serde_json::to_string(&request.with_spans()).unwrap();
    assert!(!told.contains("u_42") && !told.contains("nobody-may-see"), "{told}");
}
