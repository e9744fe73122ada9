//! An identity provider behind a real socket, which can be down, be held up and change its keys.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use super::signer::Signer;
use super::support::ISSUER;

#[derive(Clone)]
pub(crate) struct FakeProvider(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    state: Mutex<Behaviour>,
    held: watch::Sender<bool>,
}

struct Behaviour {
    issuer: String,
    origin: String,
    jwks: &'static str,
    token_endpoint: &'static str,
    keys: Vec<Value>,
    down: bool,
    token: Value,
    calls: BTreeMap<String, usize>,
    token_requests: Vec<(String, String)>,
}

impl FakeProvider {
    pub(crate) async fn start(signers: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behaviour = Behaviour {
            issuer: ISSUER.to_owned(),
            origin: ISSUER.to_owned(),
            jwks: "/jwks",
            token_endpoint: "/token",
            keys: signers.iter().map(|signer| signer.jwk()).collect(),
            down: false,
            token: json!({"token_type": "Bearer", "expires_in": 3600}),
            calls: BTreeMap::new(),
            token_requests: vec![],
        };
        let provider =
            Self(Arc::new(Inner { address, state: Mutex::new(behaviour), held: watch::channel(false).0 }));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .route("/policy/{endpoint}", get(keys).post(token))
            .route("/policy/{endpoint}/", get(keys).post(token))
            .layer(from_fn_with_state(provider.clone(), admit))
            .with_state(provider.clone());
        #[expect(clippy::disallowed_methods, reason = "a fake needs no limits")]
        let server = axum::serve(listener, routes);
        tokio::spawn(server.into_future());
        provider
    }

    pub(crate) fn url(&self) -> Url {
        format!("http://{}", self.0.address).parse().unwrap()
    }

    /// How often `target` was asked for: a path, and its query if it has one.
    pub(crate) fn calls(&self, target: &str) -> usize {
        self.behaviour().calls.get(target).copied().unwrap_or_default()
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.behaviour().down = down;
    }

    pub(crate) fn set_keys(&self, signers: &[&Signer]) {
        self.behaviour().keys = signers.iter().map(|signer| signer.jwk()).collect();
    }

    pub(crate) fn set_issuer(&self, issuer: &str) {
        issuer.clone_into(&mut self.behaviour().issuer);
    }

    /// From now on these endpoints are announced.
    pub(crate) fn announce(&self, jwks: &'static str, token_endpoint: &'static str) {
        let mut behaviour = self.behaviour();
        (behaviour.jwks, behaviour.token_endpoint) = (jwks, token_endpoint);
    }

    pub(crate) fn set_token(&self, token: Value) {
        self.behaviour().token = token;
    }

    /// From now on answers wait for [`release`](Self::release).
    pub(crate) fn hold(&self) {
        self.0.held.send_replace(true);
    }

    pub(crate) fn release(&self) {
        self.0.held.send_replace(false);
    }

    /// `Authorization` and body of each token request.
    pub(crate) fn token_requests(&self) -> Vec<(String, String)> {
        self.behaviour().token_requests.clone()
    }

    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.0.state.lock().unwrap()
    }
}

async fn admit(State(provider): State<FakeProvider>, request: Request, next: Next) -> Response {
    let target = request.uri().to_string();
    *provider.behaviour().calls.entry(target).or_default() += 1;
    provider.0.held.subscribe().wait_for(|held| !held).await.unwrap();
    if provider.behaviour().down {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    next.run(request).await
}

async fn configuration(State(provider): State<FakeProvider>) -> Json<Value> {
    let Behaviour { issuer, origin, jwks, token_endpoint, .. } = &*provider.behaviour();
    Json(json!({
        "issuer": issuer, "jwks_uri": format!("{origin}{jwks}"), "token_endpoint": format!("{origin}{token_endpoint}"),
    }))
}

async fn keys(State(provider): State<FakeProvider>) -> Json<Value> {
    Json(json!({"keys": provider.behaviour().keys}))
}

async fn token(State(provider): State<FakeProvider>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let mut behaviour = provider.behaviour();
    let authorization = headers[AUTHORIZATION].to_str().unwrap().to_owned();
    behaviour.token_requests.push((authorization, String::from_utf8(body.to_vec()).unwrap()));
    let mut answer = behaviour.token.clone();
    if answer.get("access_token").is_none() {
        answer["access_token"] = json!(format!("token-{}", behaviour.token_requests.len()));
    }
    Json(answer)
}
