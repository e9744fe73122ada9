//! One session in some replicas, used by many requests at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::{Bounds, If, MemoryStore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use super::super::{Lost, Refresher};
use super::parts::{Fate, Line, Shared, Way};
use crate::seal::Keyring;
use crate::sessions::clock::Clock;
use crate::sessions::cookie::{SessionId, SessionKey};
use crate::sessions::fake::{FakeIssuer, REALM, request};
use crate::sessions::jitter::Jitter;
use crate::sessions::record::{Lifetimes, Record};
use crate::sessions::vault::Vault;

const DEADLINE: Duration = Duration::from_secs(2);
/// How long a token lives, and how long requests come.
const LIFE: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_mins(1);
const SPAN: Duration = Duration::from_secs(100);
/// After that everything that began has ended: a redemption, and the writing of its outcome.
const REST: Duration = Duration::from_mins(3);

/// What may go wrong under a seed.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each trouble is there or not, whatever the others are")]
pub(super) struct Troubles {
    pub(super) rotation: bool,
    pub(super) provider: bool,
    pub(super) slow: bool,
    pub(super) lost_answers: bool,
    pub(super) store: bool,
    pub(super) kill: bool,
    pub(super) stall: bool,
    pub(super) logout: bool,
}

impl Troubles {
    pub(super) fn of(seed: u64) -> Self {
        let chance = Jitter::seeded(!seed);
        let one_in = |times| chance.next().is_multiple_of(times);
        Self {
            rotation: !one_in(5),
            provider: one_in(3),
            slow: one_in(3),
            lost_answers: one_in(8),
            store: one_in(6),
            kill: one_in(5),
            stall: one_in(4),
            logout: one_in(3),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Served,
    Ended,
    Unavailable,
}

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) outcome: Outcome,
    /// Whether the token that it was served with was still good.
    pub(super) lived: bool,
}

/// Somebody signed out, or tried to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logout {
    pub(super) began: Instant,
    /// When they were told that it had succeeded.
    done: Option<Instant>,
}

/// What there was to see.
pub(super) struct Seen {
    pub(super) requests: Vec<Asked>,
    pub(super) unanswered: usize,
    pub(super) redeemed: BTreeMap<String, usize>,
    pub(super) logout: Option<Logout>,
    pub(super) killed: bool,
    pub(super) lost_a_lease: bool,
    pub(super) is_there: bool,
    pub(super) broken: Option<String>,
    /// What a request gets when all is well again.
    pub(super) last: Outcome,
}

impl Seen {
    /// From when on nobody may be served.
    pub(super) fn logged_out(&self) -> Option<Instant> {
        self.logout?.done
    }
}

#[derive(Clone)]
struct Replica {
    vault: Arc<Vault<Way>>,
    refresher: Refresher<Way>,
    fate: Arc<Fate>,
}

pub(super) struct World {
    chance: Arc<Jitter>,
    troubles: Troubles,
    well: Arc<AtomicBool>,
    shared: Arc<Shared>,
    provider: Arc<FakeIssuer>,
    replicas: Vec<Replica>,
    key: SessionKey,
}

impl World {
    pub(super) async fn new(seed: u64, troubles: Troubles) -> Self {
        let chance = Arc::new(Jitter::seeded(seed));
        let (clock, keyring) = (Clock::of_test(), Keyring::random());
        let provider = FakeIssuer::new(clock, LIFE);
        provider.set_rotates(troubles.rotation);
        let store = MemoryStore::new(Bounds { entries: 100, bytes: 1 << 20 });
        let shared = Arc::new(Shared {
            store,
            keyring,
            newest: Mutex::new((0, 1)),
            holders: Mutex::default(),
            broken: Mutex::default(),
            lost_a_lease: AtomicBool::new(false),
        });
        let well = Arc::new(AtomicBool::new(true));
        let fate = || {
            Arc::new(Fate {
                chance: chance.clone(),
                troubles,
                well: well.clone(),
                killed: AtomicBool::new(false),
                stalled: Mutex::new(Instant::now()),
            })
        };
        let count = 2 + chance.next() % 2;
        let replicas: Vec<_> = (0..count).map(|_| Replica::new(&shared, &provider, fate(), clock)).collect();
        let key = SessionId::random().key();
        let record = Record::new(REALM.into(), provider.sign_in("s-1"), clock.now());
        replicas[0].vault.write(key, record, If::Absent).await.unwrap().unwrap();
        well.store(false, Ordering::Relaxed);
        Self { chance, troubles, well, shared, provider, replicas, key }
    }

    pub(super) async fn run(self) -> Seen {
        let mut asked = vec![];
        for _ in 0..8 {
            let when = self.chance.between(Duration::ZERO, SPAN);
            // All at once, or one after the other.
            let spread = Duration::from_millis(if self.chance.next().is_multiple_of(2) { 50 } else { 5000 });
            for _ in 0..self.chance.next() % 12 {
                let when = when + self.chance.between(Duration::ZERO, spread);
                let replica = self.any_replica();
                asked.push((replica.clone(), tokio::spawn(replica.ask(self.key, when))));
            }
        }
        let logout = self.troubles.logout.then(|| self.begin_logout());
        sleep(SPAN).await;
        self.well.store(true, Ordering::Relaxed);
        sleep(REST).await;

        let logout = match logout {
            Some(logout) => Some(logout.await.unwrap()),
            None => None,
        };
        let (mut requests, mut unanswered) = (vec![], 0);
        for (replica, request) in asked {
            if request.is_finished() {
                requests.push(request.await.unwrap());
            } else if !replica.is_dead() {
                unanswered += 1;
            }
        }
        let killed = self.replicas.iter().any(Replica::is_dead);
        let lost_a_lease = self.shared.lost_a_lease.load(Ordering::Relaxed);
        let last = self.last().await;
        let is_there = self.replicas[0].is_there(&self.shared, self.key).await;
        let redeemed = self.provider.redeemed();
        let broken = self.shared.broken.lock().unwrap().take();
        Seen { requests, unanswered, redeemed, logout, killed, lost_a_lease, is_there, broken, last }
    }

    fn any_replica(&self) -> Replica {
        let one = usize::try_from(self.chance.next()).unwrap() % self.replicas.len();
        self.replicas[one].clone()
    }

    fn begin_logout(&self) -> JoinHandle<Logout> {
        let (replica, key) = (self.any_replica(), self.key);
        let when = self.chance.between(Duration::ZERO, SPAN);
        tokio::spawn(async move {
            sleep(when).await;
            let began = Instant::now();
            let ended = timeout(MINUTE, replica.vault.end(key)).await;
            Logout { began, done: matches!(ended, Ok(Ok(_))).then(Instant::now) }
        })
    }

    /// What a new replica answers, if all others have died.
    async fn last(&self) -> Outcome {
        let clock = self.provider.clock;
        let alive = self.replicas.iter().find(|replica| !replica.is_dead()).cloned();
        let replica = alive.unwrap_or_else(|| {
            let fate = Fate {
                chance: self.chance.clone(),
                troubles: self.troubles,
                well: self.well.clone(),
                killed: AtomicBool::new(false),
                stalled: Mutex::new(Instant::now()),
            };
            Replica::new(&self.shared, &self.provider, Arc::new(fate), clock)
        });
        let asked = timeout(REST, replica.ask(self.key, Duration::ZERO)).await;
        asked.expect("a replica that is well answers").outcome
    }
}

impl Replica {
    fn new(shared: &Arc<Shared>, provider: &Arc<FakeIssuer>, fate: Arc<Fate>, clock: Clock) -> Self {
        let way = Way { shared: shared.clone(), fate: fate.clone() };
        let lifetimes = Lifetimes { idle: Duration::from_mins(10), absolute: Duration::from_hours(1) };
        let vault = Arc::new(Vault::new(way, shared.keyring.clone(), REALM.into(), lifetimes, clock));
        let line = Arc::new(Line { provider: provider.clone(), fate: fate.clone() });
        let jitter = Jitter::seeded(fate.chance.next());
        let refresher = Refresher::new(vault.clone(), line, jitter, TaskTracker::new());
        Self { vault, refresher, fate }
    }

    fn is_dead(&self) -> bool {
        self.fate.killed.load(Ordering::Relaxed)
    }

    async fn is_there(&self, shared: &Shared, key: SessionKey) -> bool {
        store::Store::get(&shared.store, &key.name()).await.unwrap().is_some()
    }

    /// What `Sessions` does with a request.
    async fn ask(self, key: SessionKey, when: Duration) -> Asked {
        sleep(when).await;
        let began = Instant::now();
        let ctx = request(DEADLINE);
        let landed = match self.vault.load(key).await {
            Ok(Some(session)) => self.refresher.fresh(&ctx, session).await,
            Ok(None) => Err(Lost::Ended),
            Err(error) => Err(error.into()),
        };
        let (outcome, lived) = match landed {
            Ok(session) => {
                // A third of them is a sign of life: more often than in earnest, for more races.
                if self.fate.one_in(3) {
                    let (vault, session) = (self.vault.clone(), session.clone());
                    tokio::spawn(async move { vault.note_use(&session).await });
                }
                (Outcome::Served, session.record.lives(self.vault.clock.now()))
            }
            Err(Lost::Ended) => (Outcome::Ended, true),
            Err(Lost::Unavailable(_)) => (Outcome::Unavailable, true),
        };
        Asked { began, ended: Instant::now(), outcome, lived }
    }
}
