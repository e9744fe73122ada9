//! What a BFF tells a collector of itself, and what it does when nobody takes it.

use std::net::SocketAddr;

use end_to_end::{Bff, Client, Collected, Collector, Credential, Kind, RunDir, Shop, until};
use tokio::io::copy;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};

/// In milliseconds; no test waits for it.
const AN_HOUR: &str = "3600000";

/// A mobile-bff that has nothing before it, and a client that is signed in.
struct Alone {
    bff: Bff,
    client: Client,
    shop: Shop,
}

impl Alone {
    async fn exporting(to: SocketAddr, variables: &[(&str, &str)]) -> Self {
        let dir = RunDir::create();
        let endpoint = format!("http://{to}");
        let variables = [&[("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint)], variables].concat();
        let of_shop =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let shop = Shop::open_with("demo-shop", &[], &of_shop, &dir).await;
        let bff = Bff::start(Kind::Mobile, &shop, &variables, &dir).await;
        let client = bff.client().of(&Credential::bearer(&shop.user_token("u_42").await));
        Self { bff, client, shop }
    }

    async fn is_served(&self) {
        let answer = self.client.get("/home").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// How much of a signal was dropped, for this reason.
    async fn dropped(&self, signal: &str, why: &str) -> u64 {
        let metrics = Client::new(format!("http://{}", self.bff.admin)).get("/metrics").await;
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        let series =
            format!("triptych_telemetry_dropped_total{{error_type=\"{why}\",triptych_signal=\"{signal}\"}} ");
        let found = text.lines().find_map(|line| line.strip_prefix(&series));
        found.unwrap_or_else(|| panic!("there is no {series}")).parse().expect("it is a number")
    }

    async fn ends_well(self) {
        self.bff.process.terminate();
        let status = self.bff.process.ended().await;
        assert!(status.success(), "{status}");
        // Not here: it blocks until the shop has ended, and the collector runs here.
        spawn_blocking(|| drop(self.shop)).await.expect("it ends");
    }
}

fn has_all(collected: &Collected) -> bool {
    let has = |service: &str, name: &str| {
        collected.spans.iter().any(|span| span.service == service && span.span.name == name)
    };
    has("mobile-bff", "GET /home")
        && has("mobile-bff", "section recentOrders")
        && has("demo-shop", "GET /users/{id}")
        && collected.metrics.contains("mobile-bff http.server.request.duration")
        && collected.metrics.contains("mobile-bff triptych.upstream.attempts")
        && collected.metrics.contains("mobile-bff triptych.cache.entries")
        && collected.records.contains("mobile-bff serving")
}

#[tokio::test]
async fn all_three_signals_arrive_over_either_protocol() {
    for protocol in ["http/protobuf", "grpc"] {
        for (compression, written) in [("none", "identity"), ("gzip", "gzip")] {
            let collector = Collector::start().await;
            let variables = [
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
                ("OTEL_BSP_SCHEDULE_DELAY", "10"),
                ("OTEL_BLRP_SCHEDULE_DELAY", "10"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "10"),
            ];
            let alone = Alone::exporting(collector.address, &variables).await;
            alone.is_served().await;
            let collected = collector.collected(has_all).await;
            assert!(collected.encodings.iter().eq([&written]), "{protocol}: {:?}", collected.encodings);
            alone.ends_well().await;
        }
    }
}

#[tokio::test]
async fn what_is_left_is_exported_at_the_end() {
    for protocol in ["http/protobuf", "grpc"] {
        let collector = Collector::start().await;
        let variables = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_BSP_SCHEDULE_DELAY", AN_HOUR),
            ("OTEL_BLRP_SCHEDULE_DELAY", AN_HOUR),
            ("OTEL_METRIC_EXPORT_INTERVAL", AN_HOUR),
        ];
        let alone = Alone::exporting(collector.address, &variables).await;
        alone.is_served().await;
        assert!(collector.now().is_empty(), "it is not the end");
        alone.ends_well().await;
        let collected = collector.collected(has_all).await;
        assert!(collected.records.contains("mobile-bff stopped"), "{:?}", collected.records);
    }
}

/// Where nobody listens any more.
async fn refusing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is never taken");
    listener.local_addr().expect("it is bound")
}

/// Where everything is taken and nothing is answered, for as long as the tasks are kept.
async fn silent(tasks: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is never taken");
    let address = listener.local_addr().expect("it is bound");
    tasks.spawn(async move {
        let mut streams = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            streams.spawn(async move { copy(&mut stream, &mut tokio::io::sink()).await });
        }
    });
    address
}

#[tokio::test]
async fn a_collector_that_takes_nothing_holds_up_neither_requests_nor_the_end() {
    let mut tasks = JoinSet::new();
    for protocol in ["http/protobuf", "grpc"] {
        let ways = [(refusing().await, "export_failed"), (silent(&mut tasks).await, "queue_full")];
        for (collector, why) in ways {
            let variables = [
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", AN_HOUR),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "32"),
                ("OTEL_BLRP_MAX_QUEUE_SIZE", "4"),
                ("OTEL_BSP_SCHEDULE_DELAY", "10"),
                ("OTEL_BLRP_SCHEDULE_DELAY", "10"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "10"),
            ];
            let alone = Alone::exporting(collector, &variables).await;
            for signal in ["spans", "log_records"] {
                until("a drop that is counted", async || {
                    alone.is_served().await;
                    (alone.dropped(signal, why).await > 0).then_some(())
                })
                .await;
            }
            alone.ends_well().await;
        }
    }
}
