use super::*;

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_its_request_or_its_operation_whichever_is_first() {
    for (left, timeout, took) in [(2000, 1000, 1000), (500, 1000, 480), (61, 1000, 41)] {
        let world = World::with(|settings| settings.timeout = Duration::from_millis(timeout));
        world.service.answers(|_| std::future::pending());
        let begun = tokio::time::Instant::now();
        let error = world.get(&request_of("u", Duration::from_millis(left)), &GET, "a").await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Timeout);
        assert_eq!(begun.elapsed().as_millis(), took, "{left} ms of a request, {timeout} ms of an operation");
        assert_eq!(world.service.running(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_told_what_is_left_for_it() {
    let world = World::new();
    let told = Arc::new(Mutex::new(vec![]));
    let note = told.clone();
    world.service.answers(move |call| {
        note.lock().unwrap().push(header(call, "x-request-deadline-ms").unwrap().parse::<u64>().unwrap());
        let answer = if note.lock().unwrap().len() == 1 {
            Ok(reply(call, 503, &[(RETRY_AFTER, "1")], "{}"))
        } else {
            says(call, "ok")
        };
        async { answer }
    });
    world.get(&request_of("u", 10 * SECOND), &GET, "a").await.unwrap_err();
    let world_told = told.lock().unwrap().clone();
    // The operation has a second, so that the second attempt does not fit after the pause that the service asks for.
    assert_eq!(world_told, [970]);

    let world = World::with(|settings| settings.timeout = 5 * SECOND);
    let note = told.clone();
    note.lock().unwrap().clear();
    world.service.answers(move |call| {
        note.lock().unwrap().push(header(call, "x-request-deadline-ms").unwrap().parse::<u64>().unwrap());
        let first = note.lock().unwrap().len() == 1;
        let answer = if first { Ok(reply(call, 503, &[(RETRY_AFTER, "1")], "{}")) } else { says(call, "ok") };
        async { answer }
    });
    world.get(&request_of("u", 4 * SECOND), &GET, "a").await.unwrap();
    let told = told.lock().unwrap().clone();
    assert_eq!(told[0], 3950);
    assert!((2890..=2950).contains(&told[1]), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_cancels_the_call() {
    let world = World::new();
    world.service.answers(|_| std::future::pending());
    let ctx = request();
    {
        let call = world.get(&ctx, &MINE, "a");
        tokio::pin!(call);
        assert!(tokio::time::timeout(Duration::from_millis(10), &mut call).await.is_err());
        assert_eq!(world.service.running(), 1);
    }
    assert_eq!(world.service.running(), 0);
    let state = serde_json::to_value(world.outbound.state()).unwrap();
    assert_eq!(state["upstreams"]["things"]["concurrency"]["inFlight"], 0, "{state}");
}
