//! `partner-bff key`: gives out, shows and revokes API keys.

use std::fmt::Write as _;

use clap::{ArgMatches, FromArgMatches, Subcommand};
use identity::{ApiKey, KeyFile, KeyState, NewKey};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use service_runtime::{BuildError, Output, ServiceCommand};

use crate::scopes::ALL;
use crate::settings::Settings;

#[derive(Subcommand)]
enum KeyCommand {
    /// Makes a key and prints it, once: only its hash is kept
    New {
        #[arg(long, help = "The partner that it stands for, as the settings name it")]
        partner: String,
        #[arg(long = "scope", value_name = "SCOPE", required = true, help = scopes_help())]
        scopes: Vec<String>,
        #[arg(long, value_name = "TIME", value_parser = time, help = "When it ends: 90d, 12 weeks, 1y [default: never]")]
        expires: Option<Span>,
    },
    /// Shows every key, without its hash
    List,
    /// Refuses a key from now on
    Revoke {
        #[arg(help = "The part of the key between tpk_ and the next underscore")]
        id: String,
    },
}

/// The command, for `service_runtime::main`.
pub fn key() -> ServiceCommand<Settings> {
    let arguments = clap::Command::new("key")
        .about("Gives out, shows and revokes API keys")
        .subcommand_required(true)
        .arg_required_else_help(true);
    ServiceCommand { arguments: KeyCommand::augment_subcommands(arguments), run }
}

fn run(settings: &Settings, arguments: &ArgMatches, output: &mut Output<'_>) -> Result<(), BuildError> {
    let path = settings.api_keys.file.as_deref();
    let path = path.ok_or("api_keys.file: missing; set it in the settings file or as BFF__API_KEYS__FILE")?;
    let file = KeyFile::new(path, &settings.partners, ALL);
    let now = Timestamp::now();
    let shown = path.display();
    match KeyCommand::from_arg_matches(arguments)? {
        KeyCommand::New { partner, scopes, expires } => {
            let expires_at = expires.map(|span| after(now, span)).transpose()?;
            let key = file.issue(&NewKey { partner: &partner, scopes: &scopes, expires_at }, now)?;
            writeln!(output.out, "{}", key.expose())?;
            let until = expires_at.map_or("until it is revoked".into(), |at| format!("until {}", moment(at)));
            let (id, scopes) = (key.id, scopes.join(" "));
            writeln!(output.err, "Key {id} of {partner}, for {scopes}, {until}. It cannot be shown again.")?;
            writeln!(
                output.err,
                "Its hash is in {shown}; whoever serves with this file takes it in a moment."
            )?;
        }
        KeyCommand::List => output.out.write_all(table(&file.keys()?, now).as_bytes())?,
        KeyCommand::Revoke { id } => {
            let key = file.revoke(&id, now)?;
            writeln!(
                output.err,
                "Key {id} of {} is revoked. Whoever serves with {shown} refuses it in a moment.",
                key.partner
            )?;
        }
    }
    Ok(())
}

/// The moment that is `span` later.
fn after(now: Timestamp, span: Span) -> Result<Timestamp, BuildError> {
    let at = now.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| "--expires: that is too far away")?;
    Ok(at.timestamp())
}

fn time(text: &str) -> Result<Span, &'static str> {
    text.parse().map_err(|_| "not a time; write it as 90d, 12 weeks or 1y")
}

fn scopes_help() -> String {
    format!("What it allows, once for each: {}", ALL.join(", "))
}

/// Whole seconds.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn table(keys: &[ApiKey], now: Timestamp) -> String {
    let heads = ["ID", "PARTNER", "SCOPES", "CREATED", "EXPIRES", "STATE"].map(str::to_owned);
    let row = |key: &ApiKey| {
        let expires = key.expires_at.map_or_else(|| "never".to_owned(), moment);
        let state = match key.state(now) {
            KeyState::Active => "active",
            KeyState::Expired => "expired",
            KeyState::Revoked => "revoked",
        };
        let (id, partner, scopes) = (key.id.clone(), key.partner.clone(), key.scopes.join(" "));
        [id, partner, scopes, moment(key.created_at), expires, state.to_owned()]
    };
    let rows: Vec<_> = std::iter::once(heads).chain(keys.iter().map(row)).collect();
    let widths: Vec<_> =
        (0..6).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    rows.iter().fold(String::new(), |mut table, row| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(table, "{}", cells.join("  ").trim_end());
        table
    })
}

#[cfg(test)]
mod tests;
