//! An OpenTelemetry collector that keeps nothing: it counts what it is sent over OTLP/HTTP, or never answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use clap::Parser;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::serve::{failed, json, serve};
use crate::{Failure, announce};

/// Takes traces, metrics and logs, and says at GET /counts what came.
#[derive(Debug, Parser)]
#[command(name = "otlp-sink")]
pub struct Options {
    /// Take what is sent and never answer it
    #[arg(long)]
    silent: bool,
}

/// What came of one signal.
#[derive(Debug, Default)]
struct Signal {
    exports: AtomicU64,
    bytes: AtomicU64,
    /// Spans, log records or metrics.
    items: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    traces: Signal,
    metrics: Signal,
    logs: Signal,
}

/// The same at one moment.
#[derive(Debug, PartialEq, Serialize)]
struct Counted {
    exports: u64,
    bytes: u64,
    items: u64,
}

/// Serves until the process ends, on a free port.
pub async fn run(options: Options) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce("collector", listener.local_addr()?)?;
    let counts = Arc::new(Counts::default());
    let silent = options.silent;
    serve(listener, move |request| Arc::clone(&counts).answer(request, silent)).await
}

impl Counts {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, silent: bool) -> Response<Full<Bytes>> {
        let signal = match (request.method(), request.uri().path()) {
            (&Method::GET, "/counts") => return self.report(),
            (&Method::POST, "/v1/traces") => &self.traces,
            (&Method::POST, "/v1/metrics") => &self.metrics,
            (&Method::POST, "/v1/logs") => &self.logs,
            (_, path) => return failed(StatusCode::NOT_FOUND, &format!("{path} is no place of OTLP/HTTP")),
        };
        let body = match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(failure) => return failed(StatusCode::BAD_REQUEST, &failure),
        };
        let Some(items) = items(&body) else {
            return failed(StatusCode::BAD_REQUEST, &"not an export in protobuf");
        };
        signal.add(body.len() as u64, items);
        if silent {
            std::future::pending::<()>().await;
        }
        taken()
    }

    fn report(&self) -> Response<Full<Bytes>> {
        let signals = [("traces", &self.traces), ("metrics", &self.metrics), ("logs", &self.logs)];
        let counted: serde_json::Map<_, _> = signals
            .into_iter()
            .map(|(name, signal)| (name.to_owned(), serde_json::json!(signal.now())))
            .collect();
        json(serde_json::Value::Object(counted).to_string())
    }
}

impl Signal {
    fn add(&self, bytes: u64, items: u64) {
        for (total, more) in [(&self.exports, 1), (&self.bytes, bytes), (&self.items, items)] {
            total.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn now(&self) -> Counted {
        let [exports, bytes, items] =
            [&self.exports, &self.bytes, &self.items].map(|total| total.load(Ordering::Relaxed));
        Counted { exports, bytes, items }
    }
}

/// `200` with an empty message, which says that everything was accepted.
fn taken() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    response
}

/// How many spans, log records or metrics an export has. The messages of the three have one shape: resources (field 1),
/// in each its scopes (2), in each the items (2).
fn items(export: &[u8]) -> Option<u64> {
    let mut count = 0;
    for resource in children(export, 1)? {
        for scope in children(resource, 2)? {
            count += children(scope, 2)?.len() as u64;
        }
    }
    Some(count)
}

/// The messages in a message that have this field's number; `None` if it is no protobuf.
fn children(message: &[u8], wanted: u64) -> Option<Vec<&[u8]>> {
    let (mut rest, mut found) = (message, Vec::new());
    while !rest.is_empty() {
        let (tag, after) = varint(rest)?;
        let (value, after) = match tag & 7 {
            0 => (&[][..], varint(after)?.1),
            1 => after.split_at_checked(8)?,
            2 => {
                let (length, after) = varint(after)?;
                after.split_at_checked(usize::try_from(length).ok()?)?
            }
            5 => after.split_at_checked(4)?,
            _ => return None,
        };
        if tag == (wanted << 3) | 2 {
            found.push(value);
        }
        rest = after;
    }
    Some(found)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::Full;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    use super::*;

    fn message(field: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        assert!(length < 0x80, "one byte says how long it is");
        [&[(field << 3) | 2, length], content].concat()
    }

    /// Two scopes with two items and one, beside fields of every other kind.
    fn export() -> Vec<u8> {
        let others = [&[0x1d, 1, 2, 3, 4][..], &[0x20, 0xff, 0x01], &[0x29, 1, 2, 3, 4, 5, 6, 7, 8]].concat();
        let item = message(2, &others);
        let scope = [message(1, b"scope"), item.clone(), message(3, b"schema"), item.clone()].concat();
        let resource = [message(1, b"resource"), message(2, &scope), message(2, &item)].concat();
        message(1, &resource)
    }

    async fn sink(silent: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::new(Counts::default());
        tokio::spawn(serve(listener, move |request| Arc::clone(&counts).answer(request, silent)));
        url
    }

    async fn ask(method: Method, url: String, body: Vec<u8>) -> (StatusCode, String) {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::builder().method(method).uri(url).body(Full::new(Bytes::from(body))).unwrap();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        (parts.status, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_comes_is_counted() {
        let url = sink(false).await;
        for _ in 0..2 {
            let (status, body) = ask(Method::POST, format!("{url}/v1/traces"), export()).await;
            assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
        }
        ask(Method::POST, format!("{url}/v1/logs"), export()).await;
        for cut in [&export()[..5], &[0xff; 12], &[0x0b]] {
            let (status, _) = ask(Method::POST, format!("{url}/v1/traces"), cut.to_vec()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
        }
        assert_eq!(ask(Method::POST, format!("{url}/v1"), Vec::new()).await.0, StatusCode::NOT_FOUND);
        let (_, counts) = ask(Method::GET, format!("{url}/counts"), Vec::new()).await;
        let counts: serde_json::Value = serde_json::from_str(&counts).unwrap();
        let size = export().len();
        assert_eq!(counts["traces"], serde_json::json!({"exports": 2, "bytes": 2 * size, "items": 6}));
        assert_eq!(counts["logs"], serde_json::json!({"exports": 1, "bytes": size, "items": 3}));
        assert_eq!(counts["metrics"], serde_json::json!({"exports": 0, "bytes": 0, "items": 0}));
    }

    #[tokio::test]
    async fn a_silent_one_takes_it_and_never_answers() {
        let url = sink(true).await;
        let export = tokio::spawn(ask(Method::POST, format!("{url}/v1/traces"), export()));
        let came = async {
            while !ask(Method::GET, format!("{url}/counts"), Vec::new()).await.1.contains("\"items\":3") {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), came).await.unwrap();
        assert!(!export.is_finished());
    }
}
