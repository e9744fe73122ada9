//! `POST /notifications/{id}/read`: a notification has been seen.

use axum::extract::State;
use axum::http::StatusCode;
use domain_clients::NotificationId;
use middleware::{Context, IdempotencyKey, Path};
use screen::{OrProblem, Problem, Problems};

use crate::app::AppState;

/// Marks a notification as read; again changes nothing.
#[utoipa::path(
    post, path = "/notifications/{id}/read", operation_id = "readNotification", tag = "dashboard",
    security(("session" = [], "csrf" = [])),
    params(
        ("id" = String, Path, description = "The notification's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 204, description = "It is read", headers(
            ("Idempotency-Replayed" = bool, description = "This is the first answer to the key, again"),
        )),
        Problems
    )
)]
pub(crate) async fn read(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<NotificationId>,
    key: Option<IdempotencyKey>,
) -> Result<StatusCode, Problem> {
    let key = key.map(IdempotencyKey::for_upstream);
    app.notifications.mark_read(&ctx, &id, key).await.or_problem()?;
    Ok(StatusCode::NO_CONTENT)
}
