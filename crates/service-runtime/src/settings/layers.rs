use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::error::SettingsError;

/// Environment variables with this prefix are settings.
pub(super) const PREFIX: &str = "BFF__";
const FROM_FILE: &str = "_FILE";

/// One setting, or a section of them, and where it was last set.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Section(BTreeMap<String, Node>),
    List(Vec<Node>),
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Text that is nothing but text.
    Text(String),
    /// Text of an environment variable: whatever its target makes of it.
    Untyped(String),
}

#[derive(Clone, Debug)]
pub(super) enum Origin {
    Defaults,
    File(Arc<str>),
    Variable(Arc<str>),
}

impl Node {
    /// The service's own defaults, then the file, then the environment: the later wins.
    pub(super) fn layers(
        defaults: &str,
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut root = parse(defaults, &Origin::Defaults)?;
        if let Some(path) = file {
            let name = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| SettingsError::new(format!("cannot read {name}: {error}")))?;
            root.overlay(parse(&text, &Origin::File(name.into()))?);
        }
        for (key, (variable, value)) in variables(env)? {
            root.set(&key, &variable.into(), value)?;
        }
        Ok(root)
    }

    /// The node of a dotted key, or the value that the key leads into.
    pub(super) fn find(&self, key: &str) -> Option<&Self> {
        key.split('.').try_fold(self, |node, name| match &node.value {
            Value::Section(section) => section.get(name),
            _ => Some(node),
        })
    }

    /// Puts an empty section where there is nothing yet.
    pub(super) fn add_section(&mut self, key: &str) {
        let empty = || Self { origin: Origin::Defaults, value: Value::Section(BTreeMap::new()) };
        let mut node = self;
        for name in key.split('.') {
            let Value::Section(section) = &mut node.value else { return };
            node = section.entry(name.to_owned()).or_insert_with(empty);
        }
    }

    fn overlay(&mut self, upper: Self) {
        match (&mut self.value, upper.value) {
            (Value::Section(below), Value::Section(above)) => {
                for (name, node) in above {
                    match below.get_mut(&name) {
                        Some(existing) => existing.overlay(node),
                        None => {
                            below.insert(name, node);
                        }
                    }
                }
            }
            (value, above) => {
                *value = above;
                self.origin = upper.origin;
            }
        }
    }

    fn set(&mut self, key: &[String], variable: &Arc<str>, value: String) -> Result<(), SettingsError> {
        let origin = Origin::Variable(Arc::clone(variable));
        let Some((name, rest)) = key.split_first() else {
            *self = Self { origin, value: Value::Untyped(value) };
            return Ok(());
        };
        let Value::Section(section) = &mut self.value else {
            let reason = "sets a key inside of a setting that is a single value";
            return Err(SettingsError::new(format!("{variable}: {reason}")));
        };
        section
            .entry(name.clone())
            .or_insert_with(|| Self { origin, value: Value::Section(BTreeMap::new()) })
            .set(rest, variable, value)
    }
}

type Variables = BTreeMap<Vec<String>, (String, String)>;

/// Every variable that is a setting: its key, its name and its value.
fn variables(env: impl Iterator<Item = (String, String)>) -> Result<Variables, SettingsError> {
    let mut found = Variables::new();
    for (variable, value) in env {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        // `SECTION__FILE` is a setting that is called `file`.
        let from_file = name.strip_suffix(FROM_FILE).filter(|name| !name.ends_with('_'));
        let (name, value) = match from_file {
            Some(name) => (name, read_secret(&variable, &value)?),
            None => (name, value),
        };
        let key = name.to_lowercase().split("__").map(str::to_owned).collect();
        if let Some((other, _)) = found.insert(key, (variable.clone(), value)) {
            let (one, two) = (other.clone().min(variable.clone()), other.max(variable));
            return Err(SettingsError::new(format!("{one} and {two} are both set: keep one")));
        }
    }
    Ok(found)
}

fn read_secret(variable: &str, path: &str) -> Result<String, SettingsError> {
    let text = fs::read_to_string(path)
        .map_err(|error| SettingsError::new(format!("{variable}: cannot read {path}: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn parse(text: &str, origin: &Origin) -> Result<Node, SettingsError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        SettingsError::new(format!("{origin} line {line}: {}", error.message()))
    })?;
    Ok(node(toml::Value::Table(table), origin))
}

fn node(value: toml::Value, origin: &Origin) -> Node {
    let value = match value {
        toml::Value::Table(table) => {
            let nodes = table.into_iter().map(|(name, value)| (name, node(value, origin)));
            Value::Section(nodes.collect())
        }
        toml::Value::Array(items) => Value::List(items.into_iter().map(|item| node(item, origin)).collect()),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Integer(value) => Value::Int(value),
        toml::Value::Float(value) => Value::Float(value),
        toml::Value::String(value) => Value::Text(value),
        toml::Value::Datetime(value) => Value::Text(value.to_string()),
    };
    Node { origin: origin.clone(), value }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Defaults => f.write_str("built-in defaults"),
            Self::File(name) | Self::Variable(name) => f.write_str(name),
        }
    }
}
