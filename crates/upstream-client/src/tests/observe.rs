//! What a meter sees.

use test_support::Metrics;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_meter_sees_calls_attempts_and_exchanges() {
    let (world, metrics) = (World::new(), Metrics::new());
    world.outbound.observe(&metrics.meter());
    world.get(&request(), &GET, "a").await.unwrap();
    world.service.answers(|call| std::future::ready(Ok(reply(call, 503, &[], "{}"))));
    world.get(&request(), &GET, "a").await.unwrap_err();
    world.service.answers(|call| std::future::ready(Ok(reply(call, 200, &[], r#"{"said":7}"#))));
    world.get(&request(), &GET, "a").await.unwrap_err();

    let of = r#"{triptych_operation="things.get",triptych_upstream="things"} "#;
    let with = |label: &str, value: &str| format!(r#"{{{label}="{value}",{}"#, &of[1..]);
    for (name, value) in [
        ("attempts_total", 4),
        ("retries_total", 1),
        ("hedges_total", 0),
        ("coalesced_total", 0),
        ("shed_total", 0),
        ("breaker_refused_total", 0),
        ("given_up_total", 0),
        ("breaker_state", 0),
    ] {
        let line = format!("triptych_upstream_{name}{of}");
        assert_eq!(metrics.lines(&line), [format!("{line}{value}")]);
    }
    let violated = with("triptych_contract_path", "said");
    assert_eq!(metrics.value(&format!("triptych_upstream_contract_violations_total{violated}")), 1);
    for (name, expected) in [("limit", 25), ("in_flight", 0), ("queued", 0), ("budget_remaining", 0)] {
        let line = format!(r#"triptych_upstream_{name}{{triptych_upstream="things"}} "#);
        assert_eq!(metrics.lines(&line), [format!("{line}{expected}")]);
    }
    let calls = metrics.lines("triptych_upstream_calls_total");
    let outcomes = ["contract_violation", "ok", "unavailable"];
    let expected = outcomes.map(|outcome| {
        format!(
            r#"triptych_upstream_calls_total{{triptych_operation="things.get",triptych_outcome="{outcome}",triptych_upstream="things"}} 1"#
        )
    });
    assert_eq!(calls, expected);
    let exchanges = metrics.lines("http_client_request_duration_seconds_count");
    let expected = [("", 200, 2), (r#"error_type="unavailable","#, 503, 2)].map(|(error, status, count)| {
        format!(
            r#"http_client_request_duration_seconds_count{{{error}http_request_method="GET",http_response_status_code="{status}",server_address="things",server_port="80",triptych_operation="things.get",triptych_upstream="things"}} {count}"#
        )
    });
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(exchanges, expected);
}

#[tokio::test(start_paused = true)]
async fn a_meter_sees_the_cache_and_an_open_breaker() {
    let (world, metrics) = (World::new(), Metrics::new());
    world.outbound.observe(&metrics.meter());
    for _ in 0..3 {
        world.get(&request(), &KEPT, "a").await.unwrap();
    }
    world.outbound.settle();
    assert_eq!(metrics.value(r#"triptych_cache_requests_total{triptych_cache="hit"}"#), 2);
    assert_eq!(metrics.value(r#"triptych_cache_requests_total{triptych_cache="miss"}"#), 1);
    assert_eq!(metrics.value("triptych_cache_entries"), 1);
    assert!(metrics.value("triptych_cache_size_bytes") > 0);
    assert_eq!(metrics.value("triptych_cache_limit_bytes"), CacheSettings::default().max_bytes.as_u64());

    world.service.answers(|_| std::future::ready(Err(Failure::new(CallErrorKind::Unavailable).unhealthy())));
    for _ in 0..6 {
        world.get(&request(), &GET, "a").await.unwrap_err();
    }
    let of = r#"{triptych_operation="things.get",triptych_upstream="things"}"#;
    assert_eq!(metrics.value(&format!("triptych_upstream_breaker_state{of}")), 2);
    assert_eq!(metrics.value(&format!("triptych_upstream_breaker_refused_total{of}")), 1);
}
