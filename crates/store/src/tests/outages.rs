//! A Redis that is not there, goes away, or says nothing.

use test_support::RedisServer;

use super::ground::{InRedis, reason, settings};
use super::proxy::Proxy;
use super::*;

const NO_CONNECTION: &str = "there is no connection";

#[tokio::test]
async fn a_redis_that_is_killed_is_used_again_when_it_is_back() {
    let InRedis { store, mut server, .. } = InRedis::start().await;
    let put = async || store.put("key", Entry::new("v", hours(1)), If::Any).await;
    let before = put().await.unwrap().unwrap();
    let lease = store.lease("lease", hours(1)).await.unwrap().unwrap();
    server.kill();
    assert!(matches!(put().await, Err(StoreError::Unavailable(_))));
    // As soon as it is known, calls do not even wait.
    eventually("it is known", async || reason(put().await).contains(NO_CONNECTION)).await;
    server.restart().await;
    eventually("it is back", async || put().await.is_ok()).await;

    let after = put().await.unwrap().unwrap();
    assert!(after > before, "also when everything was lost");
    assert!(store.lease("lease", hours(1)).await.unwrap().unwrap().fence() > lease.fence());
}

#[tokio::test]
async fn a_redis_that_is_not_there_stops_no_start() {
    let mut server = RedisServer::start().await;
    server.kill();
    let store = SharedStore::open(&settings(&server)).unwrap();
    assert!(reason(store.get("key").await).contains(NO_CONNECTION));
    assert!(reason(store.invalidations().publish(&["tag".into()]).await).contains(NO_CONNECTION));
    server.restart().await;
    eventually("it is there", async || store.get("key").await.is_ok()).await;
}

#[tokio::test]
async fn a_redis_that_says_nothing_is_not_waited_for() {
    let server = RedisServer::start().await;
    let store = SharedStore::open(&StoreSettings::at(server.url().parse().unwrap())).unwrap();
    eventually("it answers", async || store.get("key").await.is_ok()).await;
    server.pause();
    assert!(reason(store.get("key").await).contains("not within"));
    // Any number of calls ends, at the latest with the timeout.
    let calls = futures::future::join_all((0..5000).map(async |_| store.get("key").await)).await;
    assert!(calls.into_iter().all(|call| matches!(call, Err(StoreError::Unavailable(_)))));
    eventually("it is known", async || reason(store.get("key").await).contains(NO_CONNECTION)).await;
    server.resume();
    eventually("it answers again", async || store.get("key").await.is_ok()).await;
}

#[tokio::test]
async fn a_cluster_that_is_killed_or_says_nothing_is_used_again() {
    let mut server = RedisServer::start_cluster().await;
    let store = SharedStore::open(&StoreSettings::at(server.url().parse().unwrap())).unwrap();
    let put = async || store.put("key", Entry::new("v", hours(1)), If::Any).await;
    eventually("it answers", async || put().await.is_ok()).await;
    server.pause();
    eventually("it is known", async || reason(put().await).contains(NO_CONNECTION)).await;
    server.resume();
    eventually("it answers again", async || put().await.is_ok()).await;
    server.kill();
    eventually("it is known", async || reason(put().await).contains(NO_CONNECTION)).await;
    server.restart().await;
    eventually("it is back", async || put().await.is_ok()).await;
}

#[tokio::test]
async fn a_connection_that_carries_nothing_is_replaced() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.address()).await;
    let url = format!("redis://{}/0", proxy.address);
    let store = SharedStore::open(&StoreSettings::at(url.parse().unwrap())).unwrap();
    eventually("it answers", async || store.get("key").await.is_ok()).await;
    for _ in 0..3 {
        proxy.swallow();
        eventually("it answers again", async || store.get("key").await.is_ok()).await;
    }
}
