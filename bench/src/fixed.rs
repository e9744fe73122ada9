//! Domain services whose answers are fixed: each is fetched once from the real service and then repeated.
//!
//! Whoever asks and with whichever credential, the answer to a path and query is the same bytes. So what is
//! measured is not how fast the services are, and their data is as real as the demo's.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use clap::Parser;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::serve::{failed, json, serve};
use crate::{Failure, announce, options};

/// Answers GET requests with what a service once answered.
#[derive(Debug, Parser)]
#[command(name = "fixed-upstream")]
pub struct Options {
    /// A service to stand in for, and where it is: users=http://127.0.0.1:3001
    #[arg(long = "of", value_parser = options::service, required = true)]
    services: Vec<(String, Authority)>,
    /// A header to fetch with, such as a credential that may read everything that is asked for
    #[arg(long = "header", value_parser = options::header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The one user there is: what is asked of any other is answered as if it were asked of this one
    #[arg(long, default_value = "u_42")]
    user: String,
}

/// Serves until the process ends, each service on a free port of its own.
pub async fn run(options: Options) -> Result<(), Failure> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut services = JoinSet::new();
    for (name, authority) in options.services {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        announce(&name, listener.local_addr()?)?;
        let service = Arc::new(Service {
            authority,
            headers: options.headers.clone(),
            user: options.user.clone(),
            client: client.clone(),
            known: RwLock::default(),
        });
        services.spawn(serve(listener, move |request| Arc::clone(&service).answer(request)));
    }
    match services.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}

struct Service {
    authority: Authority,
    headers: Vec<(HeaderName, HeaderValue)>,
    user: String,
    client: Client<HttpConnector, Empty<Bytes>>,
    known: RwLock<HashMap<PathAndQuery, Bytes>>,
}

impl Service {
    async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response<Full<Bytes>> {
        let (&Method::GET, Some(asked)) = (request.method(), request.uri().path_and_query()) else {
            return failed(StatusCode::METHOD_NOT_ALLOWED, &"only GET has a fixed answer");
        };
        let Ok(asked) = PathAndQuery::try_from(of_one(asked.as_str(), &self.user)) else {
            return failed(StatusCode::BAD_REQUEST, &"not a path");
        };
        if let Some(body) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&asked) {
            return json(body.clone());
        }
        match self.fetch(asked.clone()).await {
            Ok(body) => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                known.insert(asked, body.clone());
                json(body)
            }
            Err(failure) => failed(StatusCode::BAD_GATEWAY, &format!("GET {asked}: {failure}")),
        }
    }

    async fn fetch(&self, path: PathAndQuery) -> Result<Bytes, Failure> {
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        request.headers_mut().extend(self.headers.iter().cloned());
        let response = self.client.request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("the service answered {}", response.status()).into());
        }
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

/// The same path and query, naming `user` wherever it names a user.
fn of_one(asked: &str, user: &str) -> String {
    let mut parts = asked.split("u_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_user = path.ends_with(['/', '=']) && rest.len() < part.len();
        path + if is_user { user } else { "u_" } + if is_user { rest } else { part }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A service that counts, and knows everything but `/missing`.
    async fn counting(calls: Arc<AtomicUsize>) -> Arc<Service> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string().parse().unwrap();
        tokio::spawn(serve(listener, move |request| {
            let number = calls.fetch_add(1, Ordering::Relaxed);
            std::future::ready(match request.uri().path() {
                "/missing" => failed(StatusCode::NOT_FOUND, &"missing"),
                _ => json(format!("[{number}]")),
            })
        }));
        let client = Client::builder(TokioExecutor::new()).build_http();
        Arc::new(Service {
            authority,
            headers: Vec::new(),
            user: "u_42".to_owned(),
            client,
            known: RwLock::default(),
        })
    }

    #[test]
    fn every_user_is_the_one() {
        for (asked, expected) in [
            ("/users/u_7", "/users/u_42"),
            ("/accounts/u_1000/billing", "/accounts/u_42/billing"),
            ("/notifications?userId=u_3&unread=true", "/notifications?userId=u_42&unread=true"),
            ("/products?ids=p_1,p_2&menu_1=u_", "/products?ids=p_1,p_2&menu_1=u_"),
        ] {
            assert_eq!(of_one(asked, "u_42"), expected);
        }
    }

    #[tokio::test]
    async fn a_path_is_asked_for_once() {
        let calls = Arc::new(AtomicUsize::new(0));
        let service = counting(Arc::clone(&calls)).await;
        let ask = async |path: &str| {
            let answer = Arc::clone(&service).answer(Request::get(path).body(()).unwrap()).await;
            let status = answer.status();
            (status, answer.into_body().collect().await.unwrap().to_bytes())
        };
        assert_eq!(ask("/a?limit=1").await, (StatusCode::OK, "[0]".into()));
        assert_eq!(ask("/a?limit=1").await, (StatusCode::OK, "[0]".into()));
        assert_eq!(ask("/a?limit=2").await, (StatusCode::OK, "[1]".into()));
        assert_eq!(ask("/missing").await.0, StatusCode::BAD_GATEWAY);
        assert_eq!(ask("/missing").await.0, StatusCode::BAD_GATEWAY);
        assert_eq!(calls.load(Ordering::Relaxed), 4);
    }
}
