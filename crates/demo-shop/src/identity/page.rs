//! What people see of the provider. It works without script, on any screen, by day and by night.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use super::Provider;
use super::clients::user;

const STYLE: &str = include_str!("page.css");
/// Ada first; then somebody, somebody with an odd name, and the one who never ordered.
const SUGGESTED: [&str; 5] = ["u_42", "u_1", "u_7", "u_100", "u_1000"];
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// Who are you? `unknown` is an id that is nobody's.
///
/// The forms have no address of their own: they are sent to the page's, with all that the client asked for.
pub(super) fn sign_in(provider: &Provider, client: &str, unknown: Option<&str>) -> Response {
    let people = SUGGESTED.into_iter().filter_map(|id| Some((id, provider.name_of(user(id)?))));
    let people: String = people.map(|(id, name)| button(id, &name)).collect();
    let wrong = unknown.map(|id| {
        format!(
            "<p class=wrong role=alert>Nobody here is called <b>{}</b>: ids go from u_1 to u_1000.</p>",
            escaped(id)
        )
    });
    let body = format!(
        "<h1>Who are you?</h1><p>Sign in to <b>{client}</b>. No password: choose somebody.</p>{wrong}\
         <form method=post class=people>{people}</form>\
         <form method=post class=other><label for=id>Somebody else</label>\
         <div><input id=id name=user_id placeholder=u_1…u_1000 autocapitalize=none autocomplete=off spellcheck=false \
         required><button>Sign in</button></div></form>",
        client = escaped(client),
        wrong = wrong.as_deref().unwrap_or_default(),
    );
    let status = if unknown.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    page(status, "Sign in", &body)
}

/// You are signed out.
pub(super) fn signed_out() -> Response {
    page(StatusCode::OK, "Signed out", "<h1>You are signed out</h1><p>You can close this page.</p>")
}

/// What is wrong with the request that brought somebody here.
pub(super) fn error(wrong: &str) -> Response {
    let body = format!("<h1>This does not work</h1><p class=wrong role=alert>{}</p>", escaped(wrong));
    page(StatusCode::BAD_REQUEST, "Error", &body)
}

fn button(id: &str, name: &str) -> String {
    let (id, name) = (escaped(id), escaped(name));
    format!("<button name=user_id value=\"{id}\"><span>{name}</span><small>{id}</small></button>")
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title} · demo identity provider</title>\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\"><style>{STYLE}</style>\
         <header><b>demo identity provider</b> for development only</header><main>{body}</main></html>"
    );
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_text() {
        assert_eq!(escaped("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }
}
