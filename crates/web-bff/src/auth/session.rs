//! `GET /auth/session`: who is signed in, and for how long.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use identity::SessionState;
use jiff::Timestamp;
use middleware::Context;
use screen::{Problem, Problems};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;

/// Who is signed in. Asking does not prolong the session.
#[utoipa::path(
    get, path = "/auth/session", operation_id = "session", tag = "sign-in", security((), ("session" = [])),
    responses((status = 200, description = "Who is signed in, if anybody", body = Session), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    head: Parts,
) -> Result<Json<Session>, Problem> {
    Ok(Json(Session::compose(app.sessions.state(&ctx, &head).await?)))
}

/// Only `authenticated` is there if nobody is signed in.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Person>,
    /// When the session ends, unless it is used before
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Whether that is soon
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_soon: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionUser)]
pub(crate) struct Person {
    id: String,
    /// What to call them, if the provider says
    name: Option<String>,
}

impl Session {
    fn compose(state: SessionState) -> Self {
        let SessionState::SignedIn { id, name, expires_at, ends_soon } = state else {
            return Self::default();
        };
        Self {
            authenticated: true,
            user: Some(Person { id: id.as_str().to_owned(), name }),
            expires_at: Some(expires_at),
            ends_soon: Some(ends_soon),
        }
    }
}
