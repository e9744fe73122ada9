//! The screens with hyper and nothing else: no authentication, deadline, log, `ETag`, request id or limit.
//!
//! It makes the same calls as a BFF at the same time, decodes the same fields and answers the same JSON, as
//! the shortest program that does would. The views are the BFFs' by design, written again: the benchmark
//! meets them only over the wire.

mod dashboard;
mod home;
mod money;
mod shop;

use std::sync::Arc;

use bytes::Bytes;
use clap::Parser;
use http::uri::Authority;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::serve::{failed, json, serve};
use crate::{Failure, announce, options};
use shop::Shop;

/// Answers /home as mobile-bff does and /dashboard as web-bff does, for one user.
#[derive(Debug, Parser)]
#[command(name = "bare")]
pub struct Options {
    /// A domain service, and where it is: users=http://127.0.0.1:3001
    #[arg(long = "upstream", value_parser = options::service, required = true)]
    upstreams: Vec<(String, Authority)>,
    /// The one user there is
    #[arg(long, default_value = "u_42")]
    user: String,
    /// How many threads serve requests
    #[arg(long, default_value_t = 2)]
    pub worker_threads: usize,
}

/// Serves on a free port until the process ends.
pub async fn run(options: Options) -> Result<(), Failure> {
    let shop = Arc::new(Shop::new(&options.upstreams, options.user)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce("bare", listener.local_addr()?)?;
    serve(listener, move |request| answer(Arc::clone(&shop), request)).await
}

async fn answer(shop: Arc<Shop>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/home" => answered(home::get(&shop).await),
        "/dashboard" => answered(dashboard::get(&shop).await),
        _ => failed(StatusCode::NOT_FOUND, &"there are /home and /dashboard"),
    }
}

fn answered(screen: Result<impl Serialize, Failure>) -> Response<Full<Bytes>> {
    let body = screen.and_then(|view| Ok(serde_json::to_vec(&view)?));
    body.map_or_else(|failure| failed(StatusCode::BAD_GATEWAY, &failure), json)
}
