//! How an operation is called in spans and metrics: put together once, since it is said with every call.

use std::sync::Arc;

use opentelemetry::{KeyValue, StringValue};
use url::Url;

use crate::Operation;

/// The names of one operation of one service.
pub(crate) struct Labels {
    /// Of its spans. One of few, whatever is asked for.
    pub(crate) span: StringValue,
    /// What is shorter is the beginning of what is longer.
    all: Arc<[KeyValue]>,
}

impl Labels {
    /// Of an operation of the service `upstream`, which is at `url`.
    pub(crate) fn new(upstream: &'static str, operation: &'static Operation, url: &Url) -> Self {
        let method = operation.method.as_str();
        let port = url.port_or_known_default().unwrap_or_default();
        Self {
            // Where the service itself is what is asked there is no path, and no space before it.
            span: format!("{method} {}", operation.path).trim_end().to_owned().into(),
            all: Arc::new([
                KeyValue::new("triptych.upstream", upstream),
                KeyValue::new("triptych.operation", operation.name),
                KeyValue::new("http.request.method", method),
                KeyValue::new("server.address", shared(url.host_str().unwrap_or_default())),
                KeyValue::new("server.port", i64::from(port)),
                KeyValue::new("url.template", operation.path),
            ]),
        }
    }

    /// What all that is counted of it says.
    pub(crate) fn operation(&self) -> &[KeyValue] {
        &self.all[..2]
    }

    /// What every exchange with its service says.
    pub(crate) fn exchange(&self) -> &[KeyValue] {
        &self.all[..5]
    }

    /// What each of its spans says.
    pub(crate) fn step(&self) -> &Arc<[KeyValue]> {
        &self.all
    }
}

/// Cheap to clone.
fn shared(text: &str) -> StringValue {
    Arc::<str>::from(text).into()
}
