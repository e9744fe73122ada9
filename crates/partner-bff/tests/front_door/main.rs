//! The service through its front door: a real socket, fake services behind it.

mod bad_input;
mod credentials;
mod docs;
mod faults;
mod keys;
mod openapi;
mod orders;
mod products;
mod quotas;
mod rotation;
mod scopes;
mod usage;
mod versions;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use partner_bff::{AppState, Settings, app};
use serde_json::{Value, json};
use service_runtime::Telemetry;
use service_runtime::settings::load;
use tempfile::TempDir;
use test_support::{Answer, Client, FakeUpstream, Provider, Reply, Served};

const ALL_SCOPES: &[&str] = &["catalog:read", "orders:read", "orders:write", "usage:read"];

/// The service with one fake behind it, which is every domain service and the identity provider.
struct Bff {
    fake: FakeUpstream,
    provider: Provider,
    state: AppState,
    served: Served,
    /// Where the keys file is.
    keys: TempDir,
}

impl Bff {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With a change to its settings.
    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let fake = FakeUpstream::start().await;
        let provider = Provider::new(fake.url.as_str());
        fake.on("GET /.well-known/openid-configuration", Reply::Json(provider.discovery()))
            .on("GET /jwks", Reply::Json(provider.jwks()))
            .on_each("POST /token", vec![token("first-token"), token("second-token")]);
        let keys = TempDir::new().expect("a directory for the keys file");
        let mut settings = settings(&fake.url);
        settings.api_keys.file = Some(keys.path().join("partner-keys.toml"));
        write_keys(&settings, &[("acme", ALL_SCOPES), ("globex", ALL_SCOPES)]);
        change(&mut settings);
        let state = AppState::new(&settings, &Telemetry::off()).expect("good settings");
        let served = Served::start(app(state.clone(), &settings)).await;
        Self { fake, provider, state, served, keys }
    }

    /// A client with the key of acme, which allows everything.
    fn client(&self) -> Client {
        self.anonymous().with("x-api-key", "tpk_acme_secret")
    }

    /// A client with an access token of this account.
    fn with_token(&self, account: &str, scope: &str) -> Client {
        let token = self.provider.token(account, &json!({"scope": scope}));
        self.anonymous().with("authorization", &format!("Bearer {token}"))
    }

    fn keys_file(&self) -> PathBuf {
        self.keys.path().join("partner-keys.toml")
    }

    fn anonymous(&self) -> Client {
        Client::new(&self.served.url)
    }

    /// What the domain services were asked, without the calls for tokens.
    fn calls(&self) -> Vec<String> {
        let seen = self.fake.seen().into_iter();
        let of_identity = ["POST /token", "GET /jwks", "GET /.well-known/openid-configuration"];
        let calls = seen.filter(|seen| !of_identity.contains(&seen.route.as_str()));
        calls.map(|seen| format!("{}?{}", seen.route, seen.query)).collect()
    }
}

fn settings(fake: &str) -> Settings {
    let env = [
        ("BFF__IDENTITY__ISSUER", fake),
        ("BFF__IDENTITY__CLIENT_SECRET", "hush"),
        ("BFF__UPSTREAMS__ORDERS__URL", fake),
        ("BFF__UPSTREAMS__CATALOG__URL", fake),
        ("BFF__UPSTREAMS__USAGE__URL", fake),
        // Each answer is the services' own of that moment: nothing is kept, and no breaker opens.
        ("BFF__CACHE__MAX_BYTES", "0 B"),
        ("BFF__UPSTREAMS__ORDERS__BREAKER", "false"),
        ("BFF__UPSTREAMS__CATALOG__BREAKER", "false"),
        ("BFF__UPSTREAMS__USAGE__BREAKER", "false"),
        ("BFF__API_KEYS__LOOK_EVERY", "10ms"),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut settings: Settings = load(None, env.into_iter()).expect("good settings");
    let partners = json!({"acme": partner("acme"), "globex": partner("globex")});
    settings.partners = serde_json::from_value(partners).expect("good partners");
    settings
}

fn partner(name: &str) -> Value {
    json!({"account": format!("acct_{name}"), "client_id": name, "client_secret": "hush"})
}

/// Writes a keys file: for each of these partners `tpk_<name>_secret`, with these scopes.
fn write_keys(settings: &Settings, keys: &[(&str, &[&str])]) {
    let text = keys.iter().fold(String::new(), |mut text, (name, scopes)| {
        writeln!(text, "{}", key(name, name, scopes)).expect("a text can be written to");
        text
    });
    fs::write(settings.api_keys.file.as_ref().expect("there is one"), text).expect("it can be written");
}

/// What a keys file says of `tpk_<id>_secret`.
fn key(id: &str, partner: &str, scopes: &[&str]) -> String {
    // The SHA-256 of "secret".
    let sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    format!(
        "[[key]]\nid = '{id}'\npartner = '{partner}'\nsha256 = '{sha256}'\nscopes = {scopes:?}\ncreated_at = 2026-11-01T00:00:00Z\n"
    )
}

fn token(token: &str) -> Reply {
    Reply::Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}))
}

/// The body of an answer, without the one value in it that is different every time.
fn body(answer: &Answer) -> Value {
    let mut body = answer.json();
    if let Some(id) = body.get_mut("request_id") {
        assert_eq!(*id, answer.header("x-request-id"));
        *id = "…".into();
    }
    body
}

/// A whole answer in one line.
fn line(answer: &Answer) -> String {
    format!("{} {}", answer.status.as_u16(), body(answer))
}

fn order(id: &str, total: i64, currency: &str) -> Value {
    json!({
        "id": id, "userId": "acct_acme", "productId": "p_7", "quantity": 2, "status": "paid", "totalCents": total,
        "currency": currency, "placedAt": "2026-11-20T10:00:00Z", "updatedAt": "2026-11-21T11:30:00.5Z",
        "warehouse": "internal",
    })
}

fn product(id: &str, price: i64, currency: &str) -> Value {
    json!({
        "id": id, "name": "Lamp", "description": "It shines.", "priceCents": price, "currency": currency,
        "imageUrl": "https://images.example/p_7.webp", "category": "home", "stock": 12, "rating": 4.5,
        "supplier": "internal",
    })
}

fn report() -> Value {
    json!({
        "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, "ordersPlaced": 61,
        "apiCalls": 1200, "apiCallLimit": 100_000, "storageBytes": 5_000_000_000_u64, "storageLimitBytes": 10_000_000_000_u64,
    })
}

/// Every route with a key: method and path, what it needs, the call behind it, and that call's answer.
fn routes() -> [(&'static str, &'static str, &'static str, Value); 6] {
    let page = |item| json!({"items": [item], "nextCursor": null});
    [
        ("GET /v1/products", "catalog:read", "GET /products", page(product("p_7", 4200, "EUR"))),
        ("GET /v1/products/p_7", "catalog:read", "GET /products/p_7", product("p_7", 4200, "EUR")),
        ("GET /v1/orders", "orders:read", "GET /orders", page(order("o_1", 4200, "EUR"))),
        ("GET /v1/orders/o_1", "orders:read", "GET /orders/o_1", order("o_1", 4200, "EUR")),
        ("POST /v1/orders", "orders:write", "POST /orders", order("o_1", 4200, "EUR")),
        ("GET /v1/usage", "usage:read", "GET /accounts/acct_acme/usage", report()),
    ]
}

/// Asks for a route of that table.
async fn ask(client: &Client, route: &str) -> Answer {
    match route.split_once(' ') {
        Some(("POST", path)) => client.post(path, &json!({"product_id": "p_7", "quantity": 2})).await,
        Some((_, path)) => client.get(path).await,
        None => unreachable!("a route has a method"),
    }
}
