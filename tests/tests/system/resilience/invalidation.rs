//! What one replica makes old, the other gives to nobody any more.
//!
//! What was kept would have ended by itself after some seconds: 10 for notifications, 30 for promos. Each test has seen
//! the change long before, and says so.

use std::time::Duration;

use end_to_end::{Bff, Client, until};
use tokio::time::Instant;

use super::{ADA, PATIENT, Site, ids};

const PROMOS: &str = "catalog GET /promos";
const NOTIFICATIONS: &str = "notifications GET /notifications";
const PROMOS_FRESH: Duration = Duration::from_secs(30);
const NOTIFICATIONS_FRESH: Duration = Duration::from_secs(10);

/// Asks for a page until it makes a call of `route` that it did not need before.
async fn until_asked_anew(site: &Site, client: &Client, path: &str, route: &str, kept: (Instant, Duration)) {
    let before = site.calls(route).await;
    let asked = async || {
        assert_eq!(client.get(path).await.outcome(), "200");
        (site.calls(route).await > before).then_some(())
    };
    until(&format!("another call of {route}"), asked).await;
    let (since, fresh) = kept;
    assert!(since.elapsed() < fresh, "what was kept ended by itself");
}

/// Has a page keep what `route` answers; when that was.
async fn keep(site: &Site, client: &Client, path: &str, route: &str) -> Instant {
    let since = Instant::now();
    for _ in 0..2 {
        assert_eq!(client.get(path).await.outcome(), "200");
    }
    assert_eq!(site.calls(route).await, 1, "it is kept");
    since
}

#[tokio::test]
async fn what_was_read_through_one_replica_is_unread_through_no_other() {
    let site = Site::with_redis().await;
    let [here, there] = site.replicas(&[PATIENT]).await;
    let (here, there) = (site.client(&here, ADA).await, site.client(&there, ADA).await);
    let since = keep(&site, &there, "/dashboard", NOTIFICATIONS).await;
    let unread = ids(&there.get("/dashboard").await, "/unreadNotifications").remove(0);
    let read = here.send("POST", &format!("/notifications/{unread}/read"), None).await;
    assert_eq!(read.outcome(), "204");
    until_asked_anew(&site, &there, "/dashboard", NOTIFICATIONS, (since, NOTIFICATIONS_FRESH)).await;
    assert!(!ids(&there.get("/dashboard").await, "/unreadNotifications").contains(&unread));
}

#[tokio::test]
async fn what_an_operator_makes_old_at_one_replica_is_old_at_all() {
    let site = Site::with_redis().await;
    let [here, there] = site.replicas(&[PATIENT]).await;
    let ada = site.client(&there, ADA).await;
    let mut since = keep(&site, &ada, "/products/p_1", PROMOS).await;
    for tag in ["promos", "*"] {
        let begun = Instant::now();
        here.invalidate(&[tag]).await;
        until_asked_anew(&site, &ada, "/products/p_1", PROMOS, (since, PROMOS_FRESH)).await;
        since = begun;
    }
}

#[tokio::test]
async fn what_was_made_old_while_redis_was_down_is_old_when_it_is_back() {
    let mut site = Site::with_redis().await;
    let [here, there] = site.replicas(&[PATIENT]).await;
    let ada = site.client(&there, ADA).await;
    let since = keep(&site, &ada, "/products/p_1", PROMOS).await;
    site.redis_mut().kill().await;
    here.invalidate(&["promos"]).await;
    assert_eq!(ada.get("/products/p_1").await.outcome(), "200");
    assert_eq!(site.calls(PROMOS).await, 1, "nobody could tell it");
    site.redis_mut().restart().await;
    until_asked_anew(&site, &ada, "/products/p_1", PROMOS, (since, PROMOS_FRESH)).await;
}

#[tokio::test]
async fn a_replica_that_heard_nothing_for_a_while_trusts_nothing_that_it_kept() {
    let mut site = Site::with_redis().await;
    let there: Bff = site.start(end_to_end::Kind::Web, &[PATIENT]).await;
    until("a listener", async || (site.redis().listeners().await == 1).then_some(())).await;
    let ada = site.client(&there, ADA).await;
    let since = keep(&site, &ada, "/products/p_1", PROMOS).await;
    site.redis_mut().restart().await;
    until_asked_anew(&site, &ada, "/products/p_1", PROMOS, (since, PROMOS_FRESH)).await;
}
