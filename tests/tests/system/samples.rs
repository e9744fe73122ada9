//! Things of the demo shop that requests can name.

use end_to_end::{Answer, Frontend, Kind, System};
use serde_json::Value;

/// What is Ada's and Acme's, and what is not.
pub(crate) struct Samples {
    own: Vec<(&'static str, String)>,
    acmes_order: String,
}

impl Samples {
    /// Looks for them.
    pub(crate) async fn find(system: &System) -> Self {
        let (web, partner) = (system.frontend(Kind::Web), system.frontend(Kind::Partner));
        let dashboard = web.get("/dashboard").await.json();
        let orders = dashboard["orders"].as_array().expect("a list").clone();
        let with = |statuses: [&str; 2]| {
            let order =
                orders.iter().find(|order| statuses.contains(&order["status"].as_str().unwrap_or("")));
            id(order.unwrap_or_else(|| panic!("Ada has no order that is {statuses:?}")), "/id")
        };
        let (stranger, notification) = stranger(system).await;
        let foreign = id(&stranger.get("/orders").await.json(), "/orders/0/id");
        let products = web.get("/products").await.json();
        let mut products = products["products"].as_array().into_iter().flatten();
        let stocked = products.find(|product| product["stock"].as_u64().is_some_and(|stock| stock >= 200));
        let own = vec![
            ("{stocked}", id(stocked.expect("a product of which there are many"), "/id")),
            ("{order}", id(&dashboard, "/orders/0/id")),
            ("{open}", with(["placed", "paid"])),
            ("{shipped}", with(["shipped", "delivered"])),
            ("{notification}", id(&dashboard, "/unreadNotifications/0/id")),
            ("{product}", id(&dashboard, "/promos/0/productId")),
            ("{foreign}", foreign),
            ("{foreign_notification}", notification),
        ];
        Self { own, acmes_order: id(&partner.get("/v1/orders").await.json(), "/data/0/id") }
    }

    /// The path or the body with the samples in place of their names.
    pub(crate) fn fill(&self, kind: Kind, text: &str) -> String {
        let text =
            if kind == Kind::Partner { text.replace("{order}", &self.acmes_order) } else { text.to_owned() };
        self.own.iter().fold(text, |text, (name, value)| text.replace(name, value))
    }
}

/// A frontend for somebody who is not Ada and has something to read, and what that is.
async fn stranger(system: &System) -> (Frontend, String) {
    for user in 43..200 {
        let credential = system.credential_of(Kind::Web, &format!("u_{user}")).await;
        let web = system.frontend(Kind::Web).of(&credential);
        let dashboard: Answer = web.get("/dashboard").await;
        let dashboard = dashboard.json();
        if dashboard["orders"][0].is_object() && dashboard["unreadNotifications"][0].is_object() {
            let notification = id(&dashboard, "/unreadNotifications/0/id");
            return (web, notification);
        }
    }
    panic!("nobody else has an order and something to read");
}

/// The text at a JSON pointer.
fn id(json: &Value, pointer: &str) -> String {
    let id = json.pointer(pointer).and_then(Value::as_str);
    id.unwrap_or_else(|| panic!("no text at {pointer} of {json}")).to_owned()
}
