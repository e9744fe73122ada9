use std::mem;
use std::time::Duration;

use demo_shop::Service::Orders;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::client::{EVER, Shop};

/// An event stream, read as a client would.
struct Stream {
    body: Incoming,
    text: String,
}

struct Event {
    id: String,
    data: Value,
}

impl Stream {
    async fn open(shop: &Shop, token: &str, last: Option<&str>) -> Self {
        let call = shop.get(Orders, "/orders/events?userId=u_1000").bearer(token);
        let call = match last {
            Some(id) => call.header("last-event-id", id),
            None => call,
        };
        let response = call.open().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next block of lines; none at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                return Some(mem::replace(&mut self.text, rest));
            }
            let frame = self.body.frame().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }

    /// The next event that is not a heartbeat.
    async fn event(&mut self) -> Event {
        loop {
            let block = timeout(EVER, self.block()).await.unwrap().unwrap();
            if block.starts_with(':') {
                continue;
            }
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name)).unwrap();
                line.trim_start().to_owned()
            };
            assert_eq!(field("event:"), "order-status");
            return Event { id: field("id:"), data: serde_json::from_str(&field("data:")).unwrap() };
        }
    }

    async fn statuses(&mut self, count: usize) -> Vec<String> {
        let mut statuses = vec![];
        for _ in 0..count {
            statuses.push(self.event().await.data["status"].as_str().unwrap().to_owned());
        }
        statuses
    }
}

async fn place(shop: &Shop, token: &str) -> String {
    let wish = json!({"productId": "p_1", "quantity": 1});
    let answer = shop.post(Orders, "/orders").bearer(token).json(&wish).send().await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_order_moves_on_by_itself_and_says_so() {
    let shop = Shop::with(|options| options.status_interval = Duration::from_secs(5)).await;
    let token = shop.user("u_1000").await;
    let mut stream = Stream::open(&shop, &token, None).await;
    let id = place(&shop, &token).await;
    let placed = Instant::now();
    let first = stream.event().await;
    assert_eq!((&first.data["orderId"], &first.data["status"]), (&json!(id), &json!("placed")));
    assert!(first.data["at"].is_string());
    assert_eq!(stream.statuses(3).await, ["paid", "shipped", "delivered"]);
    assert!(placed.elapsed() >= Duration::from_secs(15));
    let order = shop.get(Orders, &format!("/orders/{id}")).bearer(&token).send().await.json();
    assert_eq!(order["status"], "delivered");
    assert!(order["updatedAt"].as_str() >= order["placedAt"].as_str());
}

#[tokio::test(start_paused = true)]
async fn an_order_that_nobody_watches_moves_on_too() {
    let shop = Shop::open().await;
    let token = shop.user("u_1000").await;
    let id = place(&shop, &token).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let order = shop.get(Orders, &format!("/orders/{id}")).bearer(&token).send().await.json();
    assert_eq!(order["status"], "delivered");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_gets_what_was_missed() {
    let shop = Shop::with(|options| options.status_interval = EVER).await;
    let (token, stranger) = (shop.user("u_1000").await, shop.user("u_7").await);
    let mut stream = Stream::open(&shop, &token, None).await;
    place(&shop, &token).await;
    let seen = stream.event().await;
    drop(stream);
    place(&shop, &stranger).await;
    let (second, third) = (place(&shop, &token).await, place(&shop, &token).await);

    let mut resumed = Stream::open(&shop, &token, Some(&seen.id)).await;
    assert_eq!(resumed.event().await.data["orderId"], second);
    assert_eq!(resumed.event().await.data["orderId"], third);
    let live = place(&shop, &token).await;
    assert_eq!(resumed.event().await.data["orderId"], live);

    let mut from_another_life = Stream::open(&shop, &token, Some("17")).await;
    assert_eq!(from_another_life.event().await.data, seen.data);
    let mut fresh = Stream::open(&shop, &token, None).await;
    let newest = place(&shop, &token).await;
    assert_eq!(fresh.event().await.data["orderId"], newest);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_lives_and_ends_with_the_shop() {
    let shop = Shop::open().await;
    let token = shop.user("u_1000").await;
    let mut stream = Stream::open(&shop, &token, None).await;
    let opened = Instant::now();
    assert!(timeout(EVER, stream.block()).await.unwrap().unwrap().starts_with(':'));
    assert!(opened.elapsed() >= Duration::from_secs(15));
    shop.running.stop().await;
    while let Some(block) = timeout(EVER, stream.block()).await.unwrap() {
        assert!(block.starts_with(':'));
    }
}
