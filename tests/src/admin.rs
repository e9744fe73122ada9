//! What a BFF tells those who run it.

use serde_json::{Value, json};

use crate::{Bff, Client};

/// The admin token of a BFF that is started with `BFF__ADMIN__TOKEN` set to it.
pub const ADMIN_TOKEN: &str = "the-admin-token-of-the-tests";

impl Bff {
    /// A client of its admin listener that has the token.
    pub fn operator(&self) -> Client {
        Client::new(format!("http://{}", self.admin)).with("authorization", &format!("Bearer {ADMIN_TOKEN}"))
    }

    /// How the services behind it are doing, and what it keeps.
    pub async fn upstreams(&self) -> Value {
        let answer = self.operator().get("/upstreams").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// How one operation is doing, such as `catalog.promos`; `null` before its first call.
    pub async fn operation(&self, name: &str) -> Value {
        let service = name.split('.').next().unwrap_or_default();
        self.upstreams().await["upstreams"][service]["operations"][name].take()
    }

    /// Makes old whatever is kept with one of these tags.
    pub async fn invalidate(&self, tags: &[&str]) {
        let answer = self.operator().post("/cache/invalidate", &json!({"tags": tags})).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
}
