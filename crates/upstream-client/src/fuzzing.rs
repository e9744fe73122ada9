//! What fuzzing needs of the inside. Only with `--cfg fuzzing`, and no part of the interface.

use std::time::Duration;

use bytes::Bytes;
use garde::Validate;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::answer::{Contract, Reply};

use crate::cache::Freshness;
use crate::error::CallErrorKind;
use crate::layers::classify;
use crate::track::Track;
use crate::{Operation, Reason, Refusal};

/// The longest text of a failure that is worth its place in a log.
const LONGEST: usize = 1000;

static READ: Operation = Operation::get("things.read", "/things").refusals(&[Refusal {
    code: "out-of-stock",
    title: "Out of stock",
    reason: Reason::Conflict,
}]);

/// Does with an answer what is done with it above the transport.
pub fn answered<T>(status: StatusCode, headers: &HeaderMap, body: &Bytes)
where
    T: DeserializeOwned + Validate<Context = ()> + Send + Sync + 'static,
{
    let freshness = Freshness::of(headers);
    assert!(freshness.fresh(Duration::from_secs(60)) <= Duration::from_secs(60));
    assert!(freshness.may_be_kept(true) || !freshness.may_be_kept(false));
    let reply = Reply {
        operation: &READ,
        status,
        headers: headers.clone(),
        body: body.clone(),
        stream: None,
        step: None,
    };
    let read = classify::reply(Ok(reply)).and_then(|reply| (Contract::json::<T>().read)(&reply));
    let Err(failure) = read else { return };
    assert!(failure.cause.is_none_or(|cause| cause.to_string().len() <= LONGEST));
    if let CallErrorKind::ContractViolation { path } = &failure.kind {
        Track::fake().violated(path);
    }
}
