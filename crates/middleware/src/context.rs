//! Writes down the facts of a request: its id, its trace and its deadline.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use request_context::{Deadline, Observe, REQUEST_ID, RequestContext, RequestId, Trace};

use crate::around::Around;
use crate::{RequestSettings, deadline};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Puts a `RequestContext` into the request's extensions and `X-Request-Id` on its answer.
#[derive(Clone)]
pub(crate) struct Contexts {
    trusted_proxies: Arc<[IpNet]>,
    longest: Duration,
    optional_share: f64,
    observer: Arc<dyn Observe>,
}

impl Contexts {
    pub(crate) fn new(settings: &RequestSettings, observer: Arc<dyn Observe>) -> Self {
        Self {
            trusted_proxies: settings.trusted_proxies.as_slice().into(),
            longest: settings.deadline,
            optional_share: settings.optional_share(),
            observer,
        }
    }

    /// Whether this is one of our own proxies. A peer that is not known is not.
    fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.is_some_and(|peer| self.trusted_proxies.iter().any(|network| network.contains(&peer)))
    }

    /// Where a request came from: the peer, or who our own proxies say was theirs, the last of them first.
    fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        // A line that cannot be read stops here: what stands before it, an outsider wrote.
        let said = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        let mut said = said.map(|address| address.trim().parse().ok().map(|it: IpAddr| it.to_canonical()));
        let mut client = peer;
        while self.trusts(client) {
            match said.next() {
                Some(Some(before)) => client = Some(before),
                // What cannot be read was written by somebody we do not know.
                Some(None) | None => break,
            }
        }
        client
    }

    /// The trace, recorded by those who take part in it or not.
    fn decided(&self, trace: Trace) -> Trace {
        let parent = trace.parent_id().map(|_| trace.is_sampled());
        let sampled = self.observer.samples(trace.trace_id(), parent);
        trace.sampled(sampled)
    }

    /// The client may ask for less time, never for more. A malformed wish is refused by `deadline`.
    fn deadline(&self, headers: &HeaderMap) -> Deadline {
        let requested = deadline::requested(headers).ok().flatten();
        Deadline::after(requested.map_or(self.longest, |requested| requested.min(self.longest)))
    }
}

impl Around for Contexts {
    type Held = HeaderValue;

    fn request(&self, request: &mut Request) -> HeaderValue {
        let headers = request.headers();
        let peer = peer(request);
        let (id, trace) =
            if self.trusts(peer) { (request_id(headers), Trace::continued(headers)) } else { (None, None) };
        let id = id.unwrap_or_else(RequestId::generate);
        let value = id.header_value();
        let trace = self.decided(trace.unwrap_or_else(Trace::start));
        let mut context = RequestContext::new(id, trace, self.deadline(headers))
            .with_patience(self.longest)
            .with_optional_share(self.optional_share);
        if let Some(client) = self.client(peer, headers) {
            context = context.with_client(client);
        }
        request.extensions_mut().insert(context);
        value
    }

    fn response(id: HeaderValue, mut response: Response) -> Response {
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
}

/// Who connected.
fn peer(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    // A dual-stack listener sees IPv4 peers as ::ffff:a.b.c.d.
    Some(peer.0.ip().to_canonical())
}

/// The id a proxy chose; two of them are none.
fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    let mut values = headers.get_all(REQUEST_ID).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => RequestId::parse(value),
        _ => None,
    }
}
