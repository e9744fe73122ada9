use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

/// Why the settings cannot be used, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl SettingsError {
    pub(super) fn new(line: impl Into<String>) -> Self {
        let line: String = line.into();
        Self(line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

/// A setting whose value cannot be used: its dotted key, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub(super) key: String,
    pub(super) problem: String,
}

impl Invalid {
    /// `problem` is a phrase such as `must be at least 1`.
    pub fn new(key: impl Into<String>, problem: impl Display) -> Self {
        Self { key: key.into(), problem: problem.to_string() }
    }

    /// The same, for a key within `section`.
    #[must_use]
    pub fn within(mut self, section: &str) -> Self {
        self.key = join(section, &self.key);
        self
    }
}

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

impl std::error::Error for Invalid {}

/// What deserializing found wrong, and under which key.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) key: String,
    pub(super) problem: Problem,
}

#[derive(Debug)]
pub(super) enum Problem {
    Missing,
    Unknown(&'static [&'static str]),
    Wrong(String),
}

impl Fault {
    fn wrong(problem: String) -> Self {
        Self { key: String::new(), problem: Problem::Wrong(problem) }
    }

    pub(super) fn within(mut self, section: &str) -> Self {
        self.key = join(section, &self.key);
        self
    }

    /// Whether it is about a key of the section that `outer` is about.
    pub(super) fn is_inside(&self, outer: &Self) -> bool {
        self.key.strip_prefix(&outer.key).is_some_and(|rest| rest.starts_with('.'))
    }
}

fn join(section: &str, key: &str) -> String {
    match key {
        "" => section.to_owned(),
        _ => format!("{section}.{key}"),
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.key, self.problem)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        let plain = PLAIN.iter().find(|(known, _)| message.contains(known));
        Self::wrong(plain.map_or(message, |(_, plain)| (*plain).to_owned()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::wrong(format!("{found} is not {}", plainly(expected)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self { key: field.to_owned(), problem: Problem::Unknown(known) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { key: field.to_owned(), problem: Problem::Missing }
    }
}

/// Messages of libraries that do not say what would be right.
const PLAIN: [(&str, &str); 2] = [
    ("\"friendly\" duration format", "not a duration; write it as 300ms, 5s or 1m 30s"),
    ("invalid socket address syntax", "not an address; write it as 127.0.0.1:8080"),
];

/// What a type expects, for people who do not write Rust.
fn plainly(expected: &dyn Expected) -> String {
    let name = expected.to_string();
    match name.as_str() {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" | "u64" | "usize" => "a whole number of at least 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        name if name.starts_with("struct ") || name == "a map" => "a section with keys of its own".to_owned(),
        _ => name,
    }
}
