//! A closed-loop load generator: every connection has one request on its way, and the next one after it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use clap::Parser;
use hdrhistogram::Histogram;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{Failure, options};

const LONGEST_MICROSECONDS: u64 = 60_000_000;
/// Digits of a latency that are exact.
const PRECISION: u8 = 3;

/// Asks for one URL over keep-alive HTTP/1.1 connections, and prints what came of it as JSON.
#[derive(Clone, Debug, Parser)]
#[command(name = "load")]
pub struct Options {
    /// What to ask for
    url: Uri,
    /// How many connections ask at once
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// For how long
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// A header of every request, such as a credential
    #[arg(long = "header", value_parser = options::header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// A file with credentials, one header a line: each request has the next one, and it ends when there is none left
    #[arg(long)]
    credentials: Option<PathBuf>,
    /// Count a 503 and a screen that lost a section, instead of ending at the first
    #[arg(long)]
    may_shed: bool,
}

/// What came of it.
#[derive(Debug, PartialEq, Serialize)]
pub struct Report {
    /// Requests that were answered, all of them with `200` and a body of the same size.
    pub requests: u64,
    /// Requests that were refused with `503`, or answered with fewer bytes than others, where they may be.
    pub shed: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// The size of a body.
    pub body_bytes: usize,
    /// The latency that half of the requests stayed within.
    pub p50_us: u64,
    /// The latency that 99 in 100 requests stayed within.
    pub p99_us: u64,
    /// The longest latency.
    pub max_us: u64,
}

/// Asks until the time is over. An answer that is not like the others ends it at once.
pub async fn run(options: Options) -> Result<Report, Failure> {
    let may_shed = options.may_shed;
    let credentials = options.credentials.as_deref().map(Credentials::read).transpose()?.map(Arc::new);
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        connections.push(Connection::open(&options, credentials.clone()).await?);
    }
    let started = Instant::now();
    let until = started + Duration::try_from_secs_f64(options.seconds)?;
    let mut asking = JoinSet::new();
    for connection in connections {
        asking.spawn(connection.ask(until));
    }
    let mut latencies = latencies()?;
    let (mut body_bytes, mut shed) = (None, 0);
    while let Some(asked) = asking.join_next().await {
        let asked = asked??;
        if let Some(bytes) = asked.body_bytes {
            same(*body_bytes.get_or_insert(bytes), bytes)
                .or_else(|odd| if may_shed { Ok(()) } else { Err(odd) })?;
        }
        shed += asked.shed;
        latencies.add(asked.latencies)?;
    }
    Ok(Report {
        requests: latencies.len(),
        shed,
        seconds: started.elapsed().as_secs_f64(),
        body_bytes: body_bytes.unwrap_or_default(),
        p50_us: latencies.value_at_quantile(0.5),
        p99_us: latencies.value_at_quantile(0.99),
        max_us: latencies.max(),
    })
}

struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
    credentials: Option<Arc<Credentials>>,
    may_shed: bool,
}

/// The credentials that are left.
struct Credentials(Mutex<vec::IntoIter<(HeaderName, HeaderValue)>>);

struct Asked {
    latencies: Histogram<u64>,
    /// The size of every body, if there was one.
    body_bytes: Option<usize>,
    shed: u64,
}

impl Connection {
    async fn open(options: &Options, credentials: Option<Arc<Credentials>>) -> Result<Self, Failure> {
        let authority = options.url.authority().ok_or("the URL must begin with http://host:port")?;
        let stream = TcpStream::connect(authority.as_str()).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // Its failure is also that of the request that runs.
        tokio::spawn(driver);
        let path = options.url.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::get(path).header(HOST, authority.as_str()).body(Empty::new())?;
        request.headers_mut().extend(options.headers.iter().cloned());
        Ok(Self { sender, request, credentials, may_shed: options.may_shed })
    }

    async fn ask(mut self, until: Instant) -> Result<Asked, Failure> {
        let mut latencies = latencies()?;
        let (mut body_bytes, mut shed) = (None, 0);
        loop {
            let asked = Instant::now();
            if asked >= until || !self.has_credential() {
                return Ok(Asked { latencies, body_bytes, shed });
            }
            let Some(body) = self.answer().await? else {
                shed += 1;
                continue;
            };
            // A screen that lost a section is still a 200, but a smaller one.
            let whole = same(*body_bytes.get_or_insert(body.len()), body.len());
            if self.may_shed && whole.is_err() {
                shed += 1;
                continue;
            }
            whole?;
            latencies.saturating_record(u64::try_from(asked.elapsed().as_micros())?);
        }
    }

    /// Whether the next request has a credential, if each has its own.
    fn has_credential(&mut self) -> bool {
        let Some(credentials) = &self.credentials else { return true };
        let next = credentials.0.lock().unwrap_or_else(PoisonError::into_inner).next();
        next.map(|(name, value)| self.request.headers_mut().insert(name, value)).is_some()
    }

    /// The body; `None` if the request was refused, and may be.
    async fn answer(&mut self) -> Result<Option<Bytes>, Failure> {
        self.sender.ready().await?;
        let response = self.sender.send_request(self.request.clone()).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status == StatusCode::OK {
            return Ok(Some(body));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE && self.may_shed {
            return Ok(None);
        }
        let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        Err(format!("{} answered {status}: {said}", self.request.uri()).into())
    }
}

impl Credentials {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)?;
        let headers = text.lines().map(options::header).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Mutex::new(headers.into_iter())))
    }
}

fn latencies() -> Result<Histogram<u64>, Failure> {
    Ok(Histogram::new_with_bounds(1, LONGEST_MICROSECONDS, PRECISION)?)
}

fn same(one: usize, other: usize) -> Result<(), Failure> {
    if one == other { Ok(()) } else { Err(format!("one answer has {one} bytes, another {other}").into()) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::Response;
    use http_body_util::Full;
    use tokio::net::TcpListener;

    use super::*;
    use crate::serve::{failed, json, serve};

    /// One request after the other, for longer than a test takes.
    fn options(url: http::Uri) -> Options {
        Options {
            url,
            connections: 1,
            seconds: 3600.0,
            headers: Vec::new(),
            credentials: None,
            may_shed: false,
        }
    }

    #[tokio::test]
    async fn each_request_has_a_credential_of_its_own_until_there_is_none_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/screen", listener.local_addr().unwrap()).parse().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = seen.clone();
        tokio::spawn(serve(listener, move |request: Request<_>| {
            note.lock().unwrap().push(request.headers()["cookie"].to_str().unwrap().to_owned());
            std::future::ready(json("{}"))
        }));
        let file = std::env::temp_dir().join(format!("credentials-{}", std::process::id()));
        std::fs::write(&file, "Cookie: a\nCookie: b\nCookie: c\n").unwrap();
        let report =
            run(Options { credentials: Some(file.clone()), connections: 2, ..options(url) }).await.unwrap();
        std::fs::remove_file(file).unwrap();
        let mut seen = seen.lock().unwrap().clone();
        seen.sort();
        assert_eq!((report.requests, seen), (3, ["a", "b", "c"].map(str::to_owned).to_vec()));
    }

    /// Asks a server that answers well until its tenth answer, which is `odd`. Ends long before its time.
    async fn asked(odd: fn() -> Response<Full<Bytes>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/screen", listener.local_addr().unwrap()).parse().unwrap();
        let answers = Arc::new(AtomicUsize::new(0));
        tokio::spawn(serve(listener, move |_| {
            let number = answers.fetch_add(1, Ordering::Relaxed);
            std::future::ready(if number == 10 { odd() } else { json("{}") })
        }));
        run(options(url)).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn one_bad_answer_ends_it() {
        assert_eq!(asked(|| json("{\"warnings\":[]}")).await, "one answer has 2 bytes, another 15");
        let failure = asked(|| failed(StatusCode::SERVICE_UNAVAILABLE, &"down")).await;
        assert_eq!(failure, "/screen answered 503 Service Unavailable: down");
    }
}
