//! An identity provider that signs people in, and does as it is told.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http_body_util::BodyExt;
use identity::{IdentitySettings, Provider, SessionSettings, Sessions};
use jiff::Timestamp;
use request_context::PublicUrl;
use serde_json::{Value, json};
use store::SharedStore;
use tokio::net::TcpListener;
use url::Url;

use super::signer::Signer;
use super::support::ISSUER;

pub(crate) const SECRET: &str = "se:cret";

#[derive(Clone)]
pub(crate) struct OpenIdProvider {
    pub(crate) url: Url,
    told: Arc<Mutex<Told>>,
}

struct Told {
    metadata: Value,
    keys: Vec<Value>,
    /// Status and body, as text if it is no JSON.
    token: (u16, Value),
    down: bool,
    /// Method and path, then credential and form.
    seen: Vec<(String, String, String)>,
}

impl OpenIdProvider {
    pub(crate) async fn start(signer: &Signer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let at = |path: &str| format!("{ISSUER}{path}");
        let metadata = json!({
            "issuer": ISSUER, "jwks_uri": at("/jwks"), "token_endpoint": at("/token"),
            "authorization_endpoint": at("/authorize?theme=dark"), "end_session_endpoint": at("/end"),
            "revocation_endpoint": at("/revoke"),
        });
        let token = (500, Value::Null);
        let told = Told { metadata, keys: vec![signer.jwk()], token, down: false, seen: vec![] };
        let provider = Self { url, told: Arc::new(Mutex::new(told)) };
        let routes = Router::new().fallback(answer).with_state(provider.clone());
        #[expect(clippy::disallowed_methods, reason = "a fake needs no limits")]
        let server = axum::serve(listener, routes);
        tokio::spawn(server.into_future());
        provider
    }

    /// Sessions of people who sign in here.
    pub(crate) fn sessions(&self, store: &SharedStore, changes: &Value) -> Sessions {
        let mut settings = json!({"issuer": ISSUER, "provider_url": self.url, "client_secret": SECRET});
        for (key, value) in changes.as_object().unwrap() {
            settings[key] = value.clone();
        }
        let settings: IdentitySettings = serde_json::from_value(settings).unwrap();
        let provider = Provider::new(&settings, "web-bff").unwrap();
        // All of one test's replicas have the same key.
        let key = json!({"key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "single_replica": true});
        let session: SessionSettings = serde_json::from_value(key).unwrap();
        let public_url = Url::parse("https://shop.example/web").unwrap();
        Sessions::new(&provider, &session, &PublicUrl::try_from(public_url).unwrap(), store).unwrap()
    }

    pub(crate) fn announce(&self, member: &str, value: Value) {
        self.told().metadata[member] = value;
    }

    pub(crate) fn answer_token(&self, status: u16, body: Value) {
        self.told().token = (status, body);
    }

    /// From now on it publishes no key that could be used.
    pub(crate) fn withhold_keys(&self) {
        self.told().keys.clear();
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.told().down = down;
    }

    /// Credentials and forms that were sent to `POST /token` and the like.
    pub(crate) fn seen(&self, route: &str) -> Vec<(String, String)> {
        let told = self.told();
        let seen = told.seen.iter().filter(|(to, ..)| to == route);
        seen.map(|(_, credential, form)| (credential.clone(), form.clone())).collect()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }
}

/// What a good token endpoint answers to the code of a sign-in with this nonce.
pub(crate) fn tokens(signer: &Signer, nonce: &str) -> Value {
    json!({
        "access_token": "access-1", "token_type": "Bearer", "expires_in": 300, "refresh_token": "refresh-1",
        "id_token": signer.sign(&header(signer), &id_claims(nonce)),
    })
}

pub(crate) fn header(signer: &Signer) -> Value {
    let mut header = signer.header();
    header["typ"] = json!("JWT");
    header
}

pub(crate) fn id_claims(nonce: &str) -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "iss": ISSUER, "sub": "u_42", "aud": "web-bff", "iat": now, "exp": now + 300, "nonce": nonce,
        "name": "Ada Lovelace", "sid": "s-1",
    })
}

async fn answer(State(provider): State<OpenIdProvider>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let credential = head.headers.get(AUTHORIZATION).map(|it| it.to_str().unwrap().to_owned());
    let route = format!("{} {}", head.method, head.uri.path());
    let mut told = provider.told();
    let form = String::from_utf8(body.to_vec()).unwrap();
    told.seen.push((route, credential.unwrap_or_default(), form));
    if told.down {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    match (head.method, head.uri.path()) {
        (Method::GET, "/.well-known/openid-configuration") => Json(told.metadata.clone()).into_response(),
        (Method::GET, "/jwks") => Json(json!({"keys": told.keys})).into_response(),
        (Method::POST, "/token") => {
            let (status, body) = told.token.clone();
            let status = StatusCode::from_u16(status).unwrap();
            match body {
                Value::String(text) => (status, [(CONTENT_TYPE, "text/html")], text).into_response(),
                body => (status, Json(body)).into_response(),
            }
        }
        (Method::POST, "/revoke") => StatusCode::OK.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
