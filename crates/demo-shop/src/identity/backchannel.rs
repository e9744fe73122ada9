//! Telling clients that a session has ended (OpenID Connect Back-Channel Logout 1.0).

use std::time::Duration;

use futures::future::join_all;
use http::header::CONTENT_TYPE;
use http::{Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use url::form_urlencoded;

/// How long a client may take to hear it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where clients want to be told. All of them are on this machine.
pub(super) struct Backchannel {
    uris: Vec<Uri>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Backchannel {
    pub(super) fn new(uris: &[Uri]) -> Self {
        Self { uris: uris.to_vec(), client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends a logout token to everyone who wants it, and returns what each answered: a status, or why there is none.
    pub(super) async fn tell(&self, logout_token: &str) -> Vec<(String, String)> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("logout_token", logout_token)
            .finish();
        let body = Bytes::from(body);
        join_all(self.uris.iter().map(|uri| self.tell_one(uri, body.clone()))).await
    }

    async fn tell_one(&self, uri: &Uri, body: Bytes) -> (String, String) {
        let request = Request::post(uri).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Full::new(body)).expect("the URI was checked");
        let outcome = match timeout(PATIENCE, self.client.request(request)).await {
            Ok(Ok(response)) => response.status().as_u16().to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::info!(%uri, outcome, "back-channel logout");
        (uri.to_string(), outcome)
    }
}
