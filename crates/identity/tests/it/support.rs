//! What every test needs: settings, a request, a look at the answer, and time that passes.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, Request};
use identity::{Bearer, IdentitySettings, Provider};
use problem::Problem;
use request_context::{Caller, Deadline, PublicUrl, RequestContext, RequestId, Trace};
use serde_json::{Value, json};
use store::SharedStore;
use tracing_subscriber::fmt::MakeWriter;
use url::Url;

use super::provider::FakeProvider;

/// What tokens call the provider; it is reached elsewhere.
pub(crate) const ISSUER: &str = "http://idp.shop.example";

/// Where clients know the service: the gateway takes `/mobile` off.
pub(crate) const PUBLIC_URL: &str = "https://shop.example/mobile";

pub(crate) fn provider(fake: &FakeProvider, changes: &Value) -> Arc<Provider> {
    let mut settings = json!({
        "issuer": ISSUER, "provider_url": fake.url(), "client_secret": "se:cret",
    });
    for (key, value) in changes.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let settings: IdentitySettings = serde_json::from_value(settings).unwrap();
    Provider::new(&settings, "mobile-bff").unwrap()
}

/// A verifier of a service that clients know at [`PUBLIC_URL`], with a store of its own.
pub(crate) fn bearer(fake: &FakeProvider, changes: &Value) -> Bearer {
    bearer_with(fake, changes, &SharedStore::memory())
}

/// The same, with this store.
pub(crate) fn bearer_with(fake: &FakeProvider, changes: &Value, store: &SharedStore) -> Bearer {
    let public_url = PublicUrl::try_from(PUBLIC_URL.parse::<Url>().unwrap()).unwrap();
    Bearer::new(&provider(fake, changes), &public_url, store)
}

pub(crate) fn request() -> RequestContext {
    let deadline = Deadline::after(Duration::from_mins(10));
    RequestContext::new(RequestId::generate(), Trace::start(), deadline)
}

pub(crate) fn head(values: &[(HeaderName, &str)]) -> Parts {
    let (mut head, ()) = Request::new(()).into_parts();
    for (name, value) in values {
        head.headers.append(name, value.parse().unwrap());
    }
    head
}

/// Status, challenge and `Retry-After` of a problem, or the subject of a caller, in one line.
pub(crate) fn summary(result: Result<Caller, Problem>) -> String {
    let problem = match result {
        Ok(caller) => return caller.subject.as_str().to_owned(),
        Err(problem) => problem,
    };
    let answer = problem.render("/", "r-1", problem::Naming::CamelCase);
    let mut summary = answer.status().as_u16().to_string();
    for name in [WWW_AUTHENTICATE, RETRY_AFTER] {
        if let Some(value) = answer.headers().get(&name) {
            write!(summary, " {name}: {}", value.to_str().unwrap()).unwrap();
        }
    }
    summary
}

/// Lets `time` pass at once. Nothing may be under way.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Does `work` while time stands still. It must wait for nothing.
pub(crate) async fn standing_still<T>(work: impl Future<Output = T>) -> T {
    tokio::time::pause();
    let done = work.await;
    tokio::time::resume();
    done
}

/// Waits until `condition` holds, without regard to time.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

/// What is logged by this thread, while it lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// What was logged since the last call.
    pub(crate) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
