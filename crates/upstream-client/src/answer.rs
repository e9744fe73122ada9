//! What came back, and how it becomes a type.

use std::any::{Any, TypeId};
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use garde::Validate;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use serde::de::DeserializeOwned;

use crate::Operation;
use crate::cache::Freshness;
use crate::call::Step;
use crate::error::{BoxError, Failure};

/// A hostile answer can be wrong at great length; the log need not be. In characters.
const LONGEST_TEXT: usize = 100;

/// What a service sent, whole, read up to the call's cap.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What follows the head of an event stream, of which nothing was read.
    pub(crate) stream: Option<EventBody>,
    /// The attempt that brought it.
    pub(crate) step: Option<Step>,
}

/// The body of an event stream.
pub(crate) type EventBody = UnsyncBoxBody<Bytes, BoxError>;

/// A value of the type that the call's contract names.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// A reply that keeps its contract. Cheap to clone: all who share a call share its answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) value: Value,
    /// How large it was as bytes.
    pub(crate) size: usize,
    pub(crate) freshness: Freshness,
}

/// What a call's answer must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contract {
    pub(crate) of: TypeId,
    pub(crate) read: fn(&Reply) -> Result<Value, Failure>,
}

impl Contract {
    /// JSON of this type, within its constraints.
    pub(crate) fn json<T>() -> Self
    where
        T: DeserializeOwned + Validate<Context = ()> + Send + Sync + 'static,
    {
        Self {
            of: TypeId::of::<T>(),
            read: |reply| reply.decode::<T>().map(|value| Arc::new(value) as Value),
        }
    }

    /// Nothing beyond its success.
    pub(crate) fn success() -> Self {
        Self { of: TypeId::of::<()>(), read: |reply| reply.acknowledge().map(|()| Arc::new(()) as Value) }
    }
}

impl Answer {
    /// The value itself: without a copy, if nobody shares it.
    pub(crate) fn into_value<T: Clone + Send + Sync + 'static>(self) -> T {
        let value = self.value.downcast::<T>().expect("a call's contract makes the type that it is read as");
        Arc::unwrap_or_clone(value)
    }
}

impl Reply {
    /// The body as `T`, or where it breaks the contract.
    pub(crate) fn decode<T>(&self) -> Result<T, Failure>
    where
        T: DeserializeOwned + Validate<Context = ()>,
    {
        self.expect_json()?;
        decode(&self.body)
    }

    /// Whether the service itself says so: a page for people comes from something in between.
    pub(crate) fn acknowledge(&self) -> Result<(), Failure> {
        if self.body.is_empty() { Ok(()) } else { self.expect_json() }
    }

    fn expect_json(&self) -> Result<(), Failure> {
        let violation = || Failure::violation("content-type", "the answer is not JSON");
        self.is_json().then_some(()).ok_or_else(violation)
    }

    fn is_json(&self) -> bool {
        let essence = self.essence();
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    }

    /// The media type without its parameters, in lower case.
    pub(crate) fn essence(&self) -> String {
        let media_type =
            self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// JSON as `T`, or where it breaks the contract.
pub(crate) fn decode<T>(json: &[u8]) -> Result<T, Failure>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let value: T = serde_json::from_slice(json).or_else(|_| decode_with_path(json))?;
    value.validate().map_err(|report| broken(&report))?;
    Ok(value)
}

/// Decodes again, more slowly, to learn where the JSON is wrong.
fn decode_with_path<T: DeserializeOwned>(json: &[u8]) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Failure::violation(cut(&error.path().to_string()), without_values(error.inner())))?;
    json.end().map_err(|error| Failure::violation("body", error))?;
    Ok(value)
}

/// The first constraint that does not hold, and how many others do not.
fn broken(report: &garde::Report) -> Failure {
    let mut errors = report.iter();
    let Some((path, error)) = errors.next() else {
        return Failure::violation("body", "no constraint is named");
    };
    Failure::violation(
        cut(&path.to_string()),
        format!("{}, and {} more", cut(error.message()), errors.count()),
    )
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// The decoder quotes the value it found, which may be somebody's: the log gets only what was expected.
fn without_values(error: &serde_json::Error) -> Box<dyn Error + Send + Sync> {
    let text = error.to_string();
    let begins = |with: &[&str]| with.iter().any(|with| text.starts_with(with));
    // A field's name is the contract's, and what `must` be says our own types: neither quotes anything.
    let expected = if begins(&["missing field `", "duplicate field `", "must "]) {
        &*text
    // Serde's own forms end with what was expected. Those of others quote the value anywhere.
    } else if begins(&["invalid ", "unknown "]) {
        text.rfind(", expected ").map_or("", |at| &text[at + 2..])
    } else {
        ""
    };
    let expected = expected.split(" at line ").next().unwrap_or_default();
    format!("{:?} error at line {} column {} {expected}", error.classify(), error.line(), error.column())
        .trim_end()
        .into()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its decoding is of interest")]
    struct Person {
        age: u8,
        born: jiff::Timestamp,
        role: Option<Role>,
        name: Option<Name>,
    }

    #[derive(Debug, Deserialize)]
    enum Role {
        Admin,
    }

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Name;

    impl TryFrom<String> for Name {
        type Error = &'static str;

        fn try_from(_: String) -> Result<Self, Self::Error> {
            Err("must be short")
        }
    }

    #[test]
    fn the_log_gets_what_was_expected_and_not_what_came() {
        for (json, expected) in [
            (r#"{"age": "Ada, expected Ada"}"#, "expected u8"),
            (r#"{"age": 256}"#, "expected u8"),
            (r#"{"age": 1, "age": 1}"#, "duplicate field `age`"),
            (r#"{"age": 1}"#, "missing field `born`"),
            (r#"{"born": "Ada Lovelace"}"#, ""),
            (r#"{"born": "1815, expected Ada"}"#, ""),
            (r#"{"role": "Ada, expected Ada"}"#, "expected `Admin`"),
            (r#"{"name": "Ada"}"#, "must be short"),
            (r#"["Ada"]"#, "expected u8"),
        ] {
            let error = serde_json::from_str::<Person>(json).unwrap_err();
            let text = without_values(&error).to_string();
            assert!(!text.contains("Ada"), "{text}");
            let place = format!("Data error at line 1 column {} {expected}", error.column());
            assert_eq!(text, place.trim_end(), "{json}");
        }
    }
}
