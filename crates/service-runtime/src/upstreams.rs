//! Admin routes of a service that calls others: how they are doing, and what is kept of their answers.

use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The most tags in one request, and the longest.
const MOST_TAGS: usize = 1_000;
const LONGEST_TAG: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forget {
    tags: Vec<String>,
}

/// `GET /upstreams`, which answers `state` of `outbound` as JSON, and `POST /cache/invalidate {"tags": […]}`, which hands
/// the tags to `invalidate` and answers `204` when that is done.
pub fn upstreams<O, T, F>(outbound: O, state: fn(&O) -> T, invalidate: fn(O, Vec<String>) -> F) -> Router
where
    O: Clone + Send + Sync + 'static,
    T: Serialize + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let shown = outbound.clone();
    let forget = async move |body: Result<Json<Forget>, JsonRejection>| -> Response {
        match body.map_err(|rejection| rejection.body_text()).and_then(|Json(forget)| checked(forget)) {
            Ok(tags) => {
                invalidate(outbound.clone(), tags).await;
                StatusCode::NO_CONTENT.into_response()
            }
            Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response(),
        }
    };
    Router::new()
        .route("/upstreams", get(async move || Json(state(&shown))))
        .route("/cache/invalidate", post(forget))
}

fn checked(forget: Forget) -> Result<Vec<String>, String> {
    let fits = |tag: &String| (1..=LONGEST_TAG).contains(&tag.len());
    if (1..=MOST_TAGS).contains(&forget.tags.len()) && forget.tags.iter().all(fits) {
        return Ok(forget.tags);
    }
    Err(format!("tags must be 1 to {MOST_TAGS} texts of 1 to {LONGEST_TAG} bytes; \"*\" is everything"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn tags_are_handed_on_or_refused_with_what_would_be_right() {
        let heard = Arc::new(Mutex::new(vec![]));
        let router = upstreams(
            heard.clone(),
            |_| json!({"users": "well"}),
            |heard, tags| {
                heard.lock().unwrap().extend(tags);
                std::future::ready(())
            },
        );
        let many = json!({"tags": vec!["a"; 1001]}).to_string();
        for (body, status, words) in [
            (r#"{"tags":["promos","user:u_42"]}"#, 204, ""),
            (r#"{"tags":[]}"#, 400, "1 to 1000"),
            (r#"{"tags":[""]}"#, 400, "1 to 256"),
            (&many, 400, "1 to 1000"),
            (r#"{"tag":"promos"}"#, 400, "unknown field"),
            ("promos", 400, "JSON"),
        ] {
            let request = Request::post("/cache/invalidate").header("content-type", "application/json");
            let request = request.body(Body::from(body.to_owned())).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{body}");
            let text = response.into_body().collect().await.unwrap().to_bytes();
            assert!(String::from_utf8_lossy(&text).contains(words), "{body}: {text:?}");
        }
        assert_eq!(*heard.lock().unwrap(), ["promos", "user:u_42"]);
        let shown = router.oneshot(Request::get("/upstreams").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(shown.into_body().collect().await.unwrap().to_bytes(), r#"{"users":"well"}"#);
    }
}
