//! The calls: what is read of each answer is what the BFFs read.

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, Scheme};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Failure;

pub(super) struct Shop {
    client: Client<HttpConnector, Empty<Bytes>>,
    user: String,
    users: Authority,
    orders: Authority,
    catalog: Authority,
    notifications: Authority,
    billing: Authority,
    usage: Authority,
}

impl Shop {
    pub(super) fn new(upstreams: &[(String, Authority)], user: String) -> Result<Self, Failure> {
        let at = |name: &str| {
            let upstream = upstreams.iter().find(|(known, _)| known == name);
            upstream.map(|(_, authority)| authority.clone()).ok_or(format!("--upstream {name}=… is missing"))
        };
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            users: at("users")?,
            orders: at("orders")?,
            catalog: at("catalog")?,
            notifications: at("notifications")?,
            billing: at("billing")?,
            usage: at("usage")?,
            user,
        })
    }

    pub(super) async fn user(&self) -> Result<User, Failure> {
        self.get(&self.users, format!("/users/{}", self.user)).await
    }

    pub(super) async fn orders(&self, limit: u32) -> Result<Vec<Order>, Failure> {
        let path = format!("/orders?userId={}&limit={limit}", self.user);
        self.get(&self.orders, path).await.map(|Items { items }| items)
    }

    pub(super) async fn products(&self, ids: &[&str]) -> Result<Vec<Product>, Failure> {
        let path = format!("/products?ids={}", ids.join(","));
        self.get(&self.catalog, path).await.map(|Items { items }| items)
    }

    pub(super) async fn promos(&self) -> Result<Vec<Promo>, Failure> {
        self.get(&self.catalog, "/promos".to_owned()).await.map(|Items { items }| items)
    }

    pub(super) async fn unread(&self, limit: u32) -> Result<Notifications, Failure> {
        let path = format!("/notifications?userId={}&unread=true&limit={limit}", self.user);
        self.get(&self.notifications, path).await
    }

    pub(super) async fn billing(&self) -> Result<Billing, Failure> {
        self.get(&self.billing, format!("/accounts/{}/billing", self.user)).await
    }

    pub(super) async fn usage(&self) -> Result<Usage, Failure> {
        self.get(&self.usage, format!("/accounts/{}/usage", self.user)).await
    }

    async fn get<T: DeserializeOwned>(&self, service: &Authority, path: String) -> Result<T, Failure> {
        let uri =
            Uri::builder().scheme(Scheme::HTTP).authority(service.clone()).path_and_query(path).build()?;
        let response = self.client.get(uri).await?;
        if !response.status().is_success() {
            return Err(format!("{service} answered {}", response.status()).into());
        }
        let body = response.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body)?)
    }
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) role: String,
    pub(super) avatar_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) product_id: String,
    pub(super) quantity: u32,
    pub(super) status: String,
    pub(super) total_cents: i64,
    pub(super) currency: String,
    pub(super) placed_at: String,
    pub(super) updated_at: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) price_cents: i64,
    pub(super) currency: String,
    pub(super) image_url: Option<String>,
    pub(super) category: String,
    pub(super) stock: u32,
    pub(super) rating: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Promo {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) product_id: String,
    pub(super) discount_percent: u8,
    pub(super) ends_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notifications {
    pub(super) items: Vec<Notification>,
    pub(super) unread_count: u64,
}

#[derive(Deserialize)]
pub(super) struct Notification {
    pub(super) id: String,
    pub(super) title: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Billing {
    pub(super) plan: String,
    pub(super) status: String,
    pub(super) balance_cents: i64,
    pub(super) currency: String,
    pub(super) next_invoice_at: Option<String>,
    pub(super) payment_method: Option<PaymentMethod>,
}

#[derive(Deserialize)]
pub(super) struct PaymentMethod {
    pub(super) brand: String,
    pub(super) last4: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    pub(super) period: Period,
    pub(super) orders_placed: u64,
    pub(super) api_calls: u64,
    pub(super) api_call_limit: u64,
    pub(super) storage_bytes: u64,
    pub(super) storage_limit_bytes: u64,
}

#[derive(Deserialize)]
pub(super) struct Period {
    pub(super) from: String,
    pub(super) to: String,
}
