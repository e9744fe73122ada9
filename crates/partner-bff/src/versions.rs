//! What answers of a version say once it is deprecated.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::{Deserialize, Serialize};
use service_runtime::Invalid;
use url::Url;

/// RFC 9745.
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// RFC 8594.
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// What the paths of the version begin with.
const V1: &str = "/v1/";

/// The versions of the API that are deprecated.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Everything under `/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v1: Option<Deprecation>,
}

/// Since when a version is deprecated, and what becomes of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// When it was, or will be, deprecated.
    pub deprecated_at: Timestamp,
    /// When it will no longer answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<Timestamp>,
    /// A page for people that says what to use in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Url>,
}

impl Versions {
    /// Whether what is at this path is deprecated.
    pub(crate) fn deprecated(&self, path: &str) -> bool {
        self.v1.is_some() && path.starts_with(V1)
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let v1 = self.v1.as_ref().map_or(Ok(()), Deprecation::check);
        v1.map_err(|invalid| invalid.within("v1"))
    }

    /// The same routes, whose answers tell what becomes of their version.
    pub(crate) fn announce(&self, router: Router) -> Router {
        let Some(v1) = &self.v1 else {
            return router;
        };
        let headers: Arc<[_]> = v1.headers().into();
        router.layer(from_fn(move |request: Request, next: Next| {
            let headers = request.uri().path().starts_with(V1).then(|| headers.clone());
            async move {
                let response = next.run(request).await;
                with_headers(response, headers.as_deref().unwrap_or_default())
            }
        }))
    }
}

impl Deprecation {
    fn check(&self) -> Result<(), Invalid> {
        if self.deprecated_at < Timestamp::UNIX_EPOCH {
            return Err(Invalid::new("deprecated_at", "must not be before 1970"));
        }
        if self.sunset.is_some_and(|sunset| sunset < self.deprecated_at) {
            return Err(Invalid::new("sunset", "must not be before deprecated_at"));
        }
        if self.link.as_ref().is_some_and(|link| !matches!(link.scheme(), "http" | "https")) {
            return Err(Invalid::new("link", "must begin with http:// or https://"));
        }
        Ok(())
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let http_date = |at: Timestamp| {
            DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&at)
                .expect("the settings were checked: no year is negative")
        };
        let deprecation = (DEPRECATION, format!("@{}", self.deprecated_at.as_second()));
        let sunset = self.sunset.map(|at| (SUNSET, http_date(at)));
        let link = self.link.as_ref().map(|url| (LINK, format!("<{url}>; rel=\"deprecation\"")));
        let value = |text| HeaderValue::try_from(text).expect("dates and URLs are visible ASCII");
        [Some(deprecation), sunset, link]
            .into_iter()
            .flatten()
            .map(|(name, text)| (name, value(text)))
            .collect()
    }
}

fn with_headers(mut response: Response, headers: &[(HeaderName, HeaderValue)]) -> Response {
    for (name, value) in headers {
        response.headers_mut().append(name, value.clone());
    }
    response
}
