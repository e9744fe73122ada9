//! Writes down the facts of a request: its id, its trace and its deadline.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use ipnet::IpNet;
use request_context::{Deadline, REQUEST_ID, RequestContext, RequestId, Trace};

use crate::around::Around;
use crate::{RequestSettings, deadline};

/// Puts a `RequestContext` into the request's extensions and `X-Request-Id` on its answer.
#[derive(Clone)]
pub(crate) struct Contexts {
    trusted_proxies: Arc<[IpNet]>,
    longest: Duration,
    optional_share: f64,
}

impl Contexts {
    pub(crate) fn new(settings: &RequestSettings) -> Self {
        Self {
            trusted_proxies: settings.trusted_proxies.as_slice().into(),
            longest: settings.deadline,
            optional_share: settings.optional_share(),
        }
    }

    /// Whether the peer is one of our own proxies. A peer that is not known is not.
    fn trusts(&self, request: &Request) -> bool {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        peer.is_some_and(|ConnectInfo(address)| {
            // A dual-stack listener sees IPv4 peers as ::ffff:a.b.c.d.
            let address = address.ip().to_canonical();
            self.trusted_proxies.iter().any(|network| network.contains(&address))
        })
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
        let (id, trace) = if self.trusts(request) {
            (request_id(headers), Trace::continued(headers))
        } else {
            (None, None)
        };
        let id = id.unwrap_or_else(RequestId::generate);
        let value = id.header_value();
        let trace = trace.unwrap_or_else(Trace::start);
        let context = RequestContext::new(id, trace, self.deadline(headers))
            .with_patience(self.longest)
            .with_optional_share(self.optional_share);
        request.extensions_mut().insert(context);
        value
    }

    fn response(id: HeaderValue, mut response: Response) -> Response {
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
}

/// The id a proxy chose; two of them are none.
fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    let mut values = headers.get_all(REQUEST_ID).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => RequestId::parse(value),
        _ => None,
    }
}
