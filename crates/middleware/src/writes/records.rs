//! The records of writes in the store.

use std::time::Duration;

use problem::{Problem, kind};
use store::{Entry, If, Store, StoreError, Version};
use tokio::time::timeout;

use super::key::Key;
use super::outcome::Outcome;
use super::record::{Answer, Record, State};

/// How long a settled write is remembered.
const REMEMBERED: Duration = Duration::from_hours(24);
/// A store that takes longer is as good as down.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a record may end while we look at it.
const LOOKS: usize = 3;
const COME_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Records<S>(S);

/// What a request may do.
#[derive(Debug)]
pub(super) enum Claim {
    /// Run the handler: nobody else does, as long as the record has this version.
    Run(Version),
    /// Give this answer.
    Answered(Answer),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store did not answer in time")]
    Slow,
    #[error("the record was gone before the write ended")]
    Gone,
}

impl<S: Store> Records<S> {
    pub(super) fn new(store: S) -> Self {
        Self(store)
    }

    /// Claims the write for `ttl`, unless it is settled or somebody else has it.
    pub(super) async fn claim(&self, key: &Key, ttl: Duration) -> Result<Claim, Problem> {
        let claim = timeout(PATIENCE, self.look(key, ttl));
        claim.await.unwrap_or_else(|_| Err(unavailable(Failure::Slow)))
    }

    async fn look(&self, key: &Key, ttl: Duration) -> Result<Claim, Problem> {
        for _ in 0..LOOKS {
            if let Some(version) = self.run(key, ttl, If::Absent).await? {
                return Ok(Claim::Run(version));
            }
            let Some(stored) = self.0.get(&key.record).await.map_err(unavailable)? else {
                continue;
            };
            let record = Record::decode(&stored.value).map_err(unavailable)?;
            if record.request != key.request {
                return Err(Problem::new(kind::IDEMPOTENCY_MISMATCH));
            }
            match record.state {
                State::Answered(answer) => return Ok(Claim::Answered(answer)),
                State::Running => break,
                State::Unkept => {
                    let version = self.run(key, ttl, If::Version(stored.version)).await?;
                    if let Some(version) = version {
                        return Ok(Claim::Run(version));
                    }
                }
            }
        }
        Err(Problem::new(kind::IDEMPOTENCY_IN_PROGRESS).retry_after(COME_AGAIN))
    }

    async fn run(&self, key: &Key, ttl: Duration, condition: If) -> Result<Option<Version>, Problem> {
        let record = Record { request: key.request.clone(), state: State::Running };
        self.0.put(&key.record, Entry::new(record.encode(), ttl), condition).await.map_err(unavailable)
    }

    /// Records what became of the write that was claimed with this version.
    pub(super) async fn settle(&self, key: &Key, claimed: Version, outcome: Outcome) -> Result<(), Failure> {
        let state = match outcome {
            Outcome::Kept(answer) => Some(State::Answered(answer)),
            Outcome::Unkept => Some(State::Unkept),
            Outcome::None => None,
        };
        let claimed = If::Version(claimed);
        let settling = async {
            let Some(state) = state else {
                return self.0.delete(&key.record, claimed).await;
            };
            let record = Record { request: key.request.clone(), state };
            let entry = Entry::new(record.encode(), REMEMBERED);
            self.0.put(&key.record, entry, claimed).await.map(|written| written.is_some())
        };
        let held = timeout(PATIENCE, settling).await.map_err(|_| Failure::Slow)??;
        if held { Ok(()) } else { Err(Failure::Gone) }
    }
}

/// Whoever cannot know whether a write has happened does not begin it.
pub(super) fn unavailable(cause: impl std::error::Error + Send + Sync + 'static) -> Problem {
    Problem::new(kind::UNAVAILABLE).retry_after(COME_AGAIN).caused_by(cause)
}

#[cfg(test)]
mod tests {
    use axum::response::Response;
    use bytes::Bytes;
    use http::HeaderValue;
    use store::{Bounds, MemoryStore};
    use tokio::time::advance;

    use super::*;

    const TTL: Duration = Duration::from_secs(4);

    fn key() -> Key {
        Key { record: "r".into(), upstream: HeaderValue::from_static("u"), request: "q".into() }
    }

    async fn claimed(records: &Records<MemoryStore>) -> Version {
        match records.claim(&key(), TTL).await {
            Ok(Claim::Run(version)) => version,
            other => panic!("{other:?}"),
        }
    }

    /// As when a process is stopped for a while and then goes on.
    #[tokio::test(start_paused = true)]
    async fn who_lost_a_claim_changes_nothing_about_the_next() {
        let answer = || {
            let (parts, ()) = Response::new(()).into_parts();
            Outcome::Kept(Answer::new(&parts, Bytes::new()))
        };
        for lost in [answer(), Outcome::Unkept, Outcome::None] {
            let shown = format!("{lost:?}");
            let records = Records::new(MemoryStore::new(Bounds { entries: 9, bytes: 9999 }));
            let first = claimed(&records).await;
            advance(TTL).await;
            let second = claimed(&records).await;
            assert!(matches!(records.settle(&key(), first, lost).await, Err(Failure::Gone)), "{shown}");
            let problem = records.claim(&key(), TTL).await.unwrap_err();
            assert_eq!(problem.kind(), kind::IDEMPOTENCY_IN_PROGRESS, "{shown}");
            records.settle(&key(), second, answer()).await.unwrap();
            assert!(matches!(records.claim(&key(), TTL).await, Ok(Claim::Answered(_))), "{shown}");
        }
    }
}
