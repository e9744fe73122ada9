//! A shop of its own for each test, and what calls it.

use std::time::Duration;

use demo_shop::{Options, Running, Service, start};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use service_runtime::Telemetry;

/// A running shop.
pub(crate) struct Shop {
    pub(crate) running: Running,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A request that is being written.
pub(crate) struct Call<'a> {
    shop: &'a Shop,
    service: Service,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(choose: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options { base_port: 0, ..Options::default() };
        choose(&mut options);
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { running: start(options, &Telemetry::off()).await.unwrap(), client }
    }

    pub(crate) fn call(&self, service: Service, method: &Method, path: &str) -> Call<'_> {
        Call {
            shop: self,
            service,
            method: method.clone(),
            path: path.to_owned(),
            headers: vec![],
            body: Bytes::new(),
        }
    }

    pub(crate) fn get(&self, service: Service, path: &str) -> Call<'_> {
        self.call(service, &Method::GET, path)
    }

    pub(crate) fn post(&self, service: Service, path: &str) -> Call<'_> {
        self.call(service, &Method::POST, path)
    }

    pub(crate) async fn faults(&self, service: Service, rules: Value) {
        let answer = self.call(service, &Method::PUT, "/_faults").json(&rules).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// A token for a user.
    pub(crate) async fn user(&self, user: &str) -> String {
        self.token(&format!("grant_type=urn:triptych:demo:user&client_id=demo-cli&user_id={user}")).await
    }

    /// A token for a client.
    pub(crate) async fn client(&self, client: &str) -> String {
        let secret = format!("demo-secret-of-{client}");
        self.token(&format!("grant_type=client_credentials&client_id={client}&client_secret={secret}")).await
    }

    async fn token(&self, form: &str) -> String {
        let answer = self.post(Service::Identity, "/token").form(form).send().await;
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into();
        self.header("content-type", "application/json")
    }

    pub(crate) fn form(mut self, body: &str) -> Self {
        self.body = Bytes::copy_from_slice(body.as_bytes());
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// The head of the answer, its body still to come.
    pub(crate) async fn open(self) -> Result<Response<Incoming>, hyper_util::client::legacy::Error> {
        let uri = format!("{}{}", self.shop.running.url(self.service).unwrap(), self.path);
        let mut request = Request::builder().method(self.method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.shop.client.request(request.body(Full::new(self.body)).unwrap()).await
    }

    pub(crate) async fn send(self) -> Answer {
        let (head, body) = self.open().await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The members named `name` of all items.
    pub(crate) fn items(&self, name: &str) -> Vec<String> {
        let json = self.json();
        let items = json["items"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        let json = self.json();
        assert_eq!(self.status.as_u16(), status, "{json}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(json["type"], format!("urn:shop:problem:{code}"), "{json}");
        assert_eq!(json["status"], json!(status));
        assert!(json["title"].as_str().is_some_and(|title| !title.is_empty()));
    }
}

/// Long enough that only what never comes misses it; in tests with paused time it costs nothing.
pub(crate) const EVER: Duration = Duration::from_hours(1);

/// Asks for something, as a checkout, and waits for the answer.
pub(crate) async fn hold(url: String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = Request::get(url).header("x-request-priority", "checkout");
    let _ = client.request(request.body(Full::default()).unwrap()).await;
}
