//! What becomes of an answer: whether the request that comes again gets it, too.

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_body::Body as _;
use problem::{Problem, kind};

use super::record::Answer;

/// A longer body is not kept, nor is one whose length is not known beforehand.
const MAX_KEPT: usize = 1024 * 1024;

/// What is recorded of a write.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its answer.
    Kept(Answer),
    /// Only which request it was: its answer is too large, so the handler is asked again.
    Unkept,
    /// Nothing: the write is as if it had not been asked for.
    None,
}

/// The answer as it came, and what is recorded of it.
pub(super) async fn of(response: Response) -> (Response, Outcome) {
    if !settles(&response) {
        return (response, Outcome::None);
    }
    let length = response.body().size_hint().upper().and_then(|length| usize::try_from(length).ok());
    if length.is_none_or(|length| length > MAX_KEPT) {
        return (response, Outcome::Unkept);
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, MAX_KEPT).await {
        Ok(body) => {
            let answer = Answer::new(&parts, body.clone());
            (Response::from_parts(parts, Body::from(body)), Outcome::Kept(answer))
        }
        // The write has happened, so that its answer is made again: by the services, under the same key.
        Err(error) => (Problem::new(kind::INTERNAL).caused_by(error).into_response(), Outcome::None),
    }
}

/// Whether the answer says what became of the write.
///
/// Not a failure of ours, nor who may ask, nor when; nor a conflict that has no name, with which a service may
/// mean that it still has the same write in hand. These leave the write to the next request.
fn settles(response: &Response) -> bool {
    use StatusCode as Status;
    let status = response.status();
    let problem = response.extensions().get::<Problem>();
    let is_named = |problem: &Problem| {
        ![kind::CONFLICT.slug, kind::IDEMPOTENCY_IN_PROGRESS.slug].contains(&problem.kind().slug)
    };
    match status {
        Status::UNAUTHORIZED | Status::FORBIDDEN | Status::REQUEST_TIMEOUT | Status::TOO_MANY_REQUESTS => {
            false
        }
        Status::CONFLICT => problem.is_some_and(is_named),
        _ => !status.is_server_error(),
    }
}

#[cfg(test)]
mod tests {
    use problem::ProblemKind;

    use super::*;

    fn bare(status: u16) -> Response {
        StatusCode::from_u16(status).unwrap().into_response()
    }

    #[test]
    fn which_answers_say_what_became_of_the_write() {
        let sold_out = ProblemKind {
            slug: "out-of-stock".into(),
            title: "There are not enough of this product".into(),
            status: StatusCode::CONFLICT,
        };
        for (answer, expected) in [
            (bare(200), true),
            (bare(201), true),
            (bare(204), true),
            (bare(303), true),
            (bare(400), true),
            (bare(404), true),
            (bare(422), true),
            (Problem::new(sold_out).into_response(), true),
            (Problem::new(kind::GONE).into_response(), true),
            (bare(401), false),
            (bare(403), false),
            (bare(408), false),
            (bare(409), false),
            (Problem::new(kind::CONFLICT).into_response(), false),
            (Problem::new(kind::IDEMPOTENCY_IN_PROGRESS).into_response(), false),
            (bare(429), false),
            (bare(500), false),
            (bare(503), false),
            (Problem::new(kind::DEADLINE_EXCEEDED).into_response(), false),
        ] {
            assert_eq!(settles(&answer), expected, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn only_what_is_known_to_be_small_is_kept() {
        let stream = futures::stream::iter([Ok::<_, std::io::Error>("fine")]);
        for (body, kept) in [
            (Body::empty(), true),
            (vec![b'x'; MAX_KEPT].into(), true),
            (vec![b'x'; MAX_KEPT + 1].into(), false),
            (Body::from_stream(stream), false),
        ] {
            let (_, outcome) = of(Response::new(body)).await;
            assert_eq!(matches!(outcome, Outcome::Kept(_)), kept, "{outcome:?}");
            assert_eq!(matches!(outcome, Outcome::Unkept), !kept, "{outcome:?}");
        }
    }
}
