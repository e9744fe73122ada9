//! `GET /v1/usage`: what the account used, and what its plan allows.

use axum::extract::State;
use domain_clients::UsageReport;
use jiff::Timestamp;
use middleware::{Context, Json};
use screen::{OrProblem, Problem, Problems};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::envelope::Resource;

pub(crate) type UsageResource = Resource<UsageView>;

/// What the account used in the current period, and what its plan allows.
#[utoipa::path(
    get, path = "/v1/usage", operation_id = "get_usage", tag = "usage",
    responses((status = 200, description = "The account's usage", body = UsageResource), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
) -> Result<Json<UsageResource>, Problem> {
    let report = app.usage.account(&ctx).await.or_problem()?;
    Ok(Json(UsageResource { data: report.into() }))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageView {
    period: Period,
    orders_placed: u64,
    api_calls: u64,
    api_call_limit: u64,
    storage_bytes: u64,
    storage_limit_bytes: u64,
}

#[derive(Debug, Serialize, ToSchema)]
struct Period {
    /// The first moment in it.
    from: Timestamp,
    /// The first moment after it.
    to: Timestamp,
}

impl From<UsageReport> for UsageView {
    fn from(report: UsageReport) -> Self {
        Self {
            period: Period { from: report.period.from, to: report.period.to },
            orders_placed: report.orders_placed,
            api_calls: report.api_calls,
            api_call_limit: report.api_call_limit,
            storage_bytes: report.storage_bytes,
            storage_limit_bytes: report.storage_limit_bytes,
        }
    }
}
