//! How things are said on an event stream (HTML Standard, section 9.2.5).

use std::time::Duration;

use axum::body::Bytes;
use domain_clients::Event;

use super::OrderEvent;

/// Nothing has happened.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");
/// The caller must sign in again. Without data browsers would not tell anybody.
pub(super) const SESSION_ENDED: Bytes = Bytes::from_static(b"event: session-ended\ndata: {}\n\n");

/// After how long the client comes back when the stream has ended.
pub(super) fn retry(after: Duration) -> Bytes {
    format!("retry: {}\n\n", after.as_millis()).into()
}

/// Neither an id nor JSON on one line has a line break.
pub(super) fn order_status(event: Event<domain_clients::OrderEvent>) -> Bytes {
    let id = event.id.map(|id| format!("id: {}\n", id.as_str())).unwrap_or_default();
    let data = serde_json::to_string(&OrderEvent::from(event.data)).expect("two texts and a time serialize");
    format!("event: order-status\n{id}data: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    use domain_clients::EventId;

    use super::*;

    #[test]
    fn an_event_is_a_few_lines() {
        let data = domain_clients::OrderEvent {
            order_id: "o_1".parse().unwrap(),
            status: "on\nits way".into(),
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
        };
        let data_line = r#"data: {"orderId":"o_1","status":"on\nits way","at":"2026-11-22T10:00:00Z"}"#;
        for (id, line) in [(EventId::parse("7-1"), "id: 7-1\n"), (None, "")] {
            let expected = format!("event: order-status\n{line}{data_line}\n\n");
            assert_eq!(order_status(Event { id, data: data.clone() }), expected);
        }
        assert_eq!(retry(Duration::from_secs(3)), "retry: 3000\n\n");
    }
}
