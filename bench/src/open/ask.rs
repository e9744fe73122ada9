//! One request, as its client makes it, and what came of it.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::{sleep, timeout};

use super::arrivals::Arrival;
use super::plan::{Class, Good, Plan, Protocol};
use crate::Failure;

/// Shorter than any server keeps a connection that is not used.
const IDLE: Duration = Duration::from_secs(5);

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The answer that was wanted.
    Good,
    /// A success that says what it lacks.
    Degraded,
    /// Refused because there is too much to do.
    Shed,
    /// Anything else, and what.
    Failed(String),
}

/// The last outcome of a client's tries, and how many there were.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) outcome: Outcome,
    pub(super) tries: u32,
}

/// What sends them, over kept connections.
pub(super) struct Client {
    http1: legacy::Client<HttpConnector, Full<Bytes>>,
    http2: legacy::Client<HttpConnector, Full<Bytes>>,
    classes: Vec<Class>,
    timeout: Duration,
}

/// What is read of an answer: a problem has a type, a screen that lost something has warnings.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    r#type: String,
    warnings: Vec<IgnoredAny>,
}

impl Client {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        let http1 = builder.build(connector.clone());
        let http2 = builder.http2_only(true).build(connector);
        Self { http1, http2, classes: plan.classes.clone(), timeout: Duration::from_millis(plan.timeout_ms) }
    }

    /// Tries until it is answered with a success, or has tried often enough.
    pub(super) async fn ask(&self, arrival: &Arrival) -> Asked {
        let class = &self.classes[arrival.class];
        let pause = Duration::from_millis(class.pause_ms).mul_f64(arrival.patience);
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.attempt(class, arrival.number).await;
            let answered = matches!(outcome, Outcome::Good | Outcome::Degraded);
            if answered || tries >= class.tries {
                return Asked { outcome, tries };
            }
            sleep(pause).await;
        }
    }

    async fn attempt(&self, class: &Class, number: u64) -> Outcome {
        match timeout(self.timeout, self.answer(class, number)).await {
            Ok(Ok((status, body))) => judge(class.good, status, &body),
            Ok(Err(_)) => Outcome::Failed("no answer".to_owned()),
            Err(_) => Outcome::Failed("client timeout".to_owned()),
        }
    }

    async fn answer(&self, class: &Class, number: u64) -> Result<(StatusCode, Bytes), Failure> {
        let client = match class.protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        };
        let response = client.request(class.request(number)?).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

fn judge(good: Good, status: StatusCode, body: &[u8]) -> Outcome {
    let said = || serde_json::from_slice::<Said>(body).unwrap_or_default();
    if status.is_success() {
        let whole = good == Good::Answered || said().warnings.is_empty();
        return if whole { Outcome::Good } else { Outcome::Degraded };
    }
    let said = said();
    match said.r#type.rsplit(':').next().unwrap_or_default() {
        "overloaded" => Outcome::Shed,
        slug => Outcome::Failed(format!("{} {slug}", status.as_u16()).trim_end().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_status_and_by_what_it_says() {
        let failed = |reason: &str| Outcome::Failed(reason.to_owned());
        for (good, status, body, expected) in [
            (Good::Whole, 200, r#"{"warnings":[]}"#, Outcome::Good),
            (Good::Whole, 200, r#"{"warnings":[{"section":"promos"}]}"#, Outcome::Degraded),
            (Good::Answered, 200, r#"{"warnings":[{"section":"promos"}]}"#, Outcome::Good),
            (Good::Whole, 201, r#"{"order":{}}"#, Outcome::Good),
            (Good::Whole, 503, r#"{"type":"urn:triptych:problem:overloaded"}"#, Outcome::Shed),
            (Good::Whole, 503, r#"{"type":"urn:triptych:problem:unavailable"}"#, failed("503 unavailable")),
            (Good::Whole, 500, "<html>", failed("500")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(judge(good, status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
