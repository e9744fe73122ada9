//! What to send.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use serde::Deserialize;

use crate::Failure;

/// The whole of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Which chance the arrivals follow.
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default)]
    pub(super) spacing: Spacing,
    /// A request that is due while so many have no answer is not sent: it counts as `unsent`.
    pub(super) max_in_flight: usize,
    /// How long an answer may take.
    pub(super) timeout_ms: u64,
    pub(super) phases: Vec<Phase>,
    pub(super) classes: Vec<Class>,
}

/// How requests follow each other.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Spacing {
    /// As those of many clients that know nothing of each other.
    #[default]
    Poisson,
    /// At equal distances.
    Constant,
}

/// A span of time with one rate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) seconds: u32,
    /// Requests a second, all classes together.
    pub(super) rate: f64,
}

/// Requests of one kind.
///
/// In its URL, headers and body `{n}` is another number in every request, and `{pick}` one of `picks` in turn.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Class {
    pub(super) name: String,
    /// Its share of all requests is this by the sum of all weights.
    pub(super) weight: f64,
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    picks: Vec<String>,
    #[serde(default)]
    pub(super) good: Good,
    #[serde(default)]
    pub(super) protocol: Protocol,
    /// How often a client tries at most, the first time included.
    #[serde(default = "once")]
    pub(super) tries: u32,
    /// How long it waits before it tries again, give or take a half.
    #[serde(default)]
    pub(super) pause_ms: u64,
}

/// How requests are sent, over kept connections either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Protocol {
    /// One after the other on each connection.
    #[default]
    Http1,
    /// All on one connection, without TLS.
    Http2,
}

/// Which answers are good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Good {
    /// A success without warnings.
    #[default]
    Whole,
    /// A success.
    Answered,
}

fn get() -> String {
    "GET".to_owned()
}

const fn once() -> u32 {
    1
}

impl Plan {
    /// What would only fail later.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.phases.iter().any(|phase| phase.seconds == 0 || !(0.0..=1e6).contains(&phase.rate)) {
            return Err("a phase needs seconds, and a rate from 0 to 1000000".into());
        }
        if self.classes.is_empty() || self.classes.iter().any(|class| class.weight <= 0.0 || class.tries == 0)
        {
            return Err("there must be classes, each with a weight and at least one try".into());
        }
        for class in &self.classes {
            class.request(0).map_err(|wrong| format!("class {}: {wrong}", class.name))?;
        }
        Ok(())
    }

    pub(super) fn seconds(&self) -> usize {
        self.phases.iter().map(|phase| phase.seconds as usize).sum()
    }

    /// How long requests are due.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(self.seconds() as u64)
    }

    /// The index of the phase that this second belongs to.
    pub(super) fn phase_of(&self, second: usize) -> usize {
        let mut end = 0;
        let ended = |phase: &&Phase| {
            end += phase.seconds as usize;
            end <= second
        };
        self.phases.iter().take_while(ended).count()
    }
}

impl Class {
    /// The request with this number.
    pub(super) fn request(&self, number: u64) -> Result<Request<Full<Bytes>>, Failure> {
        let pick = self.picks.get(usize::try_from(number)? % self.picks.len().max(1));
        let pick = pick.map_or("", String::as_str);
        let filled = |text: &str| text.replace("{n}", &number.to_string()).replace("{pick}", pick);
        let uri: Uri = filled(&self.url).parse()?;
        if uri.scheme_str() != Some("http") {
            return Err("the URL must begin with http://".into());
        }
        let mut request = Request::new(Full::new(filled(&self.body).into()));
        *request.method_mut() = Method::from_bytes(self.method.as_bytes())?;
        *request.uri_mut() = uri;
        for (name, value) in &self.headers {
            request.headers_mut().insert(name.parse::<HeaderName>()?, HeaderValue::try_from(filled(value))?);
        }
        Ok(request)
    }
}
