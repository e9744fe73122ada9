//! Sessions over two replicas of the web BFF, a real Redis and a provider that has its moods.

use std::time::Duration;

use end_to_end::{Answer, Bff, Client, Credential, Kind, Redis, RunDir, Shop, cookies, until};
use futures::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

const ADA: &str = "u_42";
const KEY: &str = "BFF__SESSION__KEY";
const OLD_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const NEW_KEY: &str = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY=";
/// How long an access token lives here. It is renewed when a fifth of that is left.
const LIFETIME: Duration = Duration::from_secs(5);

/// A shop whose tokens are soon over, a Redis, and two replicas in front of the one and over the other.
struct Site {
    shop: Shop,
    redis: Redis,
    replicas: [Option<Bff>; 2],
    dir: RunDir,
}

impl Site {
    async fn open() -> Self {
        let dir = RunDir::create();
        let shop = Shop::open("demo-shop", &["--token-lifetime", "5s", "--pass-through"], &dir).await;
        let redis = Redis::start(&dir).await;
        let mut site = Self { shop, redis, replicas: [None, None], dir };
        for place in 0..2 {
            site.replicas[place] = Some(site.start(&[(KEY, OLD_KEY)]).await);
        }
        site
    }

    async fn start(&self, changes: &[(&str, &str)]) -> Bff {
        let url = self.redis.url();
        // One token for all services, so that every call of the token endpoint is a sign-in or a refresh.
        let fixed = [
            ("BFF__STORE__URL", &*url),
            ("BFF__IDENTITY__EXCHANGE__MODE", "pass_through"),
            ("BFF__REQUESTS__DEADLINE", "20s"),
        ];
        Bff::start(Kind::Web, &self.shop, &[&fixed, changes].concat(), &self.dir).await
    }

    fn replica(&self, place: usize) -> Client {
        self.replicas[place].as_ref().expect("it runs").client()
    }

    async fn sign_in(&self) -> Credential {
        Credential::signed_in(&self.replica(0), &self.shop, ADA).await
    }

    /// How often the provider was asked for tokens.
    async fn asked(&self) -> u64 {
        self.shop.identity_calls().await.get("POST /token").copied().unwrap_or_default()
    }
}

/// A request that makes one call, in the name of the session, and nothing else.
async fn act(client: &Client) -> Answer {
    client.send("POST", "/notifications/n_1/read", None).await
}

/// What [`act`] answers to Ada, whose notification that is not.
const ALIVE: [&str; 3] = ["204", "403 forbidden", "404 not-found"];

fn is_alive(answer: &Answer) -> bool {
    ALIVE.contains(&&*answer.outcome())
}

#[tokio::test]
async fn a_hundred_parallel_requests_with_an_expired_token_make_one_refresh() {
    let site = Site::open().await;
    let ada = site.sign_in().await;
    let signed_in = Instant::now();
    for round in 1..=2 {
        sleep_until(signed_in + round * (LIFETIME + Duration::from_secs(1))).await;
        let before = site.asked().await;
        let requests = (0..100).map(|number| {
            let client = site.replica(number % 2).of(&ada);
            async move { act(&client).await }
        });
        let answers = join_all(requests).await;
        for answer in &answers {
            assert!(is_alive(answer), "somebody is signed out: {answer:?}");
        }
        assert_eq!(site.asked().await - before, 1, "so many refreshes in round {round}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_no_logout() {
    let site = Site::open().await;
    let ada = site.replica(0).of(&site.sign_in().await);
    let expired = Instant::now() + LIFETIME;
    site.shop.strike("identity", &json!([{"path": "*", "mode": "reset"}])).await;
    assert!(is_alive(&act(&ada).await), "the token at hand is good");
    sleep_until(expired).await;
    for path in ["/orders", "/auth/session"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.outcome(), "503 unavailable", "{path}");
        assert!(!answer.header("retry-after").is_empty() && !answer.headers.contains_key("set-cookie"));
    }
    site.shop.heal("identity").await;
    until("a refresh", async || is_alive(&act(&ada).await).then_some(())).await;
}

#[tokio::test]
async fn a_replica_that_dies_with_the_lease_costs_at_most_one_sign_in() {
    let mut site = Site::open().await;
    let ada = site.sign_in().await;
    sleep_until(Instant::now() + LIFETIME).await;
    let before = site.asked().await;
    site.shop.strike("identity", &json!([{"path": "/token", "mode": "latency", "latencyMs": 2000}])).await;
    let doomed = site.replica(0).of(&ada);
    let waiting = tokio::spawn(async move { doomed.try_send("GET", "/orders", None).await.is_ok() });
    until("a redemption", async || (site.asked().await > before).then_some(())).await;
    let killed = site.replicas[0].take().expect("it runs");
    killed.process.kill();
    killed.process.ended().await;
    waiting.await.expect("it ends");
    site.shop.heal("identity").await;

    let other = site.replica(1).of(&ada);
    let answer = act(&other).await;
    assert!(is_alive(&answer) || answer.outcome() == "401 unauthenticated", "{answer:?}");
    if !is_alive(&answer) {
        assert_eq!(other.get("/auth/session").await.json(), json!({"authenticated": false}));
    }
    let again = site.replica(1).of(&Credential::signed_in(&site.replica(1), &site.shop, ADA).await);
    assert!(is_alive(&act(&again).await));
}

#[tokio::test]
async fn sessions_fail_closed_without_redis_and_heal() {
    let mut site = Site::open().await;
    let ada = site.replica(0).of(&site.sign_in().await);
    assert!(is_alive(&act(&ada).await));
    site.redis.pause();
    for path in ["/orders", "/auth/session"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.outcome(), "503 unavailable", "{path} while Redis hangs");
        assert!(cookies(&answer.headers).is_empty() && !answer.headers.contains_key("set-cookie"));
    }
    site.redis.resume();
    until("a session", async || is_alive(&act(&ada).await).then_some(())).await;

    site.redis.kill().await;
    assert_eq!(act(&ada).await.outcome(), "503 unavailable", "without Redis");
    site.redis.restart().await;
    // This Redis keeps nothing on a disk: what it knew is gone, and that is all that is lost.
    until("an answer", async || (act(&ada).await.outcome() == "401 unauthenticated").then_some(())).await;
    assert!(is_alive(&act(&site.replica(1).of(&site.sign_in().await)).await));
}

#[tokio::test]
async fn a_logout_at_one_replica_holds_at_the_other() {
    let site = Site::open().await;
    let ada = site.sign_in().await;
    assert!(is_alive(&act(&site.replica(1).of(&ada)).await), "a session is everywhere");
    let left = site.replica(0).of(&ada).send("POST", "/auth/logout", None).await;
    assert_eq!(left.outcome(), "200");
    assert!(left.json()["redirectTo"].as_str().is_some_and(|url| url.contains("/end-session")), "{left:?}");
    assert_eq!(act(&site.replica(1).of(&ada)).await.outcome(), "401 unauthenticated");
}

#[tokio::test]
async fn the_key_of_sessions_can_be_changed() {
    let mut site = Site::open().await;
    let ada = site.sign_in().await;
    let previous = |key| ("BFF__SESSION__PREVIOUS_KEY", key);
    // In the first round every replica learns the new key, in the second it is used.
    site.replicas[0] = Some(site.start(&[(KEY, OLD_KEY), previous(NEW_KEY)]).await);
    site.replicas[1] = Some(site.start(&[(KEY, NEW_KEY), previous(OLD_KEY)]).await);
    assert!(is_alive(&act(&site.replica(1).of(&ada)).await), "a session of the previous key");
    let since = Credential::signed_in(&site.replica(1), &site.shop, ADA).await;
    assert!(is_alive(&act(&site.replica(0).of(&since)).await), "a session of the key to come");
    site.replicas[0] = Some(site.start(&[(KEY, NEW_KEY)]).await);
    assert!(is_alive(&act(&site.replica(0).of(&since)).await));
    site.replicas[1] = Some(site.start(&[(KEY, "c29tZS1vdGhlci1rZXktb2YtMzItYnl0ZXMtLi4uLi4=")]).await);
    assert_eq!(act(&site.replica(1).of(&since)).await.outcome(), "401 unauthenticated", "a foreign key");
}
