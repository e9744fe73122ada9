use std::time::Duration;

use request_context::{Completed, Deadline, RequestContext, RequestId, Trace};

use super::*;

fn request(route: Option<&'static str>, status: Option<u16>) -> Completed {
    let deadline = Deadline::after(Duration::from_secs(2));
    let context = RequestContext::new(RequestId::generate(), Trace::start(), deadline);
    Completed {
        context,
        method: "GET",
        route: route.map(Into::into),
        status,
        streamed: false,
        size: Some(7),
        took: Duration::from_millis(30),
        error: None,
        warnings: vec![],
        spans: vec![],
    }
}

fn started() -> Telemetry {
    Telemetry::start("tiny", "1.2.3", &TelemetrySettings::default(), &[]).unwrap()
}

/// The names of the series, without their values.
fn series(telemetry: &Telemetry) -> Vec<String> {
    let text = telemetry.scrape();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

#[tokio::test]
async fn metrics_have_the_names_that_dashboards_know() {
    let telemetry = started();
    let observer = telemetry.observer();
    observer.began();
    observer.completed(request(Some("/home"), Some(200)));
    let series = series(&telemetry);
    for name in [
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/home",url_scheme="http"}"#,
        "http_server_active_requests",
        r#"triptych_build_info{service_name="tiny",service_version="1.2.3",vcs_ref_head_revision="unknown"}"#,
        r#"triptych_telemetry_dropped_total{error_type="queue_full",triptych_signal="spans"}"#,
        "process_memory_usage_bytes",
        "process_cpu_time_seconds_total",
        "process_unix_file_descriptor_count",
        "process_uptime_seconds",
    ] {
        assert!(series.iter().any(|found| found == name), "{name} is not among\n{}", series.join("\n"));
    }
    assert!(series.iter().any(|found| found.starts_with("target_info{") && found.contains("tiny")));
    assert!(!series.iter().any(|found| found.contains("otel_scope")));
}

#[tokio::test]
async fn requests_without_a_route_are_one_series() {
    let telemetry = started();
    let observer = telemetry.observer();
    observer.completed(request(None, Some(404)));
    let before = series(&telemetry);
    for _ in 0..10_000 {
        observer.completed(request(None, Some(404)));
    }
    assert_eq!(series(&telemetry), before);
}
