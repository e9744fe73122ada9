//! One address of the provider, and the one question that it answers.

use std::time::Duration;

use request_context::RequestContext;
use upstream_client::{BadUpstream, CallBuilder, Operation, Outbound, Upstream, UpstreamSettings};
use url::Url;
use url::form_urlencoded::byte_serialize;

/// What upstream-client calls the provider, in its logs.
const NAME: &str = "identity-provider";
/// A token endpoint that checks a password hash is slower than a domain service.
const TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// One question in two forms, since an address may end with a slash and the base of an upstream never does.
pub(crate) struct Question {
    pub(crate) plain: Operation,
    pub(crate) slash: Operation,
}

/// Where a question is asked.
pub(crate) struct Endpoint {
    upstream: Upstream,
    question: &'static Question,
    /// Whether its address ends with a slash.
    slash: bool,
    /// Names as they are sent, values as they are meant.
    query: Vec<(String, String)>,
}

impl Endpoint {
    /// The endpoint at `url`. Its query is part of the address (RFC 6749, section 3.2).
    pub(crate) fn new(
        mut url: Url,
        question: &'static Question,
        outbound: &Outbound,
    ) -> Result<Self, BadUpstream> {
        let pairs = url.query_pairs();
        let query = pairs
            .map(|(name, value)| (byte_serialize(name.as_bytes()).collect(), value.into_owned()))
            .collect();
        url.set_query(None);
        let slash = url.path().ends_with('/');
        Ok(Self { upstream: upstream(url, outbound)?, question, slash, query })
    }

    /// Asks what this endpoint was made for.
    pub(crate) fn call<'a>(&'a self, ctx: &'a RequestContext) -> CallBuilder<'a> {
        self.ask(ctx, self.question)
    }

    /// Asks something else.
    pub(crate) fn ask<'a>(&'a self, ctx: &'a RequestContext, question: &'static Question) -> CallBuilder<'a> {
        let operation = if self.slash { &question.slash } else { &question.plain };
        let call = self.upstream.call(ctx, operation);
        self.query.iter().fold(call, |call, (name, value)| call.query(name, value))
    }
}

/// A client of the provider for what is below `url`.
pub(crate) fn upstream(url: Url, outbound: &Outbound) -> Result<Upstream, BadUpstream> {
    let settings = UpstreamSettings {
        timeout: TIMEOUT,
        connect_timeout: CONNECT_TIMEOUT,
        max_idle: 2,
        // Who asks the provider paces itself.
        breaker: false,
        ..UpstreamSettings::at(url)
    };
    Upstream::new(NAME, &settings, outbound)
}
