//! A client that shows whole answers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;

use crate::{Credential, within};

/// A client of one base URL, which keeps its connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    headers: HeaderMap,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
}

/// What a request carries.
#[derive(Clone, Debug)]
pub struct Content {
    media_type: Option<&'static str>,
    bytes: Bytes,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The version of HTTP that it came in.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer of text that is being read. Dropped, it is given up.
#[derive(Debug)]
pub struct Reading {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// What has come and was not asked for yet.
    text: String,
    body: Incoming,
}

impl Client {
    /// A client of `base`, such as `http://127.0.0.1:8080/web`, that speaks HTTP/1.1.
    pub fn new(base: impl Into<String>) -> Self {
        Self::speaking(base, false)
    }

    /// A client that speaks HTTP/2 without TLS, and without asking whether the server does.
    pub fn http2(base: impl Into<String>) -> Self {
        Self::speaking(base, true)
    }

    fn speaking(base: impl Into<String>, http2: bool) -> Self {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).http2_only(http2);
        Self { base: base.into(), headers: HeaderMap::new(), http: builder.build_http() }
    }

    /// The same client, sending this header with every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a name of a header");
        self.headers.insert(name, HeaderValue::try_from(value).expect("a value of a header"));
        self
    }

    /// The same client for somebody.
    #[must_use]
    pub fn of(self, credential: &Credential) -> Self {
        credential.0.iter().fold(self, |client, (name, value)| client.with(name, value))
    }

    /// The same client for nobody.
    #[must_use]
    pub fn anonymous(self) -> Self {
        ["authorization", "cookie", "x-api-key"].into_iter().fold(self, Self::without)
    }

    /// The same client without this header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(Content::json(body.to_string()))).await
    }

    /// Any request. The path goes out as it is written.
    pub async fn send(&self, method: &str, path: &str, content: Option<Content>) -> Answer {
        self.try_send(method, path, content)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    /// Any request, which may find nobody.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        content: Option<Content>,
    ) -> Result<Answer, legacy::Error> {
        let uri = format!("{}{path}", self.base);
        let mut request = Request::builder().method(method).uri(&uri);
        request.headers_mut().expect("a valid URI").extend(self.headers.clone());
        if let Some(media_type) = content.as_ref().and_then(|content| content.media_type) {
            request = request.header("content-type", media_type);
        }
        let bytes = content.map(|content| content.bytes).unwrap_or_default();
        let request = request.body(Full::from(bytes)).expect("a valid request");
        let what = format!("the answer to {method} {uri}");
        within(&what, async {
            let (head, body) = self.http.request(request).await?.into_parts();
            let body = body.collect().await.unwrap_or_else(|error| panic!("{what} breaks off: {error:?}"));
            let body = body.to_bytes();
            Ok(Answer { status: head.status, version: head.version, headers: head.headers, body })
        })
        .await
    }
}

impl Client {
    /// `GET path`, of which only the head is there yet.
    pub async fn read(&self, path: &str) -> Reading {
        let uri = format!("{}{path}", self.base);
        let mut request = Request::get(&uri).body(Full::default()).expect("a valid request");
        request.headers_mut().extend(self.headers.clone());
        let what = format!("the head of {uri}");
        let answer = within(&what, self.http.request(request)).await;
        let (head, body) = answer.unwrap_or_else(|error| panic!("{what}: {error:?}")).into_parts();
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
            let what = format!("{part:?} on a stream");
            let frame = within(&what, self.body.frame()).await;
            let frame = frame.unwrap_or_else(|| panic!("no {what}, only {:?}", self.text));
            let data = frame.expect("a stream that does not break off").into_data().unwrap_or_default();
            self.text.push_str(&String::from_utf8_lossy(&data));
        }
    }

    /// Reads on to the end, which must be one: not a connection that was lost.
    pub async fn rest(mut self) -> String {
        let rest = within("the end of a stream", self.body.collect()).await;
        let rest = rest.expect("a stream that does not break off").to_bytes();
        self.text.push_str(&String::from_utf8_lossy(&rest));
        self.text
    }
}

impl Content {
    /// JSON, or what claims to be.
    pub fn json(text: impl Into<Bytes>) -> Self {
        Self { media_type: Some("application/json"), bytes: text.into() }
    }

    /// Text of another type, or of none.
    pub fn of(media_type: Option<&'static str>, text: impl Into<Bytes>) -> Self {
        Self { media_type, bytes: text.into() }
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

    /// The status and, for a problem, the end of its type: `404 not-found`.
    pub fn outcome(&self) -> String {
        let status = self.status.as_u16();
        if self.media_type() != "application/problem+json" {
            return status.to_string();
        }
        let problem = self.json();
        let slug = problem["type"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default();
        format!("{status} {slug}")
    }

    pub(crate) fn media_type(&self) -> &str {
        self.header("content-type").split(';').next().unwrap_or_default().trim()
    }
}
