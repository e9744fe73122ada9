//! What a handler takes from a request, with a problem where it cannot.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{Problem, TOO_LARGE, UNSUPPORTED};

/// The query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        #[expect(clippy::disallowed_types, reason = "this is where its rejection becomes a problem")]
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::invalid(rejection.body_text())),
        }
    }
}

/// The one id in the path.
pub(crate) struct PathId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[expect(clippy::disallowed_types, reason = "this is where its rejection becomes a problem")]
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(id)) => Ok(Self(id)),
            Err(rejection) => Err(Problem::invalid(rejection.body_text())),
        }
    }
}

/// The body, as JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(body) =
            axum::Json::from_request(request, state).await.map_err(|rejection| refused(&rejection))?;
        Ok(Self(body))
    }
}

fn refused(rejection: &JsonRejection) -> Problem {
    let problem = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(TOO_LARGE),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(UNSUPPORTED),
        _ => Problem::invalid(""),
    };
    problem.detail(rejection.body_text())
}
