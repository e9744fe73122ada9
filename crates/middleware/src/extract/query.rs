//! The parameters of a URL's query.

use axum::extract::FromRequestParts;
use http::request::Parts;
use problem::{Problem, kind};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, MapDeserializer};
use url::form_urlencoded;

use super::fault::{self, Place};
use super::text::Text;

/// The query, read into `T`, a struct with a field for each parameter.
///
/// A parameter that is missing, malformed or doubled is named by `?name` in the problem's errors.
/// `T` decides whether unknown ones are refused.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let value = T::deserialize(parameters(query));
        value.map(Self).map_err(|_| misfit::<T>(query))
    }
}

fn parameters(query: &str) -> MapDeserializer<'_, impl Iterator<Item = (Text<'_>, Text<'_>)>, Error> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    MapDeserializer::new(pairs.map(|(name, value)| (Text(name), Text(value))))
}

/// Reads a query that did not fit once more, now keeping account of where.
fn misfit<T: DeserializeOwned>(query: &str) -> Problem {
    match serde_path_to_error::deserialize::<_, T>(parameters(query)) {
        Err(error) => fault::describe(Place::Query, error.path(), &error.inner().to_string()),
        Ok(_) => Problem::new(kind::INVALID_REQUEST),
    }
}
