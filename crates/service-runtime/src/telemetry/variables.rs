//! The standard `OTEL_*` variables (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
//!
//! The exporters would read most of them by themselves and ignore one that is malformed. Here it is one clear line and
//! no start, as with any other setting. A variable that is set to nothing is as if it were not set.

mod exporter;
mod sampling;

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use percent_encoding::percent_decode_str;

pub(super) use exporter::{Exporter, Protocol};
pub(super) use sampling::Sampler;

/// What is wrong with a variable, behind its name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub(crate) struct BadVariable {
    name: String,
    problem: String,
}

impl BadVariable {
    fn new(name: &str, problem: impl Display) -> Self {
        Self { name: name.to_owned(), problem: problem.to_string() }
    }
}

/// What they say.
#[derive(Debug, PartialEq)]
pub(crate) struct Variables {
    pub(super) service_name: Option<String>,
    pub(super) resource: Vec<(String, String)>,
    pub(super) sampler: Sampler,
    /// Where spans go, if anywhere.
    pub(super) traces: Option<Exporter>,
    pub(super) metrics: Option<Exporter>,
    pub(super) logs: Option<Exporter>,
    pub(super) spans: Limits,
    pub(super) records: Limits,
    pub(super) metric_interval: Duration,
}

/// How much is sent at once, and how much waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// The most that wait, those that are on their way included.
    pub(super) queue: usize,
    /// When so many have come they are sent, with the whole of the request that made them so many.
    pub(super) batch: usize,
    /// How long the first of them waits for the others.
    pub(super) delay: Duration,
}

impl Variables {
    pub(crate) fn read(env: &[(String, String)]) -> Result<Self, BadVariable> {
        let env = Env(env.iter().map(|(name, value)| (name.as_str(), value.trim())).collect());
        let disabled = env.flag("OTEL_SDK_DISABLED")?;
        let exporter = |signal| if disabled { Ok(None) } else { Exporter::read(&env, signal) };
        Ok(Self {
            service_name: env.get("OTEL_SERVICE_NAME").map(str::to_owned),
            resource: env.pairs("OTEL_RESOURCE_ATTRIBUTES")?,
            sampler: Sampler::read(&env)?,
            traces: exporter("TRACES")?,
            metrics: exporter("METRICS")?,
            logs: exporter("LOGS")?,
            spans: env.limits("OTEL_BSP", Duration::from_secs(5))?,
            records: env.limits("OTEL_BLRP", Duration::from_secs(1))?,
            metric_interval: env.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", Duration::from_mins(1))?,
        })
    }
}

/// The variables that are set to something.
struct Env<'a>(HashMap<&'a str, &'a str>);

/// A second less than a millisecond short of an hour is more than anybody waits.
const MILLISECONDS: RangeInclusive<u64> = 1..=3_600_000;

impl<'a> Env<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied().filter(|value| !value.is_empty())
    }

    fn flag(&self, name: &str) -> Result<bool, BadVariable> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(BadVariable::new(name, "must be true or false")),
        }
    }

    fn number(&self, name: &str, default: u64, range: &RangeInclusive<u64>) -> Result<u64, BadVariable> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let number = value.parse().ok().filter(|number| range.contains(number));
        let right = || format!("must be a whole number from {} to {}", range.start(), range.end());
        number.ok_or_else(|| BadVariable::new(name, right()))
    }

    fn milliseconds(&self, name: &str, default: Duration) -> Result<Duration, BadVariable> {
        let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        self.number(name, default, &MILLISECONDS).map(Duration::from_millis)
    }

    /// `key=value,key=value`, the values percent-encoded.
    fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, BadVariable> {
        let items = self.get(name).unwrap_or_default().split(',').map(str::trim);
        let pair = |item: &str| {
            let (key, value) = item.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            (!key.trim().is_empty()).then(|| (key.trim().to_owned(), value.into_owned()))
        };
        let pairs = items.filter(|item| !item.is_empty()).map(pair);
        let pairs: Option<Vec<_>> = pairs.collect();
        // The value itself may be a secret.
        pairs.ok_or_else(|| BadVariable::new(name, "must be written as key=value,key=value"))
    }

    /// The size of a queue and of what is taken from it at once.
    fn limits(&self, prefix: &str, delay: Duration) -> Result<Limits, BadVariable> {
        let name = |name: &str| format!("{prefix}_{name}");
        let queue = self.number(&name("MAX_QUEUE_SIZE"), 2048, &(1..=1_000_000))?;
        let batch = self.number(&name("MAX_EXPORT_BATCH_SIZE"), queue.min(512), &(1..=queue))?;
        let delay = self.milliseconds(&name("SCHEDULE_DELAY"), delay)?;
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Limits { queue: size(queue), batch: size(batch), delay })
    }
}

#[cfg(test)]
mod tests;
