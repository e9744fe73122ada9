//! What happens to a call, from top to bottom: the first line sees it first and its answer last.

use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

use crate::answer::{Answer, Reply};
use crate::call::Call;
use crate::error::Failure;
use crate::layers::{
    Next, attempt, authorize, breaker, cache, classify, coalesce, contract, deadline, hedge, limit,
    propagate, retry, timeout,
};

pub(crate) type Stack = BoxCloneSyncService<Call, Answer, Failure>;
pub(crate) type Streams = BoxCloneSyncService<Call, Reply, Failure>;
type Outcome = Result<Reply, Failure>;

pub(crate) fn build(transport: impl Next<Reply>) -> Stack {
    let stack = ServiceBuilder::new()
        // An answer at hand is given without a call; an old one when the service fails, to whoever takes it.
        .layer_fn(cache::Cache)
        // A call that cannot fit into what the request has left is not made.
        .layer_fn(deadline::Deadline)
        // Who asks what is being asked already waits for the same answer, for as long as they can.
        .layer_fn(coalesce::Coalesce)
        // What comes back is kept, if its operation says so.
        .layer_fn(cache::Keep)
        // It is what the contract says, or it is no answer.
        .layer_fn(contract::Contract)
        // All attempts below share the operation's own time.
        .layer_fn(timeout::Timeout)
        // A second one follows when the first has failed and nothing can happen twice, if the budget pays for it …
        .layer_fn(retry::Retry)
        // … or goes beside it when the first is slower than usual, from the same budget.
        .layer_fn(hedge::Hedge)
        // The service takes only tokens made for it; a refused token is replaced once.
        .layer_fn(authorize::Authorize)
        // Each attempt is a span of the request: also one that the next two refuse, and one that nobody waits for any more.
        .layer_fn(attempt::Attempt)
        // What keeps failing is not asked, but for a probe now and then.
        .layer_fn(breaker::Breaker)
        // No more at once than the service can take; the most important first.
        .layer_fn(limit::Limit)
        // Here, so that every attempt tells the time that is left for it and not for the first.
        .map_request(propagate::headers as fn(Call) -> Call)
        // A status that is no success becomes a decision, which all of the above act on.
        .map_result(classify::reply as fn(Outcome) -> Outcome)
        .service(transport);
    BoxCloneSyncService::new(stack)
}

/// What happens to a call whose answer is an event stream, up to the head of that answer: from there on the stream is
/// its reader's. The layers are those above, without what needs an end (an answer that is kept, shared or held
/// against its contract) and without second attempts: who reads a stream opens it again, after a pause of its own.
pub(crate) fn streams(transport: impl Next<Reply>) -> Streams {
    let stack = ServiceBuilder::new()
        // The head has the operation's own time, or what the request has left.
        .layer_fn(timeout::Timeout)
        // The service takes only tokens made for it; a refused token is replaced once.
        .layer_fn(authorize::Authorize)
        // Each attempt is a span of the request, up to the head.
        .layer_fn(attempt::Attempt)
        // The head is the call: a service that opens its streams is well.
        .layer_fn(breaker::Breaker)
        // A place for as long as it is being opened. Once open it costs the service a connection and no work, and
        // places held for an hour would leave none for the calls that the limit is about.
        .layer_fn(limit::Limit)
        // No deadline is told, since none holds for what follows the head.
        .map_request(propagate::headers as fn(Call) -> Call)
        .map_result(classify::reply as fn(Outcome) -> Outcome)
        .service(transport);
    BoxCloneSyncService::new(stack)
}
