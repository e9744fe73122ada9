//! What `PUT /_faults` takes.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

const MAX_LATENCY_MS: u64 = 600_000;

/// One rule: on which requests, how often, and what happens to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    /// The request's path; `*` stands for anything, slashes included.
    path: String,
    /// Any, if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    pub(super) mode: Mode,
    /// Which share of the requests is hit.
    #[serde(default = "always")]
    pub(super) rate: f64,
    /// How long to wait before the fault; in mode `latency`, which is nothing else, 500 if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    /// The status of mode `error`; 503 if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

/// What happens to a request that is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// The real answer, late.
    Latency,
    /// A problem with the rule's status.
    Error,
    /// No answer, ever.
    Hang,
    /// The connection is reset.
    Reset,
    /// The head at once, then a byte a second.
    Drip,
    /// Less of a body than its `Content-Length`.
    Truncate,
    /// A page for people.
    Html,
    /// More JSON than anyone should read.
    Oversize,
    /// The real answer with other types in it.
    WrongShape,
    /// A redirect to a place where nobody answers.
    Redirect,
    /// The real answer, which says that it is fresh for no time.
    Expired,
}

const fn always() -> f64 {
    1.0
}

impl Rule {
    /// What is wrong with it, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.path.starts_with(['/', '*']) {
            return Err(format!("path: {:?} must start with / or *", self.path));
        }
        if !(0.0..=1.0).contains(&self.rate) {
            return Err(format!("rate: {} must be from 0 to 1", self.rate));
        }
        if self.latency_ms.is_some_and(|wait| wait > MAX_LATENCY_MS) {
            return Err(format!("latencyMs: must be at most {MAX_LATENCY_MS}"));
        }
        if self.status.is_some_and(|status| !(400..=599).contains(&status)) {
            return Err("status: must be from 400 to 599".to_owned());
        }
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        match &self.method {
            Some(method) if !methods.contains(&method.as_str()) => {
                Err(format!("method: {method:?} must be one of {}", methods.join(", ")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_for(&self, method: &Method, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method) && matches(&self.path, path)
    }

    pub(super) fn latency(&self) -> Duration {
        let default = if self.mode == Mode::Latency { 500 } else { 0 };
        Duration::from_millis(self.latency_ms.unwrap_or(default))
    }

    pub(super) fn status(&self) -> StatusCode {
        let asked = self.status.and_then(|status| StatusCode::from_u16(status).ok());
        asked.unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
    }
}

/// Whether a path fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let Some(path) = path.strip_prefix(start) else {
        return false;
    };
    // The shortest match of each middle part is enough: what follows it may still be anything.
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    let mut left = path;
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, path) in [
            ("*", "/orders"),
            ("/orders*", "/orders"),
            ("/orders*", "/orders/o_1/cancel"),
            ("/orders/*/cancel", "/orders/o_1/cancel"),
            ("*cancel", "/orders/o_1/cancel"),
            ("/*/o_*/c*l", "/orders/o_1/cancel"),
            ("/promos", "/promos"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/orders", "/orders/o_1"),
            ("/orders/*", "/orders"),
            ("/orders/*/cancel", "/orders/o_1"),
            ("/a*a", "/a"),
            ("/o*x*", "/orders"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}
