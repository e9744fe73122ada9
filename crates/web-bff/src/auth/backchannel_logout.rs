//! `POST /auth/backchannel-logout`: the provider says that somebody has signed out (OpenID Connect Back-Channel
//! Logout 1.0). It is no call of a browser: the token alone decides.

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use middleware::Context;
use screen::{Problem, Problems, kind};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::AppState;

/// Ends the sessions that the provider's token names.
#[utoipa::path(
    post, path = "/auth/backchannel-logout", operation_id = "backchannelLogout", tag = "sign-in", security(()),
    request_body(content = Notice, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "They have ended, if there were any"), Problems)
)]
pub(crate) async fn post(
    Context(ctx): Context,
    State(app): State<AppState>,
    notice: Result<Form<Notice>, FormRejection>,
) -> Result<StatusCode, Problem> {
    let Form(notice) = notice.map_err(|_| {
        Problem::new(kind::INVALID_REQUEST).detail("The body must be a form with one logout_token.")
    })?;
    app.sessions.backchannel_logout(&ctx, &notice.logout_token).await?;
    Ok(StatusCode::OK)
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Notice {
    /// Signed by the provider
    logout_token: String,
}
