//! Every contract of the domain services, as a list to hold live services against: `scripts/contract-check` does.
//!
//! A new client has its line here too; a test fails without it.

mod unknown;

#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use garde::Validate;
use request_context::RequestContext;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use upstream_client::{CallBuilder, CallError, Credential, Operation, Upstream};

use crate::{
    BillingAccount, NotificationList, Order, OrderEvent, OrderId, Page, Product, ProductId, Promo,
    UsageReport, User, billing, catalog, notifications, orders, usage, users,
};
use unknown::Unknown;

/// The domain services, and what we rely on in each.
pub static SERVICES: &[Service] = &[
    Service { name: "users", contracts: &[read::<User>(&users::GET, |call, _| Ok(call.caller_segment()))] },
    Service {
        name: "orders",
        contracts: &[
            read::<Page<Order>>(&orders::LIST, |call, _| Ok(call.caller_query("userId").query("limit", 50))),
            read::<Order>(&orders::GET, |call, samples| Ok(call.segment(samples.order()?))),
            stream::<OrderEvent>(&orders::EVENTS, |call, _| Ok(call.caller_query("userId"))),
            write(&orders::PLACE),
            write(&orders::CANCEL),
        ],
    },
    Service {
        name: "catalog",
        contracts: &[
            read::<Product>(&catalog::GET, |call, samples| Ok(call.segment(samples.product()?))),
            read::<Page<Product>>(
                &catalog::BATCH,
                |call, samples| Ok(call.query("ids", samples.products()?)),
            ),
            read::<Page<Product>>(&catalog::SEARCH, |call, _| Ok(call.query("limit", 50))),
            read::<Page<Promo>>(&catalog::PROMOS, |call, _| Ok(call)),
        ],
    },
    Service {
        name: "notifications",
        contracts: &[
            read::<NotificationList>(&notifications::LIST, |call, _| {
                Ok(call.caller_query("userId").query("unread", true).query("limit", 50))
            }),
            write(&notifications::READ),
        ],
    },
    Service {
        name: "billing",
        contracts: &[read::<BillingAccount>(&billing::GET, |call, _| Ok(call.caller_segment()))],
    },
    Service {
        name: "usage",
        contracts: &[read::<UsageReport>(&usage::GET, |call, _| Ok(call.caller_segment()))],
    },
];

/// A domain service.
#[derive(Debug)]
pub struct Service {
    /// Its name, as in settings and logs; also the audience of its tokens.
    pub name: &'static str,
    /// Its operations.
    pub contracts: &'static [Contract],
}

/// What we rely on in the answer of one operation.
#[derive(Debug)]
pub struct Contract {
    /// The operation.
    pub operation: &'static Operation,
    read: Option<Read>,
}

/// How a read is made, and read as its contract.
#[derive(Debug)]
struct Read {
    ask: Ask,
    fetch: for<'a> fn(CallBuilder<'a>) -> LocalBoxFuture<'a, Result<(), CallError>>,
    unknown: for<'a> fn(CallBuilder<'a>) -> LocalBoxFuture<'a, Result<Vec<String>, CallError>>,
}

/// How long the first event of a stream is waited for.
const AT_ONCE: Duration = Duration::from_secs(1);

type Ask = for<'a> fn(CallBuilder<'a>, &Samples) -> Result<CallBuilder<'a>, NotChecked>;

/// Ids to ask for.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// An order of the caller.
    pub order: Option<OrderId>,
    /// Products.
    pub products: Vec<ProductId>,
}

/// Why a contract was not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChecked {
    /// It would change something.
    #[error("writes are never made")]
    Write,
    /// It needs an id that nobody knows.
    #[error("no id was found to ask for: give one with {0}")]
    NoSample(&'static str),
}

/// An operation that reads, the type of its answer, and how it is asked: exactly as its client asks.
const fn read<T>(operation: &'static Operation, ask: Ask) -> Contract
where
    T: DeserializeOwned + Validate<Context = ()> + Clone + Send + Sync + 'static,
{
    let read = Read {
        ask,
        fetch: |call| call.fetch::<T>().map(|answer| answer.map(drop)).boxed_local(),
        unknown: |call| {
            call.fetch::<Unknown<T>>().map(|answer| answer.map(Unknown::into_names)).boxed_local()
        },
    };
    Contract { operation, read: Some(read) }
}

/// An operation whose answer is an event stream, and the type of its events. It is opened, as its client opens it, and
/// what comes at once is held against the contract; nothing need come, since nothing need happen.
const fn stream<T>(operation: &'static Operation, ask: Ask) -> Contract
where
    T: DeserializeOwned + Validate<Context = ()> + 'static,
{
    let read = Read {
        ask,
        fetch: |call| open::<T>(call).boxed_local(),
        // The event that says so may be hours away.
        unknown: |_| std::future::ready(Ok(vec![])).boxed_local(),
    };
    Contract { operation, read: Some(read) }
}

async fn open<T>(call: CallBuilder<'_>) -> Result<(), CallError>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let mut events = call.events::<T>(orders::ORDER_STATUS).await?.strictly();
    match timeout(AT_ONCE, events.next()).await {
        Ok(Some(event)) => event.map(drop),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// An operation that writes: listed, and never called.
const fn write(operation: &'static Operation) -> Contract {
    Contract { operation, read: None }
}

impl Service {
    /// Whether a read of it is made on behalf of `credential`.
    pub fn is_asked_by(&self, credential: Credential) -> bool {
        self.contracts
            .iter()
            .any(|contract| contract.is_read() && contract.operation.credential == credential)
    }
}

impl Contract {
    /// Whether it can be checked at all.
    pub fn is_read(&self) -> bool {
        self.read.is_some()
    }

    /// Makes the call, and holds its answer against the contract as every call of its client does.
    pub async fn check(
        &self,
        upstream: &Upstream,
        ctx: &RequestContext,
        samples: &Samples,
    ) -> Result<Result<(), CallError>, NotChecked> {
        let read = self.read.as_ref().ok_or(NotChecked::Write)?;
        let call = (read.ask)(upstream.call(ctx, self.operation), samples)?;
        Ok((read.fetch)(call).await)
    }

    /// Makes the call again and names what its answer has beyond the contract, whether it keeps it or not; nothing if
    /// there is no such answer.
    pub async fn unknown(
        &self,
        upstream: &Upstream,
        ctx: &RequestContext,
        samples: &Samples,
    ) -> Result<Vec<String>, NotChecked> {
        let read = self.read.as_ref().ok_or(NotChecked::Write)?;
        let call = (read.ask)(upstream.call(ctx, self.operation), samples)?;
        Ok((read.unknown)(call).await.unwrap_or_default())
    }
}

impl Samples {
    fn order(&self) -> Result<&OrderId, NotChecked> {
        self.order.as_ref().ok_or(NotChecked::NoSample("--order ID"))
    }

    fn product(&self) -> Result<&ProductId, NotChecked> {
        self.products.first().ok_or(NotChecked::NoSample("--product ID"))
    }

    /// All of them, separated by commas.
    fn products(&self) -> Result<String, NotChecked> {
        self.product()?;
        let ids: Vec<&str> = self.products.iter().map(AsRef::as_ref).collect();
        Ok(ids.join(","))
    }
}
