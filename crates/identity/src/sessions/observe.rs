//! What a meter sees of sessions.

use opentelemetry::metrics::Meter;

use super::Sessions;

impl Sessions {
    /// Shows this meter what became of session cookies and of refreshes, and how the store of sessions is doing.
    pub fn observe(&self, meter: &Meter) {
        let inner = &*self.0;
        inner.credentials.show(meter, "session");
        inner.refresher.refreshes().show(meter);
        inner.store.observe("sessions", meter);
    }
}
