//! A system that is tried, and what it answers when it is well.

use std::cell::RefCell;
use std::collections::VecDeque;

use end_to_end::{Answer, Kind, System};
use futures::future::join_all;
use serde_json::{Value, json};

use super::expected::{difference, expected, shown};
use super::fault::Group;
use super::times::times;
use crate::routes::{Call, ROUTES, Route};
use crate::samples::Samples;

/// Changes of the demo's settings.
pub(super) type Changes = &'static [(&'static str, &'static str)];

/// So many systems are tried at the same time: most of the time each of them waits.
const LANES: usize = 3;

pub(super) struct Trial {
    pub(super) system: System,
    samples: Samples,
    /// What each of [`ROUTES`] answers.
    healthy: Vec<Answer>,
}

impl Trial {
    pub(super) async fn start(changes: Changes) -> Self {
        let system = System::start_with(changes).await;
        let samples = Samples::find(&system).await;
        let mut trial = Self { system, samples, healthy: vec![] };
        trial.healthy = trial.ask_all().await;
        trial.system.shop.reset().await;
        trial
    }

    /// Does each job in one of a few systems, and fails with all that was wrong.
    pub(super) async fn each<J>(
        changes: Changes,
        jobs: impl IntoIterator<Item = J>,
        job: impl AsyncFn(&Self, J) -> Vec<String>,
    ) {
        let jobs = RefCell::new(jobs.into_iter().collect::<VecDeque<J>>());
        let lanes = (0..LANES).map(async |_| {
            let trial = Self::start(changes).await;
            let mut wrong = vec![];
            loop {
                let next = jobs.borrow_mut().pop_front();
                let Some(next) = next else { break };
                wrong.extend(job(&trial, next).await);
            }
            wrong.extend(trial.late());
            // The systems live on: their logs stay when it fails.
            (trial, wrong)
        });
        let (_trials, wrong): (Vec<_>, Vec<_>) = join_all(lanes).await.into_iter().unzip();
        assert_right(&wrong.concat());
    }

    /// From now on a call, `service METHOD /route/{template}`, meets this fault, and no other call of its service does.
    pub(super) async fn strike(&self, to: &str, rule: &str) {
        let (service, _) = to.split_once(' ').expect("a service and a route");
        self.system.shop.strike(service, &json!([rule_for(to, rule)])).await;
    }

    /// From now on these calls meet this fault.
    pub(super) async fn strike_each(&self, calls: &[&str], rule: &str) {
        let service = |call: &&str| call.split(' ').next().map(str::to_owned);
        let mut services: Vec<String> = calls.iter().filter_map(service).collect();
        services.dedup();
        for name in services {
            let its = calls.iter().filter(|call| service(call).as_ref() == Some(&name));
            let rules: Vec<Value> = its.map(|call| rule_for(call, rule)).collect();
            self.system.shop.strike(&name, &json!(rules)).await;
        }
    }

    pub(super) async fn ask(&self, route: &Route) -> Answer {
        route.ask(&self.system.frontend(route.kind), &self.samples).await
    }

    /// The answers of these routes, asked at the same time.
    pub(super) async fn ask_each(&self, routes: impl IntoIterator<Item = &Route>) -> Vec<Answer> {
        join_all(routes.into_iter().map(|route| self.ask(route))).await
    }

    /// The answers of all routes: first of those that read, so that they all see the same data.
    pub(super) async fn ask_all(&self) -> Vec<Answer> {
        let mut reads = self.ask_each(ROUTES.iter().filter(|route| route.reads())).await.into_iter();
        let mut writes = self.ask_each(ROUTES.iter().filter(|route| !route.reads())).await.into_iter();
        let answers = ROUTES.iter().map(|route| if route.reads() { reads.next() } else { writes.next() });
        answers.map(|answer| answer.expect("each route was asked")).collect()
    }

    /// Asks for more than the table does, so that everything is known that the table asks for.
    pub(super) async fn warm(&self) {
        for (kind, path) in [
            (Kind::Web, "/products/{stocked}"),
            (Kind::Web, "/orders/{open}"),
            (Kind::Mobile, "/products/{stocked}"),
        ] {
            self.system.frontend(kind).get(&self.samples.fill(kind, path)).await;
        }
        self.ask_each(ROUTES.iter().filter(|route| route.reads())).await;
    }

    /// How an answer differs from what it must be when calls fail in the ways that `failure` tells.
    pub(super) fn wrong<'a>(
        &self,
        what: &str,
        route: &Route,
        answer: &Answer,
        failure: impl Fn(&Call) -> Option<&'a Group>,
    ) -> Option<String> {
        let place = ROUTES.iter().position(|other| std::ptr::eq(other, route)).expect("a route of the table");
        let calls = route.calls.iter();
        let failed: Vec<_> = calls.filter_map(|call| Some((call, failure(call)?))).collect();
        let (expected, seen) = (expected(route, &self.healthy[place], &failed), shown(route, answer));
        let (seen, expected) = (seen != expected).then(|| difference(&seen, &expected))?;
        Some(format!("{what}\n  {route}\n    seen     {seen}\n    expected {expected}"))
    }

    /// The requests that took longer than they may, whatever happened, as the BFFs themselves say.
    pub(super) fn late(&self) -> Vec<String> {
        let mut late = vec![];
        for kind in Kind::ALL {
            let log = self.system.bff(kind).process.log();
            let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            for event in events.filter(|event| event["message"] == "request") {
                let took = event["duration_ms"].as_f64().expect("the access log has durations");
                if took > times(kind).deadline.as_secs_f64() * 1e3 + 50.0 {
                    late.push(format!("{} answers too late: {event}", kind.name()));
                }
            }
        }
        late
    }
}

/// Fails with all that is wrong.
pub(super) fn assert_right(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong answers\n{}", wrong.len(), wrong.join("\n"));
}

fn rule_for(to: &str, rule: &str) -> Value {
    let mut parts = to.split(' ').skip(1);
    let (Some(method), Some(template)) = (parts.next(), parts.next()) else { panic!("{to} is no call") };
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment });
    let mut rule: Value = serde_json::from_str(rule).expect("a rule");
    rule["method"] = method.into();
    rule["path"] = segments.collect::<Vec<_>>().join("/").into();
    rule
}
