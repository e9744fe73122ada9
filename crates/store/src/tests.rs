//! What every store must do, and what each does besides.

mod ground;
mod invalidations;
mod memory;
mod model;
mod observe;
mod outages;
mod proxy;
mod redis;
mod suite;

use std::time::Duration;

use super::*;

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

/// Tries until it is so, for much longer than it should take.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let tried = tokio::time::timeout(Duration::from_mins(1), async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(tried.await.is_ok(), "{what}");
}
