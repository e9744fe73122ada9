//! `GET /v1/openapi.json`.

use serde_json::{Value, json};

use crate::Bff;

#[tokio::test]
async fn the_document_knows_where_it_is_served() {
    let url = "https://api.shop.example/partner/";
    let bff = Bff::with(|settings| settings.public_url = serde_json::from_value(url.into()).unwrap()).await;
    let answer = bff.anonymous().get("/v1/openapi.json").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"], json!([{"url": "https://api.shop.example/partner"}]));
    let scheme =
        json!({"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "`tpk_<id>_<secret>`"});
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["api_key"], scheme);
    assert_eq!(
        (&schemes["access_token"]["type"], &schemes["access_token"]["scheme"]),
        (&json!("http"), &json!("bearer"))
    );

    let tag = answer.header("etag").to_owned();
    let again = bff.anonymous().with("if-none-match", &tag).get("/v1/openapi.json").await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_name_is_snake_case() {
    let document = Bff::start().await.anonymous().get("/v1/openapi.json").await.json();
    let (mut references, mut names) = (vec![], vec![]);
    walk(&document, &mut references, &mut names);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("nothing refers to another document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    names.sort_unstable();
    names.dedup();
    insta::assert_snapshot!(names.join(" "), @"amount api_call_limit api_calls category currency data description detail errors from id image_url instance limit name next_cursor orders_placed page period placed_at plan pointer price product_id quantity rate_limit rating remaining request_id resets_in_seconds status stock storage_bytes storage_limit_bytes title to total type updated_at window_seconds");
}

/// All references, and all names of members.
fn walk<'a>(value: &'a Value, references: &mut Vec<&'a str>, names: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, references, names)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(reference)) => references.push(reference),
                    ("properties", Value::Object(properties)) => {
                        names.extend(properties.keys().map(String::as_str));
                    }
                    _ => {}
                }
                walk(member, references, names);
            }
        }
        _ => {}
    }
}
