//! What a plan allows.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use jiff::fmt::friendly::SpanPrinter;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};
use store::Rate;

/// The shortest and the longest time that a plan may speak of. `RateLimit-Policy` knows whole seconds.
const TIMES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(31 * 24));
/// No more than that can be told apart.
const MOST_IN_A_SECOND: u64 = 100_000;
const MAX_NAME: usize = 64;

/// A plan in the settings: so many requests in so much time. All may be made at once; they come back one by one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSettings {
    /// How many requests.
    pub requests: NonZeroU32,
    /// In which time.
    #[serde(with = "friendly")]
    pub per: Duration,
}

impl PlanSettings {
    /// The range of every value; the error names the key and says what would be right.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let whole = self.per.subsec_nanos() == 0;
        if !whole || !(TIMES.0..=TIMES.1).contains(&self.per) {
            return Err(("per", "must be whole seconds from 1s to 31 days (744h)".into()));
        }
        let most = self.per.as_secs() * MOST_IN_A_SECOND;
        if u64::from(self.requests.get()) > most {
            return Err(("requests", format!("must be at most {MOST_IN_A_SECOND} in a second: here {most}")));
        }
        Ok(())
    }

    /// What is wrong with a plan's name, if something is.
    pub fn check_name(name: &str) -> Result<(), String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain) {
            return Ok(());
        }
        Err("a plan's name must be 1 to 64 letters, digits, hyphens and underscores".into())
    }
}

/// A plan, as answers speak of it.
#[derive(Debug)]
pub struct Plan {
    name: String,
    settings: PlanSettings,
    rate: Rate,
    policy: HeaderValue,
}

impl Plan {
    /// The plan of this name. Both were checked.
    pub fn new(name: &str, settings: &PlanSettings) -> Arc<Self> {
        let rate = Rate::new(settings.requests, settings.per);
        let policy = format!("\"{name}\";q={};w={}", settings.requests, settings.per.as_secs());
        let policy = HeaderValue::try_from(policy).expect("a plan's name is visible ASCII");
        Arc::new(Self { name: name.to_owned(), settings: settings.clone(), rate, policy })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many requests it allows.
    pub fn limit(&self) -> u32 {
        self.rate.capacity()
    }

    /// In how many seconds.
    pub fn window_seconds(&self) -> u64 {
        self.settings.per.as_secs()
    }

    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    pub(super) fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    /// `600 requests in 1m`.
    pub(super) fn words(&self) -> String {
        let per = SpanPrinter::new().unsigned_duration_to_string(&self.settings.per);
        let noun = if self.limit() == 1 { "request" } else { "requests" };
        format!("{} {noun} in {per}", self.limit())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_plan_may_say() {
        for (requests, per, wrong) in [
            (600, "1m", None),
            (1, "744h", None),
            (100_000, "1s", None),
            (100_001, "1s", Some("requests")),
            (1, "745h", Some("per")),
            (1, "999ms", Some("per")),
            (1, "1s 500ms", Some("per")),
        ] {
            let plan: PlanSettings =
                serde_json::from_value(json!({"requests": requests, "per": per})).unwrap();
            assert_eq!(plan.check().err().map(|(key, _)| key), wrong, "{requests} per {per}");
        }
        assert!(serde_json::from_value::<PlanSettings>(json!({"requests": 0, "per": "1m"})).is_err());
        for (name, good) in
            [("gold-2_a", true), ("", false), ("a\"b", false), ("ä", false), (&"x".repeat(65), false)]
        {
            assert_eq!(PlanSettings::check_name(name).is_ok(), good, "{name}");
        }
    }

    #[test]
    fn a_plan_in_words_and_as_a_policy() {
        let plan = |requests: u32, secs| {
            let settings =
                PlanSettings { requests: requests.try_into().unwrap(), per: Duration::from_secs(secs) };
            let plan = Plan::new("gold", &settings);
            format!("{} | {}", plan.words(), plan.policy().to_str().unwrap())
        };
        assert_eq!(plan(600, 60), r#"600 requests in 1m | "gold";q=600;w=60"#);
        assert_eq!(plan(1, 86_400), r#"1 request in 24h | "gold";q=1;w=86400"#);
    }
}
