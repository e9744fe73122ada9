//! Many lookups in few calls.

use futures::future::join_all;

use crate::{CallError, CallErrorKind, Reason, Upstream};

/// What a batch of lookups brought.
#[derive(Debug)]
pub struct Batch<T> {
    /// Whatever was found.
    pub found: Vec<T>,
    /// Why some ids could not be looked up, if some could not.
    pub lost: Option<CallError>,
}

impl Upstream {
    /// Looks up `ids`, at most `size` in one call, all calls at once.
    ///
    /// A call that fails because of what is in it, such as one item that breaks the contract, is split in halves, so that
    /// one item does not cost the others. The halves are paid from the budget of second attempts: where everything is
    /// broken, hardly anything is split. An error only if every call failed.
    pub async fn batch<T, F>(
        &self,
        ids: Vec<String>,
        size: usize,
        call: impl Fn(Vec<String>) -> F,
    ) -> Result<Batch<T>, CallError>
    where
        F: Future<Output = Result<Vec<T>, CallError>>,
    {
        let mut waiting: Vec<Vec<String>> = ids.chunks(size).map(<[String]>::to_vec).collect();
        let mut batch = Batch { found: vec![], lost: None };
        let mut succeeded = waiting.is_empty();
        while !waiting.is_empty() {
            let asked = std::mem::take(&mut waiting);
            let answers = join_all(asked.iter().cloned().map(&call)).await;
            for (ids, answer) in asked.iter().zip(answers) {
                match answer {
                    Ok(found) => {
                        succeeded = true;
                        batch.found.extend(found);
                    }
                    Err(error) if ids.len() > 1 && is_about_content(&error) && self.pays_for_halves() => {
                        let (left, right) = ids.split_at(ids.len() / 2);
                        waiting.extend([left.to_vec(), right.to_vec()]);
                    }
                    Err(error) => batch.lost = batch.lost.or(Some(error)),
                }
            }
        }
        match batch.lost {
            Some(error) if !succeeded => Err(error),
            lost => Ok(Batch { lost, ..batch }),
        }
    }

    fn pays_for_halves(&self) -> bool {
        self.settings().retries && self.budget().withdraw() && self.budget().withdraw()
    }
}

/// Whether fewer ids may do better: the answer, or the question, was wrong or too large.
fn is_about_content(error: &CallError) -> bool {
    matches!(
        error.kind,
        CallErrorKind::ContractViolation { .. }
            | CallErrorKind::Refused {
                reason: Reason::Invalid | Reason::NotFound | Reason::Unprocessable,
                ..
            }
    )
}
