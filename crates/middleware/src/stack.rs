//! The order of the layers: the first line sees the request first, and its answer last.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};
use problem::Naming;
use request_context::Observe;
use tower::ServiceBuilder;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::around::AroundLayer;
use crate::context::Contexts;
use crate::deadline::DeadlineLayer;
use crate::observation::Observation;
use crate::problems::Problems;
use crate::reads::Reads;
use crate::refusal::RefuseLayer;
use crate::{PublicUrl, RequestSettings, compression, cors, foreign_headers, panics, refusal};

/// An answer of this API is data: nothing in it may load, run or be framed.
const NO_CONTENT_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");
/// For a year.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const OUR_OWN_PAGES: HeaderValue = HeaderValue::from_static("same-origin");

/// Puts every layer around the whole of `router`, its fallbacks included.
///
/// `observer` sees each of their requests. Goes on last, when all routes are there: a route that is added later passes
/// none of it.
pub fn stack(
    router: Router,
    settings: &RequestSettings,
    public_url: &PublicUrl,
    naming: Naming,
    observer: Arc<dyn Observe>,
) -> Router {
    router.layer(
        ServiceBuilder::new()
            // All below speak of a request by its id and measure against its deadline.
            .layer(AroundLayer(Contexts::new(settings, Arc::clone(&observer))))
            // After the context, which may have taken some of it over; before anyone who could believe it.
            .map_request(foreign_headers::remove)
            // Sees the answer as the client does, and the client who leaves without one.
            .layer(AroundLayer(Observation(observer)))
            // On every answer there is; `if_not_present` where a page knows better.
            .layer(SetResponseHeaderLayer::overriding(
                X_CONTENT_TYPE_OPTIONS,
                NO_SNIFFING,
            ))
            .layer(SetResponseHeaderLayer::if_not_present(
                CONTENT_SECURITY_POLICY,
                NO_CONTENT_POLICY,
            ))
            // To browsers alone: never again without TLS, if clients come by it. Not the subdomains, which are not ours
            // to decide about.
            .layer(SetResponseHeaderLayer::overriding(
                STRICT_TRANSPORT_SECURITY,
                public_url.is_https().then_some(ONLY_TLS),
            ))
            // A link out of what we answer tells nobody which page it was on.
            .layer(SetResponseHeaderLayer::if_not_present(REFERRER_POLICY, NO_REFERRER))
            // No foreign page embeds an answer unseen, as an image or a script. What is asked for by CORS is not
            // concerned.
            .layer(SetResponseHeaderLayer::if_not_present(
                CROSS_ORIGIN_RESOURCE_POLICY,
                OUR_OWN_PAGES,
            ))
            // Outside of authentication and routing, since a preflight has no credential and no route; outside of
            // problems, so that a page can read those, too.
            .layer(option_layer(cors::layer(&settings.allowed_origins)))
            // Outside of all that refuses, so that every error has one form.
            .layer(AroundLayer(Problems { naming, public_url: public_url.clone() }))
            // A write that is done must not be answered 406, as a read may be.
            .map_request(compression::for_reads_only)
            .map_response(compression::unwrap)
            .layer(compression::layer())
            // Inside compression: a tag names the uncompressed body, and a 304 has nothing to compress.
            .layer(AroundLayer(Reads))
            // Inside what completes an answer, so that a panic's is as complete as any other.
            .map_response(into_response)
            .layer(CatchPanicLayer::custom(panics::answer))
            // What cannot be right costs no more than this.
            .layer(RefuseLayer(refusal::look))
            // Around the rest of the work: reading the body, authentication, the handler.
            .layer(DeadlineLayer)
            // Extractors enforce it on the bytes that arrive; a route may set its own.
            .layer(DefaultBodyLimit::max(settings.max_body_bytes())),
    )
}

/// Meets the body types of layers that wrap theirs.
fn into_response(response: impl IntoResponse) -> Response {
    response.into_response()
}
