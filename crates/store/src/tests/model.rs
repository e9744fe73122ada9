//! A store against the simplest thing that does the same: a map.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use test_support::RedisServer;
use tokio::runtime::{Builder, Runtime};

use super::ground::{Ground, InMemory, InRedis};
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put { key: u8, ttl: u64, tag: Option<u8>, condition: Condition },
    Delete { key: u8, condition: Condition },
    Invalidate { tag: u8 },
    Take { key: u8, rate: u8 },
    Pass { hours: u64 },
}

/// The condition of a step: `Seen` is the version last seen of its key, `Old` an earlier one.
#[derive(Clone, Copy, Debug)]
enum Condition {
    Any,
    Absent,
    Seen,
    Old,
}

fn step() -> impl Strategy<Value = Step> {
    use Condition::{Absent, Any, Old, Seen};
    let condition = || prop::sample::select(vec![Any, Absent, Seen, Old]);
    let put = (0..3_u8, 0..4_u64, prop::option::of(0..2_u8), condition());
    prop_oneof![
        4 => put.prop_map(|(key, ttl, tag, condition)| Step::Put { key, ttl, tag, condition }),
        1 => (0..3_u8, condition()).prop_map(|(key, condition)| Step::Delete { key, condition }),
        1 => (0..2_u8).prop_map(|tag| Step::Invalidate { tag }),
        2 => (0..2_u8, 0..2_u8).prop_map(|(key, rate)| Step::Take { key, rate }),
        2 => (0..3_u64).prop_map(|hours| Step::Pass { hours }),
    ]
}

/// What a store is, without regard to cost: each key's version, end and tag.
#[derive(Default)]
struct Model {
    now: u64,
    entries: HashMap<u8, (Version, u64, Option<u8>)>,
    seen: HashMap<u8, Vec<Version>>,
    /// For each key of a rate, how many hours until all is back.
    used: HashMap<u8, u64>,
}

/// How many at once, and after how many hours each comes back.
const RATES: [(u32, u64); 2] = [(3, 2), (2, 5)];

impl Model {
    fn condition(&self, key: u8, condition: Condition) -> If {
        let seen = self.seen.get(&key).map_or(&[][..], Vec::as_slice);
        let never = Version(u64::MAX);
        match condition {
            Condition::Any => If::Any,
            Condition::Absent => If::Absent,
            Condition::Seen => If::Version(seen.last().copied().unwrap_or(never)),
            Condition::Old => If::Version(seen.iter().rev().nth(1).copied().unwrap_or(never)),
        }
    }

    fn meets(&self, key: u8, condition: If) -> bool {
        let found = self.entries.get(&key).map(|(version, ..)| *version);
        match condition {
            If::Any => true,
            If::Absent => found.is_none(),
            If::Version(version) => found == Some(version),
        }
    }

    async fn take(&mut self, store: &impl Store, key: u8, (capacity, interval): (u32, u64)) {
        let rate = Rate::new(capacity.try_into().unwrap(), hours(interval * u64::from(capacity)));
        let whole = interval * u64::from(capacity);
        let used = (*self.used.entry(key).or_default()).min(whole);
        let allowed = used + interval <= whole;
        let used = if allowed { used + interval } else { used };
        let taken = store.take(&key.to_string(), rate).await.unwrap();
        assert_eq!(taken.allowed, allowed, "{taken:?}");
        // A Redis counts real time, too: what a test takes.
        assert!(taken.reset.abs_diff(hours(used)) < Duration::from_mins(30), "{taken:?} and not {used} h");
        if allowed {
            self.used.insert(key, used);
        }
    }

    async fn follow(&mut self, ground: &impl Ground, step: Step) {
        let store = ground.store();
        match step {
            Step::Put { key, ttl, tag, condition } => {
                let condition = self.condition(key, condition);
                let entry = Entry::new(vec![key], hours(ttl));
                let entry = tag.into_iter().fold(entry, |entry, tag| entry.tag(tag.to_string()));
                let written = store.put(&key.to_string(), entry, condition).await.unwrap();
                assert_eq!(written.is_some(), self.meets(key, condition));
                if let Some(version) = written {
                    let seen = self.seen.entry(key).or_default();
                    assert!(seen.iter().all(|earlier| *earlier < version));
                    seen.push(version);
                    self.entries.insert(key, (version, self.now + ttl, tag));
                }
            }
            Step::Delete { key, condition } => {
                let condition = self.condition(key, condition);
                let expected = self.meets(key, condition) && self.entries.remove(&key).is_some();
                assert_eq!(store.delete(&key.to_string(), condition).await.unwrap(), expected);
            }
            Step::Invalidate { tag } => {
                let before = self.entries.len();
                self.entries.retain(|_, (_, _, own)| *own != Some(tag));
                let gone = before - self.entries.len();
                assert_eq!(store.invalidate(&tag.to_string()).await.unwrap(), gone);
            }
            Step::Take { key, rate } => self.take(store, key, RATES[usize::from(rate)]).await,
            Step::Pass { hours } => {
                self.now += hours;
                self.used.values_mut().for_each(|used| *used = used.saturating_sub(hours));
                ground.pass(hours).await;
            }
        }
        self.entries.retain(|_, (_, ends, _)| *ends > self.now);
        for key in 0..3 {
            let found = store.get(&key.to_string()).await.unwrap().map(|stored| stored.version);
            assert_eq!(found, self.entries.get(&key).map(|(version, ..)| *version));
        }
    }
}

async fn follow_all(ground: &impl Ground, steps: Vec<Step>) {
    let mut model = Model::default();
    for step in steps {
        model.follow(ground, step).await;
    }
    for key in 0..3_u8 {
        ground.store().delete(&key.to_string(), If::Any).await.unwrap();
    }
    let mut rest = ground.rest().await;
    rest.retain(|key| !key.contains(":rate:"));
    assert_eq!(rest, Vec::<String>::new(), "nothing is left over");
    ground.pass(10).await;
    assert_eq!(ground.rest().await, Vec::<String>::new(), "what came back leaves nothing");
}

#[test]
fn memory_does_what_a_map_does() {
    let mut runner = TestRunner::new(Config::with_source_file(file!()));
    let checked = runner.run(&prop::collection::vec(step(), 1..60), |steps| {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(follow_all(&InMemory::new(), steps));
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn redis_does_what_a_map_does() {
    let runtime = Runtime::new().unwrap();
    let ground = runtime.block_on(InRedis::start());
    check(&runtime, &ground);
}

#[test]
fn a_redis_cluster_does_what_a_map_does() {
    let runtime = Runtime::new().unwrap();
    let ground = runtime.block_on(async { InRedis::new(RedisServer::start_cluster().await).await });
    check(&runtime, &ground);
}

fn check(runtime: &Runtime, ground: &InRedis) {
    let config = Config { cases: 48, ..Config::with_source_file(file!()) };
    let checked = TestRunner::new(config).run(&prop::collection::vec(step(), 1..40), |steps| {
        runtime.block_on(async {
            // What a case leaves when it fails must not be in the way of the shorter ones that follow.
            ::redis::cmd("FLUSHALL").exec_async(&mut ground.raw.clone()).await.unwrap();
            follow_all(ground, steps).await;
        });
        Ok(())
    });
    checked.unwrap();
}
