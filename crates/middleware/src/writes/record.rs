//! What is kept of a write: a line of JSON, and behind it the body of its answer as it was.

use axum::body::Body;
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, SET_COOKIE, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use problem::Problem;
use serde::{Deserialize, Serialize};

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// What belongs to one answer or one connection, or is a secret.
const NOT_KEPT: [HeaderName; 7] = [
    CONNECTION,
    CONTENT_LENGTH,
    DATE,
    HeaderName::from_static("server-timing"),
    SET_COOKIE,
    TRANSFER_ENCODING,
    HeaderName::from_static("x-request-id"),
];

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// See [`Key::request`](super::key::Key::request).
    pub(super) request: String,
    pub(super) state: State,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// The handler runs, or the process that ran it is gone.
    Running,
    /// The write is settled, but its answer was not kept.
    Unkept,
    /// The write is settled.
    Answered(Answer),
}

/// An answer that can be given again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    /// The error that it is: rendered again, since a problem names the request which it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    #[serde(skip)]
    body: Bytes,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("a record without a head")]
    NoHead,
    #[error("a record with a head that cannot be read")]
    Head(#[from] serde_json::Error),
    #[error("a record of an answer that cannot be")]
    Answer(#[from] http::Error),
}

impl Record {
    /// The bytes of the record. JSON on one line has no line break of its own.
    pub(super) fn encode(&self) -> Bytes {
        let head = serde_json::to_vec(self).expect("strings and numbers always serialize");
        let body = match &self.state {
            State::Answered(answer) => &answer.body[..],
            State::Running | State::Unkept => &[],
        };
        let mut record = BytesMut::with_capacity(head.len() + 1 + body.len());
        record.extend_from_slice(&head);
        record.put_u8(b'\n');
        record.extend_from_slice(body);
        record.freeze()
    }

    pub(super) fn decode(record: &Bytes) -> Result<Self, Unreadable> {
        let end = record.iter().position(|byte| *byte == b'\n').ok_or(Unreadable::NoHead)?;
        let mut decoded: Self = serde_json::from_slice(&record[..end])?;
        if let State::Answered(answer) = &mut decoded.state {
            answer.body = record.slice(end + 1..);
        }
        Ok(decoded)
    }
}

/// What can be read is written again as it was read.
#[cfg(fuzzing)]
pub(crate) fn replayed(bytes: &[u8]) {
    let Ok(record) = Record::decode(&Bytes::copy_from_slice(bytes)) else { return };
    let again = Record::decode(&record.encode()).expect("what we write can be read");
    assert_eq!(again.encode(), record.encode());
    if let State::Answered(answer) = record.state {
        let _ = answer.replay();
    }
}

impl Answer {
    pub(super) fn new(parts: &Parts, body: Bytes) -> Self {
        let problem = parts.extensions.get().cloned();
        Self { status: parts.status.as_u16(), headers: kept(&parts.headers), problem, body }
    }

    /// The answer to the request that comes again.
    pub(super) fn replay(self) -> Result<Response, Unreadable> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        if let Some(problem) = self.problem {
            response = response.extension(problem);
        }
        Ok(response.header(REPLAYED, TRUE).body(Body::from(self.body))?)
    }
}

/// Names and values that are text, which all but the strangest are.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = headers.iter().filter(|(name, value)| !NOT_KEPT.contains(name) && !value.is_sensitive());
    kept.filter_map(|(name, value)| {
        let value = std::str::from_utf8(value.as_bytes()).ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use problem::kind;

    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let response = Response::builder()
            .status(201)
            .header("location", "/orders/\u{f6}_1")
            .header("x-total", "1")
            .header("x-total", "2")
            .header("set-cookie", "sid=s3cret")
            .header("x-opaque", HeaderValue::from_bytes(b"\xff").unwrap());
        let mut sensitive = HeaderValue::from_static("s3cret");
        sensitive.set_sensitive(true);
        let (parts, ()) = response.header("x-token", sensitive).body(()).unwrap().into_parts();
        let body = Bytes::from_static(b"{\n}\n\xff");
        let state = State::Answered(Answer::new(&parts, body.clone()));
        let stored = Record { request: "abc".into(), state }.encode();
        assert!(!String::from_utf8_lossy(&stored).contains("s3cret"));

        let record = Record::decode(&stored).unwrap();
        assert_eq!(record.request, "abc");
        let State::Answered(answer) = record.state else { panic!("{:?}", record.state) };
        assert_eq!(answer.body, body);
        let replay = answer.replay().unwrap();
        assert_eq!(replay.status(), 201);
        insta::assert_debug_snapshot!(replay.headers(), @r#"
        {
            "location": "/orders/\xc3\xb6_1",
            "x-total": "1",
            "x-total": "2",
            "idempotency-replayed": "true",
        }
        "#);
    }

    #[test]
    fn a_problem_is_kept_to_be_rendered_again() {
        let problem = Problem::new(kind::GONE).detail("Two days ago.");
        let (parts, _) = axum::response::IntoResponse::into_response(problem).into_parts();
        let state = State::Answered(Answer::new(&parts, Bytes::new()));
        let stored = Record { request: "abc".into(), state }.encode();
        insta::assert_snapshot!(String::from_utf8_lossy(&stored), @r#"{"request":"abc","state":{"answered":{"status":410,"headers":[],"problem":{"slug":"gone","title":"It is no longer here","status":410,"detail":"Two days ago."}}}}"#);
        let State::Answered(answer) = Record::decode(&stored).unwrap().state else { panic!() };
        let replay = answer.replay().unwrap();
        assert_eq!(replay.extensions().get::<Problem>().unwrap().kind(), kind::GONE);
    }

    #[test]
    fn what_is_no_record_is_not_read() {
        for bytes in ["", "{}", "{}\n", "{\"request\":\"abc\",\"state\":\"lost\"}\n"] {
            assert!(Record::decode(&bytes.into()).is_err(), "{bytes}");
        }
        for state in ["running", "unkept"] {
            let record = format!("{{\"request\":\"abc\",\"state\":\"{state}\"}}\n");
            assert_eq!(Record::decode(&record.clone().into()).unwrap().encode(), record);
        }
    }
}
