//! Events of the log that say in which request they happened, so that they are found beside its access log.

macro_rules! in_request {
    ($level:ident, $ctx:expr, $($event:tt)+) => {
        tracing::$level!(
            request_id = $ctx.request_id().as_str(),
            trace_id = %$ctx.trace().trace_id(),
            span_id = %$ctx.trace().span_id(),
            $($event)+
        )
    };
}

pub(crate) use in_request;
