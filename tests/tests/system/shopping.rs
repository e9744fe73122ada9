//! What people do in the shop, and what they see of it.

use std::collections::BTreeSet;

use end_to_end::Kind::{self, Mobile, Partner, Web};
use end_to_end::{ADMIN_TOKEN, Answer, Frontend, System};
use serde_json::{Value, json};

use crate::samples::Samples;

#[tokio::test]
async fn a_day_in_the_shop() {
    let system = System::start_with(&[("BFF__ADMIN__TOKEN", ADMIN_TOKEN)]).await;
    the_first_screens_are_as_small_and_as_full_as_promised(&system).await;
    let samples = Samples::find(&system).await;
    every_order_is_on_just_one_page(&system).await;
    money_has_the_digits_of_its_currency(&system).await;
    what_is_read_is_unread_no_more(&system, &samples).await;
    a_placed_order_is_seen_by_the_next_read(&system, &samples).await;
    a_key_places_one_order(&system, &samples).await;
    an_order_is_cancelled_until_it_has_been_sent(&system, &samples).await;
    what_is_not_there_cannot_be_ordered(&system).await;
}

async fn the_first_screens_are_as_small_and_as_full_as_promised(system: &System) {
    let home = system.frontend(Mobile).get("/home").await;
    assert!(home.body.len() <= 1024, "{} bytes", home.body.len());
    let home = home.json();
    assert_eq!(home["greeting"], "Hi Ada");
    assert_eq!((list(&home["recentOrders"]).len(), list(&home["promos"]).len()), (3, 2));
    assert!(home.get("warnings").is_none(), "{home}");

    system.shop.forget_calls().await;
    let dashboard = system.frontend(Web).get("/dashboard").await.json();
    assert_eq!(dashboard["user"], json!({"id": "u_42", "name": "Ada Lovelace", "role": "customer"}));
    assert_eq!(list(&dashboard["orders"]).len(), 50);
    // The catalog no longer has one of the products: its order keeps its place, and that is said.
    let without = list(&dashboard["orders"]).iter().filter(|order| order["product"].is_null());
    assert_eq!(without.map(|order| text(&order["productId"])).collect::<Vec<_>>(), ["p_9001"]);
    assert_eq!(list(&dashboard["warnings"]).len(), 1);
    assert_eq!(dashboard["warnings"][0]["section"], "orders.product");
    assert_eq!(dashboard["warnings"][0]["status"], "not_found");
    let calls = system.shop.calls().await;
    assert_eq!((calls["catalog GET /products"], calls.get("catalog GET /products/{id}")), (1, None));
}

fn list(json: &Value) -> &[Value] {
    json.as_array().expect("a list")
}

fn text(json: &Value) -> &str {
    json.as_str().expect("a text")
}

/// Where each BFF has orders, and what it calls them, their ids and the next page.
fn naming(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Web | Mobile => ("/orders", "/orders", "/nextCursor"),
        Partner => ("/v1/orders", "/data", "/page/next_cursor"),
    }
}

/// All orders of a caller, page after page.
async fn all_orders(frontend: &Frontend, kind: Kind) -> Vec<Value> {
    let (path, list, next) = naming(kind);
    let mut all = Vec::new();
    let mut url = path.to_owned();
    loop {
        let page = frontend.get(&url).await.json();
        all.extend(page.pointer(list).and_then(Value::as_array).expect("orders").iter().cloned());
        match page.pointer(next).and_then(Value::as_str) {
            Some(cursor) => url = format!("{path}?cursor={cursor}"),
            None => return all,
        }
    }
}

async fn every_order_is_on_just_one_page(system: &System) {
    let mut of_ada = Vec::new();
    for kind in Kind::ALL {
        let orders = all_orders(&system.frontend(kind), kind).await;
        let ids: BTreeSet<_> = orders.iter().map(|order| order["id"].as_str().expect("an id")).collect();
        assert_eq!(ids.len(), orders.len(), "{}", kind.name());
        assert!(orders.len() > 50, "{} has one page only", kind.name());
        let placed = if kind == Partner { "placed_at" } else { "placedAt" };
        assert!(orders.is_sorted_by(|a, b| a[placed].as_str() >= b[placed].as_str()), "the newest first");
        if kind != Partner {
            of_ada.push(orders.iter().map(|order| order["id"].clone()).collect::<Vec<_>>());
        }
    }
    assert_eq!(of_ada[0], of_ada[1], "the same orders on two frontends");
}

async fn money_has_the_digits_of_its_currency(system: &System) {
    let web = all_orders(&system.frontend(Web), Web).await;
    let mobile = all_orders(&system.frontend(Mobile), Mobile).await;
    let mut currencies = BTreeSet::new();
    for (rich, flat) in web.iter().zip(&mobile) {
        let (amount, currency) = (&rich["total"]["amount"], text(&rich["total"]["currency"]));
        let amount = text(amount);
        let digits = amount.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let expected = match currency {
            "JPY" => 0,
            "KWD" => 3,
            _ => 2,
        };
        assert_eq!(digits, expected, "{rich}");
        assert_eq!(flat["currency"], currency);
        assert_eq!(flat["total"].as_f64(), amount.parse().ok(), "{flat}");
        currencies.insert(currency);
    }
    assert!(currencies.is_superset(&BTreeSet::from(["EUR", "JPY", "KWD"])), "{currencies:?}");
}

async fn what_is_read_is_unread_no_more(system: &System, samples: &Samples) {
    let (web, mobile) = (system.frontend(Web), system.frontend(Mobile));
    let unread = async || mobile.get("/home").await.json()["unread"].as_u64().expect("a count");
    let before = unread().await;
    let path = samples.fill(Web, "/notifications/{notification}/read");
    let id = samples.fill(Web, "{notification}");
    for _ in 0..2 {
        assert_eq!(web.send("POST", &path, None).await.outcome(), "204");
        let dashboard = web.get("/dashboard").await.json();
        assert!(!dashboard["unreadNotifications"].to_string().contains(&format!("\"{id}\"")), "{dashboard}");
    }
    // Another BFF, which shares no store with this one here, knows within the ten seconds for which it keeps the count,
    // or when it is told.
    system.bff(Mobile).invalidate(&["notifications:u_42"]).await;
    assert_eq!(unread().await, before - 1);
}

async fn place(frontend: &Frontend, kind: Kind, product: &str, quantity: u32) -> Answer {
    let (path, ..) = naming(kind);
    let name = if kind == Partner { "product_id" } else { "productId" };
    frontend.post(path, &json!({name: product, "quantity": quantity})).await
}

/// The order in an answer about one.
fn order(kind: Kind, answer: &Answer) -> Value {
    let mut body = answer.json();
    if kind == Partner { body["data"].take() } else { body }
}

async fn a_placed_order_is_seen_by_the_next_read(system: &System, samples: &Samples) {
    let product = samples.fill(Web, "{stocked}");
    for kind in Kind::ALL {
        let (path, list, _) = naming(kind);
        let frontend = system.frontend(kind);
        let before = frontend.get(path).await;
        let placed = place(&frontend, kind, &product, 2).await;
        assert_eq!(placed.outcome(), "201", "{}", kind.name());
        let placed_order = order(kind, &placed);
        assert_eq!(placed_order["status"], "placed");

        let location = placed.header("location");
        let own = location.strip_prefix(&format!("https://shop.example{}", kind.prefix()));
        let own = own.unwrap_or_else(|| panic!("{location} is not under the public URL"));
        assert_eq!(order(kind, &frontend.get(own).await), placed_order, "what {location} shows");

        let after = frontend.with("if-none-match", before.header("etag")).get(path).await;
        assert_eq!(after.outcome(), "200", "{} says that nothing changed", kind.name());
        assert_eq!(
            after.json().pointer(list).expect("orders")[0]["id"],
            placed_order["id"],
            "{}",
            kind.name()
        );
    }
    let dashboard = system.frontend(Web).get("/dashboard").await.json();
    let home = system.frontend(Mobile).get("/home").await.json();
    assert_eq!(dashboard["orders"][0]["id"], home["recentOrders"][0]["id"]);
}

async fn a_key_places_one_order(system: &System, samples: &Samples) {
    let product = samples.fill(Web, "{stocked}");
    for kind in Kind::ALL {
        let key = format!("the-same-key-for-{}", kind.name());
        let keyed = system.frontend(kind).with("idempotency-key", &key);
        let first = place(&keyed, kind, &product, 1).await;
        let again = place(&keyed, kind, &product, 1).await;
        assert_eq!((first.outcome().as_str(), again.outcome().as_str()), ("201", "201"), "{}", kind.name());
        assert_eq!(order(kind, &first)["id"], order(kind, &again)["id"], "{}", kind.name());
        let (path, list, _) = naming(kind);
        let orders = system.frontend(kind).get(path).await.json();
        assert_ne!(orders.pointer(list).expect("orders")[1]["id"], order(kind, &first)["id"]);

        let other_body = place(&keyed, kind, &product, 2).await;
        assert_eq!(other_body.outcome(), "422 idempotency-mismatch", "{}", kind.name());
        let other_key = keyed.with("idempotency-key", "another-key");
        assert_ne!(order(kind, &place(&other_key, kind, &product, 1).await)["id"], order(kind, &first)["id"]);
    }
    let other = system.credential_of(Web, "u_43").await;
    let keyed = system.frontend(Web).with("idempotency-key", "the-same-key");
    let adas = place(&keyed, Web, &product, 1).await.json();
    let others = place(&keyed.of(&other), Web, &product, 1).await.json();
    assert_ne!(adas["id"], others["id"], "the key of one caller is not that of another");
}

async fn an_order_is_cancelled_until_it_has_been_sent(system: &System, samples: &Samples) {
    let web = system.frontend(Web);
    let order = samples.fill(Web, "/orders/{open}");
    let cancelled = web.send("POST", &format!("{order}/cancel"), None).await;
    assert_eq!(cancelled.outcome(), "200");
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(web.get(&order).await.json()["status"], "cancelled");
    for path in [format!("{order}/cancel"), samples.fill(Web, "/orders/{shipped}/cancel")] {
        assert_eq!(web.send("POST", &path, None).await.outcome(), "409 order-not-cancellable", "{path}");
    }
    let order = web
        .post("/orders", &json!({"productId": samples.fill(Web, "{stocked}"), "quantity": 1}))
        .await
        .json();
    let path = format!("/orders/{}/cancel", text(&order["id"]));
    let keyed = web.with("idempotency-key", "cancel-once");
    for _ in 0..2 {
        let answer = keyed.send("POST", &path, None).await;
        assert_eq!(answer.outcome(), "200", "a repetition finds the first answer");
    }
}

async fn what_is_not_there_cannot_be_ordered(system: &System) {
    let products = system.frontend(Web).get("/products").await.json();
    let products = list(&products["products"]);
    let scarce = products.iter().find(|product| product["stock"].as_u64().is_some_and(|stock| stock < 100));
    let scarce = text(&scarce.expect("a product with less than 100 in stock")["id"]);
    for kind in Kind::ALL {
        let answer = place(&system.frontend(kind), kind, scarce, 100).await;
        assert_eq!(answer.outcome(), "409 out-of-stock", "{}", kind.name());
    }
}
