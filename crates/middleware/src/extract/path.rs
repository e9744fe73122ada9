//! The parameter of a route.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use problem::{Problem, kind};
use serde::de::DeserializeOwned;

use super::fault;
use super::text::Text;

/// The one parameter of a route such as `/orders/{id}`, decoded and read into `T`.
///
/// A malformed one is `invalid-request` with the pointer `{id}`: only a well-formed id can be not found.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

#[derive(Debug, thiserror::Error)]
#[error("Path is for routes with exactly one parameter")]
struct NotOne;

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(kind::INVALID_REQUEST).detail("The path is not UTF-8."))?;
        let mut params = params.iter();
        let (Some((name, value)), None) = (params.next(), params.next()) else {
            return Err(Problem::new(kind::INTERNAL).caused_by(NotOne));
        };
        T::deserialize(Text(value.into()))
            .map(Self)
            .map_err(|error| fault::invalid(format!("{{{name}}}"), fault::shortened(&error.to_string())))
    }
}
