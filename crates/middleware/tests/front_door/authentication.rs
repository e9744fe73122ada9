//! The caller is who the authenticator says, and nobody else.

use std::collections::HashSet;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get as on_get, post as on_post};
use http::HeaderMap;
use middleware::{Context, IdempotencyKey, authentication};
use problem::{Problem, kind};
use request_context::{AccessToken, Authenticate, Caller, RequestContext, Scopes, Subject};

use crate::support::{app, get, send};

fn routes() -> Router {
    let guarded = Router::new()
        .route("/me", on_get(me))
        .route("/orders", on_post(key))
        .route("/orders/{id}", on_post(key).put(key))
        .route_layer(authentication(Bearer));
    Router::new().route("/anyone", on_get(me)).merge(guarded)
}

async fn me(Context(ctx): Context) -> String {
    ctx.caller().map_or_else(|| "nobody".into(), |caller| caller.subject.as_str().into())
}

async fn key(key: IdempotencyKey) -> String {
    key.for_upstream().to_str().unwrap().to_owned()
}

/// Anybody whose token is a user's id is that user.
#[derive(Clone)]
struct Bearer;

impl Authenticate for Bearer {
    type Refusal = Problem;

    async fn authenticate(&self, ctx: &RequestContext, headers: &HeaderMap) -> Result<Caller, Problem> {
        assert!(ctx.caller().is_none());
        tokio::task::yield_now().await;
        let token =
            headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        match token.filter(|token| token.starts_with("u_")) {
            Some(token) => Ok(Caller {
                subject: Subject::parse(token).unwrap(),
                scopes: Scopes::default(),
                token: AccessToken::new(token),
            }),
            None => Err(Problem::new(kind::UNAUTHENTICATED).challenge("Bearer")),
        }
    }
}

#[tokio::test]
async fn a_caller_is_known_where_the_layer_is() {
    let app = app(routes());
    for (path, token, expected) in [
        ("/me", "Bearer u_42", "u_42"),
        ("/anyone", "Bearer u_42", "nobody"),
        ("/anyone", "Bearer bad", "nobody"),
    ] {
        let answer = send(&app, get(path).header("authorization", token), "").await;
        assert_eq!(answer.body, expected, "{path} {token}");
    }
}

#[tokio::test]
async fn a_refusal_is_the_authenticators_problem() {
    let request = get("/me").header("authorization", "Bearer bad").header("x-user-id", "u_1");
    let answer = send(&app(routes()), request, "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    401 Unauthorized
    cache-control: private, no-cache
    content-length: 167
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/problem+json
    vary: Authorization, Cookie, Accept-Encoding
    www-authenticate: Bearer
    x-content-type-options: nosniff
    x-request-id: [id]

    {"type":"urn:triptych:problem:unauthenticated","title":"A valid credential is needed","status":401,"instance":"/me","requestId":"[id]"}
    "#);
}

#[tokio::test]
async fn an_unknown_route_needs_no_caller() {
    assert_eq!(send(&app(routes()), get("/nowhere"), "").await.verdict(), "404 not-found");
}

#[tokio::test]
async fn one_key_of_two_callers_or_two_routes_is_two_keys() {
    let app = app(routes());
    let mut seen = HashSet::new();
    for (method, path, caller, key) in [
        ("POST", "/orders", "u_42", "k"),
        ("POST", "/orders", "u_43", "k"),
        ("POST", "/orders", "u_42", "k2"),
        ("POST", "/orders/o_1", "u_42", "k"),
        ("POST", "/orders/o_2", "u_42", "k"),
        ("PUT", "/orders/o_2", "u_42", "k"),
    ] {
        let request = || {
            let token = format!("Bearer {caller}");
            let request = Request::builder().method(method).uri(path);
            request.header("authorization", token).header("idempotency-key", key)
        };
        let derived = send(&app, request(), "").await.body;
        assert_eq!(send(&app, request(), "").await.body, derived, "a retry has the key of its first try");
        assert_eq!(derived.len(), 64);
        assert!(seen.insert(derived), "{method} {path} {caller} {key}");
    }
}
