//! A call that is being put together.

use std::fmt::Display;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use garde::Validate;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use request_context::{RequestContext, Subject};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use url::Url;

use super::{Call, Facts, IDEMPOTENCY_KEY};
use crate::answer::{Answer, Contract};
use crate::error::{CallError, CallErrorKind, Failure};
use crate::events::LAST_EVENT_ID;
use crate::outcome::Outcome;
use crate::{Credential, EventId, Events, Operation, Reason, Upstream};

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A call that is being put together. Nothing is sent before [`fetch`](Self::fetch) or [`execute`](Self::execute).
#[must_use = "a call is only made by `fetch` or `execute`"]
pub struct CallBuilder<'a> {
    upstream: &'a Upstream,
    ctx: &'a RequestContext,
    operation: &'static Operation,
    /// The URL so far, and the part of the path's template that still has to follow.
    url: String,
    template: Option<&'static str>,
    query: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    failure: Option<Failure>,
}

impl<'a> CallBuilder<'a> {
    pub(crate) fn new(
        upstream: &'a Upstream,
        ctx: &'a RequestContext,
        operation: &'static Operation,
    ) -> Self {
        let (literal, template) = next_segment(operation.path);
        Self {
            upstream,
            ctx,
            operation,
            url: [upstream.base(), literal].concat(),
            template,
            query: String::new(),
            headers: vec![],
            body: Bytes::new(),
            failure: None,
        }
    }

    /// Fills the next `{}` of the path. The value is one segment, whatever is in it.
    pub fn segment(mut self, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        if matches!(value, "" | "." | "..") {
            // No encoding keeps these from steering the path, and no resource has such a name.
            return self
                .failed(Failure::new(CallErrorKind::Refused { reason: Reason::NotFound, refusal: None }));
        }
        let Some(template) = self.template else {
            return self.failed(Failure::violation("request", "the path has no such segment"));
        };
        let (literal, template) = next_segment(template);
        self.url.extend(utf8_percent_encode(value, ENCODED));
        self.url.push_str(literal);
        self.template = template;
        self
    }

    /// Fills the next `{}` of the path with the caller's subject.
    pub fn caller_segment(self) -> Self {
        match self.caller() {
            Ok(subject) => self.segment(subject.as_str()),
            Err(failure) => self.failed(failure),
        }
    }

    /// Adds the caller's subject as a query parameter.
    pub fn caller_query(self, name: &str) -> Self {
        match self.caller() {
            Ok(subject) => self.query(name, subject.as_str()),
            Err(failure) => self.failed(failure),
        }
    }

    /// A public call must not name anybody: its answer may be given to everybody.
    fn caller(&self) -> Result<Subject, Failure> {
        if self.operation.credential != Credential::Caller {
            return Err(Failure::violation("request", "a call that is not the caller's names the caller"));
        }
        let caller = self.ctx.caller().map(|caller| caller.subject.clone());
        caller.ok_or_else(|| Failure::caused_by(CallErrorKind::Unauthorized, "the request has no caller"))
    }

    fn failed(mut self, failure: Failure) -> Self {
        self.failure.get_or_insert(failure);
        self
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(name);
        self.query.push('=');
        self.query.extend(utf8_percent_encode(&value.to_string(), ENCODED));
        self
    }

    /// Adds a query parameter if there is a value for it.
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sends `body` as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(json) => self.content("application/json", json),
            Err(error) => self.failed(Failure::violation("request", error)),
        }
    }

    /// Sends `pairs` as a form.
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.content("application/x-www-form-urlencoded", form.into_bytes())
    }

    fn content(mut self, media_type: &'static str, body: Vec<u8>) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Lets the service recognise a repetition of this write.
    pub fn idempotency_key(self, key: Option<HeaderValue>) -> Self {
        match key {
            Some(key) => self.header(IDEMPOTENCY_KEY, key),
            None => self,
        }
    }

    /// Makes the call and reads the answer as `T`, checked against the constraints of its contract.
    ///
    /// `T` is cloned only where an answer has more than one reader.
    pub async fn fetch<T>(self) -> Result<T, CallError>
    where
        T: DeserializeOwned + Validate<Context = ()> + Clone + Send + Sync + 'static,
    {
        self.send(Contract::json::<T>()).await.map(Answer::into_value)
    }

    /// Makes a call whose answer says nothing beyond its success: it is empty, or JSON that nobody reads.
    pub async fn execute(self) -> Result<(), CallError> {
        self.send(Contract::success()).await.map(drop)
    }

    /// Asks for what came after the event with this id.
    pub fn last_event_id(self, id: Option<&EventId>) -> Self {
        match id {
            Some(id) => self.header(LAST_EVENT_ID, id.header_value()),
            None => self,
        }
    }

    /// Opens the event stream of an operation that [`streams`](Operation::streams), and reads its events of this name
    /// as `T`, each checked against the constraints of its contract.
    pub async fn events<T>(self, name: &'static str) -> Result<Events<T>, CallError>
    where
        T: DeserializeOwned + Validate<Context = ()>,
    {
        let (operation, stack) = (self.operation, self.upstream.streams());
        let named = |failure: Failure| failure.of(operation);
        if !operation.streams {
            return Err(named(Failure::violation("request", "the operation has no event stream")));
        }
        let call = self.finish(Contract::success()).map_err(named)?;
        let (track, counted) = (call.facts.track.clone(), call.facts.track.count());
        let events = stack.oneshot(call).await.and_then(|reply| Events::of(reply, name, track));
        counted.ended(Outcome::of(&events));
        events.map_err(named)
    }

    async fn send(self, contract: Contract) -> Result<Answer, CallError> {
        let (operation, stack) = (self.operation, self.upstream.stack());
        let named = |failure: Failure| failure.of(operation);
        if operation.streams {
            return Err(named(Failure::violation("request", "the operation is an event stream")));
        }
        let call = self.finish(contract).map_err(named)?;
        let counted = call.facts.track.count();
        let answer = stack.oneshot(call).await;
        counted.ended(Outcome::of(&answer));
        answer.map_err(named)
    }

    pub(crate) fn finish(mut self, contract: Contract) -> Result<Call, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.template.is_some() {
            return Err(Failure::violation("request", "the path lacks a segment"));
        }
        self.url.push_str(&self.query);
        let settings = self.upstream.settings();
        let mut facts = Facts {
            ctx: self.ctx.clone(),
            operation: self.operation,
            upstream: self.upstream.clone(),
            track: self.upstream.track(self.operation),
            contract,
            key: None,
            url: Url::parse(&self.url).map_err(|error| Failure::violation("request", error))?,
            headers: self.headers,
            body: self.body,
            timeout: self.operation.timeout.unwrap_or(settings.timeout),
            max_body: self.operation.max_body.unwrap_or_else(|| settings.max_body()),
            attempt: AtomicU64::new(0),
        };
        facts.key = facts.identity(self.url);
        Ok(Call::new(facts))
    }
}

/// The text before the next `{}`, and what follows it if there is one.
fn next_segment(template: &'static str) -> (&'static str, Option<&'static str>) {
    template.split_once("{}").map_or((template, None), |(literal, rest)| (literal, Some(rest)))
}
