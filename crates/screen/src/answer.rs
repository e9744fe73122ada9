//! Writes a view down.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use problem::{Problem, Timeless, kind};
use serde::Serialize;

/// What most screens fit into, in bytes.
const SMALL_PAGE: usize = 4096;

/// How a warning goes on when its section is stale. A quote inside of a text is escaped, so in JSON this is never
/// anything but the name of a member.
const AGE: &str = r#","ageSeconds":"#;

/// Into a vector that has room for most screens from the start. A view that cannot be written is our mistake.
///
/// The entity tag of a view with `aged` sections is that of the view without their ages: a client that has it
/// already need not be sent it again for a second that passed.
pub(crate) fn json(view: &impl Serialize, aged: bool) -> Response {
    let mut body = Vec::with_capacity(SMALL_PAGE);
    if let Err(error) = serde_json::to_writer(&mut body, view) {
        return Problem::new(kind::INTERNAL).caused_by(error).into_response();
    }
    let timeless = aged.then(|| Timeless(without_ages(&String::from_utf8_lossy(&body))));
    let mut response = ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response();
    if let Some(timeless) = timeless {
        response.extensions_mut().insert(timeless);
    }
    response
}

fn without_ages(json: &str) -> String {
    let mut parts = json.split(AGE);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_ages_is_left_out() {
        for (json, expected) in [
            (
                r#"{"a":[{"s":1,"ageSeconds":59},{"s":2,"ageSeconds":0}],"b":7}"#,
                r#"{"a":[{"s":1},{"s":2}],"b":7}"#,
            ),
            (r#"{"text":",\"ageSeconds\":59"}"#, r#"{"text":",\"ageSeconds\":59"}"#),
            ("null", "null"),
        ] {
            assert_eq!(without_ages(json), expected);
        }
    }
}
