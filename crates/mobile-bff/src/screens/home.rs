//! `GET /home`: the first screen, which fits in one kibibyte.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use domain_clients::{NotificationList, Order, Promo, User};
use futures::try_join;
use middleware::Context;
use screen::{Problem, Problems, Screen, Warning};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::text::shortened;

/// The sections that the screen can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HomeSection)]
pub(crate) enum Section {
    RecentOrders,
    Promos,
    Unread,
}

const ORDERS: u32 = 3;
const PROMOS: usize = 2;
const PROMOS_MAX_AGE: Duration = Duration::from_hours(1);
/// What still fits on a small screen, in characters as people count them.
const LONGEST_NAME: usize = 40;
const LONGEST_TITLE: usize = 60;

/// The first screen.
#[utoipa::path(
    get, path = "/home", operation_id = "home", tag = "home",
    responses((status = 200, description = "The first screen", body = Home), Problems)
)]
pub(crate) async fn get(Context(ctx): Context, State(app): State<AppState>) -> Result<Response, Problem> {
    let screen = Screen::new(&ctx);
    let (user, orders, promos, unread) = try_join!(
        screen.required("user", async |ctx| app.users.profile(ctx).await),
        screen.optional(Section::RecentOrders, async |ctx| app.orders.recent(ctx, ORDERS).await),
        screen.stale_ok(Section::Promos, PROMOS_MAX_AGE, async |ctx| app.catalog.promos(ctx).await),
        screen.optional(Section::Unread, async |ctx| app.notifications.unread(ctx, 1).await),
    )?;
    Ok(screen.respond(|warnings| Home::compose(user, orders, promos, unread, warnings)))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Home {
    #[schema(example = "Hi Ada")]
    greeting: String,
    avatar: Option<String>,
    recent_orders: Vec<RecentOrder>,
    promos: Vec<HomePromo>,
    /// How many notifications are unread; `null` when that is not known.
    unread: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning<Section>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RecentOrder {
    id: String,
    status: String,
    /// In the currency's major unit.
    #[schema(value_type = f64)]
    total: Box<RawValue>,
    currency: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HomePromo {
    id: String,
    title: String,
    discount_percent: u8,
}

impl Home {
    fn compose(
        user: User,
        orders: Option<Vec<Order>>,
        promos: Option<Vec<Promo>>,
        unread: Option<NotificationList>,
        warnings: Vec<Warning<Section>>,
    ) -> Self {
        Self {
            greeting: greeting(&user.first_name),
            avatar: user.avatar_url,
            recent_orders: orders.unwrap_or_default().into_iter().map(RecentOrder::from).collect(),
            promos: promos.unwrap_or_default().into_iter().take(PROMOS).map(HomePromo::from).collect(),
            unread: unread.map(|list| list.unread_count),
            warnings,
        }
    }
}

impl From<Order> for RecentOrder {
    fn from(order: Order) -> Self {
        let total = order.total();
        Self {
            id: order.id.into(),
            status: order.status,
            total: total.number(),
            currency: total.currency.code(),
        }
    }
}

impl From<Promo> for HomePromo {
    fn from(promo: Promo) -> Self {
        Self {
            id: promo.id.into(),
            title: shortened(&promo.title, LONGEST_TITLE),
            discount_percent: promo.discount_percent,
        }
    }
}

/// `Hi Ada`, whatever people are called: blank names, endless names, names with invisible characters.
fn greeting(first_name: &str) -> String {
    let name = shortened(first_name, LONGEST_NAME);
    if name.is_empty() { "Hi".to_owned() } else { format!("Hi {name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_greeting_never_breaks() {
        let long = "a".repeat(41);
        for (name, expected) in [
            ("Ada", "Hi Ada".to_owned()),
            ("  Ada ", "Hi Ada".to_owned()),
            ("", "Hi".to_owned()),
            ("\u{202E}\n ", "Hi".to_owned()),
            ("O'Brien-日本", "Hi O'Brien-日本".to_owned()),
            ("👩‍👩‍👧", "Hi 👩‍👩‍👧".to_owned()),
            ("\u{200B}\u{2060}\u{200D}", "Hi".to_owned()),
            (&long, format!("Hi {}…", "a".repeat(40))),
        ] {
            assert_eq!(greeting(name), expected);
        }
    }

    #[test]
    fn three_orders_and_two_promos_fit_in_a_kibibyte() {
        let order = json!({"id": "o_20000", "userId": "u_1000", "productId": "p_500", "quantity": 99,
            "status": "cancelled", "totalCents": 123_456_789, "currency": "KWD",
            "placedAt": "2026-11-22T10:00:00Z", "updatedAt": "2026-11-22T10:00:00Z"});
        let promo = json!({"id": "promo_12", "title": "Twenty percent off everything for the garden this week",
            "productId": "p_500", "discountPercent": 20, "endsAt": "2026-12-01T00:00:00Z"});
        let user = json!({"id": "u_1000", "firstName": "Wilhelmina Bartholomea", "lastName": "", "role": "customer",
            "avatarUrl": format!("https://images.example/avatars/{}.webp", "x".repeat(64))});
        let home = Home::compose(
            serde_json::from_value(user).unwrap(),
            Some(serde_json::from_value(json!([order, order, order])).unwrap()),
            Some(serde_json::from_value(json!([promo, promo, promo])).unwrap()),
            Some(NotificationList { items: vec![], unread_count: 1234 }),
            vec![],
        );
        let json = serde_json::to_string(&home).unwrap();
        assert!(json.len() <= 1024, "{} bytes: {json}", json.len());
        assert!(!json.contains("warnings"), "{json}");
    }
}
