//! What every store must do.

use test_support::RedisServer;

use super::ground::{Ground, InMemory, InRedis};
use super::*;

#[tokio::test(start_paused = true)]
async fn memory_does_it() {
    every_promise(async || InMemory::new()).await;
}

#[tokio::test]
async fn redis_does_it() {
    every_promise(InRedis::start).await;
}

#[tokio::test]
async fn a_redis_cluster_does_it() {
    every_promise(async || InRedis::new(RedisServer::start_cluster().await).await).await;
}

async fn every_promise<G: Ground>(ground: impl AsyncFn() -> G) {
    let ground = ground().await;
    one_holder_at_a_time_and_fences_rise(&ground).await;
    a_tag_finds_what_has_it_now(&ground).await;
    what_ends_at_once_is_written_and_gone(&ground).await;
    keys_tags_and_leases_are_any_text(&ground).await;
    nothing_is_left_over(&ground).await;
    one_writer_wins(&ground).await;
    a_quota_is_given_once_and_comes_back(&ground).await;
    no_more_is_given_to_many_at_once(&ground).await;
}

async fn one_holder_at_a_time_and_fences_rise(ground: &impl Ground) {
    let store = ground.store();
    let first = store.lease("refresh", hours(10)).await.unwrap().unwrap();
    assert_eq!(store.lease("refresh", hours(10)).await.unwrap(), None);
    ground.pass(9).await;
    assert!(store.renew(&first, hours(10)).await.unwrap());
    ground.pass(9).await;
    assert_eq!(store.lease("refresh", hours(10)).await.unwrap(), None);
    ground.pass(1).await;

    let second = store.lease("refresh", hours(10)).await.unwrap().unwrap();
    assert!(second.fence() > first.fence());
    assert!(!store.renew(&first, hours(10)).await.unwrap());
    store.release(first).await.unwrap();
    assert_eq!(store.lease("refresh", hours(10)).await.unwrap(), None);
    store.release(second).await.unwrap();
    let third = store.lease("refresh", hours(10)).await.unwrap().unwrap();
    assert_eq!(store.get("refresh").await.unwrap(), None);
    store.release(third).await.unwrap();
}

async fn a_tag_finds_what_has_it_now(ground: &impl Ground) {
    let store = ground.store();
    let entry = |tags: &[&str]| tags.iter().fold(Entry::new("v", hours(2)), |entry, tag| entry.tag(*tag));
    store.put("had", entry(&["a"]), If::Any).await.unwrap();
    store.put("had", entry(&["b"]), If::Any).await.unwrap();
    store.put("both", entry(&["a", "b", "a"]), If::Any).await.unwrap();
    store.put("ended", Entry::new("v", hours(1)).tag("a"), If::Any).await.unwrap();
    ground.pass(1).await;
    store.put("ended", entry(&[]), If::Any).await.unwrap();

    assert_eq!(store.invalidate("a").await.unwrap(), 1);
    assert_eq!(store.get("both").await.unwrap(), None);
    assert!(store.get("had").await.unwrap().is_some());
    assert!(store.get("ended").await.unwrap().is_some());
    assert_eq!(store.invalidate("a").await.unwrap(), 0);
    assert_eq!(store.invalidate("b").await.unwrap(), 1);
    assert!(store.delete("ended", If::Any).await.unwrap());
}

async fn what_ends_at_once_is_written_and_gone(ground: &impl Ground) {
    let store = ground.store();
    let before = store.put("key", Entry::new("v", hours(1)).tag("a"), If::Any).await.unwrap().unwrap();
    let written = store.put("key", Entry::new("v", Duration::ZERO).tag("a"), If::Version(before)).await;
    assert!(written.unwrap().unwrap() > before);
    assert_eq!(store.get("key").await.unwrap(), None);
    assert_eq!(store.invalidate("a").await.unwrap(), 0);
    let lease = store.lease("key", Duration::ZERO).await.unwrap().unwrap();
    assert!(!store.renew(&lease, hours(1)).await.unwrap());
}

async fn keys_tags_and_leases_are_any_text(ground: &impl Ground) {
    let store = ground.store();
    for text in ["", "{a}b", "a b\r\n", "t:", "ä☃\0", &"long".repeat(1000)] {
        let value: Vec<u8> = (0..=255).collect();
        let entry = Entry::new(value.clone(), hours(1)).tag(text);
        let version = store.put(text, entry, If::Absent).await.unwrap().unwrap();
        let stored = store.get(text).await.unwrap().unwrap();
        assert_eq!((&stored.value[..], stored.version), (&value[..], version));
        let lease = store.lease(text, hours(1)).await.unwrap().unwrap();
        store.release(lease).await.unwrap();
        assert_eq!(store.invalidate(text).await.unwrap(), 1);
    }
}

async fn nothing_is_left_over(ground: &impl Ground) {
    let store = ground.store();
    for number in 0..40 {
        let entry = Entry::new("v", hours(number % 5)).tag("all").tag(number.to_string());
        store.put(&number.to_string(), entry, If::Any).await.unwrap();
        ground.pass(number % 2).await;
    }
    ground.pass(5).await;
    // Memory sweeps when something is written.
    assert_eq!(store.invalidate("all").await.unwrap(), 0);
    assert_eq!(ground.rest().await, Vec::<String>::new());
}

async fn one_writer_wins(ground: &impl Ground) {
    let store = ground.store();
    let write = async |_| store.put("once", Entry::new("v", hours(1)), If::Absent).await.unwrap();
    let written = futures::future::join_all((0..100).map(write)).await;
    assert_eq!(written.into_iter().flatten().count(), 1);
    let seen = store.get("once").await.unwrap().unwrap().version;
    let change = async |_| store.put("once", Entry::new("w", hours(1)), If::Version(seen)).await.unwrap();
    let changed = futures::future::join_all((0..100).map(change)).await;
    assert_eq!(changed.into_iter().flatten().count(), 1);
}

async fn a_quota_is_given_once_and_comes_back(ground: &impl Ground) {
    let store = ground.store();
    // Long enough that a slow machine does not let one come back unnoticed.
    let rate = rate(3, 3 * 24);
    for (passed, allowed, remaining) in [
        (0, true, 2),
        (0, true, 1),
        (0, true, 0),
        (0, false, 0),
        (24, true, 0),
        (12, false, 0),
        (24, true, 0),
        (500, true, 2),
    ] {
        ground.pass(passed).await;
        let taken = store.take("acct_acme", rate).await.unwrap();
        assert_eq!((taken.allowed, taken.remaining), (allowed, remaining), "after {passed}: {taken:?}");
        assert!(taken.next <= hours(24) && taken.reset <= hours(3 * 24), "{taken:?}");
        assert!(taken.next > hours(11) && taken.reset > hours(23), "{taken:?}");
    }
    let other = store.take("acct_globex", rate).await.unwrap();
    assert_eq!((other.allowed, other.remaining), (true, 2));
    assert_eq!(store.get("acct_acme").await.unwrap(), None);
    assert_eq!(store.invalidate("acct_acme").await.unwrap(), 0);

    // A smaller plan: what was taken before does not count for more than all of it.
    let less = store.take("acct_acme", self::rate(1, 24)).await.unwrap();
    assert!(!less.allowed && less.reset <= hours(24), "{less:?}");
    ground.pass(24).await;
    assert!(store.take("acct_acme", self::rate(1, 24)).await.unwrap().allowed);
    ground.pass(3 * 24).await;
}

async fn no_more_is_given_to_many_at_once(ground: &impl Ground) {
    let store = ground.store();
    let rate = rate(40, 4000);
    let take = async |_| store.take("many", rate).await.unwrap();
    let taken = futures::future::join_all((0..100).map(take)).await;
    assert_eq!(taken.iter().filter(|taken| taken.allowed).count(), 40);
    let mut left: Vec<_> = taken.iter().filter(|taken| taken.allowed).map(|taken| taken.remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..40).collect::<Vec<_>>(), "each is told another number");
}

fn rate(capacity: u32, period: u64) -> Rate {
    Rate::new(capacity.try_into().unwrap(), hours(period))
}
