use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

/// A meter, and what it has measured as Prometheus reads it.
pub struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
}

impl Metrics {
    /// Nothing has been measured.
    #[expect(clippy::new_without_default, reason = "it is more than an empty value")]
    pub fn new() -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build()
            .expect("an exporter");
        Self { provider: SdkMeterProvider::builder().with_reader(exporter).build(), registry }
    }

    /// To be shown things.
    pub fn meter(&self) -> Meter {
        self.provider.meter("test")
    }

    /// The lines whose names begin so, sorted; without comments.
    pub fn lines(&self, beginning: &str) -> Vec<String> {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).expect("text");
        let mut lines: Vec<_> =
            text.lines().filter(|line| line.starts_with(beginning)).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// The value of the one line that begins so; zero without one.
    pub fn value(&self, beginning: &str) -> u64 {
        let lines = self.lines(beginning);
        assert!(lines.len() <= 1, "{beginning} begins {lines:?}");
        let value = lines.first().and_then(|line| line.rsplit(' ').next()?.parse().ok());
        value.unwrap_or_default()
    }
}
