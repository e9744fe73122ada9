//! `GET /dashboard`: the page after signing in.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use domain_clients::{
    BillingAccount, Notification, NotificationList, Order, Product, Promo, UsageReport, User,
};
use futures::try_join;
use jiff::Timestamp;
use middleware::Context;
use request_context::RequestContext;
use screen::{Problem, Problems, Screen, Warning};
use serde::Serialize;
use utoipa::ToSchema;

use super::orders::with_products;
use crate::app::AppState;
use crate::views::{MoneyView, OrderView, PromoView};

/// The sections that the page can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DashboardSection)]
pub(crate) enum Section {
    AccountSummary,
    #[serde(rename = "accountSummary.usage")]
    Usage,
    UnreadNotifications,
    Orders,
    #[serde(rename = "orders.product")]
    OrderProducts,
    Promos,
}

const ORDERS: u32 = 50;
const NOTIFICATIONS: u32 = 20;
const ACCOUNT_MAX_AGE: Duration = Duration::from_hours(1);
const PROMOS_MAX_AGE: Duration = Duration::from_hours(1);

/// The page after signing in.
#[utoipa::path(
    get, path = "/dashboard", operation_id = "dashboard", tag = "dashboard",
    responses((status = 200, description = "The page", body = Dashboard), Problems)
)]
pub(crate) async fn get(Context(ctx): Context, State(app): State<AppState>) -> Result<Response, Problem> {
    let screen = Screen::new(&ctx);
    let orders = async {
        let orders =
            screen.optional(Section::Orders, async |ctx| app.orders.recent(ctx, ORDERS).await).await?;
        with_products(&screen, Section::OrderProducts, &app, orders.unwrap_or_default()).await
    };
    let notifications = async |ctx: &RequestContext| app.notifications.unread(ctx, NOTIFICATIONS).await;
    let (user, billing, usage, notifications, orders, promos) = try_join!(
        screen.required("user", async |ctx| app.users.profile(ctx).await),
        screen.stale_ok(Section::AccountSummary, ACCOUNT_MAX_AGE, async |ctx| app.billing.account(ctx).await),
        screen.stale_ok(Section::Usage, ACCOUNT_MAX_AGE, async |ctx| app.usage.account(ctx).await),
        screen.optional(Section::UnreadNotifications, notifications),
        orders,
        screen.stale_ok(Section::Promos, PROMOS_MAX_AGE, async |ctx| app.catalog.promos(ctx).await),
    )?;
    Ok(screen.respond(|warnings| {
        Dashboard::compose(user, billing, usage, notifications, orders, promos, warnings)
    }))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dashboard {
    user: DashboardUser,
    /// `null` when it was lost.
    account_summary: Option<AccountSummary>,
    unread_notifications: Vec<UnreadNotification>,
    /// The latest 50, the newest first.
    orders: Vec<OrderView>,
    promos: Vec<PromoView>,
    warnings: Vec<Warning<Section>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct DashboardUser {
    id: String,
    /// First and last name as the user wrote them; never empty.
    name: String,
    role: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccountSummary {
    plan: String,
    status: String,
    balance: MoneyView,
    next_invoice_at: Option<Timestamp>,
    payment_method: Option<PaymentMethodView>,
    /// `null` when it was lost.
    usage: Option<UsageView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentMethod)]
struct PaymentMethodView {
    brand: String,
    last4: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Usage)]
struct UsageView {
    from: Timestamp,
    to: Timestamp,
    orders_placed: u64,
    api_calls: u64,
    api_call_limit: u64,
    storage_bytes: u64,
    storage_limit_bytes: u64,
}

#[derive(Debug, Serialize, ToSchema)]
struct UnreadNotification {
    id: String,
    title: String,
}

impl Dashboard {
    fn compose(
        user: User,
        billing: Option<BillingAccount>,
        usage: Option<UsageReport>,
        notifications: Option<NotificationList>,
        orders: Vec<(Order, Option<Product>)>,
        promos: Option<Vec<Promo>>,
        warnings: Vec<Warning<Section>>,
    ) -> Self {
        let notifications = notifications.unwrap_or_default().items;
        Self {
            user: user.into(),
            account_summary: billing.map(|billing| AccountSummary::compose(billing, usage)),
            unread_notifications: notifications.into_iter().map(UnreadNotification::from).collect(),
            orders: orders.into_iter().map(|(order, product)| OrderView::compose(order, product)).collect(),
            promos: promos.unwrap_or_default().into_iter().map(PromoView::from).collect(),
            warnings,
        }
    }
}

impl From<User> for DashboardUser {
    fn from(user: User) -> Self {
        let name = [user.first_name.trim(), user.last_name.trim()].join(" ");
        let name = if name.trim().is_empty() { &user.id } else { name.trim() };
        Self { name: name.to_owned(), id: user.id, role: user.role }
    }
}

impl AccountSummary {
    fn compose(billing: BillingAccount, usage: Option<UsageReport>) -> Self {
        Self {
            balance: billing.balance().into(),
            plan: billing.plan,
            status: billing.status,
            next_invoice_at: billing.next_invoice_at,
            payment_method: billing
                .payment_method
                .map(|method| PaymentMethodView { brand: method.brand, last4: method.last4 }),
            usage: usage.map(UsageView::from),
        }
    }
}

impl From<UsageReport> for UsageView {
    fn from(usage: UsageReport) -> Self {
        Self {
            from: usage.period.from,
            to: usage.period.to,
            orders_placed: usage.orders_placed,
            api_calls: usage.api_calls,
            api_call_limit: usage.api_call_limit,
            storage_bytes: usage.storage_bytes,
            storage_limit_bytes: usage.storage_limit_bytes,
        }
    }
}

impl From<Notification> for UnreadNotification {
    fn from(notification: Notification) -> Self {
        Self { id: notification.id.into(), title: notification.title }
    }
}
