use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::serve::{failed, json as answer, serve};

fn plan(value: Value) -> Plan {
    let plan: Plan = serde_json::from_value(value).unwrap();
    plan.check().unwrap();
    plan
}

/// A plan of two seconds for what listens here.
fn two_seconds(base: &str, mut more: Value) -> Plan {
    let mut whole = json!({
        "spacing": "constant", "maxInFlight": 5, "timeoutMs": 60_000,
        "phases": [{"name": "first", "seconds": 1, "rate": 10.0}, {"name": "last", "seconds": 1, "rate": 20.0}],
        "classes": [{"name": "page", "weight": 1.0, "url": format!("{base}/{{pick}}/{{n}}"), "picks": ["a", "b"]}]
    });
    whole.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
    plan(whole)
}

async fn lines(plan: Plan) -> Vec<Value> {
    let mut out = Vec::new();
    run(plan, &mut out).await.unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn arrivals_follow_rates_and_weights() {
    let plan = plan(json!({
        "seed": 7, "maxInFlight": 1, "timeoutMs": 1,
        "phases": [
            {"name": "a", "seconds": 100, "rate": 50.0},
            {"name": "none", "seconds": 5, "rate": 0.0},
            {"name": "b", "seconds": 100, "rate": 150.0},
        ],
        "classes": [
            {"name": "one", "weight": 1.0, "url": "http://a/"},
            {"name": "three", "weight": 3.0, "url": "http://a/"},
        ]
    }));
    let arrivals: Vec<_> = Arrivals::new(&plan).collect();
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
    let within = |from, to| arrivals.iter().filter(|arrival| (from..to).contains(&arrival.second())).count();
    assert!((4_700..5_300).contains(&within(0, 100)), "{}", within(0, 100));
    assert_eq!(within(100, 105), 0);
    assert!((14_500..15_500).contains(&within(105, 205)), "{}", within(105, 205));
    let of_three = arrivals.iter().filter(|arrival| arrival.class == 1).count();
    assert!((14_500..15_500).contains(&of_three), "{of_three}");
    assert_eq!(arrivals, Arrivals::new(&plan).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_counts_for_the_second_it_was_due_and_holds_up_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, async |request| {
        if request.uri().path() == "/b/1" {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        answer("{}")
    }));
    let lines = lines(two_seconds(&base, json!({}))).await;
    let page = |index: usize| &lines[index]["classes"]["page"];
    assert_eq!(lines[0], json!({"started": true}));
    assert_eq!((&lines[1]["second"], &lines[2]["second"]), (&json!(0), &json!(1)));
    assert_eq!((&lines[3]["total"], &lines[4]["total"]), (&json!("first"), &json!("last")));
    assert_eq!((&page(1)["offered"], &page(1)["good"]["count"]), (&json!(9), &json!(9)));
    assert!(page(1)["good"]["p99Ms"].as_f64().unwrap() >= 29_000.0, "{}", lines[1]);
    assert_eq!(page(2)["offered"], page(2)["good"]["count"]);
    assert_eq!(page(3), page(1));
}

#[tokio::test(start_paused = true)]
async fn what_exceeds_the_bound_is_not_sent_and_a_client_tries_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(serve(listener, move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_mins(5)).await;
            failed(StatusCode::SERVICE_UNAVAILABLE, &r#"{"type":"urn:triptych:problem:unavailable"}"#)
        }
    }));
    let class = json!({"name": "page", "weight": 1.0, "url": base, "tries": 3, "pauseMs": 100});
    let lines = lines(two_seconds(&base, json!({"classes": [class], "timeoutMs": 60_000}))).await;
    let total = &lines[3]["classes"]["page"];
    assert_eq!((&total["unsent"], &total["failed"]["count"]), (&json!(4), &json!(5)));
    assert_eq!((&total["tries"], &total["reasons"]), (&json!(15), &json!({"client timeout": 5})));
    assert_eq!(asked.load(Ordering::Relaxed), 15);
}

#[tokio::test(start_paused = true)]
async fn each_class_has_its_version_of_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: Request<Incoming>| async move {
                let right = request.uri().path() == format!("/{:?}", request.version());
                Ok::<_, Infallible>(if right { answer("{}") } else { failed(StatusCode::NOT_FOUND, &"") })
            });
            tokio::spawn(async move {
                auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    let classes = json!([
        {"name": "one", "weight": 1.0, "url": format!("{base}/HTTP/1.1")},
        {"name": "two", "weight": 1.0, "url": format!("{base}/HTTP/2.0"), "protocol": "http2"},
    ]);
    let lines = lines(two_seconds(&base, json!({"classes": classes}))).await;
    for name in ["one", "two"] {
        let total = &lines[4]["classes"][name];
        assert!(total["offered"].as_u64() > Some(0), "{total}");
        assert_eq!(total["offered"], total["good"]["count"], "{total}");
    }
}

#[test]
fn a_request_is_filled_in() {
    let class = json!({"name": "checkout", "weight": 1.0, "method": "POST", "url": "http://a/{pick}",
        "headers": {"Idempotency-Key": "k-{n}"}, "body": "[{n}]", "picks": ["x", "y"]});
    let whole = json!({"maxInFlight": 1, "timeoutMs": 1, "phases": [], "classes": [class]});
    let plan = plan(whole);
    let request = plan.classes[0].request(5).unwrap();
    let body = format!("{:?}", request.body());
    assert_eq!(
        (request.uri().path(), &request.headers()["idempotency-key"]),
        ("/y", &"k-5".parse().unwrap())
    );
    assert!(body.contains("[5]"), "{body}");
}

#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    for wrong in [
        json!({"name": "page", "weight": 0.0, "url": "http://a/"}),
        json!({"name": "page", "weight": 1.0, "url": "http://a/", "tries": 0}),
        json!({"name": "page", "weight": 1.0, "url": "https://a/"}),
        json!({"name": "page", "weight": 1.0, "url": "http://a/", "method": "N O"}),
    ] {
        let whole = json!({"maxInFlight": 1, "timeoutMs": 1, "phases": [], "classes": [wrong]});
        assert!(serde_json::from_value::<Plan>(whole).unwrap().check().is_err(), "{wrong}");
    }
}
