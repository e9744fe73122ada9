//! How people sign in and out: one file for each URL, thin over `identity::Sessions`.

pub(crate) mod backchannel_logout;
pub(crate) mod callback;
pub(crate) mod login;
pub(crate) mod logout;
mod page;
pub(crate) mod session;

use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use screen::{Problem, kind};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// Fetch Metadata: what a browser means to do with the answer.
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
const PURPOSE: HeaderName = HeaderName::from_static("purpose");

/// No answer of these URLs is good for anybody else, or a second time, and no address of theirs is told to
/// another site.
pub(crate) async fn kept_by_nobody(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response.headers_mut().insert(REFERRER_POLICY, NO_REFERRER);
    response
}

/// Whether somebody is on their way here, and not only a browser or a scanner that looks ahead.
fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let looks_ahead = |value: &HeaderValue| value.as_bytes().starts_with(b"prefetch");
    let purposes = [SEC_PURPOSE, PURPOSE].into_iter().flat_map(|name| headers.get_all(name));
    // An image or a script of somebody else's page begins no sign-in.
    let goes_there = headers.get(SEC_FETCH_MODE).is_none_or(|mode| mode == "navigate");
    *method == Method::GET && goes_there && !purposes.into_iter().any(looks_ahead)
}

fn redirect(location: &str, cookies: Vec<HeaderValue>) -> Result<Response, Problem> {
    let location =
        HeaderValue::try_from(location).map_err(|error| Problem::new(kind::INTERNAL).caused_by(error))?;
    Ok(with_cookies((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(), cookies))
}

fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
