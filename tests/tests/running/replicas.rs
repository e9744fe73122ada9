//! What two replicas do as one: each test asks so often that the gateway asks both.

use end_to_end::{Frontend, Kind, Running, cookies, sign_in};
use serde_json::json;

/// The gateway gives requests to the replicas in turn.
const OFTEN: usize = 8;

/// The id of a product of which there are some.
async fn stocked(frontend: &Frontend) -> String {
    let products = frontend.get("/products?q=oak").await;
    assert_eq!(products.outcome(), "200");
    let products = products.json();
    let mut products = products["products"].as_array().expect("a list of products").iter();
    let stocked = products.find(|product| product["stock"].as_u64().is_some_and(|stock| stock >= 10));
    stocked.and_then(|product| product["id"].as_str()).expect("a product that can be ordered").to_owned()
}

/// How many orders of a user are in the list, all pages of which there is one here.
async fn orders(mobile: &Frontend) -> Vec<String> {
    let orders = mobile.get("/orders").await;
    assert_eq!(orders.outcome(), "200");
    let orders = orders.json();
    let orders = orders["orders"].as_array().expect("a list of orders").iter();
    orders.map(|order| order["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_write_happens_once() {
    let system = Running::find();
    let product = stocked(&system.frontend(Kind::Web, "u_44").await).await;
    let mobile = system.frontend(Kind::Mobile, "u_44").await;
    let key = format!("running-{}-{:?}", std::process::id(), std::time::SystemTime::now());
    let key = key.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let order = json!({"productId": product, "quantity": 1});
    let keyed = mobile.clone().with("idempotency-key", &key);
    let first = keyed.post("/orders", &order).await;
    assert_eq!((first.outcome().as_str(), first.header("idempotency-replayed")), ("201", ""));
    for _ in 0..OFTEN {
        let again = keyed.post("/orders", &order).await;
        assert_eq!((again.outcome().as_str(), again.header("idempotency-replayed")), ("201", "true"));
        assert_eq!(again.body, first.body);
    }
    let other = keyed.post("/orders", &json!({"productId": product, "quantity": 2})).await;
    assert_eq!(other.outcome(), "422 idempotency-mismatch");
    let id = first.json()["id"].as_str().expect("an id").to_owned();
    for _ in 0..OFTEN {
        let named = orders(&mobile).await.into_iter().filter(|order| *order == id).count();
        assert_eq!(named, 1, "each replica knows of the order, and of one");
    }
}

#[tokio::test]
async fn a_session_is_good_everywhere_until_it_ends_everywhere() {
    let system = Running::find();
    let web = system.frontend(Kind::Web, "u_45").await;
    for _ in 0..OFTEN {
        assert_eq!(web.get("/dashboard").await.json()["user"]["id"], "u_45");
    }
    let out = web.send("POST", "/auth/logout", None).await;
    assert_eq!(out.outcome(), "200");
    assert!(cookies(&out.headers).is_empty(), "the cookie is removed");
    for _ in 0..OFTEN {
        assert_eq!(web.get("/dashboard").await.outcome(), "401 unauthenticated");
    }
    // Who signed out can sign in.
    sign_in(&system.edge(Kind::Web), &system.shop, "u_45").await;
}

#[tokio::test]
async fn a_stream_tells_what_another_replica_was_asked_for() {
    let system = Running::find();
    let web = system.frontend(Kind::Web, "u_46").await;
    let product = stocked(&web).await;
    let mut stream = web.read("/events").await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    stream.up_to("retry: 3000\n\n").await;
    for _ in 0..2 {
        let order = web.post("/orders", &json!({"productId": product, "quantity": 1})).await;
        assert_eq!(order.outcome(), "201");
        let id = order.json()["id"].as_str().expect("an id").to_owned();
        let told = stream.up_to(&format!("\"orderId\":\"{id}\"")).await;
        assert!(told.contains("event: order-status\nid: "), "{told}");
    }
}
