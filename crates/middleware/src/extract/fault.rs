//! Which value of a request was wrong, and what would be right.

use std::borrow::Cow;

use problem::{Problem, kind};
use serde_path_to_error::{Path, Segment};

/// A client's own text comes back in some messages; this much of it is enough to recognise.
const MAX_DETAIL: usize = 200;

/// What was read, which decides how a value in it is pointed at.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// By JSON pointer (RFC 6901).
    Body,
    /// By `?name`.
    Query,
}

/// The problem for `message`, which serde gave at `path`.
pub(super) fn describe(place: Place, path: &Path, message: &str) -> Problem {
    let mut pointer = Pointer::new(place, path);
    let named = |prefix| {
        let (name, rest) = message.strip_prefix(prefix)?.split_once('`')?;
        Some((name, rest))
    };
    let detail = if let Some((name, _)) = named("missing field `") {
        pointer.push(name);
        "is missing".into()
    } else if let Some((name, _)) = named("duplicate field `") {
        pointer.push(name);
        "is given more than once".into()
    } else if let Some((_, known)) = named("unknown field `") {
        format!("is not known{known}")
    } else if let Some((_, known)) = named("unknown variant `") {
        pointer.drop_variant(path);
        format!("must be {}", known.strip_prefix(", expected ").unwrap_or(known))
    } else if let Some((_, expected)) =
        message.strip_prefix("invalid ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        format!("must be {}", expectation(expected))
    } else {
        shortened(message)
    };
    invalid(pointer.text, detail)
}

/// What serde expected, in the words of JSON and not of Rust.
fn expectation(expected: &str) -> Cow<'_, str> {
    match expected {
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "an array".into(),
        "a map" => "an object".into(),
        "string or map" => "a string or an object".into(),
        "unit" => "null".into(),
        other if other.starts_with("struct ") => "an object".into(),
        other if ["tuple ", "newtype ", "enum "].iter().any(|word| other.starts_with(word)) => {
            "of another form".into()
        }
        other => whole_number(other).map_or(other.into(), Cow::Owned),
    }
}

fn whole_number(expected: &str) -> Option<String> {
    let (name, least) = expected.strip_prefix("a nonzero ").map_or((expected, 0), |name| (name, 1));
    let (min, max): (i64, i64) = match name {
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "u8" => (least, u8::MAX.into()),
        "u16" => (least, u16::MAX.into()),
        "u32" => (least, u32::MAX.into()),
        "u64" | "usize" => return Some(format!("a whole number from {least}")),
        "i64" | "isize" => return Some("a whole number".into()),
        _ => return None,
    };
    Some(format!("a whole number from {min} to {max}"))
}

/// The problem for one value that was wrong.
pub(super) fn invalid(pointer: String, detail: String) -> Problem {
    Problem::new(kind::INVALID_REQUEST).error(pointer, detail)
}

/// `message` without most of an overlong value that it quotes.
pub(super) fn shortened(message: &str) -> String {
    if message.len() <= MAX_DETAIL {
        return message.to_owned();
    }
    format!("{}…", &message[..message.floor_char_boundary(MAX_DETAIL)])
}

struct Pointer {
    place: Place,
    text: String,
}

impl Pointer {
    fn new(place: Place, path: &Path) -> Self {
        let text = String::new();
        let mut pointer = Self { place, text };
        for segment in path {
            match segment {
                Segment::Seq { index } => pointer.push(&index.to_string()),
                Segment::Map { key } | Segment::Enum { variant: key } => pointer.push(key),
                Segment::Unknown => {}
            }
        }
        pointer
    }

    fn push(&mut self, name: &str) {
        match self.place {
            Place::Body => {
                self.text.push('/');
                self.text.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            Place::Query => {
                self.text.push('?');
                self.text.push_str(name);
            }
        }
    }

    /// A variant that does not exist is the value that was sent, and no place to point at.
    fn drop_variant(&mut self, path: &Path) {
        if let Some(Segment::Enum { .. }) = path.iter().next_back() {
            let end = self.text.rfind(['/', '?']).unwrap_or_default();
            self.text.truncate(end);
        }
    }
}
