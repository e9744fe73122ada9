use std::collections::BTreeSet;
use std::time::Duration;

use axum::response::IntoResponse;
use problem::Timeless;
use request_context::{Deadline, RequestId, Trace};
use tokio::time::{Instant, sleep};
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

/// A request with this much time, of which two fifths are for what is optional.
fn request(left: Duration) -> RequestContext {
    RequestContext::new(RequestId::generate(), Trace::start(), Deadline::after(left)).with_optional_share(0.4)
}

fn begun() -> Screen<Section> {
    Screen::new(&request(Duration::from_secs(2)))
}

async fn after(milliseconds: u64) -> Result<u64, CallError> {
    sleep(Duration::from_millis(milliseconds)).await;
    Ok(milliseconds)
}

/// What the log is told.
fn causes(response: &Response) -> Vec<String> {
    let Causes(causes) = response.extensions().get().cloned().unwrap_or_default();
    causes.iter().map(|(section, cause)| format!("{section}: {cause}")).collect()
}

/// `section status age` of every warning.
fn said(screen: Screen<Section>) -> (Vec<String>, Response) {
    let mut seen = vec![];
    let response = screen.respond(|warnings| seen = warnings);
    let said = |warning: &Warning<Section>| {
        let age = warning.age_seconds.map_or(String::new(), |age| format!(" {age} s"));
        format!("{:?} {:?}{age}", warning.section, warning.status)
    };
    (seen.iter().map(said).collect(), response)
}

#[tokio::test]
async fn warnings_name_the_field_and_causes_go_to_the_log() {
    let screen = begun();
    // The order of the answer is that of the screen, not that of the accidents.
    screen.lost(Section::Product, Status::NotFound);
    let orders =
        screen.optional(Section::RecentOrders, async |_| Err::<u8, _>(failed(CallErrorKind::Timeout)));
    assert_eq!(orders.await.unwrap(), None);
    assert_eq!(screen.optional(Section::Product, async |_| Ok(7)).await.unwrap(), Some(7));

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
    assert_eq!(causes(&response), ["recentOrders: things.get: no answer in time"]);
}

#[tokio::test]
async fn a_part_that_failed_is_said_once_and_logged_each_time() {
    let screen = begun();
    screen.partly(Section::Product, None);
    for kind in [CallErrorKind::Unavailable, CallErrorKind::Timeout, CallErrorKind::Unavailable] {
        screen.partly(Section::Product, Some(failed(kind)));
    }
    let (warnings, response) = said(screen);
    assert_eq!(warnings, ["Product Unavailable", "Product Timeout"]);
    assert_eq!(causes(&response).len(), 3);
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
    let screen = begun();
    let problem = futures::try_join!(
        screen.optional(Section::Product, async |_| {
            let _guard = Dropped(&dropped);
            std::future::pending::<Result<u8, CallError>>().await
        }),
        screen.required("user", async |_| Err::<u8, _>(failed(CallErrorKind::Unavailable))),
    )
    .unwrap_err();
    assert_eq!(problem.status(), 503);
    assert!(dropped.get(), "the other section's call was not cancelled");
}

#[tokio::test(start_paused = true)]
async fn an_optional_section_has_a_time_of_its_own_and_a_required_one_all_of_it() {
    for (first, second, expected) in
        [(300, 499, Some(499)), (300, 501, None), (801, 0, None), (u64::MAX >> 20, 0, None)]
    {
        let (screen, started) = (begun(), Instant::now());
        let (required, optional) = futures::try_join!(
            screen.required("user", async |ctx| {
                assert_eq!(ctx.deadline().remaining(), Duration::from_secs(2));
                after(1500).await
            }),
            // The section is bounded, not each of its calls.
            screen.optional(Section::Product, async |ctx| {
                assert_eq!(ctx.deadline().remaining(), Duration::from_millis(800));
                after(first).await?;
                after(second).await
            }),
        )
        .unwrap();
        assert_eq!((required, optional), (1500, expected), "{first} ms and {second} ms");
        assert_eq!(started.elapsed(), Duration::from_millis(1500));
        let (warnings, response) = said(screen);
        let late = if expected.is_some() { vec![] } else { vec!["Product Timeout"] };
        assert_eq!(warnings, late);
        assert_eq!(causes(&response).len(), late.len());
    }
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_slow_required_section_is_not_lost_on_its_account() {
    let screen = begun();
    screen.required("user", async |_| after(1500).await).await.unwrap();
    for (milliseconds, expected) in [(0, Some(0)), (199, Some(199)), (200, None)] {
        let optional = screen.optional(Section::Product, async |_| after(milliseconds).await).await;
        assert_eq!(optional.unwrap(), expected);
    }
}

#[tokio::test]
async fn an_old_answer_is_kept_and_its_age_is_said() {
    const HOUR: Duration = Duration::from_hours(1);
    let screen = begun();
    let allowed = async |ctx: &RequestContext| Ok(ctx.stale_ok());
    assert_eq!(screen.required("user", allowed).await.unwrap(), None);
    assert_eq!(screen.optional(Section::Product, allowed).await.unwrap(), Some(None));
    assert_eq!(screen.stale_ok(Section::Product, HOUR, allowed).await.unwrap(), Some(Some(HOUR)));
    let (warnings, _) = said(screen);
    assert!(warnings.is_empty(), "{warnings:?}");

    let screen = begun();
    let old = screen.stale_ok(Section::Product, HOUR, async |ctx| {
        ctx.served_stale(Duration::from_millis(61_900));
        ctx.clone().served_stale(Duration::from_secs(3));
        Ok(7)
    });
    assert_eq!(old.await.unwrap(), Some(7));
    // One of its calls was answered with something old, and then another failed.
    let lost = screen.stale_ok(Section::RecentOrders, HOUR, async |ctx| {
        ctx.served_stale(Duration::from_secs(3));
        Err::<u8, _>(failed(CallErrorKind::Unavailable))
    });
    assert_eq!(lost.await.unwrap(), None);
    let (warnings, _) = said(screen);
    assert_eq!(warnings, ["RecentOrders Unavailable", "Product Stale 61 s"]);
}

#[test]
fn only_how_old_it_is_makes_no_other_answer() {
    let timeless = |age: Option<u64>, status: Status| {
        let warning = Warning::new(Section::Product, status, age.map(Duration::from_secs));
        let response = answer::json(&vec![warning], age.is_some());
        response.extensions().get().map(|Timeless(text)| text.clone())
    };
    let old = timeless(Some(59), Status::Stale).unwrap();
    assert_eq!(timeless(Some(3600), Status::Stale).unwrap(), old);
    assert!(old.contains("stale") && !old.contains("ageSeconds"), "{old}");
    assert_eq!(timeless(None, Status::Timeout), None);
}

#[test]
fn every_error_has_a_problem_and_a_status() {
    let refused = |reason| CallErrorKind::Refused { reason, refusal: None };
    let rows = [
        CallErrorKind::Timeout,
        CallErrorKind::Unavailable,
        CallErrorKind::Shed { retry_after: None },
        CallErrorKind::Shed { retry_after: Some(Duration::from_secs(9)) },
        CallErrorKind::BreakerOpen { retry_after: Duration::from_millis(300) },
        CallErrorKind::BreakerOpen { retry_after: Duration::from_millis(1200) },
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
    not asked, since it keeps failing → 503 unavailable, retry after 1; as a section: breaker_open
    not asked, since it keeps failing → 503 unavailable, retry after 2; as a section: breaker_open
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
    let texts: BTreeSet<_> = all.map(|status| Warning::new((), status, None).message).into();
    assert_eq!(texts.len(), all.len());
}
