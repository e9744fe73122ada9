//! The OpenAPI document, apart from its routes.

use screen::FieldErrorBody;
use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Deprecated, Server};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::settings::Settings;

/// What the document calls API keys.
pub(crate) const API_KEY: &str = "api_key";
/// What the document calls access tokens.
pub(crate) const ACCESS_TOKEN: &str = "access_token";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Triptych for partners",
        description = "Orders, products and usage of a partner's account.\n\n\
            Within a version, changes only add: ignore members that you do not know. \
            A version that is going to end says so in the headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) \
            and `Link` with `rel=\"deprecation\"`, on every answer.\n\n\
            A list comes in pages: ask for the next one with the `next_cursor` of the last as `cursor`, \
            until it is `null`.\n\n\
            Requests come with an API key or with an access token, not with both. A plan says how many may be made: \
            answers carry it in `RateLimit-Policy` and what is left in `RateLimit`, and `429` says in `Retry-After` \
            when to come again.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/partner", description = "Behind the gateway")),
    tags((name = "products"), (name = "orders"), (name = "usage"), (name = "documentation")),
    components(schemas(PartnerProblem, FieldErrorBody)),
    modifiers(&Credentials)
)]
pub(crate) struct Document;

/// Problem details (RFC 9457).
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "`problem` renders it; this says to partners what it is")]
struct PartnerProblem {
    /// `urn:triptych:problem:<slug>`.
    #[schema(example = "urn:triptych:problem:not-found")]
    r#type: String,
    /// A short text for people, the same for every problem of this type.
    title: String,
    /// The HTTP status, repeated.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What this occurrence is about.
    #[schema(nullable = false)]
    detail: Option<String>,
    /// The path of the request.
    instance: String,
    /// The id to name when asking for help.
    request_id: String,
    /// The values of the request that were wrong.
    #[schema(required = false)]
    errors: Vec<FieldErrorBody>,
}

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = ApiKeyValue::with_description("X-API-Key", "`tpk_<id>_<secret>`");
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(key));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(API_KEY, scheme);
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token of the partner's account, by client credentials (RFC 6749, section 4.4)",
            ))
            .build();
        components.add_security_scheme(ACCESS_TOKEN, SecurityScheme::Http(token));
    }
}

/// The document of a service with these settings.
pub(crate) fn with_settings(
    mut document: utoipa::openapi::OpenApi,
    settings: &Settings,
) -> utoipa::openapi::OpenApi {
    let url = settings.public_url.join("");
    document.servers = Some(vec![Server::new(url)]);
    for (_, url, operation) in operations(&mut document.paths) {
        if settings.versions.deprecated(url) {
            operation.deprecated = Some(Deprecated::True);
        }
    }
    document
}

/// Every operation, with its method and URL.
pub(crate) fn operations(paths: &mut Paths) -> impl Iterator<Item = (&'static str, &str, &mut Operation)> {
    paths.paths.iter_mut().flat_map(|(url, item)| {
        let methods = [("GET", item.get.as_mut()), ("POST", item.post.as_mut())];
        methods.into_iter().filter_map(move |(method, operation)| Some((method, url.as_str(), operation?)))
    })
}
