use std::cell::LazyCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::get;
use domain_clients::{Cursor, ProductId, Words};
use http::{Method, Request};
use http_body_util::BodyExt;
use middleware::{Context, Json, Path, PublicUrl, Query, RequestSettings};
use problem::Naming;
use request_context::Unobserved;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// What a client may send.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sent {
    product_id: ProductId,
    quantity: u32,
    #[serde(default)]
    notes: Vec<Option<Sent>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    q: Option<Words>,
    limit: Option<u8>,
    cursor: Option<Cursor>,
}

thread_local! {
    static SERVICE: LazyCell<(Runtime, Router)> = const { LazyCell::new(|| {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        (runtime, service())
    }) };
}

fn service() -> Router {
    let trusted = RequestSettings {
        trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        ..RequestSettings::default()
    };
    let public_url = url::Url::parse("http://127.0.0.1:8080").expect("a URL");
    let public_url = PublicUrl::try_from(public_url).expect("a public URL");
    middleware::stack(
        Router::new().route("/things/{id}", get(asked).post(sent)),
        &trusted,
        &public_url,
        Naming::CamelCase,
        Arc::new(Unobserved),
    )
}

async fn asked(_: Context, Path(id): Path<ProductId>, Query(asked): Query<Asked>) -> impl IntoResponse {
    let known = (asked.q.is_some(), asked.limit, asked.cursor.map(String::from));
    axum::Json((String::from(id), known))
}

async fn sent(_: Context, Path(_): Path<ProductId>, Json(sent): Json<Sent>) -> impl IntoResponse {
    axum::Json(sent)
}

/// What a client sends: `GET` or `POST` and a path, headers, a body, through all that stands before a handler.
pub fn requests(input: &[u8]) {
    let (first, headers, body) = crate::message(input);
    let Some((method, uri)) = first.split_once(' ') else { return };
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let Ok(mut request) = Request::builder().method(method).uri(uri).body(Body::from(body.to_vec())) else {
        return;
    };
    *request.headers_mut() = headers;
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))));
    SERVICE.with(|service| {
        let (runtime, router) = &**service;
        runtime.block_on(async {
            let Ok(response) = router.clone().oneshot(request).await;
            // A panic of a handler would be caught on its way, and be this.
            assert_ne!(response.status(), http::StatusCode::INTERNAL_SERVER_ERROR);
            assert!(response.headers().contains_key("x-request-id"));
            let read = response.into_body().collect().await;
            assert!(read.is_ok());
        });
    });
}
