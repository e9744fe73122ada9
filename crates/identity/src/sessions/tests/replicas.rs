//! Two replicas that share a real Redis.

use test_support::RedisServer;

use super::*;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Tokens are over as soon as they are issued, until something else is said.
async fn replicas() -> (RedisServer, Arc<FakeIssuer>, [Site; 2]) {
    let server = RedisServer::start().await;
    let issuer = FakeIssuer::new(Clock::wall(), Duration::ZERO);
    let site = || {
        let settings = store::StoreSettings {
            timeout: Duration::from_secs(5),
            ..store::StoreSettings::at(server.url().parse().unwrap())
        };
        Site::with(&issuer, &SharedStore::open(&settings).unwrap(), &json!({"key": KEY}))
    };
    let sites = [site(), site()];
    for site in &sites {
        eventually(async || site.store.get("any").await.is_ok()).await;
    }
    (server, issuer, sites)
}

async fn eventually(condition: impl AsyncFn() -> bool) {
    while !condition().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// As many requests at once as there are numbers, half of them at each replica.
fn ask(sites: &[Site; 2], cookie: &str, count: usize) -> Vec<tokio::task::JoinHandle<String>> {
    let ask = |number: usize| {
        let (sessions, head) = (sites[number % 2].sessions.clone(), get(cookie));
        let ctx = request(MINUTE);
        tokio::spawn(async move { summary(sessions.authenticate(&ctx, &head).await) })
    };
    (0..count).map(ask).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_at_two_replicas_make_one_refresh() {
    let (_server, issuer, sites) = replicas().await;
    for round in 1..=10 {
        issuer.set_life(Duration::ZERO);
        let ada = sites[0].sign_in().await;
        issuer.set_life(5 * MINUTE);
        let expected = format!("u_42 a-{}", 2 * round);
        for request in ask(&sites, &ada, 100) {
            assert_eq!(request.await.unwrap(), expected);
        }
    }
    assert!(issuer.redeemed().values().all(|times| *times == 1), "{:?}", issuer.redeemed());
    assert_eq!(issuer.redeemed().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_among_a_hundred_requests_leaves_none_alive() {
    let (_server, issuer, sites) = replicas().await;
    for round in 0..10 {
        issuer.set_life(Duration::ZERO);
        let ada = sites[0].sign_in().await;
        issuer.set_life(5 * MINUTE);
        let before = ask(&sites, &ada, 50 + round * 5);
        // Each round it comes a little later.
        for _ in 0..round * 30 {
            tokio::task::yield_now().await;
        }
        sites[round % 2].sessions.logout(&request(MINUTE), &post(&ada, &OURS)).await.unwrap();
        for request in ask(&sites, &ada, 100) {
            assert_eq!(request.await.unwrap(), NOBODY);
        }
        for request in before {
            let got = request.await.unwrap();
            assert!(got == NOBODY || got.starts_with("u_42 a-"), "{got}");
        }
        let name = sites[0].sessions.presented(&get(&ada)).unwrap().name();
        assert!(sites[0].store.get(&name).await.unwrap().is_none(), "it came back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_is_not_a_logout() {
    let (mut server, issuer, sites) = replicas().await;
    issuer.set_life(5 * MINUTE);
    let [site, _] = &sites;
    let ada = site.sign_in().await;
    assert_eq!(site.recall(&ada).await, "u_42 a-1");

    server.pause();
    assert_eq!(site.recall(&ada).await, LATER);
    assert_eq!(site.state(&ada).await.unwrap_err().status(), 503);
    let logout = site.sessions.logout(&request(MINUTE), &post(&ada, &OURS)).await;
    assert_eq!(logout.unwrap_err().status(), 503, "a cookie was removed whose session goes on");
    server.resume();
    eventually(async || site.recall(&ada).await == "u_42 a-1").await;

    server.kill();
    for _ in 0..10 {
        assert_eq!(site.recall(&ada).await, LATER);
    }
    server.restart().await;
    // This one kept nothing: what it lost is over, and what is new works.
    eventually(async || site.recall(&ada).await == NOBODY).await;
    let ada = site.sign_in().await;
    eventually(async || sites[1].recall(&ada).await == "u_42 a-2").await;
}
