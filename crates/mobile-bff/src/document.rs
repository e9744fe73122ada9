//! The OpenAPI document, apart from its routes.

use screen::ProblemBody;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, Required, Type};
use utoipa::{Modify, OpenApi};

/// What the document calls access tokens.
pub(crate) const BEARER: &str = "bearer";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Triptych for mobile apps",
        description = "One request a screen, small answers. A screen that lost a section says so in `warnings`.\n\n\
            An app says its version in `X-App-Version`. One that is too old is answered `403` \
            `urn:triptych:problem:app-outdated`, with `updateUrl`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/mobile", description = "Behind the gateway")),
    components(schemas(ProblemBody)),
    modifiers(&Tokens)
)]
pub(crate) struct Document;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "A JWT access token (RFC 9068). One that is bound to a key comes as `DPoP`, with a proof (RFC 9449).".into(),
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    }
}

/// The same document, in which every operation takes the version of the app.
pub(crate) fn with_app_version(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for operation in operations(&mut document.paths) {
        operation.parameters.get_or_insert_default().push(app_version().into());
    }
    document
}

fn app_version() -> Parameter {
    let version = ObjectBuilder::new().schema_type(Type::String).examples(["2.4.0"]);
    ParameterBuilder::new()
        .name("X-App-Version")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("1 to 4 numbers with dots between them. Needed where a minimum is set."))
        .schema(Some(version))
        .build()
}

/// Every operation.
pub(crate) fn operations(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    let items = paths.paths.values_mut();
    items.flat_map(|item| [item.get.as_mut(), item.post.as_mut()]).flatten()
}
