//! Services of the demo shop that do not answer until they are told to.

use serde_json::{Value, json};

use crate::{Client, Content, Shop, until};

/// Longer than any test.
const FOR_EVER: u64 = 600_000;

impl Shop {
    /// From now on a service takes requests and answers none. One that is given up by its client leaves.
    pub async fn hold(&self, service: &str) {
        self.limit(service, json!({"concurrency": 1, "serviceTimeMs": FOR_EVER})).await;
    }

    /// The same, but a request whose client has left is served all the same, once the service is let go.
    pub async fn hold_heedlessly(&self, service: &str) {
        let limit = json!({"concurrency": 1, "serviceTimeMs": FOR_EVER, "keepAbandoned": true});
        self.limit(service, limit).await;
    }

    /// Has the only worker of a service busy.
    async fn limit(&self, service: &str, limit: Value) {
        let bench = Client::new(self.url(service));
        let answer = bench.send("PUT", "/_capacity", Some(Content::json(limit.to_string()))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let occupant = tokio::spawn(async move { bench.try_send("GET", "/occupied", None).await.is_ok() });
        until("a busy worker", async || (self.occupancy(service, "working").await == 1).then_some(())).await;
        // What was begun is done to its end, also for a client that has left.
        occupant.abort();
    }

    /// A service that was held answers, first those who wait.
    pub async fn release(&self, service: &str) {
        let answer = Client::new(self.url(service)).send("DELETE", "/_capacity", None).await;
        assert_eq!(answer.status, 204);
    }

    /// How many requests a service that is held has before it.
    pub async fn waiting(&self, service: &str) -> u64 {
        self.occupancy(service, "waiting").await
    }

    /// Returns as soon as it is so many.
    pub async fn until_waiting(&self, service: &str, requests: u64) {
        let what = format!("{requests} requests that wait for {service}");
        until(&what, async || (self.waiting(service).await == requests).then_some(())).await;
    }

    async fn occupancy(&self, service: &str, what: &str) -> u64 {
        let busy = Client::new(self.url(service)).get("/_capacity").await.json();
        busy[what].as_u64().expect("it is held")
    }
}
