//! The metrics of requests and their sections.

use opentelemetry::metrics::{Histogram, Meter, UpDownCounter};
use opentelemetry::{KeyValue, StringValue, Value};
use request_context::{Completed, Recorded};

/// The buckets that the semantic conventions want of `http.server.request.duration`, in seconds.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

pub(super) struct RequestMetrics {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
    sections: Histogram<f64>,
}

impl RequestMetrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, description: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(description);
            histogram.with_boundaries(SECONDS.to_vec()).build()
        };
        let active = meter.i64_up_down_counter("http.server.active_requests").with_unit("{request}");
        Self {
            duration: seconds("http.server.request.duration", "How long requests take"),
            active: active.with_description("How many requests are being answered").build(),
            sections: seconds("triptych.section.duration", "How long the sections of an answer take"),
        }
    }

    pub(super) fn began(&self) {
        self.active.add(1, &[]);
    }

    pub(super) fn completed(&self, request: &Completed) {
        self.active.add(-1, &[]);
        let mut attributes = Vec::with_capacity(5);
        attributes.push(KeyValue::new("http.request.method", request.method));
        attributes.push(KeyValue::new("url.scheme", "http"));
        if let Some(route) = &request.route {
            attributes.push(KeyValue::new("http.route", route.clone()));
        }
        match request.status {
            Some(status) => {
                attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
                if let Some(error) = &request.error {
                    attributes.push(KeyValue::new("error.type", Value::String(error.clone().into())));
                }
            }
            None => attributes.push(KeyValue::new("error.type", "client_closed")),
        }
        self.duration.record(request.took.as_secs_f64(), &attributes);
        for span in &request.spans {
            self.section(request.route.as_ref(), span);
        }
    }

    /// Counts a section that came to an end, if the span is one's.
    fn section(&self, route: Option<&StringValue>, span: &Recorded) {
        let said = (span.attribute("triptych.section"), span.attribute("triptych.section.status"));
        let (Some(section), Some(status)) = said else { return };
        let route = route.cloned().unwrap_or_else(|| "unmatched".into());
        let attributes = [section.clone(), status.clone(), KeyValue::new("http.route", route)];
        self.sections.record(span.took.as_secs_f64(), &attributes);
    }
}
