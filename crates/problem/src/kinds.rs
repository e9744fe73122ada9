//! The documented list of problems that every BFF shares.

use std::borrow::Cow;

use http::StatusCode;

/// What a problem's `type`, `title` and `status` are. Domains add their own: see `Refusal` in `upstream-client`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// The last part of the `type`: lower-case words joined by hyphens.
    pub slug: Cow<'static, str>,
    /// A short text for people, the same for every occurrence.
    pub title: Cow<'static, str>,
    /// The status of the answer.
    pub status: StatusCode,
}

impl ProblemKind {
    /// The `type`: `urn:triptych:problem:<slug>`.
    pub fn urn(&self) -> String {
        format!("urn:triptych:problem:{}", self.slug)
    }
}

macro_rules! kinds {
    ($($name:ident = $status:ident $slug:literal $title:literal;)*) => {
        /// The kinds of problem, by name.
        pub mod kind {
            use super::{Cow, ProblemKind, StatusCode};

            $(
                #[doc = $title]
                pub const $name: ProblemKind = ProblemKind {
                    slug: Cow::Borrowed($slug),
                    title: Cow::Borrowed($title),
                    status: StatusCode::$status,
                };
            )*
        }

        /// Every kind, in the order of its status.
        pub const ALL: &[ProblemKind] = &[$(kind::$name),*];
    };
}

kinds! {
    INVALID_REQUEST = BAD_REQUEST "invalid-request" "The request is not valid";
    MALFORMED_JSON = BAD_REQUEST "malformed-json" "The body is not valid JSON";
    UNAUTHENTICATED = UNAUTHORIZED "unauthenticated" "A valid credential is needed";
    FORBIDDEN = FORBIDDEN "forbidden" "The credential does not allow this";
    CROSS_SITE = FORBIDDEN "cross-site" "The request was not made by our own pages";
    APP_OUTDATED = FORBIDDEN "app-outdated" "The app is too old";
    NOT_FOUND = NOT_FOUND "not-found" "There is nothing here";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method-not-allowed" "The resource does not have this method";
    NOT_ACCEPTABLE = NOT_ACCEPTABLE "not-acceptable" "No acceptable form of the answer exists";
    REQUEST_TIMEOUT = REQUEST_TIMEOUT "request-timeout" "The request did not arrive in time";
    CONFLICT = CONFLICT "conflict" "The request conflicts with the present state";
    IDEMPOTENCY_IN_PROGRESS = CONFLICT "idempotency-in-progress" "The first request with this idempotency key is still running";
    GONE = GONE "gone" "It is no longer here";
    PRECONDITION_FAILED = PRECONDITION_FAILED "precondition-failed" "A precondition does not hold";
    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE "body-too-large" "The body is too large";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body must be application/json";
    UNPROCESSABLE = UNPROCESSABLE_ENTITY "unprocessable" "The request cannot be carried out";
    IDEMPOTENCY_MISMATCH = UNPROCESSABLE_ENTITY "idempotency-mismatch" "The idempotency key was used for another request";
    TOO_MANY_REQUESTS = TOO_MANY_REQUESTS "too-many-requests" "There were too many requests";
    HEADERS_TOO_LARGE = REQUEST_HEADER_FIELDS_TOO_LARGE "headers-too-large" "The headers are too many or too large";
    INTERNAL = INTERNAL_SERVER_ERROR "internal" "Something went wrong on our side";
    BAD_UPSTREAM = BAD_GATEWAY "bad-upstream" "A service behind this one gave an unusable answer";
    UNAVAILABLE = SERVICE_UNAVAILABLE "unavailable" "A service behind this one is not available";
    OVERLOADED = SERVICE_UNAVAILABLE "overloaded" "There is too much to do right now";
    DEADLINE_EXCEEDED = GATEWAY_TIMEOUT "deadline-exceeded" "The answer was not ready in time";
}
