//! Clients ignore members that they do not know, so schemas are open. A test that finds such a member wants to know.

use serde_json::{Map, Value};

/// Closes every schema of an OpenAPI document where it is used: what no part of it describes does not fit it.
pub(super) fn close(document: &mut Value) {
    match document {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match name.as_str() {
                    "schema" | "items" => close_one(member),
                    "properties" => close_each(member),
                    _ => {}
                }
                close(member);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn close_each(properties: &mut Value) {
    for (_, property) in properties.as_object_mut().into_iter().flatten() {
        close_one(property);
    }
}

/// `unevaluatedProperties` sees through `$ref`, `allOf` and `oneOf`, where `additionalProperties` does not.
fn close_one(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut().filter(|schema| !is_free(schema)) {
        schema.insert("unevaluatedProperties".into(), false.into());
    }
}

/// Whether it says that it is some object and nothing else.
fn is_free(schema: &Map<String, Value>) -> bool {
    let says = |key: &str| schema.contains_key(key);
    !["properties", "$ref", "allOf", "oneOf", "anyOf"].into_iter().any(says)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_is_not_described_does_not_fit() {
        let mut document = json!({
            "components": {"schemas": {
                "Order": {"type": "object", "properties": {"id": {"type": "string"}, "any": {"type": "object"}}},
                "Page": {"allOf": [
                    {"$ref": "#/components/schemas/Order"},
                    {"type": "object", "properties": {"rest": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}},
                ]},
            }},
            "schema": {"$ref": "#/components/schemas/Page"},
        });
        close(&mut document);
        let mut schema = document["schema"].take();
        schema["components"] = document["components"].take();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for good in [json!({"id": "a"}), json!({"rest": [{"id": "b"}], "any": {"x": 1}}), json!({})] {
            assert!(validator.is_valid(&good), "{good}");
        }
        for bad in [json!({"idd": "a"}), json!({"rest": [{"id": "b", "x": 1}]}), json!({"id": 1})] {
            assert!(!validator.is_valid(&bad), "{bad}");
        }
    }
}
