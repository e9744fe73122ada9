//! What makes a request somebody's.

use http::HeaderMap;
use http::header::{LOCATION, SET_COOKIE};

use crate::{Answer, Client, Content, Shop};

/// Where people know the web app of a system under test.
pub const WEB_ORIGIN: &str = "https://shop.example";

/// The headers that make a request somebody's.
#[derive(Clone, Debug)]
pub struct Credential(pub Vec<(&'static str, String)>);

impl Credential {
    /// A bearer token.
    pub fn bearer(token: &str) -> Self {
        Self(vec![("authorization", format!("Bearer {token}"))])
    }

    /// An API key.
    pub fn api_key(key: &str) -> Self {
        Self(vec![("x-api-key", key.to_owned())])
    }

    /// A session's cookie, with what our own pages send beside it.
    pub fn session(cookie: &str) -> Self {
        Self(vec![
            ("cookie", cookie.to_owned()),
            ("x-csrf", "1".to_owned()),
            ("origin", WEB_ORIGIN.to_owned()),
        ])
    }

    /// The same, sent by a page of another origin.
    #[must_use]
    pub fn from_page_of(mut self, origin: &str) -> Self {
        let named = self.0.iter_mut().filter(|(name, _)| *name == "origin");
        named.for_each(|(_, value)| origin.clone_into(value));
        self
    }

    /// Signs `user` in, as a browser would that comes to `web` and is sent to the provider of `shop`.
    pub async fn signed_in(web: &Client, shop: &Shop, user: &str) -> Self {
        Self::session(&sign_in(web, shop, user).await)
    }
}

/// The cookie of a new session, `name=value`.
pub async fn sign_in(web: &Client, shop: &Shop, user: &str) -> String {
    let began = web.get("/auth/login?returnTo=/").await;
    assert_eq!(began.status, 303, "a sign-in does not begin: {began:?}");
    let attempt = cookies(&began.headers).join("; ");
    let callback = consent(shop, &location(&began), user).await;
    let query = callback.split_once('?').map(|(_, query)| query).expect("a callback with a query");
    let ended = web.clone().with("cookie", &attempt).get(&format!("/auth/callback?{query}")).await;
    assert_eq!(ended.status, 303, "{user} is not signed in: {ended:?}");
    let session = cookies(&ended.headers).into_iter().find(|cookie| !cookie.contains("login"));
    session.unwrap_or_else(|| panic!("{user} gets no session: {ended:?}"))
}

/// What `user` does at the provider, which is not reached where its name says; the URL that it sends them back to.
pub async fn consent(shop: &Shop, authorization: &str, user: &str) -> String {
    let (_, asked) = authorization.split_once("/authorize").expect("the provider's authorization endpoint");
    let provider = Client::new(shop.url("identity"));
    let form = Content::of(Some("application/x-www-form-urlencoded"), format!("user_id={user}"));
    location(&provider.send("POST", &format!("/authorize{asked}"), Some(form)).await)
}

/// Where an answer sends its client.
pub fn location(answer: &Answer) -> String {
    let location = answer.headers.get(LOCATION).unwrap_or_else(|| panic!("no redirect: {answer:?}"));
    location.to_str().expect("a URL").to_owned()
}

/// The cookies that are set, `name=value` each, without those that are removed.
pub fn cookies(headers: &HeaderMap) -> Vec<String> {
    let set = headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().expect("text"));
    let kept = set.filter(|line| !line.contains("Max-Age=0"));
    kept.filter_map(|line| line.split(';').next()).map(str::to_owned).collect()
}
