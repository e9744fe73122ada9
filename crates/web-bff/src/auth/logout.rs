//! `POST /auth/logout`: the session ends here, and then at the provider.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use middleware::Context;
use screen::{Problem, Problems};
use serde::Serialize;
use utoipa::ToSchema;

use super::with_cookies;
use crate::app::AppState;

/// Ends the session. The page then goes where the answer says, so that the provider's own session ends too: a
/// fetch could not follow a redirect there.
#[utoipa::path(
    post, path = "/auth/logout", operation_id = "logout", tag = "sign-in",
    security(("session" = [], "csrf" = [])),
    responses(
        (status = 200, description = "The session has ended", body = LoggedOut, headers(
            ("Set-Cookie" = String, description = "Removes the session's cookie"),
        )),
        Problems
    )
)]
pub(crate) async fn post(
    Context(ctx): Context,
    State(app): State<AppState>,
    head: Parts,
) -> Result<Response, Problem> {
    let gone = app.sessions.logout(&ctx, &head).await?;
    let body = Json(LoggedOut { redirect_to: gone.redirect_to });
    Ok(with_cookies(body.into_response(), gone.cookies))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoggedOut {
    /// Where the page goes next
    redirect_to: String,
}
