//! The events of a domain service, for as long as somebody reads them.

mod parser;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use garde::Validate;
use http::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::answer::{EventBody, Reply, decode};
use crate::error::{CallErrorKind, Failure};
use crate::track::Track;
use crate::{CallError, Operation};
use parser::{Parser, Raw};

/// Of an event stream.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";
/// The event after which a stream goes on.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A service says something every 15 seconds, and be it a comment. Three times in vain, and nobody is there.
const IDLE: Duration = Duration::from_secs(45);

/// The id of an event, as its service named it: what `Last-Event-ID` says. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventId(HeaderValue);

impl EventId {
    /// The longest id that is taken, in bytes.
    pub const MAX_LEN: usize = 256;

    /// `None` unless `id` is 1 to 256 bytes without control characters, which travel safely in a header and in a stream.
    pub fn parse(id: impl AsRef<[u8]>) -> Option<Self> {
        let id = id.as_ref();
        let fits = (1..=Self::MAX_LEN).contains(&id.len()) && std::str::from_utf8(id).is_ok();
        fits.then(|| HeaderValue::from_bytes(id).ok().map(Self)).flatten()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.0.as_bytes()).unwrap_or_default()
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<T> {
    /// Whoever names it as `Last-Event-ID` gets what came after this event. None if the service named none.
    pub id: Option<EventId>,
    /// What happened.
    pub data: T,
}

/// An event stream that is open. Dropping it closes it.
///
/// It holds one line and one event, 64 KiB each at most, and asks the service for more only when it is asked itself: a
/// reader who is slow slows the service down.
pub struct Events<T> {
    operation: &'static Operation,
    name: &'static str,
    track: Arc<Track>,
    /// None once it has ended.
    body: Option<EventBody>,
    /// What has come and is not read yet.
    input: Bytes,
    parser: Parser,
    idle: Instant,
    strict: bool,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned + Validate<Context = ()>> Events<T> {
    pub(crate) fn of(mut reply: Reply, name: &'static str, track: Arc<Track>) -> Result<Self, Failure> {
        let body = reply.stream.take().filter(|_| reply.essence() == EVENT_STREAM);
        let Some(body) = body else {
            track.violated("content-type");
            if let Some(step) = &mut reply.step {
                step.violated("content-type");
            }
            return Err(Failure::violation("content-type", "the answer is no event stream"));
        };
        Ok(Self {
            operation: reply.operation,
            name,
            track,
            body: Some(body),
            input: Bytes::new(),
            parser: Parser::default(),
            idle: Instant::now() + IDLE,
            strict: false,
            of: PhantomData,
        })
    }

    /// The same, for who holds a service against its contract: an event that breaks it is an error.
    #[must_use]
    pub fn strictly(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The next event; `None` when the service has ended the stream, an error when it was lost. Both are the end.
    ///
    /// An event that breaks its contract is counted as such and left out: the next one may be good, and to open the
    /// stream again would bring the same. One without bounds is the end, since nothing tells where the next begins.
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Event<T>, CallError>> {
        let outcome = self.advance().await;
        if !matches!(outcome, Ok(Some(_))) {
            (self.body, self.input) = (None, Bytes::new());
        }
        outcome.map_err(|failure| failure.of(self.operation)).transpose()
    }

    /// How long the service wants to be left alone when the stream has ended, if it said so.
    pub fn retry(&self) -> Option<Duration> {
        self.parser.retry()
    }

    async fn advance(&mut self) -> Result<Option<Event<T>>, Failure> {
        loop {
            while let Some(raw) = self.parser.next(&mut self.input).map_err(|error| self.violation(error))? {
                match self.read(&raw) {
                    Ok(Some(event)) => return Ok(Some(event)),
                    Err(failure) if self.strict => return Err(failure),
                    Ok(None) | Err(_) => {}
                }
            }
            let Some(body) = &mut self.body else {
                return Ok(None);
            };
            let frame = timeout_at(self.idle, body.frame()).await;
            let Some(frame) = frame.map_err(|late| Failure::caused_by(CallErrorKind::Timeout, late))? else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| Failure::caused_by(CallErrorKind::Unavailable, error))?;
            self.idle = Instant::now() + IDLE;
            self.input = frame.into_data().unwrap_or_default();
        }
    }

    fn violation(&self, error: parser::TooLarge) -> Failure {
        self.track.violated("body");
        Failure::violation("body", error)
    }

    /// What the stream is read for, if this is it.
    fn read(&self, raw: &Raw) -> Result<Option<Event<T>>, Failure> {
        if raw.name != self.name {
            return Ok(None);
        }
        let data = decode(raw.data.as_bytes()).inspect_err(|failure| {
            if let CallErrorKind::ContractViolation { path } = &failure.kind {
                self.track.violated(path);
            }
        })?;
        Ok(Some(Event { id: self.id(&raw.id), data }))
    }

    fn id(&self, id: &str) -> Option<EventId> {
        let parsed = EventId::parse(id);
        if parsed.is_none() && !id.is_empty() {
            self.track.violated("id");
        }
        parsed
    }
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.operation.name).finish()
    }
}

#[cfg(test)]
mod tests;
