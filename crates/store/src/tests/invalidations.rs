use test_support::RedisServer;

use super::ground::{InRedis, settings};
use super::proxy::Proxy;
use super::*;

fn tags(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn in_memory_every_subscriber_hears() {
    let store = SharedStore::memory();
    let channel = store.clone().invalidations();
    channel.publish(&tags(&["nobody", "hears"])).await.unwrap();
    let (mut one, mut two) = (channel.subscribe(), store.invalidations().subscribe());
    channel.publish(&tags(&["a", "b"])).await.unwrap();
    for subscription in [&mut one, &mut two] {
        assert_eq!(subscription.next().await, Event::Tags(tags(&["a", "b"])));
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_too_slow_is_told_so() {
    let store = SharedStore::memory();
    let mut subscription = store.invalidations().subscribe();
    for _ in 0..300 {
        store.invalidations().publish(&tags(&["a"])).await.unwrap();
    }
    assert_eq!(subscription.next().await, Event::Missed);
    assert_eq!(subscription.next().await, Event::Tags(tags(&["a"])));
}

#[tokio::test]
async fn through_redis_every_replica_hears() {
    for server in [RedisServer::start().await, RedisServer::start_cluster().await] {
        let open = || SharedStore::open(&settings(&server)).unwrap();
        let (one, two) = (open(), open());
        let mut subscriptions = [one.invalidations().subscribe(), two.invalidations().subscribe()];
        for subscription in &mut subscriptions {
            // Since nobody knows what was published before.
            assert_eq!(subscription.next().await, Event::Missed);
        }
        for published in [&["a", "b"][..], &[], &["ä☃"]] {
            one.invalidations().publish(&tags(published)).await.unwrap();
            for subscription in &mut subscriptions {
                assert_eq!(subscription.next().await, Event::Tags(tags(published)));
            }
        }
        let many = vec!["a".to_owned(); 1000];
        one.invalidations().publish(&many).await.unwrap();
        for subscription in &mut subscriptions {
            assert_eq!(subscription.next().await, Event::Missed);
        }
    }
}

#[tokio::test]
async fn what_is_no_message_is_ignored() {
    let InRedis { store, server, .. } = InRedis::start().await;
    let mut subscription = store.invalidations().subscribe();
    assert_eq!(subscription.next().await, Event::Missed);
    server.command("PUBLISH triptych:invalidations nonsense").await;
    server.command("PUBLISH other:invalidations [\"a\"]").await;
    store.invalidations().publish(&tags(&["a"])).await.unwrap();
    assert_eq!(subscription.next().await, Event::Tags(tags(&["a"])));
}

#[tokio::test]
async fn whoever_was_cut_off_is_told() {
    let mut server = RedisServer::start().await;
    let proxy = Proxy::start(server.address()).await;
    let through = format!("redis://{}/0", proxy.address);
    for url in [server.url(), through] {
        let store = SharedStore::open(&StoreSettings::at(url.parse().unwrap())).unwrap();
        let mut subscription = store.invalidations().subscribe();
        assert_eq!(subscription.next().await, Event::Missed);
        server.restart().await;
        assert_eq!(subscription.next().await, Event::Missed);
    }
}

#[tokio::test]
async fn a_connection_that_carries_nothing_is_noticed() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.address()).await;
    let url = format!("redis://{}/0", proxy.address);
    let store = SharedStore::open(&StoreSettings::at(url.parse().unwrap())).unwrap();
    let mut subscription = store.invalidations().subscribe();
    assert_eq!(subscription.next().await, Event::Missed);
    proxy.swallow();
    assert_eq!(subscription.next().await, Event::Missed);
    eventually("it is heard again", async || store.invalidations().publish(&tags(&["a"])).await.is_ok())
        .await;
    assert_eq!(subscription.next().await, Event::Tags(tags(&["a"])));
}

#[tokio::test]
async fn connections_end_with_the_last_handle() {
    let InRedis { store, server, raw, .. } = InRedis::start().await;
    drop(raw);
    store.get("key").await.unwrap();
    let mut subscription = store.invalidations().subscribe();
    assert_eq!(subscription.next().await, Event::Missed);
    drop(store);
    assert!(server.command("CLIENT LIST TYPE pubsub").await.contains("sub=1"));
    drop(subscription);
    // The one that asks is there.
    eventually("nobody is connected", async || {
        server.command("INFO clients").await.contains("connected_clients:1\r")
    })
    .await;
}
