use std::collections::HashSet;

use super::*;

fn body(response: Response) -> serde_json::Value {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    let mut body = pin!(response.into_body());
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Ok(frame))) = http_body::Body::poll_frame(body.as_mut(), &mut context) else {
        panic!("a rendered problem is one frame");
    };
    serde_json::from_slice(frame.data_ref().unwrap()).unwrap()
}

#[test]
fn every_member_has_its_place() {
    let problem = Problem::new(kind::INVALID_REQUEST)
        .detail("One value is wrong.")
        .error("/quantity", "must be at least 1")
        .caused_by(std::io::Error::other("upstream 10.0.0.7 said no"));
    let response = problem.render("/orders", "r-1", Naming::CamelCase);
    assert_eq!(response.headers()[CONTENT_TYPE], MEDIA_TYPE);
    insta::assert_json_snapshot!(body(response), @r#"
    {
      "detail": "One value is wrong.",
      "errors": [
        {
          "detail": "must be at least 1",
          "pointer": "/quantity"
        }
      ],
      "instance": "/orders",
      "requestId": "r-1",
      "status": 400,
      "title": "The request is not valid",
      "type": "urn:triptych:problem:invalid-request"
    }
    "#);
}

#[test]
fn partners_read_snake_case() {
    let response = Problem::new(kind::NOT_FOUND).render("/v1/x", "r-1", Naming::SnakeCase);
    let body = body(response);
    assert_eq!(body["request_id"], "r-1");
    assert!(body.get("requestId").is_none() && body.get("errors").is_none());
}

#[test]
fn headers_say_when_and_how_to_come_back() {
    let busy = Problem::new(kind::UNAVAILABLE).retry_after(Duration::from_millis(1200)).into_response();
    assert_eq!(busy.headers()[RETRY_AFTER], "2");
    let nobody = Problem::new(kind::UNAUTHENTICATED).challenge("Bearer").into_response();
    assert_eq!(nobody.headers()[WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn a_stored_problem_is_the_same_answer_to_another_request() {
    let kind = ProblemKind {
        slug: "out-of-stock".into(),
        title: "There are not enough of this product".into(),
        status: StatusCode::CONFLICT,
    };
    let plain = Problem::new(kind);
    let full = Problem::new(kind::INVALID_REQUEST)
        .detail("One value is wrong.")
        .error("/quantity", "must be at least 1")
        .retry_after(Duration::from_millis(1200))
        .challenge("Bearer")
        .caused_by(std::io::Error::other("upstream 10.0.0.7 said no"));
    for problem in [plain, full] {
        let stored = serde_json::to_string(&problem).unwrap();
        assert!(!stored.contains("10.0.0.7"), "{stored}");
        let again: Problem = serde_json::from_str(&stored).unwrap();
        assert_eq!(again.clone().into_response().headers(), problem.clone().into_response().headers());
        let [answer, replay] =
            [&problem, &again].map(|problem| body(problem.render("/orders", "r-2", Naming::CamelCase)));
        assert_eq!(replay, answer);
    }
    let no_status = r#"{"slug":"x","title":"X","status":7}"#;
    assert!(serde_json::from_str::<Problem>(no_status).is_err());
}

#[test]
fn slugs_are_unique() {
    let slugs: HashSet<_> = ALL.iter().map(|kind| &kind.slug).collect();
    assert_eq!(slugs.len(), ALL.len());
}

#[test]
fn every_kind_is_documented() {
    let documented = include_str!("../../../docs/problems.md");
    for kind in ALL {
        let row = format!("| `{}` | {} |", kind.slug, kind.status.as_u16());
        assert!(documented.contains(&row), "docs/problems.md lacks {row}");
    }
}
