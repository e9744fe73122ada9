//! Tokens that were verified before, so that a signature is checked once and not with every request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use jiff::Timestamp;
use moka::Expiry;
use moka::sync::Cache;
use request_context::Caller;

/// The tokens together take at most this many bytes.
const CAPACITY: u64 = 4 << 20;
/// What an entry takes beside its token, which it holds as text and as a header.
const OVERHEAD: usize = 512;

/// Verified tokens by the SHA-256 of their text. Only tokens with a good signature get in.
pub(crate) struct Verified(Cache<Digest, Entry>);

/// The SHA-256 of a token.
pub(crate) type Digest = [u8; 32];

/// What was found out about a token.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) caller: Caller,
    /// The thumbprint of the key that its bearer must hold, if it is bound to one.
    pub(crate) bound_to: Option<Arc<str>>,
    /// The moment from which it is refused.
    pub(crate) ends: Timestamp,
    /// Which of the issuers it is from.
    pub(crate) issuer: usize,
    /// The keys it was verified with. When the issuer withdraws one, its tokens end with it.
    pub(crate) generation: u64,
}

impl Verified {
    pub(crate) fn new() -> Self {
        let weigh = |_: &Digest, entry: &Entry| {
            u32::try_from(2 * entry.caller.token.expose().len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(CAPACITY).weigher(weigh).expire_after(UntilItEnds).build();
        Self(cache)
    }

    pub(crate) fn digest(token: &str) -> Digest {
        let digest = digest::digest(&digest::SHA256, token.as_bytes());
        digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    /// What is known of a token that is still valid at `now`, if its issuer's keys are still of the generation that
    /// it was verified with.
    pub(crate) fn get(
        &self,
        digest: &Digest,
        generation: impl FnOnce(usize) -> Option<u64>,
        now: Timestamp,
    ) -> Option<Entry> {
        let entry = self.0.get(digest)?;
        (generation(entry.issuer) == Some(entry.generation) && now < entry.ends).then_some(entry)
    }

    pub(crate) fn insert(&self, digest: Digest, entry: Entry) {
        self.0.insert(digest, entry);
    }
}

/// Frees the room of a token that has ended. Whether it has is checked at every use all the same.
struct UntilItEnds;

impl Expiry<Digest, Entry> for UntilItEnds {
    fn expire_after_create(&self, _: &Digest, entry: &Entry, _: Instant) -> Option<Duration> {
        let left = entry.ends.duration_since(Timestamp::now());
        Some(Duration::try_from(left).unwrap_or_default())
    }

    fn expire_after_update(
        &self,
        digest: &Digest,
        entry: &Entry,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(digest, entry, at)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use request_context::{AccessToken, Scopes, Subject};

    use super::*;

    #[test]
    fn a_token_is_known_until_it_ends_or_its_keys_change() {
        let verified = Verified::new();
        let now = Timestamp::now();
        let ends = now + SignedDuration::from_secs(60);
        let caller = Caller {
            realm: "http://127.0.0.1:3007".into(),
            subject: Subject::parse("u_42").unwrap(),
            scopes: Scopes::default(),
            token: AccessToken::new("token"),
        };
        let digest = Verified::digest("token");
        verified.insert(digest, Entry { caller, bound_to: None, ends, issuer: 1, generation: 7 });
        let known = |digest, now, generations: [Option<u64>; 2]| {
            verified.get(digest, |issuer| generations[issuer], now).is_some()
        };

        let same = [Some(8), Some(7)];
        assert!(known(&digest, now, same));
        assert!(known(&digest, ends - SignedDuration::from_nanos(1), same));
        assert!(!known(&digest, ends, same));
        assert!(!known(&digest, now, [Some(7), Some(8)]));
        assert!(!known(&digest, now, [Some(7), None]));
        assert!(!known(&Verified::digest("another"), now, same));
    }
}
