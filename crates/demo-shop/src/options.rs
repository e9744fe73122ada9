//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Parser;
use http::Uri;
use jiff::SignedDuration;
use url::{Host, Url};

use crate::capacity::Limit;
use crate::running::StartError;
use crate::service::Service;

const REDIRECT_URIS: [&str; 3] = [
    "http://127.0.0.1:8080/web/auth/callback",
    "https://localhost:8443/web/auth/callback",
    "https://shop.example/web/auth/callback",
];

/// Stand-ins for the six domain services and the identity provider, with faults on demand.
///
/// For development only: anyone who can reach it can sign in as anyone.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo-shop", version)]
pub struct Options {
    /// Which services to run, as a list or one by one [default: all]
    ///
    /// Services in one process share their state; in two, each has its own: orders that run alone do not
    /// lower the stock of a catalog that runs elsewhere.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Service>,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port of the first service, users; the others follow. 0 takes ports that are free
    #[arg(long, default_value_t = 3001)]
    pub base_port: u16,
    /// Which data set, which signing key and which faults' luck
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The issuer's name in tokens, wherever the provider listens
    #[arg(long, default_value = "http://127.0.0.1:3007")]
    pub issuer: String,
    /// How long an access token lives, in whole seconds
    #[arg(long, default_value = "1h", value_parser = seconds)]
    pub token_lifetime: Duration,
    /// Makes the tokens of a sign-in good for every service, for BFFs that pass them through as they are
    ///
    /// Without it they are for the BFF alone, which exchanges them (RFC 8693). Tokens that are asked for without a
    /// sign-in are always good for every service.
    #[arg(long)]
    pub pass_through: bool,
    /// Where web-bff may be sent a code: compared letter by letter. Once for each
    #[arg(long, value_parser = web_url, default_values = REDIRECT_URIS)]
    pub redirect_uri: Vec<String>,
    /// Where web-bff is told that a user's session has ended (http on this machine). Once for each [default: nowhere]
    #[arg(long, value_parser = loopback)]
    pub backchannel_logout_uri: Vec<Uri>,
    /// How long an order rests before it moves on
    ///
    /// This happens to orders placed since the start, and to those of users whose events somebody watches;
    /// the others stay as they are, so that answers are stable.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub status_interval: Duration,
    /// How long an event stream is silent before it shows that it lives
    #[arg(long, default_value = "15s", value_parser = duration)]
    pub heartbeat: Duration,
    /// Above how many requests at once a service sheds: first batch, at 1.5 × page, at 2 × checkout [default: never]
    #[arg(long)]
    pub shed_above: Option<usize>,
    /// What a service can do, such as orders=10x25ms: ten requests at once, 25 ms each, the rest wait [default: all]
    #[arg(long, value_delimiter = ',', value_parser = Limit::of_service)]
    pub capacity: Vec<(Service, Limit)>,
    /// Asks the services that run here with these options whether they answer, and runs none; exit code 1 if one does not
    #[arg(long)]
    pub healthy: bool,
}

/// What the command line says when it says nothing.
impl Default for Options {
    fn default() -> Self {
        Self::parse_from(["demo-shop"])
    }
}

impl Options {
    /// The services to run, in the order of their ports.
    pub(crate) fn services(&self) -> impl Iterator<Item = Service> {
        let wanted = |service: &Service| self.only.is_empty() || self.only.contains(service);
        Service::ALL.into_iter().filter(wanted)
    }

    /// What a service can do; of two that are given, the later counts.
    pub(crate) fn capacity(&self, service: Service) -> Option<Limit> {
        self.capacity.iter().rev().find(|(limited, _)| *limited == service).map(|(_, limit)| *limit)
    }

    /// Where a service listens.
    pub(crate) fn address(&self, service: Service) -> Result<SocketAddr, StartError> {
        let port = self.port(service).ok_or(StartError::NoPort { service })?;
        Ok(SocketAddr::new(self.host, port))
    }

    /// The port of a service, if there are that many ports.
    fn port(&self, service: Service) -> Option<u16> {
        match self.base_port {
            0 => Some(0),
            base => base.checked_add(service as u16),
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration =
        text.parse().map_err(|error| format!("{error}: write it like 5s or 200ms"))?;
    let positive = Duration::try_from(parsed).ok().filter(|duration| !duration.is_zero());
    positive.ok_or_else(|| "must be more than nothing".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    let whole = duration.subsec_nanos() == 0;
    whole.then_some(duration).ok_or_else(|| "must be whole seconds, like 90s".to_owned())
}

fn web_url(text: &str) -> Result<String, String> {
    let url =
        Url::parse(text).map_err(|error| format!("{error}: write it like https://shop.example/callback"))?;
    let usable = matches!(url.scheme(), "http" | "https") && url.fragment().is_none();
    usable.then(|| text.to_owned()).ok_or_else(|| "must be http or https, and have no fragment".to_owned())
}

/// Nothing but this machine is called, so that a mistyped address sends no token into the world.
fn loopback(text: &str) -> Result<Uri, String> {
    let url =
        Url::parse(text).map_err(|error| format!("{error}: write it like http://127.0.0.1:8081/logout"))?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let problem = "must be an http URL of this machine, like http://127.0.0.1:8081/auth/backchannel-logout";
    if url.scheme() != "http" || !here {
        return Err(problem.to_owned());
    }
    url.as_str().parse().map_err(|_| problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_its_place_after_the_base_port() {
        let options = Options::parse_from(["demo-shop", "--only", "orders,identity", "--only", "users"]);
        let ports: Vec<_> = options.services().map(|service| options.port(service)).collect();
        assert_eq!(ports, [Some(3001), Some(3002), Some(3007)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            ["--status-interval", "0s"],
            ["--heartbeat", "soon"],
            ["--only", "carts"],
            ["--base-port", "x"],
            ["--capacity", "10x25ms"],
            ["--token-lifetime", "500ms"],
            ["--redirect-uri", "/callback"],
            ["--redirect-uri", "https://shop.example/#a"],
            ["--backchannel-logout-uri", "http://shop.example/logout"],
            ["--backchannel-logout-uri", "https://127.0.0.1/logout"],
        ] {
            assert!(Options::try_parse_from([&["demo-shop"][..], &wrong].concat()).is_err(), "{wrong:?}");
        }
    }
}
