//! Who may see the inspector: whoever shows the admin token, or a session that was given for it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, COOKIE, HOST, SET_COOKIE, WWW_AUTHENTICATE};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;

use super::page;
use super::session::{LASTS, Sessions};
use crate::admin::bears;
use crate::settings::Secret;

/// What lets people in.
pub(super) struct Door {
    token: Secret,
    sessions: Sessions,
    /// One a service: browsers give the cookies of a host to all of its ports.
    cookie: String,
    hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    token: String,
}

impl Door {
    pub(super) fn new(service: &'static str, token: &Secret, hosts: &[String]) -> Arc<Self> {
        Arc::new(Self {
            token: token.clone(),
            sessions: Sessions::new(service, token),
            cookie: format!("inspector-{service}"),
            hosts: hosts.to_vec(),
        })
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let session = |value: &HeaderValue| value.to_str().is_ok_and(|cookies| self.has_session(cookies));
        headers.get(AUTHORIZATION).is_some_and(|value| bears(value, &self.token))
            || headers.get_all(COOKIE).iter().any(session)
    }

    fn has_session(&self, cookies: &str) -> bool {
        let pairs = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        let own = pairs.filter(|(name, _)| *name == self.cookie);
        own.into_iter().any(|(_, session)| self.sessions.is_good(session, SystemTime::now()))
    }

    /// For scripts of the inspector's own pages alone to send back, though none of them can read it. Not `Secure`: the
    /// admin listener has no TLS.
    fn set_cookie(&self, value: &str, seconds: u64) -> [(http::HeaderName, String); 1] {
        let name = &self.cookie;
        let attributes = "HttpOnly; SameSite=Strict; Path=/inspector";
        [(SET_COOKIE, format!("{name}={value}; Max-Age={seconds}; {attributes}"))]
    }

    /// Whether a page of this origin could not have been made by somebody else. Who owns a name can let it lead here, and
    /// a page from there would then be of our origin (DNS rebinding). An address leads nowhere else.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        !host.contains('@')
            && (address.parse::<IpAddr>().is_ok()
                || name.eq_ignore_ascii_case("localhost")
                || self.hosts.iter().any(|allowed| name.eq_ignore_ascii_case(allowed)))
    }
}

/// Refuses what was sent to a name that may be anybody's.
pub(super) async fn host(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let said = request.headers().get(HOST).map(HeaderValue::as_bytes);
    let asked = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let is_ours = |host: &[u8]| str::from_utf8(host).is_ok_and(|host| door.is_ours(host));
    let answer = if said.or(asked).is_some() && said.into_iter().chain(asked).all(is_ours) {
        next.run(request).await
    } else {
        let mut names = vec!["localhost"];
        names.extend(door.hosts.iter().map(String::as_str));
        let names = names.join(", ");
        let words = format!(
            "The inspector answers to IP addresses, localhost and the names in admin.hosts alone: {names}\n"
        );
        (StatusCode::MISDIRECTED_REQUEST, words).into_response()
    };
    page::with_headers(answer)
}

/// Asks for the token: people on a page, and programs by a status.
pub(super) async fn token(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    if door.admits(request.headers()) {
        return next.run(request).await;
    }
    let challenge = [(WWW_AUTHENTICATE, "Bearer")];
    match request.uri().path() {
        page::PATH => (StatusCode::UNAUTHORIZED, challenge, page::login()).into_response(),
        _ => (StatusCode::UNAUTHORIZED, challenge).into_response(),
    }
}

/// `POST /inspector/session {"token": "…"}`. JSON, which no other site's form can send.
pub(super) async fn log_in(
    State(door): State<Arc<Door>>,
    body: Result<Json<Login>, JsonRejection>,
) -> Response {
    match body {
        Ok(Json(login)) if door.token.matches(login.token.as_bytes()) => {
            let session = door.sessions.begin(SystemTime::now());
            (StatusCode::NO_CONTENT, door.set_cookie(&session, LASTS.as_secs())).into_response()
        }
        Ok(_) => {
            tracing::warn!("inspector asked for with a wrong token");
            StatusCode::UNAUTHORIZED.into_response()
        }
        Err(rejection) => rejection.status().into_response(),
    }
}

/// `DELETE /inspector/session`: the browser forgets its session.
pub(super) async fn log_out(State(door): State<Arc<Door>>) -> Response {
    (StatusCode::NO_CONTENT, door.set_cookie("", 0)).into_response()
}
