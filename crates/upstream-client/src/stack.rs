//! What happens to a call, from top to bottom: the first line sees it first and its answer last.

use std::sync::Arc;

use tower::ServiceBuilder;
use tower::util::{MapRequest, MapResult};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::Failure;
use crate::layers::{authorize, classify, deadline, propagate};
use crate::token::TokenSource;
use crate::transport::Transport;

type Attempt = MapRequest<Transport, fn(Call) -> Call>;
type Outcome = Result<Answer, Failure>;
pub(crate) type Stack =
    MapResult<deadline::DeadlineService<authorize::Authorize<Attempt>>, fn(Outcome) -> Outcome>;

pub(crate) fn build(transport: Transport, tokens: Arc<dyn TokenSource>) -> Stack {
    ServiceBuilder::new()
        // A status that is no success becomes a decision, whatever was tried below.
        .map_result(classify::answer as fn(Outcome) -> Outcome)
        // All that follows shares one span of time; a call that cannot fit is not made.
        .layer(deadline::DeadlineLayer)
        // The service takes only tokens made for it; a refused token is replaced once.
        .layer(authorize::AuthorizeLayer::new(tokens))
        // Last, so that every attempt tells the time that is left for it and not for the first.
        .map_request(propagate::headers as fn(Call) -> Call)
        .service(transport)
}
