//! An old answer is better than none, for whom it was given and where a screen says so.

use end_to_end::Kind;
use serde_json::json;

use super::{ADA, BOB, PATIENT, Site, warnings};

#[tokio::test]
async fn the_old_answer_is_given_with_its_age_to_its_owner_alone() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let (ada, bob) = (site.client(&web, ADA).await, site.client(&web, BOB).await);
    // What is fresh for no time is kept all the same, for the day on which nothing else can be had.
    for service in ["billing", "usage"] {
        site.shop.strike(service, &json!([{"path": "*", "mode": "expired"}])).await;
    }
    let good = ada.get("/dashboard").await;
    assert_eq!((good.outcome(), warnings(&good)), ("200".into(), vec![]));
    for service in ["billing", "usage"] {
        site.shop.strike(service, &json!([{"path": "*", "mode": "error", "status": 500}])).await;
    }

    let old = ada.get("/dashboard").await;
    assert_eq!(old.outcome(), "200");
    assert_eq!(warnings(&old), ["accountSummary stale", "accountSummary.usage stale"]);
    let (good, old) = (good.json(), old.json());
    assert_eq!(good["accountSummary"], old["accountSummary"]);
    let warned = old["warnings"].as_array().expect("a list");
    let ages = warned.iter().filter(|warning| warning["ageSeconds"].is_u64());
    assert_eq!(ages.count(), 2, "{warned:?}");
    let none = ["accountSummary unavailable", "accountSummary.usage unavailable"];
    assert_eq!(warnings(&bob.get("/dashboard").await), none, "it is not Bob's");

    web.invalidate(&[&format!("billing:{ADA}")]).await;
    let page = ada.get("/dashboard").await;
    assert_eq!(page.json()["accountSummary"], json!(null), "what was made old is not given either");
    assert!(!warnings(&page).contains(&"accountSummary stale".to_owned()), "{page:?}");
}
