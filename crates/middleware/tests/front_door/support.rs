//! A client of a router, and answers that can be shown.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, StatusCode};
use middleware::{PublicUrl, RequestSettings, stack};
use problem::Naming;
use request_context::{Observe, Unobserved};
use tower::ServiceExt;

/// A proxy inside of the networks that [`settings`] trust.
pub(crate) const PROXY: &str = "10.1.2.3:4000";

pub(crate) fn settings() -> RequestSettings {
    RequestSettings { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..RequestSettings::default() }
}

pub(crate) fn app(router: Router) -> Router {
    stack(router, &settings(), &public_url("http://127.0.0.1:8080"), Naming::CamelCase, unobserved())
}

pub(crate) fn unobserved() -> Arc<dyn Observe> {
    Arc::new(Unobserved)
}

pub(crate) fn public_url(url: &str) -> PublicUrl {
    serde_json::from_value(url.into()).expect("a public URL")
}

pub(crate) fn get(path: &str) -> Builder {
    Request::get(path)
}

pub(crate) fn post(path: &str) -> Builder {
    Request::post(path).header("content-type", "application/json")
}

pub(crate) fn from(peer: &str) -> ConnectInfo<SocketAddr> {
    ConnectInfo(peer.parse().unwrap())
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) async fn send(app: &Router, request: Builder, body: impl Into<Body>) -> Answer {
    let request = request.body(body.into()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: to_bytes(body, usize::MAX).await.unwrap() }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `400 invalid-request`, or `200 ` of an answer that is no problem.
    pub(crate) fn verdict(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let slug = body["type"].as_str().and_then(|urn| urn.rsplit(':').next()).unwrap_or_default();
        format!("{} {slug}", self.status.as_u16())
    }

    /// The first of a problem's errors as `pointer detail`, or else its detail.
    pub(crate) fn fault(&self) -> String {
        let body = self.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        match body["errors"].get(0) {
            Some(error) => format!("{} {}", text(&error["pointer"]), text(&error["detail"])),
            None => text(&body["detail"]),
        }
    }

    /// All of it, in a stable order and with the request's id as `[id]`.
    pub(crate) fn shown(&self) -> String {
        let mut lines: Vec<_> =
            self.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        let body = String::from_utf8_lossy(&self.body);
        let whole = format!("{}\n{}\n\n{body}", self.status, lines.join("\n"));
        whole.replace(self.header("x-request-id"), "[id]")
    }
}
