//! Settings: one TOML file, every key of which an environment variable can override.
//!
//! `BFF__SECTION__KEY` sets `key` of `[section]`; `BFF__SECTION__KEY_FILE` reads its value from the file
//! that it names, without the newline at the end. A list is written `a, b, c`. No setting may have a name
//! that ends in `_file` or holds two underscores in a row; one may be called `file`.

mod admin;
mod de;
mod error;
mod layers;
mod range;
mod secret;
mod server;

use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use admin::AdminSettings;
pub use error::{Invalid, SettingsError};
pub use range::{duration_in, number_in};
pub use secret::Secret;
pub use server::ServerSettings;

use error::{Fault, Problem};
use layers::{Node, PREFIX};

use crate::telemetry::TelemetrySettings;

/// All settings of a service.
pub trait ServiceSettings: DeserializeOwned + Serialize {
    /// What differs from the defaults of the sections, as TOML: the layer below the settings file.
    const DEFAULTS: &'static str;

    /// Where the service itself listens.
    fn listen(&self) -> SocketAddr;

    /// Where and how the admin routes are offered.
    fn admin(&self) -> &AdminSettings;

    /// How connections are served.
    fn server(&self) -> &ServerSettings;

    /// What is shown of requests.
    fn telemetry(&self) -> &TelemetrySettings;

    /// Makes relative paths ones of this directory, which is that of the settings file: a service may be started from
    /// anywhere. They stay relative to where it was started if there is no settings file.
    fn resolve(&mut self, _directory: &Path) {}

    /// Ranges, and what must fit together, of the sections that only this service knows.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

/// Reads and checks the settings of a service.
pub fn load<S: ServiceSettings>(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<S, SettingsError> {
    let root = Node::layers(S::DEFAULTS, file, env)?;
    let mut settings: S = read(&root).map_err(|fault| explain(&root, file, &fault))?;
    if let Some(directory) = file.and_then(Path::parent) {
        settings.resolve(directory);
    }
    let own = |section: &'static str| move |invalid: Invalid| invalid.within(section);
    let checked = settings.admin().check().map_err(own("admin"));
    checked
        .and_then(|()| settings.server().check().map_err(own("server")))
        .and_then(|()| settings.telemetry().check().map_err(own("telemetry")))
        .and_then(|()| settings.check())
        .map_err(|invalid| wrong(&root, &invalid.key, &invalid.problem))?;
    Ok(settings)
}

/// The process's environment variables, without those that are not Unicode.
#[expect(clippy::disallowed_methods, reason = "this is the one place where it is read")]
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Where a whole section is missing, the fault names the first key of it that must be there.
fn read<S: DeserializeOwned>(root: &Node) -> Result<S, Fault> {
    let mut fault = match S::deserialize(root.clone()) {
        Ok(settings) => return Ok(settings),
        Err(fault) => fault,
    };
    let mut probe = root.clone();
    while let Problem::Missing = fault.problem {
        probe.add_section(&fault.key);
        match S::deserialize(probe.clone()) {
            Err(deeper) if deeper.is_inside(&fault) => fault = deeper,
            _ => break,
        }
    }
    Err(fault)
}

fn explain(root: &Node, file: Option<&Path>, fault: &Fault) -> SettingsError {
    let key = &fault.key;
    match &fault.problem {
        Problem::Wrong(problem) => wrong(root, key, problem),
        Problem::Unknown(known) => {
            let place = if key.contains('.') { "this section" } else { "the settings" };
            let known = known.join(", ");
            wrong(root, key, &format!("unknown key; {place} may have: {known}"))
        }
        Problem::Missing => {
            let file = file.map_or_else(|| "a settings file".to_owned(), |file| file.display().to_string());
            let variable = format!("{PREFIX}{}", key.replace('.', "__").to_uppercase());
            SettingsError::new(format!("{key}: missing; set it in {file} or as {variable}"))
        }
    }
}

fn wrong(root: &Node, key: &str, problem: &str) -> SettingsError {
    match root.find(key) {
        Some(node) => SettingsError::new(format!("{key} ({}): {problem}", node.origin)),
        None => SettingsError::new(format!("{key}: {problem}")),
    }
}

#[cfg(test)]
mod tests;
