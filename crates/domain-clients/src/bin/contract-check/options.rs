//! The command line, and what it asks for.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches, Parser};
use domain_clients::contracts::{SERVICES, Samples, Service};
use domain_clients::{OrderId, ProductId, UpstreamSettings};
use jiff::SignedDuration;
use request_context::{AccessToken, Caller, Scopes, Subject};
use upstream_client::Credential;

/// Longer than a BFF waits: the services may be far from where they are checked.
const CONNECT: Duration = Duration::from_secs(3);
/// What a timeout may be.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_mins(10);

/// Holds live domain services against the contracts that their clients rely on, and shows where they drift.
///
/// It makes each read of the services that are given, as their clients make it, and never writes. Exit code: 0 no
/// drift, 1 drift or a refusal, 2 wrong usage, 69 a service that cannot be reached.
#[derive(Debug, Parser)]
#[command(name = "contract-check", version)]
struct Options {
    /// A caller's bearer token, for what is personal. Others see it: better --token-file
    #[arg(long, conflicts_with = "token_file")]
    token: Option<String>,
    /// The file with the caller's token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A service's bearer token, for what is public [default: the caller's]
    #[arg(long, value_name = "TOKEN", conflicts_with = "service_token_file")]
    service_token: Option<String>,
    /// The file with the service's token
    #[arg(long, value_name = "FILE")]
    service_token_file: Option<PathBuf>,
    /// Who the caller is: `sub` of the caller's token
    #[arg(long, value_name = "SUB")]
    subject: Option<String>,
    /// An order of the caller [default: the newest]
    #[arg(long, value_name = "ID")]
    order: Option<OrderId>,
    /// A product, may be repeated [default: what promotions, search or the newest order name]
    #[arg(long, value_name = "ID")]
    product: Vec<ProductId>,
    /// The longest that one call may take
    #[arg(long, default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// Print JSON: a list with an object for each operation
    #[arg(long)]
    json: bool,
}

/// What is to be checked, and with which credentials.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) services: Vec<(&'static Service, UpstreamSettings)>,
    /// `None` if nothing personal is asked.
    pub(crate) caller: Option<Caller>,
    pub(crate) service_token: Option<AccessToken>,
    pub(crate) samples: Samples,
    pub(crate) timeout: Duration,
    pub(crate) json: bool,
}

/// Reads the command line; ends the process where it is wrong.
pub(crate) fn parse() -> Plan {
    let mut command = SERVICES.iter().fold(Options::command(), |command, service| {
        let url = Arg::new(service.name).long(service.name).value_name("URL").value_parser(url);
        command.arg(url.help(format!("Where the {} service is", service.name)).help_heading("Services"))
    });
    let matches = command.get_matches_mut();
    let options = Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let given = |service: &'static Service| Some((service, matches.get_one(service.name).cloned()?));
    let services = SERVICES.iter().filter_map(given).collect();
    plan(options, services)
        .unwrap_or_else(|text| command.error(ErrorKind::MissingRequiredArgument, text).exit())
}

fn plan(options: Options, mut services: Vec<(&'static Service, UpstreamSettings)>) -> Result<Plan, String> {
    if services.is_empty() {
        return Err(format!("no service is given: say where one is, such as --{} URL", SERVICES[0].name));
    }
    for (_, settings) in &mut services {
        make_plain(settings, options.timeout);
    }
    let asked_by = |credential| {
        let mut services = services.iter().map(|(service, _)| service);
        services.find(|service| service.is_asked_by(credential)).map(|service| service.name)
    };
    let token = token("token", options.token, options.token_file)?;
    let service_token = self::token("service-token", options.service_token, options.service_token_file)?;
    let service_token = service_token.or_else(|| token.clone());
    let caller = match (asked_by(Credential::Caller), token, options.subject) {
        (None, ..) => None,
        (Some(_), Some(token), Some(subject)) => Some(caller(token, &subject)?),
        (Some(name), ..) => {
            return Err(format!("--{name} answers to a caller: give --token-file FILE and --subject SUB"));
        }
    };
    if let (Some(name), None) = (asked_by(Credential::Service), &service_token) {
        return Err(format!("--{name} answers to a service: give --service-token-file FILE"));
    }
    let samples = Samples { order: options.order, products: options.product };
    Ok(Plan { services, caller, service_token, samples, timeout: options.timeout, json: options.json })
}

/// One call is one attempt: what a second one would hide is what we look for.
fn make_plain(settings: &mut UpstreamSettings, timeout: Duration) {
    settings.timeout = timeout;
    settings.connect_timeout = timeout.min(CONNECT);
    (settings.retries, settings.hedging, settings.breaker, settings.coalescing) =
        (false, false, false, false);
}

fn caller(token: AccessToken, subject: &str) -> Result<Caller, String> {
    let subject = Subject::parse(subject).ok_or("--subject must be 1 to 128 visible ASCII characters")?;
    Ok(Caller { realm: "contract-check".into(), subject, scopes: Scopes::default(), token })
}

fn token(flag: &str, text: Option<String>, file: Option<PathBuf>) -> Result<Option<AccessToken>, String> {
    let text = match file {
        Some(file) => {
            let read = fs::read_to_string(&file);
            Some(read.map_err(|error| {
                format!("--{flag}-file must be a file that can be read: {}: {error}", file.display())
            })?)
        }
        None => text,
    };
    let token = text.map(|text| AccessToken::new(text.trim()));
    let sound =
        token.as_ref().is_none_or(|token| !token.expose().is_empty() && token.authorization().is_some());
    sound
        .then_some(token)
        .ok_or_else(|| format!("--{flag} must be a bearer token: visible characters on one line"))
}

fn url(text: &str) -> Result<UpstreamSettings, String> {
    let settings = text.parse().map(UpstreamSettings::at);
    let settings = settings.map_err(|_| "must be a URL such as http://127.0.0.1:3002")?;
    match settings.out_of_range() {
        Some((_, right)) => Err(right.to_owned()),
        None => Ok(settings),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    let fits = parsed.filter(|duration| (SHORTEST..=LONGEST).contains(duration));
    fits.ok_or_else(|| "must be between 10ms and 10m, written like 5s or 200ms".to_owned())
}
