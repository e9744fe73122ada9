//! Where one signal is exported to.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use opentelemetry_otlp::Compression;

use super::{BadVariable, Env};

/// Where one signal is exported to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Exporter {
    pub(in super::super) protocol: Protocol,
    pub(in super::super) endpoint: String,
    pub(in super::super) timeout: Duration,
    pub(in super::super) compression: Option<Compression>,
    /// They may be secrets. The exporter of metrics reads them by itself.
    pub(in super::super) headers: HeaderMap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Protocol {
    Grpc,
    Http,
}

impl Exporter {
    /// Of `TRACES`, `METRICS` or `LOGS`; `None` when the signal has nowhere to go.
    pub(super) fn read(env: &Env<'_>, signal: &str) -> Result<Option<Self>, BadVariable> {
        let kind = format!("OTEL_{signal}_EXPORTER");
        match env.get(&kind) {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(_) => return Err(BadVariable::new(&kind, "must be otlp or none")),
        }
        let protocol = protocol(&Setting::find(env, signal, "PROTOCOL"))?;
        let headers = headers(env, &Setting::find(env, signal, "HEADERS"))?;
        let timeout = Setting::find(env, signal, "TIMEOUT");
        let timeout = env.milliseconds(&timeout.name, Duration::from_secs(10))?;
        let compression = compression(&Setting::find(env, signal, "COMPRESSION"))?;
        let endpoint = endpoint(&Setting::find(env, signal, "ENDPOINT"), protocol, signal)?;
        refuse(env, signal)?;
        Ok(endpoint.map(|endpoint| Self { protocol, endpoint, timeout, compression, headers }))
    }

    pub(in super::super) fn is_tls(&self) -> bool {
        self.endpoint.starts_with("https:")
    }
}

/// What the standard has and we do not do: whoever relies on it shall hear of it.
fn refuse(env: &Env<'_>, signal: &str) -> Result<(), BadVariable> {
    let authorities = "is not supported: SSL_CERT_FILE names the authorities to trust";
    let client = "is not supported: a collector is asked without a certificate of the client's";
    for (key, problem) in
        [("CERTIFICATE", authorities), ("CLIENT_CERTIFICATE", client), ("CLIENT_KEY", client)]
    {
        let setting = Setting::find(env, signal, key);
        if setting.value.is_some() {
            return Err(setting.wrong(problem));
        }
    }
    let temporality = Setting::find(env, signal, "TEMPORALITY_PREFERENCE");
    match temporality.value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("cumulative") => Ok(()),
        Some(_) => Err(temporality.wrong("must be cumulative")),
    }
}

/// What is set for the signal or else for all.
struct Setting<'a> {
    name: String,
    value: Option<&'a str>,
    for_all: bool,
}

impl<'a> Setting<'a> {
    fn find(env: &Env<'a>, signal: &str, key: &str) -> Self {
        let own = format!("OTEL_EXPORTER_OTLP_{signal}_{key}");
        if let Some(value) = env.get(&own) {
            return Self { name: own, value: Some(value), for_all: false };
        }
        let name = format!("OTEL_EXPORTER_OTLP_{key}");
        Self { value: env.get(&name), name, for_all: true }
    }

    fn wrong(&self, problem: &str) -> BadVariable {
        BadVariable::new(&self.name, problem)
    }
}

fn protocol(setting: &Setting<'_>) -> Result<Protocol, BadVariable> {
    match setting.value {
        None | Some("http/protobuf") => Ok(Protocol::Http),
        Some("grpc") => Ok(Protocol::Grpc),
        Some(_) => Err(setting.wrong("must be http/protobuf or grpc")),
    }
}

fn compression(setting: &Setting<'_>) -> Result<Option<Compression>, BadVariable> {
    match setting.value {
        None | Some("none") => Ok(None),
        Some("gzip") => Ok(Some(Compression::Gzip)),
        Some(_) => Err(setting.wrong("must be gzip or none")),
    }
}

/// A base for all signals is told apart by a path over HTTP, and by nothing over gRPC.
fn endpoint(setting: &Setting<'_>, protocol: Protocol, signal: &str) -> Result<Option<String>, BadVariable> {
    let Some(value) = setting.value else { return Ok(None) };
    let url: Option<Uri> = value.parse().ok();
    let usable = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    if !url.as_ref().is_some_and(usable) {
        return Err(setting.wrong("must be a URL that begins with http:// or https://"));
    }
    if setting.for_all && protocol == Protocol::Http {
        let path = signal.to_ascii_lowercase();
        return Ok(Some(format!("{}/v1/{path}", value.trim_end_matches('/'))));
    }
    Ok(Some(value.to_owned()))
}

fn headers(env: &Env<'_>, setting: &Setting<'_>) -> Result<HeaderMap, BadVariable> {
    let header = |(name, value): (String, String)| {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    let headers = env.pairs(&setting.name)?.into_iter().map(header).collect::<Option<_>>();
    let right = "must be names and values of HTTP headers, written as name=value,name=value";
    headers.ok_or_else(|| setting.wrong(right))
}
