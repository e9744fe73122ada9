//! Every operation of the services that were given, and what it does with its contract.

use std::error::Error;
use std::sync::Arc;

use domain_clients::contracts::{Contract, Samples, Service};
use futures::future::try_join_all;
use request_context::{Deadline, RequestContext, RequestId, Trace};
use tokio::time::Instant;
use upstream_client::{BadUpstream, CallError, CallErrorKind, Outbound, Reason, Upstream};

use crate::options::Plan;
use crate::report::{Row, Status};
use crate::samples;
use crate::tokens::GivenTokens;

/// Checks all that can be checked, one service beside the other.
pub(crate) async fn all(plan: &Plan) -> Result<Vec<Row>, BadUpstream> {
    let outbound = Outbound::new(Arc::new(GivenTokens { service: plan.service_token.clone() }));
    let samples = samples::complete(plan, &outbound).await?;
    let services = plan.services.iter().map(async |(service, settings)| {
        let upstream = Upstream::new(service.name, settings, &outbound)?;
        let mut rows = vec![];
        for contract in service.contracts {
            rows.push(one(plan, service, &upstream, contract, &samples).await);
        }
        Ok(rows)
    });
    try_join_all(services).await.map(|rows| rows.concat())
}

impl Plan {
    /// A request of its own for each call, so that none lives off another's time.
    pub(crate) fn request(&self) -> RequestContext {
        let deadline = Deadline::after(self.timeout * 2);
        let ctx = RequestContext::new(RequestId::generate(), Trace::start(), deadline);
        self.caller.iter().fold(ctx, |ctx, caller| ctx.with_caller(caller.clone()))
    }
}

async fn one(
    plan: &Plan,
    service: &'static Service,
    upstream: &Upstream,
    contract: &Contract,
    samples: &Samples,
) -> Row {
    let row = |status, what| Row::new(service.name, contract.operation.name, status, what);
    let started = Instant::now();
    let checked = contract.check(upstream, &plan.request(), samples).await;
    let took = started.elapsed();
    let row = match checked {
        Err(reason) => return row(Status::NotChecked, reason.to_string()),
        Ok(Ok(())) => row(Status::Ok, String::new()),
        Ok(Err(error)) => {
            let (status, what) = meaning(&error, service, contract, plan);
            let path =
                if let CallErrorKind::ContractViolation { path } = error.kind { path } else { String::new() };
            Row { path, ..row(status, what) }
        }
    };
    let answered = matches!(row.status, Status::Ok | Status::Drift);
    let unknown =
        if answered { contract.unknown(upstream, &plan.request(), samples).await } else { Ok(vec![]) };
    Row { ms: Some(took.as_millis()), unknown: unknown.unwrap_or_default(), ..row }
}

/// What a failed call says about the service, and what would be right.
fn meaning(error: &CallError, service: &Service, contract: &Contract, plan: &Plan) -> (Status, String) {
    let path = contract.operation.path;
    match &error.kind {
        CallErrorKind::ContractViolation { .. } => (Status::Drift, expectation(error, service)),
        CallErrorKind::Refused { reason, .. } => {
            let status = reason.status().as_u16();
            let hint = match reason {
                Reason::Forbidden => ": is the token the subject's, and does it allow this?",
                _ if path.contains("{}") => ": are the id and the subject right?",
                _ => "",
            };
            (Status::Refused, format!("GET {path} must be answered with 200, not {status}{hint}"))
        }
        CallErrorKind::Unauthorized => {
            (Status::Refused, "the token must be one that the service takes, which answers 401".to_owned())
        }
        CallErrorKind::Timeout => (Status::Unreachable, format!("no answer in {:?}", plan.timeout)),
        CallErrorKind::Shed { .. } => {
            (Status::Unreachable, format!("it has too much to do: {}", causes(error)))
        }
        CallErrorKind::Unavailable | CallErrorKind::BreakerOpen { .. } => {
            (Status::Unreachable, causes(error))
        }
    }
}

/// What the contract expects. Some types refuse a text without a word on what it should be; their file has it.
fn expectation(error: &CallError, service: &Service) -> String {
    let said = causes(error);
    let says_where = said.strip_prefix("Data error at line ").and_then(|place| place.split_once(" column "));
    if says_where.is_some_and(|(_, rest)| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        return format!("{said}: another form than in domain-clients/src/{}.rs", service.name);
    }
    said
}

/// What is behind an error, from the outermost to the innermost.
fn causes(error: &CallError) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
