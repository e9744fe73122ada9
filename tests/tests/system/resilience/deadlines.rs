//! What services are told: how long they have, and how much it matters.

use end_to_end::{ACME_KEY, Client, Kind, until};
use serde_json::{Value, json};

use super::{ADA, PATIENT, PATIENT_MOBILE, Site, begin, ids, warnings};

/// The demo's: web's optional sections have 800 ms, of which 20 are for the answer and 30 for the way back.
const OPTIONAL_TOLD: u64 = 750;
const REQUIRED_TOLD: u64 = 1950;

#[tokio::test]
async fn an_optional_section_that_hangs_costs_its_own_deadline_and_not_the_screens() {
    let site = Site::open().await;
    // If it cost the whole, this test would not end.
    let short: &[_] = &[("BFF__REQUESTS__OPTIONAL_DEADLINE", "500ms")];
    let web = site.start(Kind::Web, &[PATIENT, short]).await;
    for service in ["billing", "usage", "notifications", "catalog"] {
        site.shop.hold(service).await;
    }
    let page = site.client(&web, ADA).await.get("/dashboard").await;
    assert_eq!(page.outcome(), "200");
    let lost = warnings(&page);
    for section in ["accountSummary", "accountSummary.usage", "unreadNotifications", "promos"] {
        assert!(lost.contains(&format!("{section} timeout")), "{section}: {lost:?}");
    }
}

#[tokio::test]
async fn services_are_told_what_is_left() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[]).await;
    let ada = site.client(&web, ADA).await;
    until("a page", async || (ada.get("/dashboard").await.status == 200).then_some(())).await;
    for (service, route, most) in [
        ("users", "GET /users/{id}", REQUIRED_TOLD),
        ("billing", "GET /accounts/{userId}/billing", OPTIONAL_TOLD),
        ("catalog", "GET /promos", OPTIONAL_TOLD),
    ] {
        let told = header(&site.shop.last(service, route).await, "x-request-deadline-ms");
        let told: u64 = told.parse().expect("a number");
        assert!(told <= most, "{service} {route} is told {told} ms");
    }
}

#[tokio::test]
async fn services_are_told_how_much_a_call_matters() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let mobile = site.start(Kind::Mobile, &[PATIENT_MOBILE]).await;
    let partner = site.start(Kind::Partner, &[]).await;
    let acme = partner.client().with("x-api-key", ACME_KEY);
    let (ada, phone) = (site.client(&web, ADA).await, site.client(&mobile, ADA).await);
    let order = json!({"productId": "p_1", "quantity": 1});
    let partners = json!({"product_id": "p_1", "quantity": 1});
    let rows: [(&Client, &str, &str, Option<&Value>, &str); 6] = [
        (&ada, "GET", "/orders", None, "page"),
        (&ada, "POST", "/orders", Some(&order), "checkout"),
        (&phone, "GET", "/orders", None, "page"),
        (&phone, "POST", "/orders", Some(&order), "checkout"),
        (&acme, "GET", "/v1/orders", None, "batch"),
        (&acme, "POST", "/v1/orders", Some(&partners), "checkout"),
    ];
    for (client, method, path, body, expected) in rows {
        let answer = begin(client, method, path, body).await.expect("it does not panic");
        assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
        let seen = site.shop.last("orders", &format!("{method} /orders")).await;
        assert_eq!(header(&seen, "x-request-priority"), expected, "{method} {path}");
    }
    // What is cancelled matters as much as what is placed.
    let id = ids(&ada.get("/orders").await, "/orders").remove(0);
    ada.send("POST", &format!("/orders/{id}/cancel"), None).await;
    let seen = site.shop.last("orders", "POST /orders/{id}/cancel").await;
    assert_eq!(header(&seen, "x-request-priority"), "checkout");
}

fn header(request: &Value, name: &str) -> String {
    request["headers"][name].as_str().unwrap_or_else(|| panic!("no {name} in {request}")).to_owned()
}
