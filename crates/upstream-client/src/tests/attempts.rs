use super::*;

fn failing(status: u16) -> impl Fn(&Call) -> BoxFuture<'static, Result<Reply, Failure>> + Send + Sync {
    move |call| std::future::ready(Ok(reply(call, status, &[], "{}"))).boxed()
}

type Attempt = fn(&Call) -> Result<Reply, Failure>;

#[tokio::test(start_paused = true)]
async fn only_what_may_happen_twice_is_tried_twice() {
    let unreached = Failure::new(CallErrorKind::Unavailable).repeatable().unhealthy();
    let broken_off = Failure::new(CallErrorKind::Unavailable).unhealthy();
    let status: [(&str, Attempt, usize); 9] = [
        ("500", |call| Ok(reply(call, 500, &[], "{}")), 2),
        ("503", |call| Ok(reply(call, 503, &[], "{}")), 2),
        ("429", |call| Ok(reply(call, 429, &[], "{}")), 2),
        ("503, come back in a minute", |call| Ok(reply(call, 503, &[(RETRY_AFTER, "60")], "{}")), 1),
        ("504", |call| Ok(reply(call, 504, &[], "{}")), 1),
        ("404", |call| Ok(reply(call, 404, &[], "{}")), 1),
        ("401", |call| Ok(reply(call, 401, &[], "{}")), 1),
        ("wrong shape", |call| Ok(reply(call, 200, &[], "[]")), 1),
        ("redirect", |call| Ok(reply(call, 302, &[], "{}")), 1),
    ];
    for (what, attempt, expected) in status {
        let world = World::new();
        world.service.answers(move |call| std::future::ready(attempt(call)));
        world.get(&request(), &GET, "a").await.unwrap_err();
        assert_eq!(world.service.attempts(), expected, "{what}");
    }
    for (what, failure, expected) in [("unreached", unreached, 2), ("broken off", broken_off, 1)] {
        let world = World::new();
        world.service.answers(move |_| std::future::ready(Err(failure.clone())));
        world.get(&request(), &GET, "a").await.unwrap_err();
        assert_eq!(world.service.attempts(), expected, "{what}");
    }
    for (what, key, expected) in [("a write", None, 1), ("a write with a key", Some("k"), 2)] {
        let world = World::new();
        world.service.answers(failing(503));
        let ctx = request();
        let call = world.upstream.call(&ctx, &POST).segment("a");
        call.idempotency_key(key.map(HeaderValue::from_static)).execute().await.unwrap_err();
        assert_eq!(world.service.attempts(), expected, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_never_exceed_the_budget() {
    for percent in [0_usize, 10, 50, 100] {
        // Breakers off: what they keep away would only make it easier.
        let world = World::with(|settings| (settings.breaker, settings.coalescing) = (false, false));
        let count = AtomicUsize::new(0);
        world.service.answers(move |call| {
            let turn = count.fetch_add(7, Ordering::Relaxed) % 100;
            std::future::ready(Ok(reply(
                call,
                if turn < percent { 500 } else { 200 },
                &[],
                r#"{"said":"ok"}"#,
            )))
        });
        let begun = tokio::time::Instant::now();
        let (calls, mut good) = (2_000_u64, 0);
        for _ in 0..calls {
            good += u32::from(world.get(&request(), &GET, "a").await.is_ok());
            tokio::time::advance(Duration::from_millis(5)).await;
        }
        let most = calls + calls / 10 + begun.elapsed().as_secs() + 1;
        let attempts = world.service.attempts() as u64;
        assert!(attempts <= most, "{percent} %: {attempts} attempts of {calls} calls");
        let (least, most) = match percent {
            0 => (2_000, 2_000),
            10 => (1_900, 2_000),
            50 => (1_000, 1_400),
            _ => (0, 0),
        };
        assert!((least..=most).contains(&good), "{percent} % errors: {good} of {calls} calls were good");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_read_is_asked_for_twice_and_the_first_good_answer_counts() {
    let world = World::with(|settings| settings.coalescing = false);
    let turn = Arc::new(AtomicUsize::new(0));
    let slow_every = turn.clone();
    world.service.answers(move |call| {
        let slow = slow_every.fetch_add(1, Ordering::Relaxed) % 50 == 49;
        let (answer, wait) = (says(call, "ok"), if slow { 900 } else { 10 });
        async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            answer
        }
    });
    let mut slow = 0;
    let calls = 1_000;
    for _ in 0..calls {
        let begun = tokio::time::Instant::now();
        world.get(&request(), &GET, "a").await.unwrap();
        slow += u32::from(begun.elapsed() > Duration::from_millis(100));
    }
    // Without hedging it would be 20. The first are slow, since what is usual is not known yet.
    assert!(slow <= 4, "{slow} of {calls} calls were slow");
    let hedges = world.counts(&GET)["hedges"].as_u64().unwrap();
    assert!((10..=calls / 20).contains(&hedges), "{hedges} hedges");
    assert_eq!(world.service.running(), 0, "the slower one is cancelled");

    let before = world.service.attempts();
    for _ in 0..100 {
        let ctx = request();
        world.upstream.call(&ctx, &POST).segment("a").execute().await.unwrap();
    }
    assert_eq!(world.service.attempts(), before + 100, "a write is never hedged");
}

#[tokio::test(start_paused = true)]
async fn what_keeps_failing_is_left_alone_and_used_again_within_two_seconds() {
    let world = World::with(|settings| settings.coalescing = false);
    world.service.answers(failing(500));
    while world.counts(&GET)["breaker"]["position"] != "open" {
        world.get(&request(), &GET, "a").await.unwrap_err();
        assert!(world.service.attempts() < 20);
    }
    let attempts = world.service.attempts();
    let error = world.get(&request(), &GET, "a").await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::BreakerOpen { .. }), "{error}");
    assert_eq!(world.service.attempts(), attempts, "no call leaves");
    // Another operation of the same service is not affected.
    world.get(&request(), &MINE, "a").await.unwrap_err();
    assert!(world.service.attempts() > attempts);

    world.service.answers(|call| std::future::ready(says(call, "ok")));
    let healed = tokio::time::Instant::now();
    while world.get(&request(), &GET, "a").await.is_err() {
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    assert!(healed.elapsed() <= 2 * SECOND);
    for _ in 0..10 {
        world.get(&request(), &GET, "a").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_timeout_that_had_its_full_time_speaks_against_a_service() {
    // (the request's time, what it could have had, whether the breaker opens)
    for (left, patience, opens) in
        [(2000, 2000, true), (100, 2000, false), (800, 800, true), (300, 300, true), (200, 300, false)]
    {
        let world = World::new();
        world.service.answers(|_| std::future::pending());
        for _ in 0..10 {
            let ctx =
                request_of("u", Duration::from_millis(left)).with_patience(Duration::from_millis(patience));
            world.get(&ctx, &GET, "a").await.unwrap_err();
        }
        let open = world.counts(&GET)["breaker"]["position"] == "open";
        assert_eq!(open, opens, "{left} of {patience} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_did_wrong_and_a_broken_contract_close_nothing() {
    for (status, body) in [(404, "{}"), (422, "{}"), (200, "[]"), (200, "<html>")] {
        let world = World::with(|settings| settings.coalescing = false);
        world.service.answers(move |call| std::future::ready(Ok(reply(call, status, &[], body))));
        for _ in 0..50 {
            world.get(&request(), &GET, "a").await.unwrap_err();
        }
        assert_eq!(world.service.attempts(), 50, "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contract_violation_is_counted_by_field() {
    let world = World::new();
    world.service.answers(|call| std::future::ready(Ok(reply(call, 200, &[], r#"{"said": 7}"#))));
    for _ in 0..3 {
        let error = world.get(&request(), &GET, "a").await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::ContractViolation { path: "said".into() });
    }
    assert_eq!(world.counts(&GET)["contractViolations"]["said"], 3);
}

#[tokio::test(start_paused = true)]
async fn when_all_is_taken_the_least_important_goes_first() {
    let world = World::with(|settings| (settings.coalescing, settings.max_concurrency) = (false, 10));
    world.service.answers(|call| {
        let answer = says(call, "ok");
        async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            answer
        }
    });
    let ask =
        async |priority: Priority| world.get(&request().with_priority(priority), &GET, "a").await.is_ok();
    let asked = [Priority::Batch, Priority::Page, Priority::Checkout].into_iter().flat_map(|p| [p; 10]);
    let good = futures::future::join_all(asked.map(async |p| (p, ask(p).await))).await;
    let good = |wanted| good.iter().filter(|(priority, good)| *priority == wanted && *good).count();
    let (batch, page, checkout) = (good(Priority::Batch), good(Priority::Page), good(Priority::Checkout));
    assert!(batch >= page && batch + page + checkout == 10, "{batch}, {page}, {checkout}");
    assert!(batch <= 8 && batch + page <= 9 && checkout >= 1, "{batch}, {page}, {checkout}");
    assert_eq!(world.service.running(), 0);
}
