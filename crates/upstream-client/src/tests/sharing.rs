use futures::future::{join_all, select};

use super::*;

/// A service that takes 100 ms and says who asked.
fn slow_world() -> World {
    let world = World::new();
    world.service.answers(|call| {
        let who = header(call, "x-user-id").unwrap_or("nobody").to_owned();
        let answer = says(call, &who);
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer
        }
    });
    world
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_the_same_at_the_same_time_share_one_call() {
    let world = slow_world();
    let answers = join_all((0..100).map(async |_| world.get(&request(), &GET, "a").await)).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().said == "nobody"));
    assert_eq!(world.service.attempts(), 1);
    assert_eq!(world.counts(&GET)["coalesced"], 99);
    // Afterwards it is asked anew: sharing keeps nothing.
    world.get(&request(), &GET, "a").await.unwrap();
    assert_eq!(world.service.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_can_change_an_answer_is_not_shared() {
    let language = HeaderName::from_static("accept-language");
    let of = |subject: &str, realm: &str, scopes: &str| {
        let ctx = request_of(subject, 2 * SECOND);
        let caller =
            Caller { realm: realm.into(), scopes: Scopes::parse(scopes), ..ctx.caller().unwrap().clone() };
        ctx.with_caller(caller)
    };
    let base = of("u_1", "r", "s");
    let others = [
        (of("u_2", "r", "s"), &MINE, "a", None),
        (of("u_1", "r2", "s"), &MINE, "a", None),
        (of("u_1", "r", "s t"), &MINE, "a", None),
        (base.clone(), &MINE, "b", None),
        (base.clone(), &GET, "a", None),
        (base.clone(), &MINE, "a", Some("de")),
        (base.with_priority(Priority::Batch), &MINE, "a", None),
    ];
    for (other, operation, id, locale) in others {
        let world = slow_world();
        let call = world.upstream.call(&other, operation).segment(id);
        let call = match locale {
            Some(locale) => call.header(language.clone(), HeaderValue::from_static(locale)),
            None => call,
        };
        let (first, second) = futures::join!(world.get(&base, &MINE, "a"), call.fetch::<Said>());
        assert_eq!(first.unwrap().said, "u_1");
        let expected =
            if operation.name == GET.name { "nobody" } else { other.caller().unwrap().subject.as_str() };
        assert_eq!(second.unwrap().said, expected);
        assert_eq!(world.service.attempts(), 2, "{:?} {} {id} {locale:?}", other.caller(), operation.name);
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_leaves_hands_over_and_the_last_one_cancels() {
    let world = slow_world();
    let ctx = request();
    let mut callers: Vec<_> = (0..3).map(|_| Box::pin(world.get(&ctx, &GET, "a"))).collect();
    for caller in &mut callers {
        assert!(futures::poll!(caller).is_pending());
    }
    assert_eq!((world.service.attempts(), world.service.running()), (1, 1));
    // The one who began it.
    drop(callers.remove(0));
    tokio::time::advance(Duration::from_millis(50)).await;
    drop(callers.remove(0));
    assert_eq!(callers.remove(0).await.unwrap().said, "nobody");
    assert_eq!(world.service.attempts(), 1);

    let mut callers: Vec<_> = (0..3).map(|_| Box::pin(world.get(&ctx, &GET, "a"))).collect();
    for caller in &mut callers {
        assert!(futures::poll!(caller).is_pending());
    }
    drop(callers);
    assert_eq!((world.service.attempts(), world.service.running()), (2, 0));
    // And whoever comes next does not wait for what was cancelled.
    assert!(world.get(&ctx, &GET, "a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn each_waits_as_long_as_they_can() {
    let world = World::with(|settings| settings.timeout = 5 * SECOND);
    world.service.answers(|call| {
        let answer = says(call, "ok");
        async {
            tokio::time::sleep(3 * SECOND).await;
            answer
        }
    });
    let (hurried, patient) = (request_of("u_1", SECOND), request_of("u_2", 10 * SECOND));
    let hurried = Box::pin(world.get(&hurried, &GET, "a"));
    let patient = Box::pin(world.get(&patient, &GET, "a"));
    let begun = tokio::time::Instant::now();
    let futures::future::Either::Left((first, patient)) = select(hurried, patient).await else {
        panic!("the patient one was first")
    };
    assert_eq!(first.unwrap_err().kind, CallErrorKind::Timeout);
    assert_eq!(begun.elapsed().as_millis(), 980);
    assert_eq!(patient.await.unwrap().said, "ok");
    assert_eq!((begun.elapsed(), world.service.attempts()), (3 * SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn a_hurried_beginner_spoils_nothing_for_the_patient() {
    let world = World::with(|settings| settings.timeout = 5 * SECOND);
    // A service that gives up when it is told that its time is over.
    world.service.answers(|call| {
        let told: u64 = header(call, "x-request-deadline-ms").unwrap().parse().unwrap();
        let answer = if told < 2000 { Ok(reply(call, 504, &[], "{}")) } else { says(call, "ok") };
        async move {
            tokio::time::sleep(Duration::from_millis(told.min(2000))).await;
            answer
        }
    });
    let (hurried, patient) = (request_of("u_1", SECOND), request_of("u_2", 10 * SECOND));
    let (first, second) = futures::join!(world.get(&hurried, &GET, "a"), world.get(&patient, &GET, "a"));
    assert!(first.is_err());
    assert_eq!(second.unwrap().said, "ok");
}

#[tokio::test(start_paused = true)]
async fn what_is_read_after_a_write_was_not_asked_before_it() {
    let world = World::new();
    let state = Arc::new(Mutex::new("before".to_owned()));
    world.service.answers(move |call| {
        // A read answers what was true when it began.
        let (answer, wait) = if call.facts.operation.is_read() {
            (says(call, &state.lock().unwrap()), 500)
        } else {
            *state.lock().unwrap() = "after".to_owned();
            (says(call, "done"), 10)
        };
        async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            answer
        }
    });
    let ctx = request();
    let mut old = Box::pin(world.get(&ctx, &MINE, "a"));
    assert!(futures::poll!(&mut old).is_pending());
    world.upstream.call(&ctx, &POST).segment("a").execute().await.unwrap();
    assert_eq!(world.get(&ctx, &MINE, "a").await.unwrap().said, "after");
    assert_eq!(old.await.unwrap().said, "before");
}

#[tokio::test(start_paused = true)]
async fn all_who_share_a_call_share_its_failure() {
    let world = World::new();
    world.service.answers(|call| {
        let answer = reply(call, 404, &[], "{}");
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(answer)
        }
    });
    let answers = join_all((0..10).map(async |_| world.get(&request(), &GET, "a").await)).await;
    assert!(
        answers.into_iter().all(|answer| matches!(answer.unwrap_err().kind, CallErrorKind::Refused { .. }))
    );
    assert_eq!(world.service.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn coalescing_can_be_turned_off() {
    let world = World::with(|settings| settings.coalescing = false);
    world.service.answers(|call| {
        let answer = says(call, "ok");
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer
        }
    });
    join_all((0..10).map(async |_| world.get(&request(), &GET, "a").await)).await;
    assert_eq!(world.service.attempts(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_no_stampede_when_it_ends() {
    for told_matters in [false, true] {
        let world = World::with(|settings| (settings.retries, settings.hedging) = (false, false));
        // It hangs, or gives up as soon as it is told that its time is over.
        world.service.answers(move |call| {
            let told = header(call, "x-request-deadline-ms").unwrap().parse().unwrap();
            let answer = reply(call, 504, &[], "{}");
            async move {
                tokio::time::sleep(if told_matters { Duration::from_millis(told) } else { Duration::MAX })
                    .await;
                Ok(answer)
            }
        });
        let hurried = request_of("u_1", Duration::from_millis(800));
        let beginner = Box::pin(world.get(&hurried, &GET, "a"));
        let patient = (0..50).map(async |_| world.get(&request_of("u_2", 10 * SECOND), &GET, "a").await);
        let (first, others) = futures::join!(beginner, join_all(patient));
        assert!(first.is_err() && others.iter().all(Result::is_err));
        let most = if told_matters { 2 } else { 1 };
        assert_eq!(world.service.attempts(), most, "told matters: {told_matters}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_its_bearers_own_trouble() {
    let world = World::new();
    world.service.answers(|call| {
        let bad = header(call, "authorization") == Some("Bearer old");
        let answer = if bad { Ok(reply(call, 401, &[], "{}")) } else { says(call, "ok") };
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer
        }
    });
    let fresh = request();
    let old = Caller { token: AccessToken::new("old"), ..fresh.caller().unwrap().clone() };
    let old = fresh.with_caller(old);
    let (first, second) = futures::join!(world.get(&old, &MINE, "a"), world.get(&fresh, &MINE, "a"));
    assert_eq!(first.unwrap_err().kind, CallErrorKind::Unauthorized);
    assert_eq!(second.unwrap().said, "ok");
}
