//! The place of a store, as one line of text.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use url::Host;

const RIGHT: &str = "must be memory:, redis://HOST:PORT/DB, rediss://HOST:PORT/DB (TLS), \
     redis+cluster://HOST:PORT,HOST:PORT or rediss+cluster://HOST:PORT,HOST:PORT";
const DEFAULT_PORT: u16 = 6379;

/// Where a store is. User and password, which stand before the first host as `USER:PASSWORD@` with `%XX` for
/// what is special there, are never printed: neither here nor in an error.
#[derive(Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct StoreUrl(pub(crate) Place);

#[derive(Clone, Default)]
pub(crate) enum Place {
    #[default]
    Memory,
    Redis(Servers),
}

/// One Redis, or some nodes of a cluster.
#[derive(Clone)]
pub(crate) struct Servers {
    pub(crate) tls: bool,
    pub(crate) cluster: bool,
    pub(crate) user: Option<SecretString>,
    pub(crate) password: Option<SecretString>,
    /// Hosts (IPv6 addresses without brackets) and ports; one or more.
    pub(crate) nodes: Vec<(String, u16)>,
    pub(crate) database: i64,
}

impl StoreUrl {
    pub(crate) fn is_tls(&self) -> bool {
        matches!(&self.0, Place::Redis(servers) if servers.tls)
    }
}

impl FromStr for StoreUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "memory:" {
            return Ok(Self(Place::Memory));
        }
        let (scheme, rest) = text.split_once("://").ok_or(RIGHT)?;
        let (tls, cluster) = match scheme {
            "redis" => (false, false),
            "rediss" => (true, false),
            "redis+cluster" => (false, true),
            "rediss+cluster" => (true, true),
            _ => return Err(RIGHT),
        };
        if rest.contains(['?', '#']) {
            return Err("must have no query and no fragment; ? and # in a password are %3F and %23");
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, password, hosts) = credential(authority)?;
        let nodes = hosts.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
        if !cluster && nodes.len() > 1 {
            return Err("must name one server; the nodes of a cluster begin with redis+cluster://");
        }
        let database = match path.trim_end_matches('/') {
            "" => 0,
            _ if cluster => return Err("must name no database: a cluster has only one"),
            number => {
                number.parse::<u16>().map_err(|_| "must end with the number of a database, such as /0")?
            }
        };
        Ok(Self(Place::Redis(Servers { tls, cluster, user, password, nodes, database: database.into() })))
    }
}

type Credential<'a> = (Option<SecretString>, Option<SecretString>, &'a str);

/// User, password, and what follows them.
fn credential(authority: &str) -> Result<Credential<'_>, &'static str> {
    let Some((credential, hosts)) = authority.rsplit_once('@') else {
        return Ok((None, None, authority));
    };
    let (user, password) = credential.split_once(':').unwrap_or((credential, ""));
    if !user.is_empty() && password.is_empty() {
        return Err("must have a password with its user: redis://USER:PASSWORD@HOST:PORT");
    }
    Ok((decoded(user)?, decoded(password)?, hosts))
}

fn decoded(text: &str) -> Result<Option<SecretString>, &'static str> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| "must be UTF-8 in user and password")?;
    Ok((!text.is_empty()).then(|| text.into_owned().into()))
}

fn node(text: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (
            host,
            port.parse::<u16>().ok().filter(|port| *port > 0).ok_or("must have ports from 1 to 65535")?,
        ),
        _ => (text, DEFAULT_PORT),
    };
    match Host::parse(host).map_err(|_| RIGHT)? {
        Host::Ipv6(address) => Ok((address.to_string(), port)),
        host => Ok((host.to_string(), port)),
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place::Redis(servers) = &self.0 else {
            return f.write_str("memory:");
        };
        let Servers { tls, cluster, user, password, nodes, database } = servers;
        f.write_str(if *tls { "rediss" } else { "redis" })?;
        f.write_str(if *cluster { "+cluster://" } else { "://" })?;
        if user.is_some() || password.is_some() {
            f.write_str("***@")?;
        }
        for (index, (host, port)) in nodes.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
            write!(f, "{comma}{open}{host}{close}:{port}")?;
        }
        if *cluster { Ok(()) } else { write!(f, "/{database}") }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for StoreUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
