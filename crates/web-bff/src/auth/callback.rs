//! `GET /auth/callback`: back from the provider.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use identity::{SignInAnswer, SignInTrouble};
use middleware::{Context, Query};
use screen::{Problem, Problems};

use super::{is_navigation, page, redirect, with_cookies};
use crate::app::AppState;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Signs in whom the provider's answer names. For browsers that it sends back, and for nobody else.
#[utoipa::path(
    get, path = "/auth/callback", operation_id = "signedIn", tag = "sign-in", security(()),
    params(
        ("code" = Option<String>, Query, description = "What the provider gives for a sign-in"),
        ("state" = Option<String>, Query, description = "What was sent to it"),
        ("iss" = Option<String>, Query, description = "Its name (RFC 9207)"),
        ("error" = Option<String>, Query, description = "Why there is no code"),
    ),
    responses(
        (status = 303, description = "To where the person wanted to go", headers(
            ("Location" = String, description = "A page of the web app"),
            ("Set-Cookie" = String, description = "The session"),
        )),
        (status = 400, description = "A page that says what went wrong", body = String, content_type = "text/html"),
        (status = 403, description = "A page that says what went wrong", body = String, content_type = "text/html"),
        (status = 503, description = "A page that says what went wrong", body = String, content_type = "text/html"),
        Problems
    )
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Query(answer): Query<SignInAnswer>,
    head: Parts,
) -> Result<Response, Problem> {
    if !is_navigation(&head.method, &head.headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let error = match app.sessions.finish(&ctx, &head, &answer).await {
        Ok(there) => return redirect(&there.location, there.cookies),
        Err(error) => error,
    };
    match error.trouble {
        // The provider knows the person already: the way there and back is not seen.
        SignInTrouble::Used => redirect(&error.again, error.cookies),
        // Who comes from another site has no session cookie with them. Who comes from this page has.
        SignInTrouble::NoCookies | SignInTrouble::Expired if came_from_elsewhere(&head) => {
            let here = app.public_url.join("/auth/callback");
            Ok(with_cookies(page::of(error.trouble, &error.again, Some(&here), error.cause), error.cookies))
        }
        _ => Ok(with_cookies(page::of(error.trouble, &error.again, None, error.cause), error.cookies)),
    }
}

fn came_from_elsewhere(head: &Parts) -> bool {
    head.headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site")
}
