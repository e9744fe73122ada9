//! What is shared is shared with nobody whom it does not belong to.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use end_to_end::{Answer, Bff, Client, Kind};
use futures::{StreamExt, stream};
use serde_json::json;
use tokio::time::timeout;

use super::{PATIENT, PATIENT_MOBILE, SERVICES, Site, figure, ids};
use crate::routes::ROUTES;

const USERS: u32 = 6;
/// Each with its own random order, at its own random speed.
const INTERLEAVINGS: u64 = 20;
const REQUESTS: u64 = 150;
const AT_ONCE: usize = 24;
/// Nothing is shared.
const ALONE: &[(&str, &str)] = &[
    ("BFF__CACHE__MAX_BYTES", "0 B"),
    ("BFF__UPSTREAMS__USERS__COALESCING", "false"),
    ("BFF__UPSTREAMS__ORDERS__COALESCING", "false"),
    ("BFF__UPSTREAMS__CATALOG__COALESCING", "false"),
    ("BFF__UPSTREAMS__NOTIFICATIONS__COALESCING", "false"),
];

/// Random numbers that come again from the same seed (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("it is below a length")
    }
}

/// Everybody, everything that they ask, and what each of them alone is answered.
struct World {
    clients: Vec<Client>,
    paths: Vec<String>,
    alone: HashMap<(usize, usize), String>,
}

impl World {
    async fn of(site: &Site, kind: Kind, shared: &Bff) -> Self {
        let changes = if kind == Kind::Web { PATIENT } else { PATIENT_MOBILE };
        let alone = site.start(kind, &[changes, ALONE]).await;
        let (mut clients, mut lonely, mut orders) = (vec![], vec![], vec![]);
        for user in 42..42 + USERS {
            let client = site.client(&alone, &format!("u_{user}")).await;
            orders.extend(ids(&client.get("/orders").await, "/orders").into_iter().take(1));
            lonely.push(client);
            clients.push(site.client(shared, &format!("u_{user}")).await);
        }
        let paths = paths(kind, &orders);
        let mut answers = HashMap::new();
        for (user, client) in lonely.iter().enumerate() {
            for (path, asked) in paths.iter().enumerate() {
                answers.insert((user, path), shown(&client.get(asked).await));
            }
        }
        Self { clients, paths, alone: answers }
    }
}

/// Every route that reads, and for each of these orders the one that shows it.
fn paths(kind: Kind, orders: &[String]) -> Vec<String> {
    let reads = ROUTES.iter().filter(|route| route.kind == kind && route.method == "GET");
    let fill = |path: &str, order: &String| path.replace("{order}", order).replace("{product}", "p_1");
    let mut paths: Vec<_> =
        reads.flat_map(|route| orders.iter().map(|order| fill(route.path, order))).collect();
    paths.sort_unstable();
    paths.dedup();
    assert!(paths.iter().all(|path| !path.contains('{')), "{paths:?}");
    paths
}

/// An answer, whole; of a problem what is not different each time.
fn shown(answer: &Answer) -> String {
    let outcome = answer.outcome();
    let body = if answer.status == 200 { String::from_utf8_lossy(&answer.body) } else { "".into() };
    format!("{outcome} {body}")
}

#[tokio::test]
async fn nobody_is_answered_with_what_is_anothers() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let mobile = site.start(Kind::Mobile, &[PATIENT_MOBILE]).await;
    let worlds = [World::of(&site, Kind::Web, &web).await, World::of(&site, Kind::Mobile, &mobile).await];
    let own: Vec<_> = (0..USERS as usize).map(|user| &worlds[0].alone[&(user, 0)]).collect();
    assert!(own.iter().all(|mine| own.iter().filter(|other| other == &mine).count() == 1), "they differ");
    for service in SERVICES {
        let rules = json!([{"path": "*", "mode": "latency", "latencyMs": 15, "rate": 0.3}]);
        site.shop.strike(service, &rules).await;
    }
    let seed = RandomState::new().build_hasher().finish() | 1;
    let mut answered = 0;
    for interleaving in 0..INTERLEAVINGS {
        // Every one begins with nothing kept, so that there is something to share.
        for bff in [&web, &mobile] {
            bff.invalidate(&["*"]).await;
        }
        answered += interleave(&worlds, seed.wrapping_add(2 * interleaving)).await;
    }
    foreign_tags(&worlds).await;
    let asked = INTERLEAVINGS * REQUESTS;
    assert!(answered > asked / 2, "{answered} of {asked} were answered, which proves little");
    let shared = shared(&web).await + shared(&mobile).await;
    assert!(shared > 0, "nothing was shared, which proves nothing");
    figure("isolation", &[&USERS, &INTERLEAVINGS, &asked, &answered, &shared, &0]);
}

/// How many answers were there, since each of them was that of this user alone.
async fn interleave(worlds: &[World], seed: u64) -> u64 {
    let mut dice = Dice(seed);
    let requests: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let world = &worlds[dice.index(worlds.len())];
            let (user, path) = (dice.index(world.clients.len()), dice.index(world.paths.len()));
            // Some leave while they share a call.
            let leaves = if dice.below(8) == 0 { dice.below(20) } else { 60_000 };
            (world, user, path, Duration::from_millis(leaves))
        })
        .collect();
    let asking = stream::iter(requests).map(|(world, user, path, leaves)| async move {
        let Ok(answer) = timeout(leaves, world.clients[user].get(&world.paths[path])).await else {
            return 0;
        };
        let asked = &world.paths[path];
        assert_eq!(shown(&answer), world.alone[&(user, path)], "user {user} at {asked}, seed {seed}");
        1
    });
    asking.buffer_unordered(AT_ONCE).fold(0, async |sum, answered| sum + answered).await
}

/// The entity tag of one user's page says nothing to another.
async fn foreign_tags(worlds: &[World]) {
    for world in worlds {
        for (path, asked) in world.paths.iter().enumerate() {
            let tag = world.clients[0].get(asked).await.header("etag").to_owned();
            if tag.is_empty() || world.alone[&(0, path)] == world.alone[&(1, path)] {
                continue;
            }
            let answer = world.clients[1].clone().with("if-none-match", &tag).get(asked).await;
            assert_eq!(shown(&answer), world.alone[&(1, path)], "{asked}");
        }
    }
}

/// How many calls were spared, since an answer was kept or on its way.
async fn shared(bff: &Bff) -> u64 {
    let state = bff.upstreams().await;
    let upstreams = state["upstreams"].as_object().expect("an object").values();
    let operations =
        upstreams.flat_map(|upstream| upstream["operations"].as_object().expect("an object").values());
    let joined: u64 = operations.filter_map(|operation| operation["coalesced"].as_u64()).sum();
    joined + state["cache"]["fresh"].as_u64().expect("a count")
}
