//! The audit trail: one structured event for each thing that happens to an identity, under the target `audit`.
//!
//! An event names the request, so that it is found beside the access log, and whom it is about by a hash: neither a
//! credential nor what tells people who somebody is gets into a log.

use aws_lc_rs::digest;
use request_context::{RequestContext, Subject};

use crate::hex::hex;

/// What is written of somebody: the first 64 bits of a hash, enough to follow one person through a log.
pub(crate) fn hashed(subject: &Subject) -> String {
    short_hash(subject.as_str())
}

/// The first 64 bits of the SHA-256 of `text`, in hexadecimal digits.
pub(crate) fn short_hash(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hex(&hash.as_ref()[..8])
}

/// A credential was refused: `credential` is its kind, `reason` a word of ours.
pub(crate) fn refused(ctx: &RequestContext, credential: &'static str, reason: &str) {
    tracing::info!(
        target: "audit",
        event = "credential.refused",
        credential = %credential,
        reason = %reason,
        request_id = ctx.request_id().as_str(),
        trace_id = %ctx.trace().trace_id(),
        span_id = %ctx.trace().span_id(),
        "credential refused"
    );
}

/// An answer to a sign-in was refused: `reason` is a word of ours.
pub(crate) fn sign_in_refused(ctx: &RequestContext, reason: &str) {
    tracing::info!(
        target: "audit",
        event = "sign_in.refused",
        reason = %reason,
        request_id = ctx.request_id().as_str(),
        trace_id = %ctx.trace().trace_id(),
        span_id = %ctx.trace().span_id(),
        "sign-in refused"
    );
}

/// An API key was used: the key's id and the partner's name are ours, and no secrets.
pub(crate) fn key_used(ctx: &RequestContext, key_id: &str, partner: &str) {
    tracing::info!(
        target: "audit",
        event = "api_key.used",
        key_id,
        partner,
        request_id = ctx.request_id().as_str(),
        trace_id = %ctx.trace().trace_id(),
        span_id = %ctx.trace().span_id(),
        "API key used"
    );
}

/// Something happened to a browser session of `subject`.
pub(crate) fn session(ctx: &RequestContext, event: &'static str, subject: &Subject) {
    tracing::info!(
        target: "audit",
        event = %event,
        subject = hashed(subject),
        request_id = ctx.request_id().as_str(),
        trace_id = %ctx.trace().trace_id(),
        span_id = %ctx.trace().span_id(),
        "browser session"
    );
}

/// The provider ended so many sessions.
pub(crate) fn backchannel_logout(ctx: &RequestContext, sessions: usize) {
    tracing::info!(
        target: "audit",
        event = "session.backchannel_logout",
        sessions,
        request_id = ctx.request_id().as_str(),
        trace_id = %ctx.trace().trace_id(),
        span_id = %ctx.trace().span_id(),
        "sessions ended by the provider"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_called_as_in_the_inspector() {
        // Its own test, `who_asked_is_a_hash_and_nothing_else_of_them`, expects this, too.
        assert_eq!(short_hash("u_42"), "afc2d29f5ba19d74");
    }
}
