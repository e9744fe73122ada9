//! The exchanged tokens, each in a slot of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use moka::Expiry;
use moka::sync::Cache;

use super::Fetched;
use crate::flight::Flight;
use crate::issued::{Issued, TOO_YOUNG};

/// The slots together take at most this many bytes.
const CAPACITY: u64 = 16 << 20;
/// What a slot takes beside its token, which it holds as text, as a header, and once more in its flight.
const OVERHEAD: usize = 768;
/// How long a slot is kept that has no token.
const EMPTY_FOR: Duration = Duration::from_secs(30);

/// Whose token for which service: no two callers ever have the same, since no two have the same token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The SHA-256 of the subject token.
    pub(super) subject: [u8; 32],
    /// Who vouches for the subject.
    pub(super) realm: Arc<str>,
    /// The service, by our name for it.
    pub(super) audience: &'static str,
}

/// What is known of one key, and the exchange that is under way.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) latest: ArcSwapOption<Outcome>,
    pub(super) flight: Flight<Fetched>,
}

/// How the latest exchange ended, unless the provider was not available.
pub(super) struct Outcome {
    /// The latest token. One that was issued before the provider said no to us is kept: it is as good as it was.
    pub(super) issued: Option<Issued>,
    pub(super) refused: Option<Refused>,
}

/// The provider said no.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    pub(super) at: tokio::time::Instant,
    /// Whether it does not take the subject token, and not just gives us none for this service.
    pub(super) subject: bool,
}

/// Slots by their keys, while there is room.
pub(super) struct Slots(Cache<Key, Arc<Slot>>);

impl Slots {
    pub(super) fn new() -> Self {
        let weigh = |_: &Key, slot: &Arc<Slot>| u32::try_from(OVERHEAD + slot.bytes()).unwrap_or(u32::MAX);
        let cache = Cache::builder().max_capacity(CAPACITY).weigher(weigh).expire_after(UntilItEnds).build();
        Self(cache)
    }

    /// The slot of a key. All who ask get the same one, for as long as there is room for it.
    pub(super) fn of(&self, key: &Key) -> Arc<Slot> {
        self.0.get(key).unwrap_or_else(|| self.0.get_with_by_ref(key, Arc::default))
    }

    /// Weighs a slot anew, and keeps it until its new token ends.
    pub(super) fn renewed(&self, key: Key, slot: Arc<Slot>) {
        self.0.insert(key, slot);
    }
}

impl Slot {
    fn bytes(&self) -> usize {
        let latest = self.latest.load();
        let issued = latest.as_ref().and_then(|latest| latest.issued.as_ref());
        issued.map_or(0, |issued| 2 * issued.token.expose().len())
    }
}

impl Outcome {
    /// The token, if it is still good for a call.
    pub(super) fn usable(&self) -> Option<&Issued> {
        self.issued.as_ref().filter(|issued| issued.is_usable())
    }

    /// The refusal, while asking again would bring the same.
    pub(super) fn still_refused(&self) -> Option<Refused> {
        self.refused.filter(|refused| refused.at.elapsed() < TOO_YOUNG)
    }
}

/// Frees the room of a token that has ended. Whether it has is checked at every use all the same.
struct UntilItEnds;

impl Expiry<Key, Arc<Slot>> for UntilItEnds {
    fn expire_after_create(&self, _: &Key, slot: &Arc<Slot>, _: Instant) -> Option<Duration> {
        let latest = slot.latest.load();
        let issued = latest.as_ref().and_then(|latest| latest.issued.as_ref());
        Some(issued.map_or(EMPTY_FOR, |issued| issued.left().max(EMPTY_FOR)))
    }

    fn expire_after_update(
        &self,
        key: &Key,
        slot: &Arc<Slot>,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, slot, at)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn however_many_there_are_they_take_so_much_and_no_more() {
        let slots = Slots::new();
        for number in 0_u32..3000 {
            let mut subject = [0; 32];
            subject[..4].copy_from_slice(&number.to_be_bytes());
            let key = Key { subject, realm: "r".into(), audience: "orders" };
            let slot = slots.of(&key);
            assert!(Arc::ptr_eq(&slot, &slots.of(&key)), "two who asked at once got two slots");
            let token = json!({"access_token": "t".repeat(8192), "token_type": "Bearer", "expires_in": 3600});
            let issued = Issued::new(serde_json::from_value(token).unwrap(), tokio::time::Instant::now());
            slot.latest.store(Some(Arc::new(Outcome { issued: issued.ok(), refused: None })));
            slots.renewed(key, slot);
        }
        slots.0.run_pending_tasks();
        assert!((CAPACITY / 2..=CAPACITY).contains(&slots.0.weighted_size()), "{}", slots.0.weighted_size());
    }
}
