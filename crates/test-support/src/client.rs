//! A client that shows whole answers.

use http::request::Builder;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Connector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client of one service.
#[derive(Clone)]
pub struct Client {
    base: String,
    headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client of the service at `base`, for example `http://127.0.0.1:8082`.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into(), headers: vec![] }
    }

    /// The same client, sending this header with every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    /// Any request; a body is sent as JSON.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = self.head(method, path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.exchange(request, body.unwrap_or_default()).await
    }

    /// Any request; the body is sent as it is, of the type that [`with`](Self::with) says.
    pub async fn send_raw(&self, method: Method, path: &str, body: String) -> Answer {
        self.exchange(self.head(method, path), body).await
    }

    fn head(&self, method: Method, path: &str) -> Builder {
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    async fn exchange(&self, request: Builder, body: String) -> Answer {
        let request = request.body(Full::from(body)).expect("a valid request");
        let connector: Connector<_, Full<bytes::Bytes>> =
            Connector::builder(TokioExecutor::new()).build_http();
        let (head, body) = connector.request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header as text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }
}
