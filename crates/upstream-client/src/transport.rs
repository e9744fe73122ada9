//! The wire: one HTTP client per domain service, with every limit set.

use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::Service;

use crate::answer::Reply;
use crate::call::Call;
use crate::error::{BoxError, CallErrorKind, Failure};
use crate::settings::UpstreamSettings;

/// A domain service whose settings make no client.
#[derive(Debug, thiserror::Error)]
pub enum BadUpstream {
    /// A setting is out of range.
    #[error("upstreams.{name}.{key} {right}")]
    Setting {
        /// The service.
        name: &'static str,
        /// The setting.
        key: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// The client cannot be built, for example because there are no root certificates.
    #[error("no HTTP client for upstream {name}: {cause}")]
    Client {
        /// The service.
        name: &'static str,
        /// What is missing.
        cause: String,
    },
}

/// Sends a call and reads its answer up to the cap, or, of an event stream, its head. The innermost service of the stack.
#[derive(Clone, Debug)]
pub(crate) struct Transport(reqwest::Client);

impl Transport {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where clients are made")]
    pub(crate) fn new(name: &'static str, settings: &UpstreamSettings) -> Result<Self, BadUpstream> {
        if let Some((key, right)) = settings.out_of_range() {
            return Err(BadUpstream::Setting { name, key, right });
        }
        let mut builder = reqwest::Client::builder();
        if settings.url.scheme() == "http" {
            // Loading the system's certificates costs every client milliseconds and megabytes, and nothing here
            // can turn a plain URL into a TLS one.
            builder = builder.tls_certs_only([]);
        }
        builder
            .user_agent(concat!("triptych/", env!("CARGO_PKG_VERSION")))
            // A redirect or a proxy variable would send our credentials to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            // Retries have one place, which counts them, and it is not here.
            .retry(reqwest::retry::never())
            // The whole exchange is timed by the deadline layer.
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(settings.idle_timeout)
            .pool_max_idle_per_host(settings.max_idle)
            .tcp_nodelay(true)
            .build()
            .map(Self)
            .map_err(|error| BadUpstream::Client { name, cause: error.without_url().to_string() })
    }
}

impl Service<Call> for Transport {
    type Response = Reply;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Reply, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        Box::pin(exchange(self.0.clone(), call))
    }
}

async fn exchange(client: reqwest::Client, call: Call) -> Result<Reply, Failure> {
    let facts = &*call.facts;
    let mut request = reqwest::Request::new(facts.operation.method.clone(), facts.url.clone());
    *request.headers_mut() = call.headers.map(|headers| *headers).unwrap_or_default();
    if !facts.body.is_empty() {
        *request.body_mut() = Some(facts.body.clone().into());
    }
    let response = client.execute(request).await.map_err(unanswered)?;
    let (head, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    let reply = Reply {
        operation: facts.operation,
        status: head.status,
        headers: head.headers,
        body: Bytes::new(),
        stream: None,
        step: None,
    };
    if facts.operation.streams && reply.status.is_success() {
        return Ok(Reply { stream: Some(body.map_err(Into::into).boxed_unsync()), ..reply });
    }
    let body = Limited::new(body, facts.max_body).collect().await.map_err(broken_off)?.to_bytes();
    Ok(Reply { body, ..reply })
}

/// Nothing of an answer had come.
fn unanswered(error: reqwest::Error) -> Failure {
    if error.is_builder() {
        // Ours to blame: no service was asked.
        return Failure::violation("request", error.without_url());
    }
    Failure::caused_by(CallErrorKind::Unavailable, error.without_url()).repeatable().unhealthy()
}

/// An answer had begun: what was asked has been done, so that it is not asked again.
fn broken_off(error: BoxError) -> Failure {
    if error.is::<LengthLimitError>() {
        return Failure::violation("body", "the answer is larger than its cap");
    }
    Failure::caused_by(CallErrorKind::Unavailable, error).unhealthy()
}
