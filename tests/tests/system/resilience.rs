//! Upstreams and Redis that fail, from outside: real programs, real sockets, counted at the services.
//!
//! What a machine that is busy does to time decides nothing here. Services are held and let go, what happens is counted,
//! and where a time is part of a promise, it is one that the programs themselves say.

mod amplification;
mod breaker;
mod deadlines;
mod idempotency;
mod invalidation;
mod isolation;
mod leaving;
mod overload;
mod redis;
mod stale;
mod stampede;

use end_to_end::{ADMIN_TOKEN, Answer, Bff, Client, Credential, Kind, Redis, RunDir, Shop, until};
use serde_json::Value;

/// The settings of a web BFF that waits longer than any test takes, those that a mobile BFF has, too, first.
const PATIENT: &[(&str, &str)] = &[
    ("BFF__REQUESTS__DEADLINE", "5m"),
    ("BFF__REQUESTS__OPTIONAL_DEADLINE", "5m"),
    ("BFF__UPSTREAMS__USERS__TIMEOUT", "5m"),
    ("BFF__UPSTREAMS__ORDERS__TIMEOUT", "5m"),
    ("BFF__UPSTREAMS__CATALOG__TIMEOUT", "5m"),
    ("BFF__UPSTREAMS__NOTIFICATIONS__TIMEOUT", "5m"),
    ("BFF__UPSTREAMS__BILLING__TIMEOUT", "5m"),
    ("BFF__UPSTREAMS__USAGE__TIMEOUT", "5m"),
];
/// The same of a mobile BFF.
const PATIENT_MOBILE: &[(&str, &str)] = PATIENT.split_at(6).0;
/// Nothing is kept of any answer.
const FORGETFUL: &[(&str, &str)] = &[("BFF__CACHE__MAX_BYTES", "0 B")];
/// The domain services behind the web BFF.
const SERVICES: [&str; 6] = ["users", "orders", "catalog", "notifications", "billing", "usage"];
const ADA: &str = "u_42";
const BOB: &str = "u_43";

/// What BFFs stand in front of.
struct Site {
    shop: Shop,
    redis: Option<Redis>,
    dir: RunDir,
}

impl Site {
    async fn open() -> Self {
        let dir = RunDir::create();
        Self { shop: Shop::open("demo-shop", &[], &dir).await, redis: None, dir }
    }

    /// One with a Redis, which every BFF uses.
    async fn with_redis() -> Self {
        let site = Self::open().await;
        Self { redis: Some(Redis::start(&site.dir).await), ..site }
    }

    /// A BFF with these changes of its settings, as lists that follow each other.
    async fn start(&self, kind: Kind, changes: &[&[(&str, &str)]]) -> Bff {
        let url = self.redis.as_ref().map(Redis::url);
        let mut all = vec![("BFF__ADMIN__TOKEN", ADMIN_TOKEN)];
        all.extend(url.iter().map(|url| ("BFF__STORE__URL", &**url)));
        if kind == Kind::Web {
            // What is tried here is what a BFF does without its Redis; without its sessions it would do nothing.
            all.push(("BFF__SESSION__STORE__URL", "memory:"));
        }
        all.extend(changes.concat());
        Bff::start(kind, &self.shop, &all, &self.dir).await
    }

    /// Two web BFFs that share the Redis, and hear each other.
    async fn replicas(&self, changes: &[&[(&str, &str)]]) -> [Bff; 2] {
        let replicas = [self.start(Kind::Web, changes).await, self.start(Kind::Web, changes).await];
        self.until_replicas_hear().await;
        replicas
    }

    async fn until_replicas_hear(&self) {
        until("two listeners", async || (self.redis().listeners().await == 2).then_some(())).await;
    }

    fn redis(&self) -> &Redis {
        self.redis.as_ref().expect("it was opened with one")
    }

    fn redis_mut(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("it was opened with one")
    }

    /// A client of `bff` for a user.
    async fn client(&self, bff: &Bff, user: &str) -> Client {
        let credential = match bff.kind {
            Kind::Web => Credential::signed_in(&bff.client(), &self.shop, user).await,
            _ => Credential::bearer(&self.shop.user_token(user).await),
        };
        bff.client().of(&credential)
    }

    /// How often a route such as `orders POST /orders` was called.
    async fn calls(&self, route: &str) -> u64 {
        self.shop.calls().await.get(route).copied().unwrap_or_default()
    }
}

/// The sections that an answer warns of, each with what became of it; but for what is always so: one of Ada's orders is
/// for a product that is gone.
fn warnings(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let warnings = body["warnings"].as_array().expect("a list of warnings");
    let text = |warning: &Value, name: &str| warning[name].as_str().unwrap_or_default().to_owned();
    let shown =
        warnings.iter().map(|warning| format!("{} {}", text(warning, "section"), text(warning, "status")));
    shown.filter(|warning| warning != "orders.product not_found").collect()
}

/// The ids of a list at a JSON pointer.
fn ids(answer: &Answer, pointer: &str) -> Vec<String> {
    let body = answer.json();
    let list = body.pointer(pointer).and_then(Value::as_array);
    let list = list.unwrap_or_else(|| panic!("no list at {pointer} of {body}"));
    list.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// Asks for something without waiting for it; the client leaves when the task is aborted.
fn begin(
    client: &Client,
    method: &'static str,
    path: &str,
    body: Option<&Value>,
) -> tokio::task::JoinHandle<Answer> {
    let (client, path) = (client.clone(), path.to_owned());
    let content = body.map(|body| end_to_end::Content::json(body.to_string()));
    tokio::spawn(async move { client.send(method, &path, content).await })
}

/// Prints what scripts/figures shows.
#[expect(clippy::print_stdout, reason = "it is read from there")]
fn figure(figure: &str, columns: &[&dyn std::fmt::Display]) {
    let columns: Vec<_> = columns.iter().map(ToString::to_string).collect();
    println!("figure: {figure} | {}", columns.join(" | "));
}
