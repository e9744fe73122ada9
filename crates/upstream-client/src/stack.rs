//! What happens to a call, from top to bottom: the first line sees it first and its answer last.

use std::sync::Arc;

use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

use crate::answer::Answer;
use crate::call::Call;
use crate::error::Failure;
use crate::layers::{authorize, classify, deadline, propagate};
use crate::token::TokenSource;
use crate::transport::Transport;

pub(crate) type Stack = BoxCloneSyncService<Call, Answer, Failure>;

pub(crate) fn build(transport: Transport, tokens: Arc<dyn TokenSource>) -> Stack {
    let stack = ServiceBuilder::new()
        // A status that is no success becomes a decision, whatever was tried below.
        .map_result(classify::answer)
        // All that follows shares one span of time; a call that cannot fit is not made.
        .layer(deadline::DeadlineLayer)
        // The service takes only tokens made for it; a refused token is replaced once.
        .layer(authorize::AuthorizeLayer::new(tokens))
        // Last, so that every attempt tells the time that is left for it and not for the first.
        .map_request(propagate::headers)
        .service(transport);
    BoxCloneSyncService::new(stack)
}
