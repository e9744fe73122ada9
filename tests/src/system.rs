//! The whole system: the demo shop, the three BFFs and the gateway.

use std::sync::Arc;

use crate::{Bff, Client, Collector, Contract, Credential, Env, Frontend, Gateway, Kind, RunDir, Shop};

/// The demo's API key of the partner Acme; its secret is the SHA-256 of `triptych demo key acme01`.
pub const ACME_KEY: &str = "tpk_acme01_8b0186b4d79aa21dfb56199c3123964eca64293fac5414672b98fe9dd29cd464";

/// Settings with which every request makes all of its calls: nothing is remembered, shared, repeated or left out.
pub const EVERY_CALL: &[(&str, &str)] = &[
    ("BFF__CACHE__MAX_BYTES", "0B"),
    ("BFF__UPSTREAMS__*__BREAKER", "false"),
    ("BFF__UPSTREAMS__*__COALESCING", "false"),
    ("BFF__UPSTREAMS__*__HEDGING", "false"),
    ("BFF__UPSTREAMS__*__RETRIES", "false"),
];

/// A system that runs. Dropping it ends it, the gateway first.
#[derive(Debug)]
pub struct System {
    /// The way in.
    pub gateway: Gateway,
    /// What stands behind the BFFs.
    pub shop: Shop,
    bffs: [Option<Bff>; 3],
    contracts: [Arc<Contract>; 3],
    changes: Vec<(String, String)>,
    credentials: [Credential; 3],
    dir: RunDir,
}

impl System {
    /// Starts everything on free ports, and waits until it is ready.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts everything, the BFFs with these changes of the demo's settings, as [`Bff::start`] takes them.
    pub async fn start_with(changes: &[(&str, &str)]) -> Self {
        Self::open(&Env::new(), changes, &[]).await
    }

    /// Starts everything, all programs exporting their spans to `collector`: those that `sampler` lets through, and of the gateway
    /// so many in a hundred.
    pub async fn traced(
        collector: &Collector,
        sampler: &'static str,
        sampled_by_gateway: &str,
        changes: &[(&str, &str)],
    ) -> Self {
        let variables = collector.env(sampler);
        let shop = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let variables = variables.iter().map(|(name, value)| (*name, &**value));
        let changes: Vec<_> = changes.iter().copied().chain(variables).collect();
        let address = collector.address.to_string();
        Self::open(&shop, &changes, &["--otlp", &address, "--trace-sampling", sampled_by_gateway]).await
    }

    async fn open(of_shop: &Env, changes: &[(&str, &str)], of_gateway: &[&str]) -> Self {
        let dir = RunDir::create();
        let shop = Shop::open_with("demo-shop", &[], of_shop, &dir).await;
        let web = Bff::start(Kind::Web, &shop, changes, &dir).await;
        let mobile = Bff::start(Kind::Mobile, &shop, changes, &dir).await;
        let partner = Bff::start(Kind::Partner, &shop, changes, &dir).await;
        let gateway = Gateway::start([&web, &mobile, &partner], &shop, of_gateway, &dir).await;
        let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let edge = |kind: Kind| Client::new(format!("{}{}", gateway.url, kind.prefix()));
        let credentials = [
            Credential::signed_in(&edge(Kind::Web), &shop, "u_42").await,
            Credential::bearer(&shop.user_token("u_42").await),
            Credential::api_key(ACME_KEY),
        ];
        let contracts = Kind::ALL.map(|kind| Arc::new(Contract::of(kind.name())));
        let bffs = [Some(web), Some(mobile), Some(partner)];
        Self { gateway, shop, bffs, contracts, changes, credentials, dir }
    }

    /// A frontend through the gateway: for the user `u_42`, Ada Lovelace, or the partner Acme.
    pub fn frontend(&self, kind: Kind) -> Frontend {
        let client = self.edge(kind).of(self.credential(kind));
        Frontend::new(client, Arc::clone(&self.contracts[kind as usize]))
    }

    /// What makes a request Ada's, or Acme's.
    pub fn credential(&self, kind: Kind) -> &Credential {
        &self.credentials[kind as usize]
    }

    /// What makes a request to web or mobile that of `user`.
    pub async fn credential_of(&self, kind: Kind, user: &str) -> Credential {
        match kind {
            Kind::Web => Credential::signed_in(&self.edge(kind), &self.shop, user).await,
            _ => Credential::bearer(&self.shop.user_token(user).await),
        }
    }

    /// A client of a frontend, through the gateway, that has no credential and is held to no contract.
    pub fn edge(&self, kind: Kind) -> Client {
        Client::new(format!("{}{}", self.gateway.url, kind.prefix()))
    }

    /// What a BFF says that it answers.
    pub fn contract(&self, kind: Kind) -> &Contract {
        &self.contracts[kind as usize]
    }

    /// A client of the gateway that has no credential and is held to no contract.
    pub fn visitor(&self) -> Client {
        Client::new(&self.gateway.url)
    }

    /// A BFF that was not taken out.
    pub fn bff(&self, kind: Kind) -> &Bff {
        self.bffs[kind as usize].as_ref().expect("it was not taken out")
    }

    /// Takes a BFF out, to end it.
    pub fn take(&mut self, kind: Kind) -> Bff {
        self.bffs[kind as usize].take().expect("it was not taken out")
    }

    /// Starts a BFF again where it was.
    pub async fn put_back(&mut self, kind: Kind, address: std::net::SocketAddr) {
        let address = address.to_string();
        let changes = self.changes.iter().map(|(name, value)| (&**name, &**value));
        let changes: Vec<_> = changes.chain([("BFF__LISTEN", &*address)]).collect();
        let bff = Bff::start(kind, &self.shop, &changes, &self.dir).await;
        if kind == Kind::Web {
            // Its sessions were in its memory.
            self.credentials[kind as usize] = Credential::signed_in(&bff.client(), &self.shop, "u_42").await;
        }
        self.bffs[kind as usize] = Some(bff);
    }

    /// Where its logs are, for another program beside it.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }
}
