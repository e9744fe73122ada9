//! RFC 9457 problem details: the one form of every error answer.
//!
//! A handler or a layer answers with a [`Problem`]. What only the edge of the service knows, the
//! path and the request id, is added there: see [`Problem::render`].

mod kinds;
mod schema;
mod stored;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

pub use kinds::{ALL, ProblemKind, kind};
pub use schema::{FieldErrorBody, ProblemBody, Problems};

/// `application/problem+json`.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error answer. Its text is fixed; the cause goes to the access log and never to a client.
///
/// Serialized it is whole but for its cause, so that an answer can be kept and rendered again for another
/// request; what a client reads is [`ProblemBody`].
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: ProblemKind,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    challenge: Option<Cow<'static, str>>,
    update_url: Option<Cow<'static, str>>,
    cause: Option<Cause>,
}

/// One value of the request that was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the body, `?name` in the query or `{name}` in the path.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// Why a problem came about, for the log.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// What went wrong behind an answer that still succeeded: a response extension that the access log reads.
#[derive(Clone, Debug, Default)]
pub struct Causes(pub Vec<(String, Cause)>);

/// The sections that an answer warns of, each with what it says became of it: a response extension for whoever observes
/// the service.
#[derive(Clone, Debug, Default)]
pub struct Warned(pub Vec<(Cow<'static, str>, &'static str)>);

/// What an answer says apart from how old it is: a response extension that its entity tag is made of, in place of
/// its body.
#[derive(Clone, Debug)]
pub struct Timeless(pub String);

/// How a client spells the members that have two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `requestId`: web and mobile.
    CamelCase,
    /// `request_id`: partners.
    SnakeCase,
}

impl Problem {
    /// A problem of this kind, with nothing to add.
    pub fn new(kind: ProblemKind) -> Self {
        Self(Box::new(Parts {
            kind,
            detail: None,
            errors: vec![],
            retry_after: None,
            challenge: None,
            update_url: None,
            cause: None,
        }))
    }

    /// What this occurrence is about. Must not quote a secret, an upstream or an internal name.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds a value of the request that was wrong.
    #[must_use]
    pub fn error(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldError { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// When the client may try again; sent as whole seconds, rounded up.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The `WWW-Authenticate` challenge of a `401`, or of a `403` that lacks a scope.
    #[must_use]
    pub fn challenge(mut self, challenge: impl Into<Cow<'static, str>>) -> Self {
        self.0.challenge = Some(challenge.into());
        self
    }

    /// Where a newer app is.
    #[must_use]
    pub fn update_url(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.0.update_url = Some(url.into());
        self
    }

    /// Why it came about, for the access log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Error + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// What kind of problem it is.
    pub fn kind(&self) -> ProblemKind {
        self.0.kind.clone()
    }

    /// The status the answer has.
    pub fn status(&self) -> StatusCode {
        self.0.kind.status
    }

    /// Why it came about, if something but the request is to blame.
    pub fn cause(&self) -> Option<&Cause> {
        self.0.cause.as_ref()
    }

    /// The whole answer, for a request with this path (without its query) and this id.
    pub fn render(&self, instance: &str, request_id: &str, naming: Naming) -> Response {
        let Parts { kind, detail, errors, update_url, .. } = &*self.0;
        let (camel, snake) = match naming {
            Naming::CamelCase => (Some(request_id), None),
            Naming::SnakeCase => (None, Some(request_id)),
        };
        let body = Rendered {
            r#type: kind.urn(),
            title: &kind.title,
            status: kind.status.as_u16(),
            detail: detail.as_deref(),
            instance,
            request_id: camel,
            request_id_snake: snake,
            errors,
            update_url: update_url.as_deref(),
        };
        let json = serde_json::to_vec(&body).expect("strings and numbers always serialize");
        let mut response = self.head();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        *response.body_mut() = Body::from(json);
        response
    }

    fn head(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        if let Some(wait) = self.0.retry_after {
            let seconds = wait.as_millis().div_ceil(1000).max(1).to_string();
            let seconds = HeaderValue::try_from(seconds).expect("digits are a header value");
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        let challenge = self.0.challenge.as_deref().map(HeaderValue::try_from);
        if let Some(Ok(challenge)) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Status and headers, and the problem itself as an extension: the edge renders the body.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.head();
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.kind.title, self.0.kind.slug)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_ref().map(|cause| &**cause as &(dyn Error + 'static))
    }
}

#[derive(Serialize)]
struct Rendered<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    instance: &'a str,
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(rename = "request_id", skip_serializing_if = "Option::is_none")]
    request_id_snake: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(rename = "updateUrl", skip_serializing_if = "Option::is_none")]
    update_url: Option<&'a str>,
}

#[cfg(test)]
mod tests;
