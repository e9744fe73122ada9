use std::collections::BTreeSet;
use std::time::Duration;

use upstream_client::{CallErrorKind, Reason, Refusal};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
enum Section {
    RecentOrders,
    #[serde(rename = "orders.product")]
    Product,
}

static SOLD_OUT: Refusal = Refusal { code: "sold-out", title: "All are sold", reason: Reason::Conflict };

fn failed(kind: CallErrorKind) -> CallError {
    CallError::new("things.get", kind)
}

fn lost<T>(kind: CallErrorKind) -> impl Future<Output = Result<T, CallError>> {
    std::future::ready(Err(failed(kind)))
}

#[tokio::test]
async fn warnings_name_the_field_and_causes_go_to_the_log() {
    let screen = Screen::new();
    // The order of the answer is that of the screen, not that of the accidents.
    screen.lost(Section::Product, Status::NotFound);
    let orders: Option<u8> =
        screen.optional(Section::RecentOrders, lost(CallErrorKind::Timeout)).await.unwrap();
    assert_eq!((orders, screen.optional(Section::Product, async { Ok(7) }).await.unwrap()), (None, Some(7)));

    let mut seen = vec![];
    let response = screen.respond(|warnings| seen = warnings);
    insta::assert_json_snapshot!(seen, @r#"
    [
      {
        "section": "recentOrders",
        "status": "timeout",
        "message": "This part did not answer in time.",
        "retryable": true
      },
      {
        "section": "orders.product",
        "status": "not_found",
        "message": "This part does not exist any more.",
        "retryable": false
      }
    ]
    "#);
    let Causes(causes) = response.extensions().get().unwrap();
    let causes: Vec<_> = causes.iter().map(|(section, cause)| format!("{section}: {cause}")).collect();
    assert_eq!(causes, ["recentOrders: things.get: no answer in time"]);
}

#[tokio::test]
async fn a_lost_required_section_drops_the_others() {
    struct Dropped<'a>(&'a std::cell::Cell<bool>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let dropped = std::cell::Cell::new(false);
    let screen = Screen::new();
    let slow = async {
        let _guard = Dropped(&dropped);
        std::future::pending::<Result<u8, CallError>>().await
    };
    let problem = futures::try_join!(
        screen.optional(Section::Product, slow),
        screen.required(lost::<u8>(CallErrorKind::Unavailable)),
    )
    .unwrap_err();
    assert_eq!(problem.status(), 503);
    assert!(dropped.get(), "the other section's call was not cancelled");
}

#[test]
fn every_error_has_a_problem_and_a_status() {
    let refused = |reason| CallErrorKind::Refused { reason, refusal: None };
    let rows = [
        CallErrorKind::Timeout,
        CallErrorKind::Unavailable,
        CallErrorKind::Shed { retry_after: None },
        CallErrorKind::Shed { retry_after: Some(Duration::from_secs(9)) },
        CallErrorKind::ContractViolation { path: "a.b".into() },
        CallErrorKind::Unauthorized,
        refused(Reason::Invalid),
        refused(Reason::Forbidden),
        refused(Reason::NotFound),
        refused(Reason::Conflict),
        refused(Reason::Gone),
        refused(Reason::PreconditionFailed),
        refused(Reason::Unprocessable),
        CallErrorKind::Refused { reason: Reason::Conflict, refusal: Some(&SOLD_OUT) },
    ]
    .map(|kind| {
        let warning = serde_json::to_value(Status::of(&failed(kind.clone()))).unwrap();
        let problem = Err::<(), _>(failed(kind.clone())).or_problem().unwrap_err();
        let (status, slug) = (problem.status().as_u16(), problem.kind().slug);
        let response = problem.into_response();
        let wait =
            response.headers().get("retry-after").map_or("-", |value| value.to_str().unwrap()).to_owned();
        format!("{kind} → {status} {slug}, retry after {wait}; as a section: {}", warning.as_str().unwrap())
    });
    insta::assert_snapshot!(rows.join("\n"), @"
    no answer in time → 504 deadline-exceeded, retry after -; as a section: timeout
    not available → 503 unavailable, retry after 1; as a section: unavailable
    shed → 503 overloaded, retry after 1; as a section: shed
    shed → 503 overloaded, retry after 9; as a section: shed
    contract violated at a.b → 502 bad-upstream, retry after -; as a section: contract_violation
    our credential was refused → 502 bad-upstream, retry after -; as a section: unavailable
    refused with 400 → 400 invalid-request, retry after -; as a section: contract_violation
    refused with 403 → 403 forbidden, retry after -; as a section: forbidden
    refused with 404 → 404 not-found, retry after -; as a section: not_found
    refused with 409 → 409 conflict, retry after -; as a section: contract_violation
    refused with 410 → 410 gone, retry after -; as a section: not_found
    refused with 412 → 412 precondition-failed, retry after -; as a section: contract_violation
    refused with 422 → 422 unprocessable, retry after -; as a section: contract_violation
    refused with 409 → 409 sold-out, retry after -; as a section: contract_violation
    ");
}

#[test]
fn every_status_has_a_text_of_its_own() {
    use Status::{BreakerOpen, ContractViolation, Forbidden, NotFound, Shed, Stale, Timeout, Unavailable};
    let all = [Unavailable, Timeout, Shed, BreakerOpen, ContractViolation, NotFound, Forbidden, Stale];
    let texts: BTreeSet<_> = all.map(|status| Warning::new((), status).message).into();
    assert_eq!(texts.len(), all.len());
}
