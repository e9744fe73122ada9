//! `GET /auth/login`: off to the provider.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use middleware::{Context, Query};
use screen::{Problem, Problems};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{is_navigation, redirect};
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
            ("Set-Cookie" = String, description = "Ties its answer to this browser, for 10 minutes"),
        )),
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
    let there = app.sessions.begin(&ctx, &head, wish.return_to.as_deref()).await?;
    redirect(&there.location, there.cookies)
}
