//! As much of a browser as signing in needs: it keeps cookies and follows redirects.

use std::collections::BTreeMap;

use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderValue, Request};
use identity::{Redirection, Sessions, SignInAnswer, SignInError};
use url::Url;

use super::support::request;

#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
}

/// A sign-in that the provider was asked for: the parameters of the request.
pub(crate) struct Asked {
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
}

impl Browser {
    /// Goes to the provider.
    pub(crate) async fn begin(&mut self, sessions: &Sessions, return_to: &str) -> Asked {
        let there = sessions.begin(&request(), &self.head(), Some(return_to)).await.unwrap();
        self.keep(&there.cookies);
        let url = Url::parse(&there.location).unwrap();
        let parameter = |name| url.query_pairs().find(|(it, _)| it == name).unwrap().1.into_owned();
        Asked { state: parameter("state"), nonce: parameter("nonce"), url: there.location }
    }

    /// Comes back from the provider.
    pub(crate) async fn finish(
        &mut self,
        sessions: &Sessions,
        answer: &SignInAnswer,
    ) -> Result<Redirection, SignInError> {
        let result = sessions.finish(&request(), &self.head(), answer).await;
        let cookies = result.as_ref().map_or_else(|error| &error.cookies, |there| &there.cookies);
        self.keep(cookies);
        result
    }

    pub(crate) fn head(&self) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            head.headers.insert(COOKIE, pairs.join("; ").parse().unwrap());
        }
        head
    }

    pub(crate) fn keep(&mut self, cookies: &[HeaderValue]) {
        for cookie in cookies {
            let cookie = cookie.to_str().unwrap();
            let (pair, rest) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.remove(name);
            if !rest.contains("Max-Age=0") {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }
}

/// The provider's answer with a code.
pub(crate) fn code(state: &str) -> SignInAnswer {
    SignInAnswer { code: Some("code-1".into()), state: Some(state.into()), iss: None, error: None }
}
