//! What only Redis can do, or do wrong.

use test_support::RedisServer;

use super::ground::{InRedis, reason, settings};
use super::*;

#[tokio::test]
async fn two_stores_with_one_prefix_share_and_with_two_do_not() {
    let server = RedisServer::start().await;
    let open = |prefix: &str| {
        SharedStore::open(&StoreSettings { prefix: prefix.into(), ..settings(&server) }).unwrap()
    };
    let (one, same, other) = (open("one"), open("one"), open("other"));
    one.put("key", Entry::new("v", hours(1)).tag("tag"), If::Any).await.unwrap();
    let lease = one.lease("key", hours(1)).await.unwrap().unwrap();

    assert_eq!(same.get("key").await.unwrap().unwrap().value, "v");
    assert_eq!(same.lease("key", hours(1)).await.unwrap(), None);
    assert_eq!(other.get("key").await.unwrap(), None);
    assert_eq!(other.invalidate("tag").await.unwrap(), 0);
    assert!(other.lease("key", hours(1)).await.unwrap().is_some());
    assert_eq!(same.invalidate("tag").await.unwrap(), 1);
    same.release(lease).await.unwrap();
    assert!(one.lease("key", hours(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_redis_refuses_and_keeps_what_it_has() {
    let ground = InRedis::start().await;
    let store = &ground.store;
    store.put("key", Entry::new("old", hours(1)).tag("tag"), If::Any).await.unwrap();
    ground.server.command("CONFIG SET maxmemory 1").await;
    let refused = store.put("key", Entry::new("new", hours(1)), If::Any).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert!(matches!(store.lease("lease", hours(1)).await, Err(StoreError::Full)));
    assert_eq!(store.get("key").await.unwrap().unwrap().value, "old");
    assert_eq!(store.invalidate("tag").await.unwrap(), 1);
    ground.server.command("CONFIG SET maxmemory 0").await;
    assert!(store.put("key", Entry::new("new", hours(1)), If::Any).await.unwrap().is_some());
}

#[tokio::test]
async fn a_value_has_a_largest_size() {
    let ground = InRedis::start().await;
    let entry = |length| Entry::new(vec![0; length], hours(1));
    assert!(ground.store.put("key", entry(4 << 20), If::Any).await.unwrap().is_some());
    let refused = ground.store.put("key", entry((4 << 20) + 1), If::Any).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
}

#[tokio::test]
async fn forgotten_scripts_are_sent_again() {
    let ground = InRedis::start().await;
    for value in ["a", "b"] {
        ground.store.put("key", Entry::new(value, hours(1)), If::Any).await.unwrap();
        ground.server.command("SCRIPT FLUSH").await;
    }
    assert_eq!(ground.store.get("key").await.unwrap().unwrap().value, "b");
}

#[tokio::test]
async fn what_was_demoted_is_left_for_who_took_over() {
    let ground = InRedis::start().await;
    let put = async || ground.store.put("key", Entry::new("v", hours(1)), If::Any).await;
    put().await.unwrap();
    ground.server.command("REPLICAOF 127.0.0.1 1").await;
    assert!(reason(put().await).contains("READONLY") || reason(put().await).contains("read only"));
    ground.server.command("REPLICAOF NO ONE").await;
    eventually("it writes again", async || put().await.is_ok()).await;
}

#[tokio::test]
async fn a_password_is_used_and_never_shown() {
    let server = RedisServer::start().await;
    server.command("CONFIG SET requirepass hunter2").await;
    for (credential, good) in
        [(":hunter2@", true), ("default:hunter2@", true), (":hunter3@", false), ("", false)]
    {
        let url = server.url().replace("redis://", &format!("redis://{credential}"));
        let store = SharedStore::open(&StoreSettings::at(url.parse().unwrap())).unwrap();
        let outcome = store.get("key").await;
        assert_eq!(outcome.is_ok(), good, "{credential}: {outcome:?}");
        let printed = format!("{store:?} {outcome:?}");
        assert!(!printed.contains("hunter"), "{printed}");
    }
}

#[tokio::test]
async fn tls_is_spoken_with_whom_the_authority_vouches_for() {
    let server = RedisServer::start_tls().await;
    let trusting = StoreSettings { ca_file: Some(server.ca_file()), ..settings(&server) };
    let store = SharedStore::open(&trusting).unwrap();
    store.put("key", Entry::new("v", hours(1)), If::Any).await.unwrap();
    let mut events = store.invalidations().subscribe();
    assert_eq!(events.next().await, Event::Missed);

    let distrusting = SharedStore::open(&settings(&server)).unwrap();
    let refused = reason(distrusting.get("key").await);
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[test]
fn a_file_without_authorities_is_refused() {
    let settings = |file: &str| StoreSettings {
        ca_file: Some(file.into()),
        ..StoreSettings::at("rediss://cache".parse().unwrap())
    };
    for (file, problem) in [
        ("/does/not/exist", "No such file"),
        (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "must hold"),
    ] {
        let refused = SharedStore::open(&settings(file)).unwrap_err();
        assert_eq!(refused.key, "ca_file");
        assert!(refused.problem.contains(problem), "{refused}");
    }
}
