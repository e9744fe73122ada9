use http::header::{CACHE_CONTROL, ETAG};
use tokio::time::{advance, sleep};

use super::*;

/// A service that says how often it has been asked.
fn counting(world: &World) {
    let count = AtomicUsize::new(0);
    world.service.answers(move |call| {
        std::future::ready(says(call, &(count.fetch_add(1, Ordering::Relaxed) + 1).to_string()))
    });
}

fn broken(world: &World) {
    world.service.answers(|call| std::future::ready(Ok(reply(call, 500, &[], "{}"))));
}

/// A section that takes answers up to this age when no new one can be had.
fn stale_ok(age: Duration) -> RequestContext {
    let ctx = request();
    ctx.for_section(ctx.deadline(), Some(age))
}

async fn ask(world: &World, operation: &'static Operation) -> String {
    world.get(&request(), operation, "a").await.map_or_else(|error| error.kind.to_string(), |said| said.said)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_fresh_then_stale_then_gone() {
    let world = World::new();
    counting(&world);
    assert_eq!(ask(&world, &KEPT).await, "1");
    advance(9 * SECOND).await;
    assert_eq!((ask(&world, &KEPT).await, world.service.attempts()), ("1".to_owned(), 1));
    advance(2 * SECOND).await;
    // The old one at once, and the next one is fetched meanwhile, once.
    assert_eq!(ask(&world, &KEPT).await, "1");
    assert_eq!(ask(&world, &KEPT).await, "1");
    sleep(Duration::from_millis(1)).await;
    assert_eq!((ask(&world, &KEPT).await, world.service.attempts()), ("2".to_owned(), 2));
    advance(31 * SECOND).await;
    assert_eq!(ask(&world, &KEPT).await, "3");
    let state = world.outbound.state().cache;
    assert_eq!((state.fresh, state.stale_while_revalidate, state.missed), (2, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_without_a_rule_or_without_room() {
    let world = World::new();
    counting(&world);
    assert_eq!((ask(&world, &GET).await, ask(&world, &GET).await), ("1".to_owned(), "2".to_owned()));

    let world = World::new();
    let outbound = keeping(&CacheSettings { max_bytes: bytesize::ByteSize::b(0) });
    let settings = UpstreamSettings::at("http://things".parse().unwrap());
    let upstream = Upstream::over(world.service.clone(), "things", &settings, &outbound);
    let world = World { upstream, outbound, ..world };
    counting(&world);
    assert_eq!((ask(&world, &KEPT).await, ask(&world, &KEPT).await), ("1".to_owned(), "2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_stampede_is_one_call() {
    let world = World::new();
    world.service.answers(|call| {
        let answer = says(call, "ok");
        async {
            sleep(Duration::from_millis(100)).await;
            answer
        }
    });
    let answers = futures::future::join_all((0..1000).map(async |_| ask(&world, &KEPT).await)).await;
    assert!(answers.iter().all(|answer| answer == "ok"));
    assert_eq!(world.service.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_given_for_a_failure_to_whoever_takes_it_and_says_how_old_it_is() {
    let hour = Duration::from_hours(1);
    // (age in seconds, what the section takes, how old the answer is that it gets)
    for (age, takes, expected) in [
        (40, Some(hour), Some(40)),
        (40, None, None),
        (40, Some(Duration::from_secs(39)), None),
        (3599, Some(2 * hour), Some(3599)),
        (3601, Some(2 * hour), None),
    ] {
        let world = World::new();
        counting(&world);
        assert_eq!(ask(&world, &KEPT).await, "1");
        advance(Duration::from_secs(age)).await;
        broken(&world);
        let ctx = takes.map_or_else(request, stale_ok);
        let got = world.get(&ctx, &KEPT, "a").await;
        assert_eq!(got.is_ok(), expected.is_some(), "{age} s, {takes:?}: {got:?}");
        assert_eq!(ctx.stale_age().map(|age| age.as_secs()), expected);
    }
}

type Attempt = fn(&Call) -> Option<Reply>;

#[tokio::test(start_paused = true)]
async fn what_is_a_failure_and_what_is_the_truth() {
    let attempts: [(&str, Attempt, bool); 8] = [
        ("500", |call| Some(reply(call, 500, &[], "{}")), true),
        ("overloaded", |call| Some(reply(call, 429, &[], "{}")), true),
        ("timeout", |_| None, true),
        ("wrong shape", |call| Some(reply(call, 200, &[], r#"{"said":7}"#)), true),
        ("a page", |call| Some(reply(call, 200, &[], "<html>")), true),
        ("gone", |call| Some(reply(call, 404, &[], "{}")), false),
        ("forbidden", |call| Some(reply(call, 403, &[], "{}")), false),
        ("not for this token", |call| Some(reply(call, 401, &[], "{}")), false),
    ];
    for (what, attempt, is_failure) in attempts {
        let world = World::new();
        counting(&world);
        assert_eq!(ask(&world, &KEPT).await, "1");
        advance(40 * SECOND).await;
        world.service.answers(move |call| {
            let reply = attempt(call);
            async move { if let Some(reply) = reply { Ok(reply) } else { std::future::pending().await } }
        });
        let got = world.get(&stale_ok(Duration::from_hours(1)), &KEPT, "a").await;
        assert_eq!(got.is_ok(), is_failure, "{what}: {got:?}");
        // A bad answer is never kept as a good one.
        counting(&world);
        advance(2 * SECOND).await;
        assert_eq!(ask(&world, &KEPT).await, "1", "{what}");
        assert_eq!(world.counts(&KEPT)["breaker"]["position"], "closed", "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_answers_own_headers_win() {
    for (line, second) in
        [("no-store", "2"), ("private", "2"), ("max-age=3", "1"), ("public, max-age=60", "1")]
    {
        let world = World::new();
        let count = AtomicUsize::new(0);
        world.service.answers(move |call| {
            let body = format!(r#"{{"said":"{}"}}"#, count.fetch_add(1, Ordering::Relaxed) + 1);
            std::future::ready(Ok(reply(call, 200, &[(CACHE_CONTROL, line)], &body)))
        });
        assert_eq!(ask(&world, &KEPT).await, "1");
        advance(2 * SECOND).await;
        assert_eq!(ask(&world, &KEPT).await, second, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_a_tag_is_asked_whether_it_has_changed() {
    let world = World::new();
    let asked = Arc::new(Mutex::new(vec![]));
    let note = asked.clone();
    world.service.answers(move |call| {
        let condition = header(call, "if-none-match").map(str::to_owned);
        let unchanged = condition.as_deref() == Some("\"v1\"");
        note.lock().unwrap().push(condition);
        let status = if unchanged { 304 } else { 200 };
        let body = if unchanged { "" } else { r#"{"said":"v1"}"# };
        std::future::ready(Ok(reply(call, status, &[(ETAG, "\"v1\"")], body)))
    });
    for _ in 0..3 {
        assert_eq!(ask(&world, &KEPT).await, "v1");
        advance(31 * SECOND).await;
    }
    let tag = || Some("\"v1\"".to_owned());
    assert_eq!(*asked.lock().unwrap(), [None, tag(), tag()]);
}

#[tokio::test(start_paused = true)]
async fn a_write_makes_old_what_its_caller_was_told_and_nobody_elses() {
    let world = World::new();
    counting(&world);
    let (ada, eve) = (request_of("ada", 60 * SECOND), request_of("eve", 60 * SECOND));
    let read = async |ctx| world.get(ctx, &MY_KEPT, "a").await.unwrap().said;
    assert_eq!((read(&ada).await, read(&eve).await), ("1".to_owned(), "2".to_owned()));
    assert_eq!((read(&ada).await, read(&eve).await), ("1".to_owned(), "2".to_owned()));
    // Also a write that seems to have failed may have been done.
    for status in [200, 500] {
        world.service.answers(move |call| std::future::ready(Ok(reply(call, status, &[], "{}"))));
        let _ = world.upstream.call(&ada, &CHANGE).segment("a").execute().await;
        let now = world.service.attempts();
        counting(&world);
        assert_eq!(read(&ada).await, "1");
        assert_eq!((read(&eve).await, world.service.attempts()), ("2".to_owned(), now + 1));
    }
    world.outbound.invalidate(&["mine:eve".to_owned()]).await;
    counting(&world);
    assert_eq!((read(&eve).await, read(&eve).await), ("1".to_owned(), "1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_on_its_way_during_a_write_is_not_kept_and_not_joined() {
    let world = World::new();
    world.service.answers(|call| {
        let answer = says(call, "old");
        async {
            sleep(Duration::from_millis(500)).await;
            answer
        }
    });
    let ctx = request_of("ada", 10 * SECOND);
    let mut old = Box::pin(world.get(&ctx, &MY_KEPT, "a"));
    assert!(futures::poll!(&mut old).is_pending());
    // As by another replica.
    world.outbound.invalidate(&["mine:ada".to_owned()]).await;
    world.service.answers(|call| std::future::ready(says(call, "new")));
    assert_eq!(world.get(&ctx, &MY_KEPT, "a").await.unwrap().said, "new");
    assert_eq!(old.await.unwrap().said, "old");
    let kept = world.get(&ctx, &MY_KEPT, "a").await.unwrap().said;
    assert_ne!(kept, "old", "an old answer has replaced a new one");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_bounded_in_bytes() {
    let world = World::new();
    let outbound = keeping(&CacheSettings { max_bytes: bytesize::ByteSize::kib(100) });
    let settings = UpstreamSettings::at("http://things".parse().unwrap());
    let upstream = Upstream::over(world.service.clone(), "things", &settings, &outbound);
    let long = "x".repeat(5_000);
    world.service.answers(move |call| std::future::ready(says(call, &long)));
    for id in 0..1_000 {
        let _: Said = upstream.call(&request(), &KEPT).segment(id.to_string()).fetch().await.unwrap();
    }
    outbound.settle();
    let state = outbound.state().cache;
    assert!(state.bytes <= 100 << 10 && state.entries <= 10, "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn what_one_replica_invalidates_the_others_forget() {
    let store = SharedStore::memory();
    let worlds = [0, 1].map(|_| {
        let world = World::new();
        let outbound =
            Outbound::keeping(Arc::new(OneToken), &CacheSettings::default(), store.invalidations());
        outbound.listen();
        let settings = UpstreamSettings::at("http://things".parse().unwrap());
        let upstream = Upstream::over(world.service.clone(), "things", &settings, &outbound);
        let world = World { upstream, outbound, ..world };
        counting(&world);
        world
    });
    let [here, there] = &worlds;
    let ada = request_of("ada", 60 * SECOND);
    let read = async |world: &World| world.get(&ada, &MY_KEPT, "a").await.unwrap().said;
    assert_eq!((read(here).await, read(there).await), ("1".to_owned(), "1".to_owned()));
    assert_eq!((read(here).await, read(there).await), ("1".to_owned(), "1".to_owned()));
    here.upstream.call(&ada, &CHANGE).segment("a").execute().await.unwrap();
    sleep(Duration::from_millis(1)).await;
    assert_eq!((read(here).await, read(there).await), ("3".to_owned(), "2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_was_invalidated_during_a_call_that_fails_is_not_given_in_its_place() {
    let world = World::new();
    counting(&world);
    assert_eq!(ask(&world, &KEPT).await, "1");
    advance(40 * SECOND).await;
    world.service.answers(|call| {
        let answer = reply(call, 500, &[], "{}");
        async {
            sleep(Duration::from_millis(100)).await;
            Ok(answer)
        }
    });
    let ctx = stale_ok(Duration::from_hours(1));
    let mut asking = Box::pin(world.get(&ctx, &KEPT, "a"));
    assert!(futures::poll!(&mut asking).is_pending());
    world.outbound.invalidate(&["kept".to_owned()]).await;
    assert_eq!(asking.await.unwrap_err().kind, CallErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn while_the_channel_is_busy_what_could_not_be_told_is_told_all_the_same() {
    // Tags that were put off are sent by a clock of their own, however often something else is heard.
    let store = SharedStore::memory();
    let outbound = Outbound::keeping(Arc::new(OneToken), &CacheSettings::default(), store.invalidations());
    outbound.listen();
    let mut heard = store.invalidations().subscribe();
    outbound.put_off(&["late".to_owned()]);
    let noise = async {
        loop {
            store.invalidations().publish(&["noise".to_owned()]).await.unwrap();
            sleep(Duration::from_millis(300)).await;
        }
    };
    let late = async { while heard.next().await != store::Event::Tags(vec!["late".to_owned()]) {} };
    tokio::select! {
        () = late => {}
        () = noise => unreachable!("it never ends"),
        () = sleep(5 * SECOND) => panic!("it was never told"),
    }
}
