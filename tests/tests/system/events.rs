//! Live events of the web app: through restarts of the service behind, and through a drain.

use end_to_end::{
    Bff, Client, Credential, EVERY_CALL, Env, Kind, Process, Reading, RunDir, Shop, program, within,
};
use futures::future::join_all;
use serde_json::json;

/// An orders service beside the shop, which can be opened again where it was.
struct OrdersService {
    process: Process,
    url: String,
}

impl OrdersService {
    /// At this port; with 0, at a free one.
    async fn open(port: u16, dir: &RunDir) -> Self {
        // Its place is the second, so that its port is the one after the base.
        let base = port.saturating_sub(1).to_string();
        let program = program("demo-shop");
        let program = program.to_string_lossy();
        let command = [
            &*program,
            "--only",
            "orders",
            "--base-port",
            &base,
            "--status-interval",
            "1h",
            "--heartbeat",
            "1s",
        ];
        let mut process = Process::start("orders", &command, &Env::new(), dir);
        let before = process.log().len();
        let url = process
            .until("listened", async |process: &Process| {
                let log = process.log();
                let new = log.get(before..).unwrap_or_default();
                let line = new.split_inclusive('\n').find_map(|line| line.strip_prefix("listening orders "));
                line.and_then(|line| line.strip_suffix('\n')).map(ToOwned::to_owned)
            })
            .await;
        Self { process, url }
    }

    fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a URL with a port")
    }

    async fn close(self) -> u16 {
        let port = self.port();
        self.process.terminate();
        self.process.ended().await;
        port
    }
}

async fn listen(client: &Client) -> Reading {
    let mut stream = client.read("/events").await;
    assert_eq!(stream.status, 200);
    stream.up_to("retry: 3000\n\n").await;
    stream
}

/// Places an order; its id.
async fn place(client: &Client) -> String {
    let products = client.get("/products").await.json();
    let mut products = products["products"].as_array().expect("a list of products").iter();
    let stocked = products.find(|product| product["stock"].as_u64().is_some_and(|stock| stock >= 10));
    let product = &stocked.expect("a product of which there are some")["id"];
    let order = client.post("/orders", &json!({"productId": product, "quantity": 1})).await;
    assert_eq!(order.outcome(), "201");
    order.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_stream_outlives_a_restart_of_its_service() {
    let dir = RunDir::create();
    let shop = Shop::open("demo-shop", &[], &dir).await;
    let orders = OrdersService::open(0, &dir).await;
    let changes = [EVERY_CALL, &[("BFF__UPSTREAMS__ORDERS__URL", orders.url.as_str())]].concat();
    let bff = Bff::start(Kind::Web, &shop, &changes, &dir).await;
    let client = bff.client().of(&Credential::signed_in(&bff.client(), &shop, "u_42").await);
    let mut stream = listen(&client).await;

    let id = place(&client).await;
    let event = stream.up_to(&format!("\"orderId\":\"{id}\"")).await;
    assert!(event.contains("event: order-status\nid: "), "{event}");
    client.post(&format!("/orders/{id}/cancel"), &json!({})).await;
    stream.up_to("\"status\":\"cancelled\"").await;

    let port = orders.close().await;
    let orders = OrdersService::open(port, &dir).await;
    // What happens before the stream is there again is in the history, for it names what it has seen.
    let id = place(&client).await;
    stream.up_to(&format!("\"orderId\":\"{id}\"")).await;
    drop(orders);
}

#[tokio::test]
async fn a_drain_ends_every_stream_and_cuts_none() {
    const STREAMS: usize = 100;
    let dir = RunDir::create();
    let shop = Shop::open("demo-shop", &[], &dir).await;
    // Longer than anything here is waited for.
    let changes = [
        ("BFF__EVENTS__MAX_PER_USER", "100"),
        ("BFF__SERVER__LAME_DUCK", "0s"),
        ("BFF__SERVER__DRAIN_TIMEOUT", "10m"),
    ];
    let bff = Bff::start(Kind::Web, &shop, &changes, &dir).await;
    let ada = Credential::signed_in(&bff.client(), &shop, "u_42").await;
    let http1 = bff.client().of(&ada);
    let http2 = Client::http2(format!("http://{}", bff.address)).of(&ada);
    let streams = join_all((0..STREAMS).map(|n| listen(if n % 2 == 0 { &http1 } else { &http2 }))).await;
    assert_eq!(http1.get("/events").await.outcome(), "429 too-many-requests");

    bff.process.terminate();
    for last in within("the end of all streams", join_all(streams.into_iter().map(Reading::rest))).await {
        assert!(last.ends_with("\n\n") && last.contains("retry: "), "{last:?}");
    }
    assert_eq!(bff.process.ended().await.code(), Some(0));
}
