use opentelemetry::trace::TraceId;
use request_context::Trace;

use super::*;

fn read(env: &[(&str, &str)]) -> Result<Variables, String> {
    let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Variables::read(&env).map_err(|bad| bad.to_string())
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

#[test]
fn nothing_is_exported_when_there_is_nowhere_to_go() {
    for env in [
        &[][..],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
        &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
        &[
            ENDPOINT,
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ],
    ] {
        let read = read(env).unwrap();
        assert_eq!((read.traces, read.metrics, read.logs), (None, None, None), "{env:?}");
    }
}

#[test]
fn what_is_set_for_a_signal_goes_before_what_is_set_for_all() {
    let read = read(&[
        ENDPOINT,
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example:4317"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "none"),
    ])
    .unwrap();
    let all = [read.traces, read.metrics, read.logs].map(Option::unwrap);
    let shown = all.map(|it| {
        let compression = it.compression.map(|it| it.to_string()).unwrap_or_default();
        format!("{:?} {} {:?} {compression}", it.protocol, it.endpoint, it.timeout)
    });
    assert_eq!(
        shown,
        [
            "Grpc https://traces.example:4317 2s gzip",
            "Http http://collector:4318/v1/metrics 2s ",
            "Http http://collector:4318/v1/logs 500ms gzip",
        ]
    );
}

#[test]
fn a_malformed_variable_is_one_clear_line() {
    let url = "must be a URL that begins with http:// or https://";
    let pairs = "must be written as key=value,key=value";
    let timeout = "must be a whole number from 1 to 3600000";
    for (name, value, problem) in [
        ("OTEL_SDK_DISABLED", "yes", "must be true or false"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", url),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://collector", url),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://", url),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "must be http/protobuf or grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "udp", "must be http/protobuf or grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret", pairs),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "a b=c",
            "must be names and values of HTTP headers, written as name=value,name=value",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", timeout),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0", timeout),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "must be gzip or none"),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "/ca.pem",
            "is not supported: SSL_CERT_FILE names the authorities to trust",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY",
            "/key.pem",
            "is not supported: a collector is asked without a certificate of the client's",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "must be cumulative"),
        ("OTEL_TRACES_EXPORTER", "jaeger", "must be otlp or none"),
        (
            "OTEL_TRACES_SAMPLER",
            "sometimes",
            "must be always_on, always_off or traceidratio, each alone or behind parentbased_",
        ),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "must be a whole number from 1 to 1000000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "must be a whole number from 1 to 2048"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1", timeout),
        ("OTEL_BLRP_SCHEDULE_DELAY", "1.5", timeout),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m", timeout),
        ("OTEL_RESOURCE_ATTRIBUTES", "team", pairs),
        ("OTEL_RESOURCE_ATTRIBUTES", "=shop", pairs),
    ] {
        assert_eq!(read(&[(name, value)]).unwrap_err(), format!("{name}: {problem}"), "{value}");
    }
    let sampler = ("OTEL_TRACES_SAMPLER", "traceidratio");
    for wrong in ["1.1", "-0.1", "NaN", "1 %"] {
        let bad = read(&[sampler, ("OTEL_TRACES_SAMPLER_ARG", wrong)]).unwrap_err();
        assert_eq!(bad, "OTEL_TRACES_SAMPLER_ARG: must be a share from 0 to 1, such as 0.01");
    }
}

#[test]
fn attributes_are_decoded() {
    let read = read(&[("OTEL_RESOURCE_ATTRIBUTES", "team=web%20shop, zone = a,")]).unwrap();
    let expected = [("team", "web shop"), ("zone", "a")];
    assert_eq!(read.resource, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn a_share_of_the_traces_that_begin_here_is_sampled() {
    let env = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.1")];
    let sampler = read(&env).unwrap().sampler;
    let kept = (0..10_000).filter(|_| sampler.samples(Trace::start().trace_id(), None)).count();
    // Ten standard deviations to either side.
    assert!((700..=1_300).contains(&kept), "{kept}");
}

#[test]
fn who_is_sampled() {
    let (low, high) = (TraceId::from(1_u128), TraceId::from(u128::MAX));
    for (kind, share, low_alone, high_alone, below_sampled, below_unsampled) in [
        ("", "", true, true, true, false),
        ("always_on", "", true, true, true, true),
        ("always_off", "", false, false, false, false),
        ("traceidratio", "0.5", true, false, true, true),
        ("parentbased_always_off", "", false, false, true, false),
        ("parentbased_traceidratio", "0.5", true, false, true, false),
        ("parentbased_traceidratio", "", true, true, true, false),
        ("parentbased_traceidratio", "0", false, false, true, false),
    ] {
        let env = [("OTEL_TRACES_SAMPLER", kind), ("OTEL_TRACES_SAMPLER_ARG", share)];
        let sampler = read(&env).unwrap().sampler;
        let asked = [(low, None), (high, None), (low, Some(true)), (low, Some(false))];
        let decided = asked.map(|(trace, parent)| sampler.samples(trace, parent));
        assert_eq!(decided, [low_alone, high_alone, below_sampled, below_unsampled], "{kind} {share}");
    }
}
