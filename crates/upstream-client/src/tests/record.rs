//! What is recorded of a call: a span for each attempt, and for whatever spared it one.

use futures::future::join;
use http::header::{ETAG, IF_NONE_MATCH};
use opentelemetry::trace::{SpanKind, Status};
use request_context::{Recorded, TRACEPARENT};
use tokio::time::advance;

use super::*;

/// What a span says beyond what all spans of its operation say.
fn said(span: &Recorded) -> String {
    let known = ["triptych.upstream", "triptych.operation", "http.request.method"];
    let kind = if span.kind == SpanKind::Client { "client" } else { "internal" };
    let more = span.attributes().filter(|said| {
        let key = said.key.as_str();
        !known.contains(&key)
            && !key.starts_with("server.")
            && !["url.template", "http.response.body.size"].contains(&key)
    });
    more.fold(kind.to_owned(), |text, said| {
        let key = said.key.as_str();
        text + " " + key.strip_prefix("triptych.").unwrap_or(key) + "=" + &said.value.to_string()
    })
}

fn recorded(ctx: &RequestContext) -> Vec<String> {
    ctx.recorded().iter().map(said).collect()
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_a_span_that_the_service_is_told() {
    let world = World::new();
    let told = Arc::new(Mutex::new(String::new()));
    let tells = told.clone();
    world.service.answers(move |call| {
        *tells.lock().unwrap() = header(call, TRACEPARENT.as_str()).unwrap().to_owned();
        let answer = says(call, "ok");
        async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            answer
        }
    });
    let ctx = request();
    let section = ctx.begin(SpanKind::Internal, "section things");
    world.get(&ctx.within(&section), &GET, "a").await.unwrap();
    let spans = ctx.recorded();
    let [span] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((span.name.as_str(), &span.parent), ("GET /things/{}", &section.id()));
    assert_eq!((&span.kind, &span.status), (&SpanKind::Client, &Status::Unset));
    assert_eq!(span.took, Duration::from_millis(30));
    assert_eq!(told.lock().unwrap().split('-').nth(2).unwrap(), span.id.to_string());
    let all: Vec<_> = span.attributes().map(|said| format!("{}={}", said.key, said.value)).collect();
    assert_eq!(
        all,
        [
            "triptych.upstream=things",
            "triptych.operation=things.get",
            "http.request.method=GET",
            "server.address=things",
            "server.port=80",
            "url.template=/things/{}",
            "http.response.status_code=200",
            "http.response.body.size=13",
        ]
    );
}

type Attempt = fn(&Call) -> Result<Reply, Failure>;

#[tokio::test(start_paused = true)]
async fn each_attempt_says_what_became_of_it() {
    let cases: [(Attempt, &[&str]); 5] = [
        (
            |call| Ok(reply(call, 500, &[], "{}")),
            &[
                "client http.response.status_code=500 outcome=unavailable error.type=unavailable",
                "client attempt=retry http.request.resend_count=1 http.response.status_code=500 \
                 outcome=unavailable error.type=unavailable",
            ],
        ),
        (
            |call| Ok(reply(call, 404, &[], "{}")),
            &["client http.response.status_code=404 outcome=refused error.type=refused"],
        ),
        (
            |call| Ok(reply(call, 200, &[], r#"{"said":7}"#)),
            &["client http.response.status_code=200 contract.path=said \
               outcome=contract_violation error.type=contract_violation"],
        ),
        (
            |call| Ok(reply(call, 302, &[], "{}")),
            &["client http.response.status_code=302 contract.path=status \
               outcome=contract_violation error.type=contract_violation"],
        ),
        (
            |_| Err(Failure::new(CallErrorKind::Unavailable).unhealthy()),
            &["client outcome=unavailable error.type=unavailable"],
        ),
    ];
    for (answer, expected) in cases {
        let world = World::new();
        world.service.answers(move |call| std::future::ready(answer(call)));
        let ctx = request();
        world.get(&ctx, &GET, "a").await.unwrap_err();
        assert_eq!(recorded(&ctx), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_left_is_recorded_too() {
    let world = World::with(|settings| (settings.max_concurrency, settings.coalescing) = (1, false));
    world.service.answers(|_| std::future::pending());
    // No time left.
    let ctx = request_of("u_1", Duration::from_millis(30));
    world.get(&ctx, &GET, "a").await.unwrap_err();
    assert_eq!(recorded(&ctx), ["internal outcome=timeout error.type=timeout"]);
    // A call that its client leaves, and one that finds no place beside it.
    let (left, shed) = (request(), request());
    let mut leaving = Box::pin(world.get(&left, &GET, "a"));
    assert!(futures::poll!(&mut leaving).is_pending());
    world.get(&shed, &GET, "a").await.unwrap_err();
    assert_eq!(recorded(&shed), ["internal outcome=shed error.type=shed"]);
    drop(leaving);
    assert_eq!(recorded(&left), ["client outcome=cancelled"]);
    // One that takes too long, five times: then it is not asked.
    for _ in 0..5 {
        let ctx = request();
        world.get(&ctx, &GET, "a").await.unwrap_err();
        assert_eq!(recorded(&ctx), ["client outcome=timeout error.type=timeout"]);
    }
    let ctx = request();
    world.get(&ctx, &GET, "a").await.unwrap_err();
    assert_eq!(recorded(&ctx), ["internal outcome=breaker_open error.type=breaker_open"]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_says_how_long() {
    let world = World::with(|settings| (settings.max_concurrency, settings.coalescing) = (1, false));
    world.service.answers(|call| {
        let answer = says(call, "ok");
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer
        }
    });
    let (first, second) = (request(), request());
    let (one, other) = join(world.get(&first, &GET, "a"), world.get(&second, &GET, "a")).await;
    one.and(other).unwrap();
    let expected = "client http.response.status_code=200 wait=50";
    assert_eq!(recorded(&second), [expected]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_memory_says_how_it_was_used() {
    let world = World::new();
    let used = async |passed: u32| {
        advance(passed * SECOND).await;
        let ctx = request();
        let ctx = ctx.for_section(ctx.deadline(), Some(Duration::from_hours(1)));
        world.get(&ctx, &KEPT, "a").await.unwrap();
        recorded(&ctx).pop().unwrap()
    };
    world.service.answers(|call| {
        let asked = header(call, IF_NONE_MATCH.as_str()).is_some();
        let tagged = [(ETAG, "\"1\"")];
        std::future::ready(Ok(reply(call, if asked { 304 } else { 200 }, &tagged, r#"{"said":"ok"}"#)))
    });
    assert_eq!(used(0).await, "client http.response.status_code=200");
    assert_eq!(used(1).await, "internal cache=hit");
    let again = "client http.response.status_code=304 cache=revalidated";
    assert_eq!(used(40).await, again);
    world.service.answers(|call| std::future::ready(Ok(reply(call, 504, &[], "{}"))));
    assert_eq!(used(11).await, "internal cache=stale_while_revalidate");
    assert_eq!(used(30).await, "internal cache=stale_if_error");
}

#[tokio::test(start_paused = true)]
async fn who_shares_a_call_names_the_attempt_it_waited_for() {
    let world = World::new();
    world.service.answers(|call| {
        let answer = says(call, "ok");
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer
        }
    });
    let (first, second, leaver) = (request(), request(), request());
    let mut leaving = Box::pin(async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        tokio::time::timeout(Duration::from_millis(5), world.get(&leaver, &GET, "a")).await
    });
    let both = join(world.get(&first, &GET, "a"), world.get(&second, &GET, "a"));
    let ((one, other), left) = join(both, &mut leaving).await;
    one.and(other).unwrap();
    assert!(left.is_err());
    let attempt = first.recorded().pop().unwrap();
    for (ctx, expected) in
        [(second, "internal coalesced=true"), (leaver.clone(), "internal coalesced=true outcome=cancelled")]
    {
        let spans = ctx.recorded();
        let [span] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(said(span), expected);
        assert_eq!(span.link, Some(first.trace().context_of(attempt.id)));
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_at_once_the_loser_is_cancelled() {
    let world = World::new();
    let pace = Arc::new(AtomicUsize::new(20));
    let paced = pace.clone();
    world.service.answers(move |call| {
        let answer = says(call, "ok");
        // The next one is fast again.
        let takes = paced.swap(20, Ordering::Relaxed) as u64;
        async move {
            tokio::time::sleep(Duration::from_millis(takes)).await;
            answer
        }
    });
    for _ in 0..100 {
        world.get(&request(), &GET, "a").await.unwrap();
    }
    pace.store(1000, Ordering::Relaxed);
    let ctx = request();
    world.get(&ctx, &GET, "a").await.unwrap();
    let hedge = "client attempt=hedge http.request.resend_count=1 http.response.status_code=200";
    let mut spans = recorded(&ctx);
    spans.sort();
    assert_eq!(spans, [hedge, "client outcome=cancelled"]);
}
