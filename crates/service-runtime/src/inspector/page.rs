//! The page's files, which are part of the program: nothing is loaded from elsewhere.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderName;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

/// Where the page is.
pub(super) const PATH: &str = "/inspector";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

type File = (&'static str, &'static str, &'static str);

/// What the login page needs. There is nothing in it that is not in the source.
const OPEN: [File; 4] = [
    ("/inspector/style.css", CSS, include_str!("page/style.css")),
    ("/inspector/icon.svg", SVG, include_str!("page/icon.svg")),
    ("/inspector/login.js", JS, include_str!("page/login.js")),
    ("/inspector/dom.js", JS, include_str!("page/dom.js")),
];

const GUARDED: [File; 11] = [
    (PATH, HTML, include_str!("page/index.html")),
    ("/inspector/waterfall.css", CSS, include_str!("page/waterfall.css")),
    ("/inspector/main.js", JS, include_str!("page/main.js")),
    ("/inspector/feed.js", JS, include_str!("page/feed.js")),
    ("/inspector/filters.js", JS, include_str!("page/filters.js")),
    ("/inspector/format.js", JS, include_str!("page/format.js")),
    ("/inspector/list.js", JS, include_str!("page/list.js")),
    ("/inspector/overview.js", JS, include_str!("page/overview.js")),
    ("/inspector/request.js", JS, include_str!("page/request.js")),
    ("/inspector/upstreams.js", JS, include_str!("page/upstreams.js")),
    ("/inspector/waterfall.js", JS, include_str!("page/waterfall.js")),
];

/// Its own files alone, in no frame. What a script draws it does by setting properties, which needs no exception.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// On every answer of the inspector.
const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    // A page on another port of the same host is sent with our cookie, and must read nothing.
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) fn open() -> Router {
    router(&OPEN)
}

pub(super) fn guarded() -> Router {
    router(&GUARDED)
}

/// The page that asks for the token.
pub(super) fn login() -> impl IntoResponse {
    ([(CONTENT_TYPE, HTML)], include_str!("page/login.html"))
}

pub(super) fn with_headers(mut answer: Response) -> Response {
    for (name, value) in HEADERS {
        answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    answer
}

fn router(files: &'static [File]) -> Router {
    files.iter().fold(Router::new(), |router, (path, content_type, text)| {
        router.route(path, get(async || ([(CONTENT_TYPE, *content_type)], *text)))
    })
}
