//! The settings of live events.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

/// The `[events]` section: how long an event stream lasts, and how many there are.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventSettings {
    /// How often it is asked whether the caller may still listen.
    #[serde(with = "friendly")]
    pub recheck: Duration,
    /// After how long a silence a stream says that it is still there.
    #[serde(with = "friendly")]
    pub heartbeat: Duration,
    /// When a stream ends so that its client comes back, perhaps to another replica.
    #[serde(with = "friendly")]
    pub max_age: Duration,
    /// How many streams one user may have open at this replica.
    pub max_per_user: usize,
    /// How many streams there may be at this replica.
    pub max_streams: usize,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            recheck: Duration::from_secs(5),
            heartbeat: Duration::from_secs(15),
            max_age: Duration::from_hours(1),
            max_per_user: 5,
            max_streams: 10_000,
        }
    }
}

const MOMENT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);
/// Half of what the gateway waits for.
const BEAT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(30);
const AGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

impl EventSettings {
    /// The first setting that is out of range: its key, and what would be right.
    pub fn out_of_range(&self) -> Option<(&'static str, &'static str)> {
        [
            (MOMENT.contains(&self.recheck), "recheck", "must be between 100ms and 1m"),
            (BEAT.contains(&self.heartbeat), "heartbeat", "must be between 100ms and 30s"),
            (AGE.contains(&self.max_age), "max_age", "must be between 1s and 24h"),
            ((1..=1_000).contains(&self.max_per_user), "max_per_user", "must be between 1 and 1000"),
            ((1..=1_000_000).contains(&self.max_streams), "max_streams", "must be between 1 and 1000000"),
        ]
        .into_iter()
        .find_map(|(good, key, right)| (!good).then_some((key, right)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_named() {
        let good = EventSettings::default;
        for (settings, expected) in [
            (good(), None),
            (EventSettings { recheck: Duration::from_millis(99), ..good() }, Some("recheck")),
            (EventSettings { heartbeat: Duration::from_secs(61), ..good() }, Some("heartbeat")),
            (EventSettings { max_age: Duration::ZERO, ..good() }, Some("max_age")),
            (EventSettings { max_per_user: 0, ..good() }, Some("max_per_user")),
            (EventSettings { max_streams: 1_000_001, ..good() }, Some("max_streams")),
        ] {
            assert_eq!(settings.out_of_range().map(|(key, _)| key), expected, "{settings:?}");
        }
    }
}
