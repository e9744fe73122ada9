use std::collections::HashMap;

use proptest::prelude::*;
use tokio::time::{Instant, advance};

use super::*;

const BOUNDS: Bounds = Bounds { entries: 4, bytes: 4096 };

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn one_holder_at_a_time_and_fences_rise() {
    let store = MemoryStore::new(BOUNDS);
    let first = store.lease("refresh", seconds(10)).await.unwrap().unwrap();
    assert_eq!(store.lease("refresh", seconds(10)).await.unwrap(), None);
    advance(seconds(9)).await;
    assert!(store.renew(&first, seconds(10)).await.unwrap());
    advance(seconds(9)).await;
    assert_eq!(store.lease("refresh", seconds(10)).await.unwrap(), None);
    advance(seconds(1)).await;

    let second = store.lease("refresh", seconds(10)).await.unwrap().unwrap();
    assert!(second.fence() > first.fence());
    assert!(!store.renew(&first, seconds(10)).await.unwrap());
    store.release(first).await.unwrap();
    assert_eq!(store.lease("refresh", seconds(10)).await.unwrap(), None);
    store.release(second).await.unwrap();
    assert!(store.lease("refresh", seconds(10)).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_until_something_ends() {
    let store = MemoryStore::new(BOUNDS);
    for key in ["a", "b", "c", "d"] {
        store.put(key, Entry::new(key, seconds(5)), If::Any).await.unwrap();
        store.lease(key, seconds(5)).await.unwrap();
    }
    let refused = store.put("e", Entry::new("e", seconds(5)), If::Any).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert!(matches!(store.lease("e", seconds(5)).await, Err(StoreError::Full)));
    let large = store.put("a", Entry::new(vec![0; 4096], seconds(5)), If::Any).await;
    assert!(matches!(large, Err(StoreError::Full)), "{large:?}");
    assert_eq!(store.get("a").await.unwrap().unwrap().value, "a");

    assert!(store.put("a", Entry::new("A", seconds(9)), If::Any).await.unwrap().is_some());
    advance(seconds(5)).await;
    assert!(store.put("e", Entry::new("e", Duration::MAX), If::Any).await.unwrap().is_some());
    assert!(store.lease("e", seconds(5)).await.unwrap().is_some());
    assert_eq!(store.get("a").await.unwrap().unwrap().value, "A");
}

#[derive(Clone, Debug)]
enum Step {
    Put { key: u8, ttl: u64, tag: Option<u8>, condition: Condition },
    Delete { key: u8, condition: Condition },
    Invalidate { tag: u8 },
    Pass { seconds: u64 },
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
        2 => (0..3_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What a store is, without regard to cost: each key's version, end and tag.
#[derive(Default)]
struct Model {
    entries: HashMap<u8, (Version, Instant, Option<u8>)>,
    seen: HashMap<u8, Vec<Version>>,
}

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

    async fn follow(&mut self, store: &MemoryStore, step: Step) {
        match step {
            Step::Put { key, ttl, tag, condition } => {
                let condition = self.condition(key, condition);
                let entry = Entry::new(vec![key], seconds(ttl));
                let entry = tag.into_iter().fold(entry, |entry, tag| entry.tag(tag.to_string()));
                let written = store.put(&key.to_string(), entry, condition).await.unwrap();
                assert_eq!(written.is_some(), self.meets(key, condition));
                if let Some(version) = written {
                    self.entries.insert(key, (version, Instant::now() + seconds(ttl), tag));
                    self.seen.entry(key).or_default().push(version);
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
            Step::Pass { seconds: passed } => advance(seconds(passed)).await,
        }
        self.entries.retain(|_, (_, ends, _)| *ends > Instant::now());
        for key in 0..3 {
            let found = store.get(&key.to_string()).await.unwrap().map(|stored| stored.version);
            assert_eq!(found, self.entries.get(&key).map(|(version, ..)| *version));
        }
    }
}

proptest! {
    #[test]
    fn it_does_what_a_map_does(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let store = MemoryStore::new(BOUNDS);
            let mut model = Model::default();
            for step in steps {
                model.follow(&store, step).await;
            }
            for key in 0..3_u8 {
                store.delete(&key.to_string(), If::Any).await.unwrap();
            }
            assert!(store.is_empty(), "nothing is left over: {store:?}");
        });
    }
}
