//! What an answer itself says about being kept (RFC 9111).

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, ETAG};
use http::{HeaderMap, HeaderValue};

/// What an answer allows to be done with it once it is not fresh any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stale {
    /// What its rule says.
    #[default]
    Allowed,
    /// It is given only if the service fails: `no-cache`.
    IfError,
    /// Nothing: `must-revalidate`, `proxy-revalidate`.
    Forbidden,
}

/// The part of an answer's headers that a cache has to obey.
#[derive(Clone, Debug, Default)]
pub(crate) struct Freshness {
    no_store: bool,
    private: bool,
    pub(crate) stale: Stale,
    /// How long it may still be taken for fresh, if it says so.
    max_age: Option<Duration>,
    /// What to ask with whether it has changed.
    pub(crate) etag: Option<HeaderValue>,
}

impl Freshness {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut read = Self { etag: headers.get(ETAG).cloned(), ..Self::default() };
        let (mut any, mut shared) = (None, None);
        for line in headers.get_all(CACHE_CONTROL) {
            // What cannot be read may be what forbids it.
            let Ok(line) = line.to_str() else { return Self { no_store: true, ..read } };
            for directive in line.split(',') {
                let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" => read.no_store = true,
                    "private" => read.private = true,
                    "no-cache" => {
                        any = Some(Duration::ZERO);
                        read.stale = read.stale.max(Stale::IfError);
                    }
                    "must-revalidate" | "proxy-revalidate" => read.stale = Stale::Forbidden,
                    "max-age" => any = any.min(Some(seconds(value))).or(Some(seconds(value))),
                    "s-maxage" => shared = Some(seconds(value)),
                    _ => {}
                }
            }
        }
        let age = headers.get(AGE).and_then(|age| age.to_str().ok()).map(seconds).unwrap_or_default();
        read.max_age = shared.or(any).map(|max| max.saturating_sub(age));
        read
    }

    /// Whether it may be kept: for everybody, or for the one who asked.
    pub(crate) fn may_be_kept(&self, personal: bool) -> bool {
        !self.no_store && (personal || !self.private)
    }

    /// For how long it is fresh, if we would take it for `fresh` at most.
    pub(crate) fn fresh(&self, fresh: Duration) -> Duration {
        self.max_age.map_or(fresh, |max| max.min(fresh))
    }
}

/// A number that is too large means for ever, and one that is none means at once (RFC 9111, sections 1.2.2 and 4.2.1).
fn seconds(value: &str) -> Duration {
    let digits = value.trim().trim_matches('"');
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    Duration::from_secs(if number { digits.parse().unwrap_or(u64::MAX) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn of(lines: &[(&'static str, &'static str)]) -> Freshness {
        Freshness::of(
            &lines
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect(),
        )
    }

    #[test]
    fn the_answer_says_what_it_may_be_used_for_when_it_is_old() {
        for (line, stale) in [
            ("max-age=3", Stale::Allowed),
            ("no-cache", Stale::IfError),
            ("must-revalidate, no-cache", Stale::Forbidden),
            ("no-cache, Proxy-Revalidate", Stale::Forbidden),
        ] {
            assert_eq!(of(&[("cache-control", line)]).stale, stale, "{line}");
        }
    }

    #[test]
    fn what_the_answer_says_wins() {
        let seconds = Duration::from_secs;
        // (Cache-Control, kept for all, kept for one, fresh)
        for (line, shared, personal, fresh) in [
            ("", true, true, MINUTE),
            ("max-age=300", true, true, MINUTE),
            ("max-age=5", true, true, seconds(5)),
            ("MAX-AGE=\"5\" , public", true, true, seconds(5)),
            ("max-age=300, s-maxage=7", true, true, seconds(7)),
            ("s-maxage=300, max-age=7", true, true, MINUTE),
            ("no-cache", true, true, seconds(0)),
            ("no-cache, max-age=9", true, true, seconds(0)),
            ("max-age=9, no-cache", true, true, seconds(0)),
            ("max-age=soon", true, true, seconds(0)),
            ("max-age=99999999999999999999999", true, true, MINUTE),
            ("private", false, true, MINUTE),
            ("private, max-age=3", false, true, seconds(3)),
            ("no-store", false, false, MINUTE),
            ("max-age=60,No-Store", false, false, MINUTE),
        ] {
            let read = of(&[("cache-control", line)]);
            assert_eq!((read.may_be_kept(false), read.may_be_kept(true)), (shared, personal), "{line}");
            assert_eq!(read.fresh(MINUTE), fresh, "{line}");
        }
        assert!(!of(&[("cache-control", "max-age=60"), ("cache-control", "no-store")]).may_be_kept(true));
        assert_eq!(of(&[("cache-control", "max-age=10"), ("age", "4")]).fresh(MINUTE), seconds(6));
    }
}
