//! `/authorize`: who are you, and may this client know? (RFC 6749 §4.1, OpenID Connect Core §3.1.2)
//!
//! `GET` shows a page, or returns at once for who is signed in already. `POST` is that page's form: `user_id` in the
//! body, the rest in the query, where the page had it. A script needs no page: it posts `user_id=u_42` to the URL to
//! which the client sent it, and finds the way back in `Location`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use url::Url;

use super::clients::{self, USER_SCOPES, narrowed};
use super::codes::Code;
use super::families::SignIn;
use super::parameters::Parameters;
use super::secret::unique;
use super::sessions::Session;
use super::{Provider, page};

/// What a client asks for, once it is known to be one.
struct Wish {
    back: Back,
    client: String,
    scope: String,
    nonce: String,
    challenge: String,
}

/// The way back to a client.
struct Back {
    redirect_uri: String,
    state: Option<String>,
}

/// Why nobody signs in.
enum Refusal {
    /// The client is not known to be one: nothing is sent there.
    Page(String),
    /// The client learns an error (RFC 6749 §4.1.2.1) and a sentence.
    Client(Back, &'static str, &'static str),
}

pub(super) async fn authorize(
    State(provider): State<Arc<Provider>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    let form: &[u8] = if method == Method::POST { &form } else { &[] };
    let asked = match Parameters::read(query.as_deref(), form) {
        Ok(asked) => asked,
        Err(repeated) => return page::error(&format!("The parameter {} came twice.", repeated.0)),
    };
    let wish = match wish(&provider, &asked) {
        Ok(wish) => wish,
        Err(Refusal::Page(wrong)) => return page::error(&wrong),
        Err(Refusal::Client(back, error, description)) => {
            return provider.send_back(&back, &[("error", error), ("error_description", description)]);
        }
    };
    if method == Method::POST
        && let Some(user_id) = asked.get("user_id")
    {
        return provider.chosen(wish, user_id, &headers);
    }
    provider.asked(wish, &asked, &headers)
}

fn wish(provider: &Provider, asked: &Parameters) -> Result<Wish, Refusal> {
    let client = asked.get("client_id").filter(|client| clients::signs_in(client));
    let client = client.ok_or_else(|| Refusal::Page("There is no such client_id.".to_owned()))?.to_owned();
    let uri = asked.get("redirect_uri").unwrap_or_default();
    if !provider.redirect_uris.iter().any(|known| known == uri) {
        let wrong = format!(
            "{uri:?} is not a redirect_uri of {client}. Known: {}",
            provider.redirect_uris.join(", ")
        );
        return Err(Refusal::Page(wrong));
    }
    let back = Back { redirect_uri: uri.to_owned(), state: asked.get("state").map(str::to_owned) };
    let scope = narrowed(USER_SCOPES, asked.get("scope").unwrap_or_default());
    if let Some((error, description)) = problem(asked, &scope) {
        return Err(Refusal::Client(back, error, description));
    }
    let text = |name| asked.get(name).unwrap_or_default().to_owned();
    Ok(Wish { back, client, scope, nonce: text("nonce"), challenge: text("code_challenge") })
}

/// What is wrong with a request of a known client.
fn problem(asked: &Parameters, scope: &str) -> Option<(&'static str, &'static str)> {
    let is_challenge = |text: &str| {
        text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let invalid = |description| Some(("invalid_request", description));
    if asked.get("response_type") != Some("code") {
        return Some(("unsupported_response_type", "response_type must be code"));
    }
    if asked.get("response_mode").is_some_and(|mode| mode != "query") {
        return invalid("response_mode must be query");
    }
    if asked.get("request").is_some() {
        return Some(("request_not_supported", "request objects are not supported"));
    }
    if asked.get("state").is_none() || asked.get("nonce").is_none() {
        return invalid("state and nonce are required");
    }
    if asked.get("code_challenge_method") != Some("S256") {
        return invalid("code_challenge_method must be S256");
    }
    if !asked.get("code_challenge").is_some_and(is_challenge) {
        return invalid("code_challenge must be the base64url form of a SHA-256");
    }
    if !scope.split(' ').any(|scope| scope == "openid") {
        return Some(("invalid_scope", "scope must contain openid"));
    }
    None
}

impl Provider {
    /// A client sent somebody here.
    fn asked(&self, wish: Wish, asked: &Parameters, headers: &HeaderMap) -> Response {
        let asks_again = asked.lists("prompt", "login") || asked.lists("prompt", "select_account");
        let max_age: Option<i64> = asked.get("max_age").and_then(|seconds| seconds.parse().ok());
        let is_recent = |session: &Session| {
            max_age.is_none_or(|most| Timestamp::now().as_second() - session.auth_time < most)
        };
        let session = self.sessions.of(headers).filter(|session| !asks_again && is_recent(session));
        match session {
            Some(session) => self.give_code(wish, &session),
            None if asked.lists("prompt", "none") => {
                let error = [("error", "login_required"), ("error_description", "nobody is signed in here")];
                self.send_back(&wish.back, &error)
            }
            None => page::sign_in(self, &wish.client, None),
        }
    }

    /// Somebody said who they are.
    fn chosen(&self, wish: Wish, user_id: &str, headers: &HeaderMap) -> Response {
        let Some(user) = clients::user(user_id.trim()) else {
            return page::sign_in(self, &wish.client, Some(user_id));
        };
        let (session, cookie) = self.sessions.sign_in(headers, user);
        let mut response = self.give_code(wish, &session);
        response.headers_mut().insert(SET_COOKIE, cookie);
        response
    }

    fn give_code(&self, wish: Wish, session: &Session) -> Response {
        let sign_in = SignIn {
            grant_id: unique(),
            client: wish.client,
            user: session.user,
            scope: wish.scope,
            sid: session.sid.clone(),
            auth_time: session.auth_time,
        };
        let redirect_uri = wish.back.redirect_uri.clone();
        let code =
            self.codes.give(Code { sign_in, redirect_uri, nonce: wish.nonce, challenge: wish.challenge });
        self.send_back(&wish.back, &[("code", &code)])
    }

    /// Back to the client, with who sends this (RFC 9207), so that no other provider can be mixed up with this one.
    fn send_back(&self, back: &Back, answer: &[(&str, &str)]) -> Response {
        let mut url = Url::parse(&back.redirect_uri).expect("the options were checked");
        let state = back.state.as_deref().map(|state| ("state", state));
        url.query_pairs_mut().extend_pairs(answer).extend_pairs(state).append_pair("iss", &self.issuer);
        let location = HeaderValue::try_from(url.to_string()).expect("a URL is visible ASCII");
        let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        (StatusCode::SEE_OTHER, headers).into_response()
    }
}
