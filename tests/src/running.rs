//! A system that somebody else started, such as `docker compose up`.

use std::env;
use std::sync::Arc;

use crate::system::ACME_KEY;
use crate::{Client, Contract, Credential, Frontend, Kind, Shop};

/// A system that runs already. It is only asked: nothing of it is started or ended here.
#[derive(Debug)]
pub struct Running {
    /// What stands behind the BFFs.
    pub shop: Shop,
    /// The gateway, which is also where people know the web app.
    url: String,
    contracts: [Arc<Contract>; 3],
}

impl Running {
    /// The one whose gateway is at `TRIPTYCH_SYSTEM`, such as `http://127.0.0.1:8080`. Its shop is on this machine, at
    /// the usual ports.
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    pub fn find() -> Self {
        let url = env::var("TRIPTYCH_SYSTEM").expect("TRIPTYCH_SYSTEM is the URL of a gateway that runs");
        let contracts = Kind::ALL.map(|kind| Arc::new(Contract::of(kind.name())));
        Self { shop: Shop::at("127.0.0.1"), url: url.trim_end_matches('/').to_owned(), contracts }
    }

    /// A client of a frontend, that has no credential and is held to no contract.
    pub fn edge(&self, kind: Kind) -> Client {
        Client::new(format!("{}{}", self.url, kind.prefix()))
    }

    /// A frontend for `user`, who signs in for it; that of partners is always for Acme.
    pub async fn frontend(&self, kind: Kind, user: &str) -> Frontend {
        let credential = match kind {
            Kind::Web => {
                Credential::signed_in(&self.edge(kind), &self.shop, user).await.from_page_of(&self.url)
            }
            Kind::Mobile => Credential::bearer(&self.shop.user_token(user).await),
            Kind::Partner => Credential::api_key(ACME_KEY),
        };
        Frontend::new(self.edge(kind).of(&credential), Arc::clone(&self.contracts[kind as usize]))
    }

    /// What a BFF says that it answers.
    pub fn contract(&self, kind: Kind) -> &Contract {
        &self.contracts[kind as usize]
    }
}
