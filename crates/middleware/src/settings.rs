//! What a service may be told about its requests.

use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use request_context::Origin;
use serde::{Deserialize, Serialize};

/// The `[requests]` section of a service's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestSettings {
    /// The longest a request may take; a client may ask for less with `X-Request-Timeout-Ms`.
    #[serde(with = "friendly")]
    pub deadline: Duration,
    /// How much of it the sections may take that a screen can do without. Where less time is left, because the
    /// client asks for less or a required section was slow, they may take the same share of that.
    #[serde(with = "friendly")]
    pub optional_deadline: Duration,
    /// The largest body, in bytes as they arrive.
    pub max_body: ByteSize,
    /// The networks of the proxies whose word is taken for request ids, traces and client addresses.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins, beside the public URL's own, whose pages may ask and read the answer. Without one, nothing is
    /// said of it to any page.
    pub allowed_origins: Vec<Origin>,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            optional_deadline: Duration::from_millis(800),
            max_body: ByteSize::kib(64),
            trusted_proxies: vec![],
            allowed_origins: vec![],
        }
    }
}

impl RequestSettings {
    /// The range of every value; the error names the key and says what would be right.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let (shortest, longest) = (Duration::from_millis(10), Duration::from_mins(10));
        if !(shortest..=longest).contains(&self.deadline) {
            return Err(("deadline", "must be from 10ms to 10m".into()));
        }
        if !(shortest..=self.deadline).contains(&self.optional_deadline) {
            let right = format!("must be from 10ms to deadline, which is {:?}", self.deadline);
            return Err(("optional_deadline", right));
        }
        if self.max_body > ByteSize::mib(16) {
            return Err(("max_body", "must be at most 16 MiB".into()));
        }
        Ok(())
    }

    pub(crate) fn optional_share(&self) -> f64 {
        self.optional_deadline.div_duration_f64(self.deadline)
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        usize::try_from(self.max_body.as_u64()).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_shown_and_read_back() {
        let shown = serde_json::to_value(RequestSettings::default()).unwrap();
        insta::assert_json_snapshot!(shown, @r#"
        {
          "allowed_origins": [],
          "deadline": "2s",
          "max_body": "64.0 KiB",
          "optional_deadline": "800ms",
          "trusted_proxies": []
        }
        "#);
        let read: RequestSettings = serde_json::from_value(shown).unwrap();
        assert_eq!(read, RequestSettings::default());
    }

    #[test]
    fn units_are_written_out() {
        let read: RequestSettings = serde_json::from_value(json!({
            "deadline": "250ms", "max_body": "1 MiB", "trusted_proxies": ["10.0.0.0/8", "::1/128"],
        }))
        .unwrap();
        assert_eq!(read.deadline, Duration::from_millis(250));
        assert_eq!(read.max_body, ByteSize::mib(1));
        assert!(serde_json::from_value::<RequestSettings>(json!({"dead_line": "1s"})).is_err());
        for origin in ["*", "null", "https://shop.example/"] {
            let wrong = serde_json::from_value::<RequestSettings>(json!({"allowed_origins": [origin]}));
            assert!(wrong.unwrap_err().to_string().starts_with("must be an origin"), "{origin}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let default = RequestSettings::default;
        let cases = [
            (default(), None),
            (RequestSettings { deadline: Duration::from_millis(9), ..default() }, Some("deadline")),
            (RequestSettings { deadline: Duration::from_secs(601), ..default() }, Some("deadline")),
            (
                RequestSettings { optional_deadline: Duration::from_millis(9), ..default() },
                Some("optional_deadline"),
            ),
            (RequestSettings { optional_deadline: Duration::from_secs(2), ..default() }, None),
            (
                RequestSettings { deadline: Duration::from_millis(799), ..default() },
                Some("optional_deadline"),
            ),
            (RequestSettings { max_body: ByteSize::mib(17), ..default() }, Some("max_body")),
        ];
        for (settings, expected) in cases {
            assert_eq!(settings.check().err().map(|(key, _)| key), expected, "{settings:?}");
        }
    }
}
