//! The caller is who the authenticator says, and nobody else.

use axum::Router;
use axum::routing::get as on_get;
use http::request::Parts;
use middleware::{Context, authentication};
use problem::{Problem, kind};
use request_context::{AccessToken, Authenticate, Caller, RequestContext, Scopes, Subject};

use crate::support::{app, get, send};

fn routes() -> Router {
    let guarded = Router::new().route("/me", on_get(me)).route_layer(authentication(Bearer));
    Router::new().route("/anyone", on_get(me)).merge(guarded)
}

async fn me(Context(ctx): Context) -> String {
    ctx.caller().map_or_else(|| "nobody".into(), |caller| caller.subject.as_str().into())
}

/// Anybody whose token is a user's id is that user.
#[derive(Clone)]
pub(crate) struct Bearer;

impl Authenticate for Bearer {
    type Refusal = Problem;

    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        assert!(ctx.caller().is_none());
        tokio::task::yield_now().await;
        let token =
            head.headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        match token.filter(|token| token.starts_with("u_")) {
            Some(token) => Ok(Caller {
                realm: "https://id.example".into(),
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
    cross-origin-resource-policy: same-origin
    referrer-policy: no-referrer
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
