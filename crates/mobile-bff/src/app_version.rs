//! The version of the app that is calling. One that is too old is told so before anything else is asked of it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use screen::{Problem, kind};
use serde::{Deserialize, Serialize};

use crate::settings::AppSettings;

const X_APP_VERSION: HeaderName = HeaderName::from_static("x-app-version");
/// The longest version that is looked at, in bytes.
const MAX_LEN: usize = 64;
const MALFORMED: &str =
    "X-App-Version must be sent once, as 1 to 4 numbers with dots between them, for example 2.4.0.";

/// 1 to 4 numbers, the most significant first. What follows a `-` or a `+` says how it was built, not how old it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    text: String,
    parts: [u32; 4],
}

/// A text that is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoVersion;

/// Lets pass who is new enough. Without a minimum the header is not looked at. An app that does not say its version
/// is taken for an old one: those never said it.
pub(crate) async fn check(
    State(settings): State<AppSettings>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some((minimum, update_url)) = settings.minimum() {
        let version = version_of(request.headers())?;
        if version.is_none_or(|version| version < *minimum) {
            return Err(Problem::new(kind::APP_OUTDATED)
                .detail(format!("The least version that is served is {minimum}."))
                .update_url(update_url.as_str().to_owned()));
        }
    }
    Ok(next.run(request).await)
}

fn version_of(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let malformed = || Problem::new(kind::INVALID_REQUEST).detail(MALFORMED);
    let mut values = headers.get_all(X_APP_VERSION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let version = value.to_str().ok().filter(|_| values.next().is_none()).map(str::parse);
    version.and_then(Result::ok).map(Some).ok_or_else(malformed)
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        if text.len() > MAX_LEN || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+_".contains(&b)) {
            return Err(NoVersion);
        }
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = [0; 4];
        for (at, part) in numbers.split('.').enumerate() {
            // `parse` would take a sign.
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let number = digits.then(|| part.parse().ok()).flatten();
            *parts.get_mut(at).ok_or(NoVersion)? = number.ok_or(NoVersion)?;
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl TryFrom<String> for Version {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<Self, NoVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.text
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be 1 to 4 numbers with dots between them, for example 2.4.0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        for (older, newer) in
            [("2.4.0", "2.4.1"), ("2.9", "2.10"), ("2", "2.0.0.1"), ("2.4.0+999", "2.4.1-beta")]
        {
            assert!(version(older) < version(newer), "{older} {newer}");
        }
        for (one, same) in [("2", "2.0.0.0"), ("2.4.0", "2.4.0-beta.1+77"), ("2.04", "2.4")] {
            assert_eq!(version(one), version(same));
        }
        for bad in [
            "",
            "v2",
            "2.",
            ".2",
            "2..4",
            "1.2.3.4.5",
            "+2",
            "-2",
            "2,4",
            "2.4 ",
            "4294967296",
            "٢",
            "2.x",
            &"1".repeat(65),
        ] {
            assert_eq!(bad.parse::<Version>(), Err(NoVersion), "{bad}");
        }
    }
}
