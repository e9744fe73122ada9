//! A client that shows whole answers.

use std::time::Duration;

use http::request::Builder;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Connector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

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

/// An answer of text that is being read. Dropped, it is given up.
pub struct Reading {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// What has come and was not asked for yet.
    text: String,
    body: Incoming,
}

/// Ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(30);

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

impl Client {
    /// `GET path`, of which only the head is there yet.
    pub async fn read(&self, path: &str) -> Reading {
        let mut request = http::Request::builder().uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::default()).expect("a valid request");
        let connector: Connector<_, Full<bytes::Bytes>> =
            Connector::builder(TokioExecutor::new()).build_http();
        let (head, body) = connector.request(request).await.expect("an answer").into_parts();
        Reading { status: head.status, headers: head.headers, text: String::new(), body }
    }
}

impl Reading {
    /// Reads on to the end of the next `part`; what came up to there.
    pub async fn up_to(&mut self, part: &str) -> String {
        loop {
            if let Some(at) = self.text.find(part) {
                let rest = self.text.split_off(at + part.len());
                return std::mem::replace(&mut self.text, rest);
            }
            let frame = timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.unwrap_or_else(|_| panic!("no {part:?} comes, only {:?}", self.text));
            let frame = frame.unwrap_or_else(|| panic!("no {part:?} came, only {:?}", self.text));
            let data = frame.expect("it does not break off").into_data().unwrap_or_default();
            self.text.push_str(std::str::from_utf8(&data).expect("text"));
        }
    }

    /// Reads on to the end, which must be one: not a connection that was lost.
    pub async fn rest(mut self) -> String {
        let rest =
            timeout(PATIENCE, self.body.collect()).await.expect("it ends").expect("it does not break off");
        self.text.push_str(std::str::from_utf8(&rest.to_bytes()).expect("text"));
        self.text
    }

    /// A header as text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
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
