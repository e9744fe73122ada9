//! What `PUT /_capacity` and `--capacity` take.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::service::Service;

const MAX_CONCURRENCY: usize = 10_000;
const MAX_SERVICE_TIME_MS: u64 = 600_000;
/// Longer than any caller waits: like a service that was never told to refuse.
const QUEUE: usize = 10_000;

/// How much a service can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limit {
    /// How many requests are worked on at once.
    concurrency: usize,
    /// How long each of them takes, once it was begun.
    service_time_ms: u64,
    /// How many may wait; above it the service refuses.
    #[serde(default = "queue")]
    queue: usize,
    /// Whether who waits stays in the queue when its client has left, as in a service that does not notice.
    #[serde(default)]
    keep_abandoned: bool,
}

const fn queue() -> usize {
    QUEUE
}

impl Limit {
    /// A service and its limit, written `orders=10x25ms`: ten at once, 25 ms each.
    pub(crate) fn of_service(text: &str) -> Result<(Service, Self), String> {
        let form = "write it like orders=10x25ms";
        let (service, limit) = text.split_once('=').ok_or(form)?;
        let service = <Service as clap::ValueEnum>::from_str(service, false)?;
        let (concurrency, service_time) = limit.split_once('x').ok_or(form)?;
        let concurrency = concurrency.parse().map_err(|_| form)?;
        let service_time: SignedDuration = service_time.parse().map_err(|_| form)?;
        let service_time_ms = u64::try_from(service_time.as_millis()).map_err(|_| form)?;
        let limit = Self { concurrency, service_time_ms, queue: QUEUE, keep_abandoned: false };
        limit.check().map(|()| (service, limit))
    }

    /// What is wrong with it, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=MAX_CONCURRENCY).contains(&self.concurrency) {
            return Err(format!("concurrency: must be from 1 to {MAX_CONCURRENCY}"));
        }
        if !(1..=MAX_SERVICE_TIME_MS).contains(&self.service_time_ms) {
            return Err(format!("serviceTimeMs: must be from 1 to {MAX_SERVICE_TIME_MS}"));
        }
        if !(1..=QUEUE).contains(&self.queue) {
            return Err(format!("queue: must be from 1 to {QUEUE}"));
        }
        Ok(())
    }

    pub(super) fn concurrency(&self) -> usize {
        self.concurrency
    }

    pub(super) fn queue(&self) -> usize {
        self.queue
    }

    pub(super) fn keeps_abandoned(&self) -> bool {
        self.keep_abandoned
    }

    pub(super) fn service_time(&self) -> Duration {
        Duration::from_millis(self.service_time_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_at_once_and_a_time_for_each() {
        let (service, limit) = Limit::of_service("orders=10x25ms").unwrap();
        assert_eq!(service, Service::Orders);
        assert_eq!(
            limit,
            Limit { concurrency: 10, service_time_ms: 25, queue: QUEUE, keep_abandoned: false }
        );
        for wrong in
            ["orders", "orders=10", "orders=10x25", "carts=10x25ms", "orders=0x25ms", "orders=1x-5ms"]
        {
            assert!(Limit::of_service(wrong).is_err(), "{wrong}");
        }
    }
}
