//! Calls over real sockets, to a service that does what it likes.

use std::time::Duration;

use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use test_support::{FakeUpstream, Reply, context, context_with, fixed_tokens};
use upstream_client::{
    CallError, CallErrorKind, Operation, Outbound, Reason, Refusal, Upstream, UpstreamSettings,
};

static GET: Operation = Operation::get("things.get", "/things/{}");
static PARTS: Operation = Operation::get("things.parts", "/things/{}/parts/{}/all");
static PUBLIC: Operation = Operation::get("things.public", "/things/{}").as_service();
static NOBODY: Operation = Operation::get("things.nobody", "/things/{}").as_nobody();
static SMALL: Operation = Operation::get("things.small", "/things/{}").max_body(100);
static BUY: Operation = Operation::post("things.buy", "/things").refusals(&[Refusal {
    code: "sold-out",
    title: "All are sold",
    reason: Reason::Conflict,
}]);

#[derive(Clone, Debug, Deserialize, Validate)]
struct Thing {
    #[garde(length(min = 1, max = 5))]
    name: String,
    #[garde(dive)]
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Deserialize, Validate)]
struct Part {
    #[garde(range(min = 1))]
    size: u32,
}

struct Things {
    fake: FakeUpstream,
    upstream: Upstream,
}

/// A service with all the time in the world.
async fn things() -> Things {
    things_within(Duration::from_secs(30)).await
}

async fn things_within(timeout: Duration) -> Things {
    let fake = FakeUpstream::start().await;
    let mut settings = UpstreamSettings::at(fake.url.parse().expect("a URL"));
    settings.timeout = timeout;
    settings.connect_timeout = timeout;
    // Some of these tests fail more often than a service may.
    settings.breaker = false;
    let upstream = Upstream::new("things", &settings, &Outbound::new(fixed_tokens())).expect("good settings");
    Things { fake, upstream }
}

impl Things {
    async fn get(&self, id: &str) -> Result<Thing, CallError> {
        self.upstream.call(&context(), &GET).segment(id).fetch().await
    }
}

#[tokio::test]
async fn an_id_never_steers_the_url() {
    let things = things().await;
    for (id, path) in [
        ("a", "a"),
        ("../admin", "..%2Fadmin"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a#b", "a%23b"),
        ("a;b", "a%3Bb"),
        ("a\\b", "a%5Cb"),
        ("a\r\nb", "a%0D%0Ab"),
        ("ü", "%C3%BC"),
    ] {
        let answer = things.upstream.call(&context(), &PARTS).segment("x").segment(id).execute().await;
        assert!(answer.is_err());
        assert_eq!(things.fake.seen().last().unwrap().route, format!("GET /things/x/parts/{path}/all"));
    }
    let before = things.fake.seen().len();
    for id in ["", ".", ".."] {
        let error = things.get(id).await.unwrap_err();
        let absent = CallErrorKind::Refused { reason: Reason::NotFound, refusal: None };
        assert_eq!(error.kind, absent);
    }
    assert_eq!(things.fake.seen().len(), before, "an id that cannot be was asked for");
}

#[tokio::test]
async fn the_query_is_one_value_whatever_is_in_it() {
    let things = things().await;
    let ctx = context();
    let call = things.upstream.call(&ctx, &GET).segment("a").query("q", "a&b=c #+");
    let _ = call.query_opt("none", None::<u8>).query("n", 3).execute().await;
    assert_eq!(things.fake.seen()[0].query, "q=a%26b%3Dc%20%23%2B&n=3");
}

#[tokio::test]
async fn every_answer_becomes_one_decision() {
    use CallErrorKind::{ContractViolation, Shed, Timeout, Unauthorized, Unavailable};
    let violation = |path: &str| ContractViolation { path: path.into() };
    let problem = |status| Reply::Problem(status, json!({}));
    let header = |status, name, value: &str| Reply::Raw(status, vec![(name, value.into())], String::new());
    let raw = |text: &str| Reply::Raw(200, vec![("content-type", "application/json".into())], text.into());
    let things = things().await;
    for (reply, expected) in [
        (problem(500), Unavailable),
        (problem(502), Unavailable),
        (problem(503), Unavailable),
        (header(503, "retry-after", "7"), Shed { retry_after: Some(Duration::from_secs(7)) }),
        (header(429, "retry-after", "soon"), Shed { retry_after: None }),
        (problem(504), Timeout),
        (problem(401), Unauthorized),
        (problem(405), violation("status")),
        (header(302, "location", "http://127.0.0.1:1/"), violation("status")),
        (header(304, "etag", "\"x\""), violation("status")),
        (Reply::Reset, Unavailable),
        (Reply::Truncate, Unavailable),
        (Reply::Raw(200, vec![("content-type", "text/html".into())], "{}".into()), violation("content-type")),
        (header(204, "x", "y"), violation("content-type")),
        (raw(""), violation(".")),
        (raw(r#"{"name":"a"} trailing"#), violation("body")),
        (raw(r#"{"name":"a","name":"b"}"#), violation(".")),
        (raw(&"[".repeat(100_000)), violation("[0]")),
        (raw(r#"{"name":7}"#), violation("name")),
        (raw(r#"{"name":"a","parts":[{"size":1},{"size":"2"}]}"#), violation("parts[1].size")),
        (raw(r#"{"name":"a","parts":[{"size":1},{"size":0}]}"#), violation("parts[1].size")),
        (raw(r#"{"name":""}"#), violation("name")),
        (raw(&format!(r#"{{"name":"a","x":"{}"}}"#, "y".repeat(3 << 20))), violation("body")),
    ] {
        things.fake.on("GET /things/a", reply.clone());
        let error = things.get("a").await.unwrap_err();
        assert_eq!(error.kind, expected, "{reply:.200?}");
        assert!(!format!("{error:?}").contains("127.0.0.1"), "an address leaves the client: {error:?}");
    }
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_over() {
    let things = things_within(Duration::from_millis(100)).await;
    for reply in [Reply::Hang, Reply::Stall] {
        things.fake.on("GET /things/a", reply);
        assert_eq!(things.get("a").await.unwrap_err().kind, CallErrorKind::Timeout);
    }
}

#[tokio::test]
async fn what_is_new_in_an_answer_is_no_violation() {
    let things = things().await;
    things.fake.on(
        "GET /things/a",
        Reply::Json(json!({"name": "a", "colour": "new", "parts": [{"size": 2, "x": 1}]})),
    );
    let thing = things.get("a").await.unwrap();
    assert_eq!((thing.name.as_str(), thing.parts[0].size), ("a", 2));
}

#[tokio::test]
async fn a_refusal_keeps_its_name_if_the_operation_knows_it() {
    let things = things().await;
    for (status, code, expected) in
        [(409, "sold-out", Some("sold-out")), (422, "sold-out", None), (409, "x", None)]
    {
        let problem = json!({"type": format!("urn:shop:problem:{code}")});
        things.fake.on("POST /things", Reply::Problem(status, problem));
        let error = things.upstream.call(&context(), &BUY).json(&json!({})).execute().await.unwrap_err();
        let CallErrorKind::Refused { reason, refusal } = error.kind else { panic!("{error}") };
        assert_eq!((reason.status().as_u16(), refusal.map(|refusal| refusal.code)), (status, expected));
    }
}

#[tokio::test]
async fn a_success_that_nobody_reads_is_still_the_services_own() {
    let things = things().await;
    for (media_type, body, good) in
        [("text/plain", "", true), ("application/json", "{}", true), ("text/html", "<p>Sign in</p>", false)]
    {
        let headers = vec![("content-type", media_type.to_owned())];
        things.fake.on("POST /things", Reply::Raw(200, headers, body.to_owned()));
        let outcome = things.upstream.call(&context(), &BUY).execute().await;
        assert_eq!(outcome.is_ok(), good, "{media_type}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let things = things().await;
    let refused = Reply::Problem(401, json!({}));
    things.fake.on_each("GET /things/a", vec![refused.clone(), Reply::Json(json!({"name": "a"}))]);
    assert!(things.get("a").await.is_ok());
    let sent = |n: usize| things.fake.seen()[n].headers["authorization"].to_str().unwrap().to_owned();
    assert_eq!((sent(0).as_str(), sent(1).as_str()), ("Bearer token-of-u_42", "Bearer fresh-token"));

    let things = self::things().await;
    things.fake.on("GET /things/b", refused);
    assert_eq!(things.get("b").await.unwrap_err().kind, CallErrorKind::Unauthorized);
    assert_eq!(things.fake.count("GET /things/b"), 2);
    // The second attempt was paid for, and there is no more to pay with.
    assert_eq!(things.get("b").await.unwrap_err().kind, CallErrorKind::Unauthorized);
    assert_eq!(things.fake.count("GET /things/b"), 3);
}

#[tokio::test]
async fn a_public_call_carries_nothing_personal() {
    let things = things().await;
    let _ = things.upstream.call(&context(), &GET).segment("a").execute().await;
    let _ = things.upstream.call(&context(), &PUBLIC).segment("a").execute().await;
    let _ = things.upstream.call(&context(), &NOBODY).segment("a").execute().await;
    let seen = things.fake.seen();
    let sent =
        |n: usize, name: &str| seen[n].headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(sent(0, "x-user-id").as_deref(), Some("u_42"));
    assert_eq!(
        (sent(1, "authorization").as_deref(), sent(1, "x-user-id")),
        (Some("Bearer service-token"), None)
    );
    assert_eq!((sent(2, "authorization"), sent(2, "x-user-id")), (None, None));
}

#[tokio::test]
async fn a_call_that_cannot_fit_is_not_made() {
    let things = things().await;
    things.fake.on("GET /things/a", Reply::Json(json!({"name": "a"})));
    for left in [0, 10, 50, 59] {
        let ctx = context_with(Duration::from_millis(left));
        let answer = things.upstream.call(&ctx, &GET).segment("a").fetch::<Thing>().await;
        assert_eq!(answer.unwrap_err().kind, CallErrorKind::Timeout, "{left} ms");
    }
    assert!(things.fake.seen().is_empty());
    for (left, most) in [(10_000, 9_950), (60_000, 29_970)] {
        let ctx = context_with(Duration::from_millis(left));
        assert!(things.upstream.call(&ctx, &GET).segment("a").fetch::<Thing>().await.is_ok());
        let seen = things.fake.seen();
        let told: u64 =
            seen.last().unwrap().headers["x-request-deadline-ms"].to_str().unwrap().parse().unwrap();
        assert!((1_000..=most).contains(&told), "of {left} ms the service was told {told}");
    }
}

#[tokio::test]
async fn a_call_that_was_put_together_wrongly_is_not_made() {
    let things = things().await;
    let ctx = context();
    let call = |operation| things.upstream.call(&ctx, operation);
    for (what, call) in [
        ("a segment too many", call(&GET).segment("a").segment("b")),
        ("a segment too few", call(&PARTS).segment("a")),
        ("a public call that names the caller", call(&PUBLIC).caller_segment()),
        ("a public call that asks for the caller", call(&PUBLIC).segment("a").caller_query("userId")),
        ("a URL that no request can have", call(&GET).segment("a").query("q", "/".repeat(70_000))),
    ] {
        let error = call.execute().await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::ContractViolation { path: "request".into() }, "{what}");
    }
    assert!(things.fake.seen().is_empty());
}

#[tokio::test]
async fn an_operation_may_have_its_own_cap() {
    let things = things().await;
    things.fake.on("GET /things/a", Reply::Json(json!({"name": "a", "padding": "x".repeat(200)})));
    assert!(things.get("a").await.is_ok());
    let error = things.upstream.call(&context(), &SMALL).segment("a").fetch::<Thing>().await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::ContractViolation { path: "body".into() });
}

#[tokio::test]
async fn a_violation_never_quotes_what_it_found() {
    let things = things().await;
    for (name, expected) in
        [(json!(["ada@example.com"]), "expected a string"), (json!("x, expected ada@example.com"), "length")]
    {
        let parts = json!([{"size": "x, expected ada@example.com"}]);
        let answer = if name.is_array() { json!({"name": name}) } else { json!({"name": name, "parts": []}) };
        violation_is_silent(&things, answer, expected).await;
        violation_is_silent(&things, json!({"name": "a", "parts": parts}), "expected u32").await;
    }
    // A flood of mistakes is one line.
    let parts: Vec<_> = (0..20_000).map(|_| json!({"size": 0})).collect();
    violation_is_silent(&things, json!({"name": "a", "parts": parts}), "and 19999 more").await;
}

async fn violation_is_silent(things: &Things, answer: serde_json::Value, expected: &str) {
    things.fake.on("GET /things/a", Reply::Json(answer));
    let error = things.get("a").await.expect_err("a violation");
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(!text.contains("ada@"), "{text}");
    assert!(text.contains(expected) && text.len() < 1_000, "{text}");
}

#[tokio::test]
async fn settings_that_make_no_client_are_refused_with_what_would_be_right() {
    let at = |url: &str| UpstreamSettings::at(url.parse().expect("a URL"));
    for (settings, key) in [
        (at("ftp://things"), "url"),
        (at("http://things?x=1"), "url"),
        (at("http://user:secret@things"), "url"),
        (UpstreamSettings { timeout: Duration::ZERO, ..at("http://things") }, "timeout"),
        (
            UpstreamSettings { connect_timeout: Duration::from_secs(2), ..at("http://things") },
            "connect_timeout",
        ),
        (UpstreamSettings { max_idle: 10_001, ..at("http://things") }, "max_idle"),
        (UpstreamSettings { max_body: bytesize::ByteSize::gib(1), ..at("http://things") }, "max_body"),
    ] {
        let error =
            Upstream::new("things", &settings, &Outbound::new(fixed_tokens())).err().unwrap().to_string();
        assert!(error.starts_with(&format!("upstreams.things.{key} must")), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
