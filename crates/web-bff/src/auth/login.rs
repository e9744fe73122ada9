//! `GET /auth/login`: off to the provider.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::response::{IntoResponse, Response};
use identity::SignInTrouble;
use middleware::{Context, Query};
use screen::{Problem, Problems};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{is_navigation, page, redirect};
use crate::app::AppState;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// Where to go when it is done: a path of the web app. Its start, unless said otherwise
    #[serde(rename = "returnTo")]
    return_to: Option<String>,
}

/// Sends a person to the identity provider; a page goes here, it does not fetch this.
#[utoipa::path(
    get, path = "/auth/login", operation_id = "login", tag = "sign-in", security(()),
    params(Wish),
    responses(
        (status = 303, description = "To the provider", headers(
            ("Location" = String, description = "The provider's page"),
            ("Set-Cookie" = String, description = "Ties its answer to this browser"),
        )),
        (status = 503, description = "A page that says that it does not work now", body = String, content_type = "text/html"),
        Problems
    )
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Query(wish): Query<Wish>,
    head: Parts,
) -> Result<Response, Problem> {
    if !is_navigation(&head.method, &head.headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    match app.sessions.begin(&ctx, &head, wish.return_to.as_deref()).await {
        Ok(there) => redirect(&there.location, there.cookies),
        // A person is here, and can do no more about it than try again.
        Err(problem) if problem.status() == StatusCode::SERVICE_UNAVAILABLE => {
            let again =
                app.public_url.join(head.uri.path_and_query().map_or("/auth/login", PathAndQuery::as_str));
            Ok(page::of(SignInTrouble::Unavailable, &again, None, problem.cause().cloned()))
        }
        Err(problem) => Err(problem),
    }
}
