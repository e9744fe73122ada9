//! Who fails too often has to wait: guessing costs time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures within [`WINDOW`] are too many.
const MOST: u32 = 20;
const WINDOW: Duration = Duration::from_mins(1);
/// So many addresses are known at once, in half a megabyte.
const ADDRESSES: usize = 10_000;

/// The failures of each address in this process. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<HashMap<Option<IpAddr>, Window>>>);

/// The first failure of an address, and how many there were since.
struct Window {
    began: Instant,
    count: u32,
}

impl Window {
    fn is_over(&self, now: Instant) -> bool {
        now >= self.began + WINDOW
    }

    fn is_full(&self) -> bool {
        self.count >= MOST
    }
}

impl Failures {
    /// How long this address has to wait before it may fail again; nothing if it may be. All whose address
    /// is not known are one.
    pub(crate) fn wait(&self, client: Option<IpAddr>) -> Option<Duration> {
        let now = Instant::now();
        let windows = self.windows();
        let window = windows.get(&client.map(network)).filter(|window| window.is_full())?;
        Some((window.began + WINDOW).saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// This address has failed.
    pub(crate) fn count(&self, client: Option<IpAddr>) {
        let now = Instant::now();
        let mut windows = self.windows();
        if windows.len() >= ADDRESSES {
            make_room(&mut windows, now);
        }
        let window = windows.entry(client.map(network)).or_insert(Window { began: now, count: 0 });
        if window.is_over(now) {
            *window = Window { began: now, count: 0 };
        }
        window.count += 1;
    }

    /// A panic while the lock is held can only come from a lack of memory, which ends the process.
    fn windows(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets who counts least: what is over, then who may still try, then everybody. Whoever has that many networks
/// is not held up by this, and 256 bits are not guessed by them either.
fn make_room(windows: &mut HashMap<Option<IpAddr>, Window>, now: Instant) {
    windows.retain(|_, window| !window.is_over(now));
    if windows.len() >= ADDRESSES {
        windows.retain(|_, window| window.is_full());
    }
    if windows.len() >= ADDRESSES {
        windows.clear();
    }
}

/// What one client can be expected to have: an IPv4 address, or a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !0 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn fail(failures: &Failures, address: &str, times: u32) {
        (0..times).for_each(|_| failures.count(address.parse().ok()));
    }

    fn wait(failures: &Failures, address: &str) -> Option<u64> {
        failures.wait(address.parse().ok()).map(|wait| wait.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn the_twentieth_failure_of_a_minute_is_the_last() {
        let failures = Failures::default();
        fail(&failures, "192.0.2.1", 19);
        assert_eq!(wait(&failures, "192.0.2.1"), None);
        advance(Duration::from_secs(40)).await;
        fail(&failures, "192.0.2.1", 1);
        for (address, seconds) in [
            ("192.0.2.1", Some(20)),
            ("::ffff:192.0.2.1", Some(20)),
            ("192.0.2.2", None),
            ("2001:db8::1", None),
            ("unknown", None),
        ] {
            assert_eq!(wait(&failures, address), seconds, "{address}");
        }
        advance(Duration::from_secs(20)).await;
        assert_eq!(wait(&failures, "192.0.2.1"), None);
        fail(&failures, "192.0.2.1", 19);
        assert_eq!(wait(&failures, "192.0.2.1"), None, "another window has begun");
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_is_one_and_so_are_all_the_unknown() {
        let failures = Failures::default();
        fail(&failures, "2001:db8::1", 10);
        fail(&failures, "2001:db8::ffff:2", 10);
        fail(&failures, "unknown", 20);
        for (address, waits) in
            [("2001:db8::3", true), ("2001:db8:0:1::1", false), ("nobody", true), ("0.0.0.0", false)]
        {
            assert_eq!(wait(&failures, address).is_some(), waits, "{address}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_who_waits_is_forgotten_last() {
        let failures = Failures::default();
        fail(&failures, "192.0.2.1", 20);
        for number in 0..3 * u32::try_from(ADDRESSES).unwrap() {
            failures.count(Some(IpAddr::V4(number.into())));
            assert!(failures.windows().len() <= ADDRESSES);
        }
        assert!(wait(&failures, "192.0.2.1").is_some());
        advance(WINDOW).await;
        for number in 0..u32::try_from(ADDRESSES).unwrap() {
            failures.count(Some(IpAddr::V4((number + 1_000_000).into())));
        }
        assert!(failures.windows().len() <= ADDRESSES);
        assert!(!failures.windows().contains_key(&"192.0.2.1".parse().ok()));
    }
}
