//! What people read when a sign-in went wrong: one plain sentence, and a way to try again.

use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Response};
use identity::SignInTrouble;
use middleware::Page;
use screen::{Problem, ProblemKind, kind};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The page may be styled by its own style sheet, whose hash this is, and do nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-ItM/rlDKRIkSTepYtHvgtdgtKsEBCVwx1JiM54iODmA='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The page for `trouble`, with a link to try `again`. It goes to `refresh` by itself, if there is such a place.
pub(super) fn of(
    trouble: SignInTrouble,
    again: &str,
    refresh: Option<&str>,
    cause: Option<screen::Cause>,
) -> Response {
    let (kind, title, text) = words(trouble);
    let mut problem = Problem::new(kind);
    if trouble == SignInTrouble::Unavailable {
        problem = problem.retry_after(RETRY_AFTER);
    }
    if let Some(cause) = cause {
        problem = problem.caused_by(cause);
    }
    let refresh =
        refresh.map(|url| format!(r#"<meta http-equiv="refresh" content="0; url={}">"#, escaped(url)));
    let page = TEMPLATE
        .replace("{refresh}", &refresh.unwrap_or_default())
        .replace("{style}", STYLE)
        .replace("{title}", title)
        .replace("{text}", text)
        .replace("{again}", &escaped(again));
    // Status and headers are the problem's, which the log gets too; the body is the page.
    let mut response = problem.into_response();
    response.extensions_mut().insert(Page);
    let (mut head, _) = response.into_parts();
    let (html, body) = ([(CONTENT_SECURITY_POLICY, POLICY)], Html(page)).into_response().into_parts();
    head.headers.extend(html.headers);
    Response::from_parts(head, body)
}

fn words(trouble: SignInTrouble) -> (ProblemKind, &'static str, &'static str) {
    match trouble {
        SignInTrouble::NoCookies => (
            kind::INVALID_REQUEST,
            "Cookies are blocked",
            "Your browser sent no cookie back, so we cannot tell that this sign-in is yours. Allow cookies for this \
             site and sign in again. If you began in another browser, finish there.",
        ),
        SignInTrouble::Expired | SignInTrouble::Used => (
            kind::INVALID_REQUEST,
            "This sign-in has expired",
            "It was begun too long ago, or is finished already. Nothing is lost: sign in again.",
        ),
        SignInTrouble::Cancelled => {
            (kind::FORBIDDEN, "You are not signed in", "The sign-in was cancelled, and nothing has changed.")
        }
        SignInTrouble::Refused => (
            kind::FORBIDDEN,
            "You were not signed in",
            "The service that checks who you are did not accept this sign-in. Sign in again; if that does not help, \
             ask whoever manages your account.",
        ),
        SignInTrouble::Forged => (
            kind::INVALID_REQUEST,
            "This sign-in cannot be trusted",
            "What came back does not belong to the sign-in that was begun here, so nobody was signed in.",
        ),
        SignInTrouble::Unavailable => (
            kind::UNAVAILABLE,
            "Signing in does not work right now",
            "A service that is needed for it does not answer. Wait a moment, then sign in again.",
        ),
    }
}

/// Text as it is written between quotation marks in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_policy_allows_the_style_sheet_as_it_is() {
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
        let policy = POLICY.to_str().unwrap().to_owned();
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{hash}");
        assert!(TEMPLATE.contains("<style>{style}</style>"), "nothing else is inside the element");
    }

    #[test]
    fn an_address_ends_no_attribute() {
        assert_eq!(escaped(r#"/a?b=c&d="><script>"#), "/a?b=c&amp;d=&quot;&gt;&lt;script&gt;");
    }
}
