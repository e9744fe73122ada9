//! `Server-Timing` (<https://www.w3.org/TR/server-timing/>): what took how long, for those who may know.

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue};
use request_context::{Completed, Recorded};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// What a section's span says its name with.
const SECTION: &str = "triptych.section";

/// Every section and the whole, in milliseconds: `user;dur=12.3, total;dur=15.0`.
pub(super) fn show(completed: &Completed, headers: &mut HeaderMap) {
    let mut text = String::new();
    for span in &completed.spans {
        if let Some(name) = section(span) {
            let _ = write!(text, "{};dur={:.1}, ", token(&name), milliseconds(span.took));
        }
    }
    let _ = write!(text, "total;dur={:.1}", milliseconds(completed.took));
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(SERVER_TIMING, value);
    }
}

fn section(span: &Recorded) -> Option<String> {
    Some(span.attribute(SECTION)?.value.as_str().into_owned())
}

/// A name as the header's grammar wants it, in which there are no spaces, commas, semicolons or quotes.
fn token(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    name.chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
