//! A browser as far as sign-in needs one: it keeps cookies and follows nothing by itself.

use end_to_end::{Answer, Client, Shop, consent, location};
use http::header::SET_COOKIE;

/// A browser and its cookies.
pub(super) struct Browser {
    web: Client,
    jar: Vec<(String, String)>,
}

impl Browser {
    pub(super) fn new(web: &Client) -> Self {
        Self { web: web.clone(), jar: vec![] }
    }

    /// Another one with the same cookies.
    pub(super) fn copy(&self) -> Self {
        Self { web: self.web.clone(), jar: self.jar.clone() }
    }

    /// Sets a cookie as somebody would who can write into this browser.
    pub(super) fn plant(&mut self, name: &str, value: &str) {
        self.jar.retain(|(known, _)| known != name);
        self.jar.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.jar.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// How many cookies it has that stand for a sign-in that has begun.
    pub(super) fn attempts(&self) -> usize {
        self.jar.iter().filter(|(name, _)| name.contains("-login-")).count()
    }

    /// Goes to a page.
    pub(super) async fn visit(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[]).await
    }

    /// Sends a request with these headers beside its cookies.
    pub(super) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let jar: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut client = self.web.clone();
        if !jar.is_empty() {
            client = client.with("cookie", &jar.join("; "));
        }
        let client = headers.iter().fold(client, |client, (name, value)| client.with(name, value));
        let answer = client.send(method, path, None).await;
        self.keep(&answer);
        answer
    }

    /// Begins a sign-in: the provider's URL.
    pub(super) async fn begin(&mut self) -> String {
        let answer = self.visit("/auth/login").await;
        assert_eq!(answer.status, 303, "{answer:?}");
        location(&answer)
    }

    /// The path of the callback to which the provider sends `user`.
    pub(super) async fn consent(shop: &Shop, authorization: &str, user: &str) -> String {
        let callback = consent(shop, authorization, user).await;
        let (_, query) = callback.split_once('?').expect("a callback with a query");
        format!("/auth/callback?{query}")
    }

    /// Signs `user` in.
    pub(super) async fn sign_in(&mut self, shop: &Shop, user: &str) -> Answer {
        let authorization = self.begin().await;
        let callback = Self::consent(shop, &authorization, user).await;
        let answer = self.visit(&callback).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("text");
            let (name, value) =
                line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.jar.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}
