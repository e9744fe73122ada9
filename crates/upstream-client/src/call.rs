//! One call, from its parts to its typed answer.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use bytes::Bytes;
use garde::Validate;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use request_context::{Deadline, RequestContext};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use url::Url;

use crate::answer::Answer;
use crate::error::{CallError, CallErrorKind, Failure};
use crate::{Operation, Upstream};

/// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What goes through the stack.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) ctx: RequestContext,
    pub(crate) operation: &'static Operation,
    pub(crate) audience: &'static str,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The longest this call may take, whatever the request has left.
    pub(crate) timeout: Duration,
    /// Set by the deadline layer: when the last byte of the answer must be here.
    pub(crate) deadline: Deadline,
    pub(crate) max_body: usize,
}

/// A call that is being put together. Nothing is sent before [`fetch`](Self::fetch) or [`execute`](Self::execute).
#[must_use = "a call is only made by `fetch` or `execute`"]
pub struct CallBuilder<'a> {
    upstream: &'a Upstream,
    ctx: RequestContext,
    operation: &'static Operation,
    /// The path so far, and the part of the template that still has to follow.
    path: String,
    template: &'static str,
    query: String,
    headers: HeaderMap,
    body: Bytes,
    failure: Option<Failure>,
}

impl<'a> CallBuilder<'a> {
    pub(crate) fn new(upstream: &'a Upstream, ctx: &RequestContext, operation: &'static Operation) -> Self {
        let (path, template) = operation.path.split_once("{}").unwrap_or((operation.path, ""));
        Self {
            upstream,
            ctx: ctx.clone(),
            operation,
            path: path.to_owned(),
            template,
            query: String::new(),
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]),
            body: Bytes::new(),
            failure: None,
        }
    }

    /// Fills the next `{}` of the path. The value is one segment, whatever is in it.
    pub fn segment(mut self, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        if matches!(value, "" | "." | "..") {
            // No encoding keeps these from steering the path, and no resource has such a name.
            self.failure =
                Some(Failure::new(CallErrorKind::Refused { status: StatusCode::NOT_FOUND, refusal: None }));
        }
        let (literal, rest) = self.template.split_once("{}").unwrap_or((self.template, ""));
        self.path.extend(utf8_percent_encode(value, ENCODED));
        self.path.push_str(literal);
        self.template = rest;
        self
    }

    /// Fills the next `{}` of the path with the caller's subject.
    pub fn caller_segment(self) -> Self {
        match self.ctx.caller().map(|caller| caller.subject.clone()) {
            Some(subject) => self.segment(subject.as_str()),
            None => self.without_caller(),
        }
    }

    /// Adds the caller's subject as a query parameter.
    pub fn caller_query(self, name: &str) -> Self {
        match self.ctx.caller().map(|caller| caller.subject.clone()) {
            Some(subject) => self.query(name, subject.as_str()),
            None => self.without_caller(),
        }
    }

    fn without_caller(mut self) -> Self {
        self.failure = Some(Failure::caused_by(CallErrorKind::Unauthorized, "the request has no caller"));
        self
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        let separator = if self.query.is_empty() { '?' } else { '&' };
        let value = value.to_string();
        let value = utf8_percent_encode(&value, ENCODED);
        write!(self.query, "{separator}{name}={value}").expect("writing to a string cannot fail");
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
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(json) => self.content("application/json", json),
            Err(error) => {
                self.failure = Some(Failure::violation("request", error));
                self
            }
        }
    }

    /// Sends `pairs` as a form.
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.content("application/x-www-form-urlencoded", form.into_bytes())
    }

    fn content(mut self, media_type: &'static str, body: Vec<u8>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = body.into();
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
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
    pub async fn fetch<T>(self) -> Result<T, CallError>
    where
        T: DeserializeOwned + Validate<Context = ()>,
    {
        let operation = self.operation;
        let answer = self.send().await?;
        answer.decode().map_err(|failure| named(operation, failure))
    }

    /// Makes a call whose answer says nothing beyond its success: it is empty, or JSON that nobody reads.
    pub async fn execute(self) -> Result<(), CallError> {
        let operation = self.operation;
        let answer = self.send().await?;
        answer.acknowledge().map_err(|failure| named(operation, failure))
    }

    async fn send(self) -> Result<Answer, CallError> {
        let operation = self.operation;
        let stack = self.upstream.0.stack.clone();
        let sent = async { stack.oneshot(self.finish()?).await };
        sent.await.map_err(|failure| named(operation, failure))
    }

    fn finish(self) -> Result<Call, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        debug_assert!(self.template.is_empty(), "{} lacks a path segment", self.operation.name);
        let settings = &self.upstream.0.settings;
        let base = settings.url.as_str().trim_end_matches('/');
        let url = Url::parse(&[base, &self.path, &self.query].concat())
            .map_err(|error| Failure::violation("request", error))?;
        Ok(Call {
            deadline: self.ctx.deadline(),
            ctx: self.ctx,
            operation: self.operation,
            audience: self.upstream.0.name,
            url,
            headers: self.headers,
            body: self.body,
            timeout: self.operation.timeout.unwrap_or(settings.timeout),
            max_body: self
                .operation
                .max_body
                .unwrap_or(usize::try_from(settings.max_body.as_u64()).unwrap_or(usize::MAX)),
        })
    }
}

fn named(operation: &'static Operation, failure: Failure) -> CallError {
    CallError { operation: operation.name, kind: failure.kind, cause: failure.cause }
}
