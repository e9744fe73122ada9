//! One BFF that runs.

use std::net::SocketAddr;

use serde_json::Value;

use crate::{Client, Env, Process, RunDir, Shop, WEB_ORIGIN, program, repository};

/// Which BFF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For the web app.
    Web,
    /// For mobile apps.
    Mobile,
    /// For partners.
    Partner,
}

/// A BFF that is ready, or was.
#[derive(Debug)]
pub struct Bff {
    /// Which one it is.
    pub kind: Kind,
    /// Its process.
    pub process: Process,
    /// Where it serves.
    pub address: SocketAddr,
    /// Where it says how it is.
    pub admin: SocketAddr,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Web, Self::Mobile, Self::Partner];

    /// The program's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web-bff",
            Self::Mobile => "mobile-bff",
            Self::Partner => "partner-bff",
        }
    }

    /// Its prefix at the gateway.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Web => "/web",
            Self::Mobile => "/mobile",
            Self::Partner => "/partner",
        }
    }

    /// Its settings file in the demo.
    pub fn config(self) -> String {
        repository().join("deploy/demo").join(format!("{}.toml", self.name())).to_string_lossy().into_owned()
    }

    /// The services that it calls.
    pub const fn upstreams(self) -> &'static [&'static str] {
        match self {
            Self::Web => &["users", "orders", "catalog", "notifications", "billing", "usage"],
            Self::Mobile => &["users", "orders", "catalog", "notifications"],
            Self::Partner => &["orders", "catalog", "usage"],
        }
    }

    /// The demo's settings, changed so that it finds `shop` and takes free ports.
    fn env(self, shop: &Shop) -> Env {
        let upstreams = self
            .upstreams()
            .iter()
            .map(|name| (format!("BFF__UPSTREAMS__{}__URL", name.to_uppercase()), shop.url(name).to_owned()));
        let others = [
            ("BFF__LISTEN", "127.0.0.1:0".to_owned()),
            ("BFF__ADMIN__LISTEN", "127.0.0.1:0".to_owned()),
            ("BFF__PUBLIC_URL", format!("{WEB_ORIGIN}{}", self.prefix())),
            ("BFF__IDENTITY__PROVIDER_URL", shop.url("identity").to_owned()),
        ];
        let mut env: Env = others.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if self == Self::Web {
            // People know it by a name that is not this machine's, and still it is the only one of its kind.
            env.push(("BFF__SESSION__SINGLE_REPLICA".to_owned(), "true".to_owned()));
        }
        env.extend(upstreams);
        if self == Self::Partner {
            // A partner may wait long, a test need not.
            let timeout =
                |name: &&str| (format!("BFF__UPSTREAMS__{}__TIMEOUT", name.to_uppercase()), "1s".to_owned());
            env.extend(self.upstreams().iter().map(timeout));
        }
        env
    }

    /// A change of the settings: `*` in its name is every service that it calls.
    fn change(self, (name, value): (&str, &str)) -> Env {
        let each = self.upstreams().iter().map(|service| name.replace('*', &service.to_uppercase()));
        let names: Vec<_> = if name.contains('*') { each.collect() } else { vec![name.to_owned()] };
        names.into_iter().map(|name| (name, value.to_owned())).collect()
    }
}

impl Bff {
    /// Starts a BFF in front of `shop` with the demo's settings and these changes, and waits until it is ready. `*` in
    /// the name of a setting is every service that it calls: `BFF__UPSTREAMS__*__BREAKER`.
    pub async fn start(kind: Kind, shop: &Shop, changes: &[(&str, &str)], dir: &RunDir) -> Self {
        let mut env = kind.env(shop);
        env.extend(changes.iter().flat_map(|change| kind.change(*change)));
        let (program, config) = (program(kind.name()), kind.config());
        let command = [&*program.to_string_lossy(), "serve", "--config", &config];
        let mut process = Process::start(kind.name(), &command, &env, dir);
        // One that was started again goes on in the same log.
        let before = process.log().len();
        let (address, admin) = process
            .until("served", async |process: &Process| {
                serving(process.log().get(before..).unwrap_or_default())
            })
            .await;
        let client = Client::new(format!("http://{admin}"));
        process
            .until("was ready", async |_: &Process| {
                client.try_send("GET", "/readyz", None).await.ok().filter(|answer| answer.status == 200)
            })
            .await;
        Self { kind, process, address, admin }
    }

    /// A client of it that does not go through the gateway.
    pub fn client(&self) -> Client {
        Client::new(format!("http://{}", self.address))
    }

    /// What `/readyz` says.
    pub async fn ready(&self) -> u16 {
        Client::new(format!("http://{}", self.admin)).get("/readyz").await.status.as_u16()
    }
}

/// The addresses in the line that says that a BFF serves.
fn serving(log: &str) -> Option<(SocketAddr, SocketAddr)> {
    let mut events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let event = events.find(|event| event["message"] == "serving")?;
    let address = |name: &str| event[name].as_str()?.parse().ok();
    Some((address("server.address")?, address("admin.address")?))
}
