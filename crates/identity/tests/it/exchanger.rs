//! An identity provider that exchanges tokens, and says in each token whose it is and for whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use identity::{IdentitySettings, Provider};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::form_urlencoded;

/// Gives `<subject token>@<audience>#<n>` for an exchange, and `own-<n>` by client credentials.
#[derive(Clone)]
pub(crate) struct Exchanger(Arc<Inner>);

struct Inner {
    url: String,
    state: Mutex<Behaviour>,
    held: watch::Sender<bool>,
}

#[derive(Default)]
struct Behaviour {
    down: bool,
    expires_in: Option<u64>,
    refused: BTreeSet<String>,
    denied: BTreeSet<String>,
    /// Whether tokens have no number, as those of a provider that gives the same one again.
    same: bool,
    exchanges: BTreeMap<(String, String), usize>,
    own: usize,
    asked: usize,
    forms: Vec<BTreeMap<String, String>>,
}

impl Exchanger {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Mutex::new(Behaviour { expires_in: Some(3600), ..Behaviour::default() });
        let exchanger = Self(Arc::new(Inner { url, state, held: watch::channel(false).0 }));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/token", post(token))
            .with_state(exchanger.clone());
        #[expect(clippy::disallowed_methods, reason = "a fake needs no limits")]
        let server = axum::serve(listener, routes);
        tokio::spawn(server.into_future());
        exchanger
    }

    /// The provider as a service knows it whose exchange is set like this.
    pub(crate) fn provider(&self, exchange: &Value) -> Arc<Provider> {
        let settings = json!({"issuer": self.0.url, "client_secret": "hush", "exchange": exchange});
        let settings: IdentitySettings = serde_json::from_value(settings).unwrap();
        Provider::new(&settings, "web-bff").unwrap()
    }

    /// How often this token was exchanged for this audience.
    pub(crate) fn exchanges(&self, subject: &str, audience: &str) -> usize {
        let key = (subject.to_owned(), audience.to_owned());
        self.behaviour().exchanges.get(&key).copied().unwrap_or_default()
    }

    /// How often the token endpoint was asked anything.
    pub(crate) fn asked(&self) -> usize {
        self.behaviour().asked
    }

    /// What the latest request said.
    pub(crate) fn last_form(&self) -> BTreeMap<String, String> {
        self.behaviour().forms.last().unwrap().clone()
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.behaviour().down = down;
    }

    pub(crate) fn set_expires_in(&self, seconds: Option<u64>) {
        self.behaviour().expires_in = seconds;
    }

    pub(crate) fn give_the_same_again(&self) {
        self.behaviour().same = true;
    }

    /// From now on this subject token is void.
    pub(crate) fn refuse(&self, subject: &str) {
        self.behaviour().refused.insert(subject.to_owned());
    }

    /// From now on there are no tokens for this audience; or there are again.
    pub(crate) fn deny(&self, audience: &str, denied: bool) {
        let mut behaviour = self.behaviour();
        if denied {
            behaviour.denied.insert(audience.to_owned());
        } else {
            behaviour.denied.remove(audience);
        }
    }

    /// From now on answers wait for [`release`](Self::release).
    pub(crate) fn hold(&self) {
        self.0.held.send_replace(true);
    }

    pub(crate) fn release(&self) {
        self.0.held.send_replace(false);
    }

    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.0.state.lock().unwrap()
    }
}

async fn configuration(State(exchanger): State<Exchanger>) -> Json<Value> {
    let url = &exchanger.0.url;
    Json(json!({"issuer": url, "jwks_uri": format!("{url}/jwks"), "token_endpoint": format!("{url}/token")}))
}

async fn token(State(exchanger): State<Exchanger>, body: Bytes) -> Response {
    exchanger.behaviour().asked += 1;
    exchanger.0.held.subscribe().wait_for(|held| !held).await.unwrap();
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    exchanger.behaviour().answer(&form)
}

impl Behaviour {
    fn answer(&mut self, form: &BTreeMap<String, String>) -> Response {
        if self.down {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        self.forms.push(form.clone());
        let no = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
        let (Some(subject), Some(audience)) = (form.get("subject_token"), form.get("audience")) else {
            self.own += 1;
            let token = format!("own-{}", self.own);
            return Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}))
                .into_response();
        };
        if self.refused.contains(subject) {
            return no("invalid_request");
        }
        if self.denied.contains(audience) {
            return no("invalid_target");
        }
        let times = self.exchanges.entry((subject.clone(), audience.clone())).or_default();
        *times += 1;
        let number = if self.same { 1 } else { *times };
        let mut answer =
            json!({"access_token": format!("{subject}@{audience}#{number}"), "token_type": "Bearer"});
        if let Some(seconds) = self.expires_in {
            answer["expires_in"] = seconds.into();
        }
        Json(answer).into_response()
    }
}
