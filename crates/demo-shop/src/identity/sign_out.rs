//! The end of a session at the provider, asked for by the user or by whoever shows it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::clients::{self, WEB};
use super::parameters::Parameters;
use super::sessions::{Session, forget};
use super::{Provider, page};
use crate::ids::Owner;
use crate::input::Json;
use crate::problem::Problem;

/// OpenID Connect RP-Initiated Logout 1.0. Nobody is asked whether they mean it: it is a demo.
pub(super) async fn end_session(
    State(provider): State<Arc<Provider>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    let back = match Parameters::read(query.as_deref(), &form) {
        Ok(asked) => way_back(&provider, &asked),
        Err(repeated) => Err(format!("The parameter {} came twice.", repeated.0)),
    };
    let back = match back {
        Ok(back) => back,
        Err(wrong) => return page::error(&wrong),
    };
    if let Some(session) = provider.sessions.end(&headers) {
        provider.ended(session.user, &[session]).await;
    }
    let cookie = [(SET_COOKIE, forget())];
    match back {
        Some(url) => (StatusCode::SEE_OTHER, cookie, [(LOCATION, url.to_string())]).into_response(),
        None => (cookie, page::signed_out()).into_response(),
    }
}

/// Where the browser goes afterwards, if it was said: to an origin at which users may sign in.
fn way_back(provider: &Provider, asked: &Parameters) -> Result<Option<Url>, String> {
    let client = asked.get("client_id");
    if let Some(client) = client.filter(|client| !clients::signs_in(client)) {
        return Err(format!("There is no client {client}."));
    }
    let Some(uri) = asked.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    if client.is_none() {
        return Err("client_id is missing: it is needed with post_logout_redirect_uri.".to_owned());
    }
    let origin_of = |uri: &str| Url::parse(uri).ok().map(|url| url.origin());
    let origin = origin_of(uri).filter(url::Origin::is_tuple);
    if origin.is_none() || !provider.redirect_uris.iter().any(|known| origin_of(known) == origin) {
        return Err(format!("{uri} is not a place to go after signing out."));
    }
    let mut url = Url::parse(uri).expect("it has an origin");
    if let Some(state) = asked.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    Ok(Some(url))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    user_id: String,
}

/// Ends every session of a user, as an administrator would, and says what the clients answered.
pub(super) async fn sign_out(
    State(provider): State<Arc<Provider>>,
    Json(wanted): Json<Wanted>,
) -> Result<axum::Json<Value>, Problem> {
    let user = clients::user(&wanted.user_id);
    let user = user.ok_or_else(|| Problem::invalid("userId must be a user, u_1 to u_1000."))?;
    let sessions = provider.sessions.end_all_of(user);
    provider.families.revoke_all(|sign_in| sign_in.user == user);
    let told = provider.ended(user, &sessions).await;
    let told: Vec<_> =
        told.into_iter().map(|(uri, outcome)| json!({"uri": uri, "outcome": outcome})).collect();
    Ok(axum::Json(json!({"sessions": sessions.len(), "told": told})))
}

impl Provider {
    /// Ends what came from these sessions, and tells the clients; of a user without any, that all have ended.
    async fn ended(&self, user: Owner, sessions: &[Session]) -> Vec<(String, String)> {
        self.families.revoke_all(|sign_in| sessions.iter().any(|session| session.sid == sign_in.sid));
        let sids: Vec<_> = sessions.iter().map(|session| Some(session.sid.as_str())).collect();
        let sids = if sids.is_empty() { vec![None] } else { sids };
        let mut told = Vec::new();
        for sid in sids {
            told.extend(self.backchannel.tell(&self.logout_token(WEB, user, sid)).await);
        }
        told
    }
}
