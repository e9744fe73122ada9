//! The OpenAPI document of a BFF, and whether an answer is in it.

mod closed;

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value};

use crate::{Answer, program};

/// What a BFF says that it answers.
#[derive(Debug)]
pub struct Contract {
    paths: Map<String, Value>,
    components: Value,
    /// Schemas that were used before, by their text.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// What `<name> openapi` prints.
    pub fn of(name: &str) -> Self {
        let printed = Command::new(program(name)).arg("openapi").output().expect("the program runs");
        assert!(printed.status.success(), "{name} openapi: {}", String::from_utf8_lossy(&printed.stderr));
        Self::parse(&printed.stdout)
    }

    /// The contract in an OpenAPI document.
    pub fn parse(document: &[u8]) -> Self {
        let mut document: Value = serde_json::from_slice(document).expect("the document is JSON");
        closed::close(&mut document);
        let Value::Object(paths) = document["paths"].take() else { panic!("the document has no paths") };
        Self { paths, components: document["components"].take(), validators: Mutex::default() }
    }

    /// The operations, as `GET /orders/{id}`.
    pub fn operations(&self) -> Vec<String> {
        let operations = self.paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase());
            methods.map(move |method| format!("{method} {path}"))
        });
        operations.collect()
    }

    /// Fails unless the document has an answer like this one to `method path`.
    pub fn check(&self, method: &str, path: &str, answer: &Answer) {
        if let Err(reason) = self.conformity(method, path, answer) {
            let body = String::from_utf8_lossy(&answer.body);
            let cut = body.floor_char_boundary(2000);
            panic!(
                "{method} {path} answers {} against its contract: {reason}\n{}",
                answer.status,
                &body[..cut]
            );
        }
    }

    fn conformity(&self, method: &str, path: &str, answer: &Answer) -> Result<(), String> {
        let path = path.split('?').next().unwrap_or_default();
        if answer.status.is_client_error() || answer.status.is_server_error() {
            assert_problem(answer);
        }
        let Some((template, item)) = self.item(path) else {
            return self.is_the_problem(404, answer);
        };
        // HEAD is GET without the body (RFC 9110, section 9.3.2), and no document repeats that.
        let operation = &item[if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() }];
        if operation.is_null() {
            return self.is_the_problem(405, answer);
        }
        if method == "HEAD" || answer.status == 304 {
            return empty(answer);
        }
        let status = answer.status.as_str();
        let response = &operation["responses"][status];
        if response.is_null() {
            return Err(format!("{template} has no {status}"));
        }
        match response["content"].as_object() {
            None => empty(answer),
            Some(content) => match content.get(answer.media_type()) {
                None => Err(format!("{template} has no {} with {status}", answer.media_type())),
                Some(media) => self.fits(&media["schema"], answer),
            },
        }
    }

    /// The most literal template that fits a path.
    fn item(&self, path: &str) -> Option<(&str, &Value)> {
        let fitting = self.paths.iter().filter(|(template, _)| {
            let (mut wanted, mut given) = (template.split('/'), path.split('/'));
            let fits = wanted
                .by_ref()
                .zip(given.by_ref())
                .all(|(wanted, given)| wanted == given || (wanted.starts_with('{') && !given.is_empty()));
            fits && template.split('/').count() == path.split('/').count()
        });
        let (template, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
        Some((template, item))
    }

    /// What is in no document is answered with this problem.
    fn is_the_problem(&self, status: u16, answer: &Answer) -> Result<(), String> {
        if answer.status != status {
            return Err(format!("nothing like it is in the document, so it must be a {status}"));
        }
        self.fits(&serde_json::json!({"$ref": "#/components/schemas/Problem"}), answer)
    }

    fn fits(&self, schema: &Value, answer: &Answer) -> Result<(), String> {
        if !answer.media_type().ends_with("json") {
            return Ok(());
        }
        let body = answer.json();
        let validator = self.validator(schema);
        let errors: Vec<String> =
            validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = schema.clone();
            // References are written from the root of the document.
            whole["components"] = self.components.clone();
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Arc::new(options.build(&whole).unwrap_or_else(|error| panic!("{schema} is no schema: {error}")))
        });
        Arc::clone(validator)
    }
}

fn empty(answer: &Answer) -> Result<(), String> {
    if answer.body.is_empty() { Ok(()) } else { Err("it must have no body".to_owned()) }
}

/// Fails unless an answer is a problem of the one form, whoever made it, and returns its body.
pub fn assert_problem(answer: &Answer) -> Value {
    assert_eq!(answer.media_type(), "application/problem+json", "{answer:?}");
    let problem = answer.json();
    let id = problem.get("requestId").or_else(|| problem.get("request_id"));
    assert_eq!(id.and_then(Value::as_str), Some(answer.header("x-request-id")), "{problem}");
    assert_eq!(problem["status"], answer.status.as_u16(), "{problem}");
    let kind = problem["type"].as_str().unwrap_or_default();
    assert!(kind.starts_with("urn:triptych:problem:"), "{problem}");
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
    match answer.status.as_u16() {
        401 => assert!(answer.headers.contains_key("www-authenticate"), "no challenge: {answer:?}"),
        405 => assert!(answer.headers.contains_key("allow"), "no Allow: {answer:?}"),
        503 => assert!(answer.headers.contains_key("retry-after"), "no Retry-After: {answer:?}"),
        _ => {}
    }
    problem
}
