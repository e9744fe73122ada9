//! `GET /v1/usage`: what the account used, and what its plan allows.

use axum::Extension;
use axum::extract::State;
use domain_clients::UsageReport;
use jiff::Timestamp;
use middleware::{Allowance, Context, Json};
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
    allowance: Option<Extension<Allowance>>,
) -> Result<Json<UsageResource>, Problem> {
    let report = app.usage.account(&ctx).await.or_problem()?;
    let rate_limit = allowance.map(|Extension(allowance)| allowance.into());
    Ok(Json(UsageResource { data: UsageView::compose(&report, rate_limit) }))
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
    /// How many requests the account may make, this one counted. Absent while that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rate_limit: Option<RateLimit>,
}

/// What `RateLimit-Policy` and `RateLimit` say, too.
#[derive(Debug, Serialize, ToSchema)]
struct RateLimit {
    /// The account's plan.
    #[schema(example = "default")]
    plan: String,
    /// How many requests it allows in a window. All may be made at once; they come back one by one.
    limit: u32,
    /// How many are left.
    remaining: u32,
    window_seconds: u64,
    /// When all of them are back, if none is made.
    resets_in_seconds: u64,
}

#[derive(Debug, Serialize, ToSchema)]
struct Period {
    /// The first moment in it.
    from: Timestamp,
    /// The first moment after it.
    to: Timestamp,
}

impl From<Allowance> for RateLimit {
    fn from(allowance: Allowance) -> Self {
        let Allowance { plan, remaining, resets_in_seconds } = allowance;
        let (limit, window_seconds) = (plan.limit(), plan.window_seconds());
        Self { plan: plan.name().to_owned(), limit, remaining, window_seconds, resets_in_seconds }
    }
}

impl UsageView {
    fn compose(report: &UsageReport, rate_limit: Option<RateLimit>) -> Self {
        Self {
            period: Period { from: report.period.from, to: report.period.to },
            orders_placed: report.orders_placed,
            api_calls: report.api_calls,
            api_call_limit: report.api_call_limit,
            storage_bytes: report.storage_bytes,
            storage_limit_bytes: report.storage_limit_bytes,
            rate_limit,
        }
    }
}
