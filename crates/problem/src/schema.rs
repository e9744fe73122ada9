//! The problem as OpenAPI sees it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::{ALL, MEDIA_TYPE};

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
pub struct ProblemBody {
    /// `urn:triptych:problem:<slug>`.
    #[schema(example = "urn:triptych:problem:not-found")]
    pub r#type: String,
    /// A short text for people, the same for every problem of this type.
    pub title: String,
    /// The HTTP status, repeated.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What this occurrence is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The path of the request.
    pub instance: String,
    /// The id to name when asking for help.
    pub request_id: String,
    /// The values of the request that were wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldErrorBody>,
    /// Where a newer app is, if this one is too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_url: Option<String>,
}

/// One value of the request that was wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorBody {
    /// A JSON pointer (RFC 6901) into the body, `?name` in the query or `{name}` in the path.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// Every problem that a route can answer with, one response for each status.
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut titles: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for kind in ALL {
            titles.entry(kind.status.as_str().to_owned()).or_default().push(&kind.title);
        }
        titles.into_iter().map(|(status, titles)| (status, response(&titles.join("; ")))).collect()
    }
}

fn response(description: &str) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build().into()
}
