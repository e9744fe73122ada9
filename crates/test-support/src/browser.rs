//! A browser as far as signing in goes: it keeps cookies, and shows redirects instead of following them.

use std::collections::BTreeMap;

use http::Method;
use http::header::SET_COOKIE;

use crate::{Answer, Client};

/// A browser whose pages come from one service.
#[derive(Clone)]
pub struct Browser {
    base: String,
    headers: Vec<(String, String)>,
    /// Names and values.
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A browser without cookies, at the service at `base`.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into(), headers: vec![], cookies: BTreeMap::new() }
    }

    /// The same browser, sending this header with every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// `GET path`.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Any request; a body is sent as JSON.
    pub async fn send(&mut self, method: Method, path: &str, body: Option<String>) -> Answer {
        let answer = self.client().send(method, path, body).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().expect("a cookie of text"));
        }
        answer
    }

    /// A client that sends this browser's cookies and headers, and keeps nothing.
    pub fn client(&self) -> Client {
        let mut client = Client::new(&self.base);
        for (name, value) in &self.headers {
            client = client.with(name, value);
        }
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { client } else { client.with("cookie", &pairs.join("; ")) }
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').expect("a cookie has a name");
        self.cookies.remove(name);
        if !attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0") {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
