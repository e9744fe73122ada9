//! What a version says when it is going to end.

use partner_bff::versions::Deprecation;
use test_support::Answer;

use crate::Bff;

const NAMES: [&str; 3] = ["deprecation", "sunset", "link"];

async fn deprecated(sunset: Option<&str>, link: Option<&str>) -> Bff {
    Bff::with(|settings| {
        settings.versions.v1 = Some(Deprecation {
            deprecated_at: "2026-12-01T00:00:00Z".parse().expect("good settings"),
            sunset: sunset.map(|at| at.parse().expect("good settings")),
            link: link.map(|url| url.parse().expect("good settings")),
        });
    })
    .await
}

fn said(answer: &Answer) -> String {
    NAMES.map(|name| answer.header(name)).join(" | ")
}

#[tokio::test]
async fn every_answer_of_the_version_says_so() {
    let bff = deprecated(Some("2027-06-30T22:59:59Z"), Some("https://shop.example/v2")).await;
    let short = bff.client().with("x-request-timeout-ms", "1");
    for (status, answer) in [
        (200, bff.anonymous().get("/v1/openapi.json").await),
        (400, bff.client().get("/v1/orders?limit=0").await),
        (401, bff.anonymous().get("/v1/orders").await),
        (404, bff.client().get("/v1/nothing").await),
        (400, short.with("x-request-timeout-ms", "no").get("/v1/orders").await),
    ] {
        assert_eq!(answer.status, status);
        let expected =
            "@1796083200 | Wed, 30 Jun 2027 22:59:59 GMT | <https://shop.example/v2>; rel=\"deprecation\"";
        assert_eq!(said(&answer), expected, "{status}");
    }
    for path in ["/docs", "/v2/orders", "/v11/orders"] {
        assert_eq!(said(&bff.anonymous().get(path).await), " |  | ", "{path}");
    }
}

#[tokio::test]
async fn a_version_without_an_end_only_says_that_it_is_deprecated() {
    let bff = deprecated(None, None).await;
    assert_eq!(said(&bff.anonymous().get("/v1/openapi.json").await), "@1796083200 |  | ");
}

#[tokio::test]
async fn a_version_that_stays_says_nothing() {
    let bff = Bff::start().await;
    let answer = bff.anonymous().get("/v1/openapi.json").await;
    assert_eq!(said(&answer), " |  | ");
    assert!(answer.json()["paths"]["/v1/orders"]["get"].get("deprecated").is_none());
}

#[tokio::test]
async fn the_document_says_so_too() {
    let document = deprecated(None, None).await.anonymous().get("/v1/openapi.json").await.json();
    assert_eq!(document["paths"]["/v1/orders"]["get"]["deprecated"], true);
    assert_eq!(document["paths"]["/v1/orders"]["post"]["deprecated"], true);
    assert!(document["paths"]["/docs"]["get"].get("deprecated").is_none());
}
