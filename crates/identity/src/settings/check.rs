//! Values that are in range, or one clear line.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use secrecy::{ExposeSecret, SecretString};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::SigningAlgorithm;

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn issuer<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let issuer = String::deserialize(from)?;
    parsed(&issuer, url_problem).map(|_| issuer).map_err(D::Error::custom)
}

pub(super) fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    parsed(&String::deserialize(from)?, url_problem).map(Some).map_err(D::Error::custom)
}

pub(super) fn endpoint<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    parsed(&String::deserialize(from)?, endpoint_problem).map(Some).map_err(D::Error::custom)
}

const NO_URL: &str = "must be a URL that begins with http:// or https://";

/// The error does not quote `text`, since a password may be in it.
fn parsed(text: &str, problem: fn(&Url) -> Option<&'static str>) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| NO_URL)?;
    problem(&url).map_or(Ok(url), Err)
}

fn url_problem(url: &Url) -> Option<&'static str> {
    let beyond = url.query().is_some() || url.fragment().is_some();
    let problem = beyond.then_some("must be a URL without query and fragment");
    problem.or_else(|| endpoint_problem(url))
}

fn endpoint_problem(url: &Url) -> Option<&'static str> {
    if !matches!(url.scheme(), "http" | "https") {
        return Some(NO_URL);
    }
    if url.fragment().is_some() {
        return Some("must be a URL without fragment");
    }
    let anonymous = url.username().is_empty() && url.password().is_none();
    (!anonymous).then_some("must be a URL without a credential")
}

/// RFC 6749, section 3.3.
pub(super) fn scopes<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let scopes = String::deserialize(from)?;
    let in_scope = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
    let good = |scope: &str| !scope.is_empty() && scope.bytes().all(in_scope);
    if scopes.len() > 1024 || !scopes.split(' ').all(good) || !scopes.split(' ').any(|it| it == "openid") {
        return Err(D::Error::custom("must be scopes separated by one space each, `openid` among them"));
    }
    Ok(scopes)
}

pub(super) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    required_name(from).map(Some)
}

pub(super) fn required_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    if is_name(&name) { Ok(name) } else { Err(D::Error::custom(NO_NAME)) }
}

pub(super) const NO_NAME: &str = "must be 1 to 256 visible ASCII characters";

pub(super) fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

pub(super) fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    // serde's own message would quote the value.
    let secret = SecretString::deserialize(from).map_err(|_| D::Error::custom("must be text"))?;
    if secret.expose_secret().is_empty() {
        return Err(D::Error::custom("must not be empty"));
    }
    Ok(secret)
}

pub(super) fn algorithms<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SigningAlgorithm>, D::Error> {
    let algorithms = Vec::deserialize(from)?;
    if algorithms.is_empty() {
        return Err(D::Error::custom("must name at least one algorithm"));
    }
    Ok(algorithms)
}

pub(super) fn leeway<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    within(from, Duration::ZERO..=300 * SECOND, "must be between 0s and 5m")
}

pub(super) fn dpop_leeway<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    within(from, 5 * SECOND..=300 * SECOND, "must be between 5s and 5m")
}

pub(super) fn keys_max_age<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    within(from, 60 * SECOND..=86_400 * SECOND, "must be between 1m and 24h")
}

pub(super) fn keys_stale_for<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    within(from, 60 * SECOND..=604_800 * SECOND, "must be between 1m and 168h")
}

pub(super) fn looked_at_every<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    within(from, SECOND / 100..=3_600 * SECOND, "must be between 10ms and 1h")
}

fn within<'de, D: Deserializer<'de>>(
    from: D,
    range: RangeInclusive<Duration>,
    problem: &'static str,
) -> Result<Duration, D::Error> {
    let duration = friendly::deserialize(from)?;
    range.contains(&duration).then_some(duration).ok_or_else(|| D::Error::custom(problem))
}
