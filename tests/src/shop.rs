//! The demo shop: the domain services and the identity provider, with their faults and their counts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Client, Content, Env, Process, RunDir, program};

/// A demo shop that runs.
#[derive(Debug)]
pub struct Shop {
    /// None: somebody else's.
    _process: Option<Process>,
    urls: BTreeMap<String, String>,
}

const IDENTITY: &str = "identity";
/// In the order of their ports.
const SERVICES: [&str; 7] = ["users", "orders", "catalog", "notifications", "billing", "usage", IDENTITY];

impl Shop {
    /// Opens a shop on free ports, with these arguments. Its orders do not move on by themselves.
    pub async fn open(name: &str, arguments: &[&str], dir: &RunDir) -> Self {
        Self::open_with(name, arguments, &Env::new(), dir).await
    }

    /// The same, with these variables.
    pub async fn open_with(name: &str, arguments: &[&str], env: &Env, dir: &RunDir) -> Self {
        let program = program("demo-shop");
        let program = program.to_string_lossy();
        let fixed = [&*program, "--base-port", "0", "--status-interval", "1h"];
        let mut process = Process::start(name, &[&fixed, arguments].concat(), env, dir);
        // The line of the identity provider is the last one.
        let urls = process
            .until("listened", async |process: &Process| {
                let urls = listening(&process.log());
                urls.contains_key(IDENTITY).then_some(urls)
            })
            .await;
        Self { _process: Some(process), urls }
    }

    /// The shop that is open already, on this host and at the ports that it takes by itself.
    pub fn at(host: &str) -> Self {
        let url = |(service, port)| (str::to_owned(service), format!("http://{host}:{port}"));
        Self { _process: None, urls: SERVICES.into_iter().zip(3001..).map(url).collect() }
    }

    /// Where a service listens.
    pub fn url(&self, service: &str) -> &str {
        self.urls.get(service).unwrap_or_else(|| panic!("the shop has no {service}"))
    }

    /// A token of a user.
    pub async fn user_token(&self, user: &str) -> String {
        let form = format!("grant_type=urn:triptych:demo:user&client_id=demo-cli&user_id={user}");
        let form = Content::of(Some("application/x-www-form-urlencoded"), form);
        let answer = self.bench(IDENTITY).send("POST", "/token", Some(form)).await;
        let token = answer.json()["access_token"].take();
        token.as_str().unwrap_or_else(|| panic!("no token for {user}: {answer:?}")).to_owned()
    }

    /// From now on a service does this to its callers, instead of what it did to them before.
    pub async fn strike(&self, service: &str, rules: &Value) {
        let answer =
            self.bench(service).send("PUT", "/_faults", Some(Content::json(rules.to_string()))).await;
        assert_eq!(answer.status, 200, "{rules}: {answer:?}");
    }

    /// A service is well again.
    pub async fn heal(&self, service: &str) {
        let answer = self.bench(service).send("DELETE", "/_faults", None).await;
        assert_eq!(answer.status, 204);
    }

    /// How often each route of the domain services was called, as `users GET /users/{id}`.
    pub async fn calls(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for service in self.domain_services() {
            let counts = self.bench(service).get("/_calls").await.json();
            for (route, count) in counts.as_object().expect("an object of counts") {
                all.insert(format!("{service} {route}"), count.as_u64().expect("a count"));
            }
        }
        all
    }

    /// How often each route of the identity provider was called, as `GET /jwks`.
    pub async fn identity_calls(&self) -> BTreeMap<String, u64> {
        let counts = self.bench(IDENTITY).get("/_calls").await.json();
        let counts = counts.as_object().expect("an object of counts").clone();
        counts.into_iter().map(|(route, count)| (route, count.as_u64().expect("a count"))).collect()
    }

    /// Starts counting anew.
    pub async fn forget_calls(&self) {
        for service in self.domain_services() {
            self.bench(service).send("DELETE", "/_calls", None).await;
        }
    }

    /// The request that came last to a route such as `GET /users/{id}`: `{method, path, headers}`.
    pub async fn last(&self, service: &str, route: &str) -> Value {
        let route = route.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D");
        let answer = self.bench(service).get(&format!("/_last?route={route}")).await;
        assert_eq!(answer.status, 200, "nothing came to {service} {route}");
        answer.json()
    }

    /// Every service has the data that it began with.
    pub async fn reset(&self) {
        let answer = self.bench("orders").send("POST", "/_reset", None).await;
        assert_eq!(answer.status, 204);
    }

    fn domain_services(&self) -> impl Iterator<Item = &str> {
        self.urls.keys().map(String::as_str).filter(|service| *service != IDENTITY)
    }

    /// A client of its own each time: a connection that a fault broke is not used again.
    fn bench(&self, service: &str) -> Client {
        Client::new(self.url(service))
    }
}

/// The lines `listening orders http://127.0.0.1:3002` among others.
fn listening(log: &str) -> BTreeMap<String, String> {
    let whole_lines = log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let told = whole_lines.filter_map(|line| line.strip_prefix("listening ")?.split_once(' '));
    told.map(|(service, url)| (service.to_owned(), url.to_owned())).collect()
}
