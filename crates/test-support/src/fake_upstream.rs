//! A domain service that answers as it is told, over a real socket.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(30);

type Body = BoxBody<Bytes, std::io::Error>;

/// What a fake answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// `200` with this JSON.
    Json(Value),
    /// This status with this JSON, as a problem.
    Problem(u16, Value),
    /// This status with these headers and this text.
    Raw(u16, Vec<(&'static str, String)>, String),
    /// An event stream, on which this speaks.
    Events(Speaker),
    /// Nothing, ever.
    Hang,
    /// The connection ends without an answer.
    Reset,
    /// A head and half a body, then nothing, ever.
    Stall,
    /// A head that promises more than comes before the connection ends.
    Truncate,
}

/// Says things on event streams, to all who listen.
#[derive(Clone, Debug, Default)]
pub struct Speaker(Arc<Mutex<Vec<mpsc::UnboundedSender<Bytes>>>>);

impl Speaker {
    /// Says this, as it is, to all who listen now.
    pub fn say(&self, text: &str) {
        for listener in &*self.listeners() {
            // One who has left in the meantime hears nothing.
            let _ = listener.send(Bytes::from(text.to_owned()));
        }
    }

    /// Ends all streams.
    pub fn hang_up(&self) {
        self.listeners().clear();
    }

    /// Waits until so many listen.
    pub async fn has_listeners(&self, count: usize) {
        let waiting = async {
            while self.listeners().len() != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let there = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(there.is_ok(), "{} listen, and not {count}", self.listeners().len());
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Bytes>>> {
        let mut listeners = self.0.lock().expect("not poisoned");
        listeners.retain(|listener| !listener.is_closed());
        listeners
    }

    /// The answer to another one who listens.
    fn listened(&self) -> Response<Body> {
        let (speaks, hears) = mpsc::unbounded_channel();
        self.listeners().push(speaks);
        let frames = stream::unfold(hears, |mut hears| async {
            let text = hears.recv().await?;
            Some((Ok(Frame::data(text)), hears))
        });
        let response = Response::builder().header("content-type", "text/event-stream");
        response.body(BodyExt::boxed(StreamBody::new(frames))).expect("a valid reply")
    }
}

/// A request that a fake has seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET /orders`.
    pub route: String,
    /// `userId=u_42&limit=3`.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A fake domain service on a free loopback port, until it is dropped.
pub struct FakeUpstream {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    replies: Mutex<HashMap<String, Vec<Reply>>>,
    seen: Mutex<Vec<Seen>>,
}

impl FakeUpstream {
    /// A fake that answers everything with `404` until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let state = Arc::new(State::default());
        Self { url, state: state.clone(), accepting: tokio::spawn(accept(listener, state)) }
    }

    /// From now on `GET /path` and the like is answered so.
    ///
    /// A token endpoint that answers with JSON also exchanges tokens: for `t` and the audience `a` it gives `a.t`.
    pub fn on(&self, route: &str, reply: Reply) -> &Self {
        self.on_each(route, vec![reply])
    }

    /// From now on `GET /path` is answered with these in turn, then with the last one again and again.
    pub fn on_each(&self, route: &str, replies: Vec<Reply>) -> &Self {
        assert!(!replies.is_empty(), "a route needs a reply");
        self.state.replies.lock().expect("not poisoned").insert(route.to_owned(), replies);
        self
    }

    /// Everything that was asked so far, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("not poisoned").clone()
    }

    /// How often `GET /path` was asked.
    pub fn count(&self, route: &str) -> usize {
        self.seen().iter().filter(|seen| seen.route == route).count()
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = hyper::service::service_fn(move |request| answer(state.clone(), request));
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, std::io::Error> {
    let (head, body) = request.into_parts();
    let route = format!("{} {}", head.method, head.uri.path());
    let query = head.uri.query().unwrap_or_default().to_owned();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let reply = exchanged(&state, &route, &body).unwrap_or_else(|| next_reply(&state, &route));
    state.seen.lock().expect("not poisoned").push(Seen { route, query, headers: head.headers, body });
    match reply {
        Reply::Json(json) => Ok(response(200, "application/json", json.to_string())),
        Reply::Problem(status, json) => Ok(response(status, "application/problem+json", json.to_string())),
        Reply::Raw(status, headers, text) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(full(text)).expect("a valid reply"))
        }
        Reply::Events(speaker) => Ok(speaker.listened()),
        Reply::Hang => std::future::pending().await,
        Reply::Reset => Err(std::io::Error::other("told to end the connection")),
        Reply::Stall => Ok(half(false)),
        Reply::Truncate => Ok(half(true)),
    }
}

/// What a token endpoint that works answers to a token exchange (RFC 8693): a token that says whose it is and for whom.
fn exchanged(state: &State, route: &str, body: &[u8]) -> Option<Reply> {
    let form: HashMap<_, _> = url::form_urlencoded::parse(body).collect();
    let is_exchange = form.get("grant_type")? == "urn:ietf:params:oauth:grant-type:token-exchange";
    let works = matches!(state.replies.lock().expect("not poisoned").get(route)?[0], Reply::Json(_));
    let token = format!("{}.{}", form.get("audience")?, form.get("subject_token")?);
    let answer = serde_json::json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600});
    (is_exchange && works).then_some(Reply::Json(answer))
}

fn next_reply(state: &State, route: &str) -> Reply {
    let mut replies = state.replies.lock().expect("not poisoned");
    match replies.get_mut(route) {
        Some(replies) if replies.len() > 1 => replies.remove(0),
        Some(replies) => replies[0].clone(),
        None => Reply::Problem(404, serde_json::json!({"type": "urn:shop:problem:not-found", "status": 404})),
    }
}

fn response(status: u16, media_type: &str, text: String) -> Response<Body> {
    let response = Response::builder().status(status).header("content-type", media_type);
    response.body(full(text)).expect("a valid reply")
}

fn full(text: String) -> Body {
    Full::from(text).map_err(|never: Infallible| match never {}).boxed()
}

/// The head of an answer and the first bytes of its body; then an error, or nothing.
fn half(breaks_off: bool) -> Response<Body> {
    use futures::StreamExt;
    let first = futures::stream::once(async { Ok(Frame::data(Bytes::from_static(b"{\"items\":["))) });
    let rest = futures::stream::once(async move {
        if breaks_off {
            Err(std::io::Error::other("told to break off"))
        } else {
            std::future::pending().await
        }
    });
    let response =
        Response::builder().header("content-type", "application/json").header("content-length", "1000");
    response.body(BodyExt::boxed(StreamBody::new(first.chain(rest)))).expect("a valid reply")
}
