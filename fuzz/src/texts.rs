use domain_clients::{Cursor, OrderId, ProductId, Words};
use http::{HeaderMap, HeaderValue};
use request_context::{AccessToken, RequestId, Scopes, Subject, TRACEPARENT, TRACESTATE, Trace};

/// Short texts that steer: ids, cursors, subjects, tokens, traces. What is taken is safe in a URL or a header.
pub fn texts(input: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(input) {
        if let Some(id) = RequestId::parse(&value) {
            assert_eq!(id.header_value(), value);
        }
        trace(&value);
    }
    let Ok(text) = str::from_utf8(input) else { return };
    if let Ok(id) = text.parse::<ProductId>() {
        assert!(!id.as_ref().contains(['/', '.', '?', '#', '%', ';']));
    }
    assert_eq!(text.parse::<OrderId>().is_ok(), text.parse::<ProductId>().is_ok());
    if let Ok(cursor) = Cursor::try_from(text.to_owned()) {
        assert!(HeaderValue::from_str(&cursor.to_string()).is_ok());
    }
    if let Ok(words) = Words::try_from(text.to_owned()) {
        assert_eq!(String::from(words), text);
    }
    if let Some(subject) = Subject::parse(text) {
        assert_eq!((subject.as_str(), subject.header_value().as_bytes()), (text, input));
    }
    let _ = Scopes::parse(text).contains("orders:read");
    if let Some(value) = AccessToken::new(text).authorization() {
        assert!(value.is_sensitive());
    }
}

fn trace(value: &HeaderValue) {
    let headers = HeaderMap::from_iter([(TRACEPARENT, value.clone()), (TRACESTATE, value.clone())]);
    if let Some(trace) = Trace::continued(&headers) {
        let mut onward = HeaderMap::new();
        trace.inject(trace.span_id(), &mut onward);
        assert!(Trace::continued(&onward).is_some_and(|next| next.trace_id() == trace.trace_id()));
    }
}
