//! Every route: what it is asked, which calls it makes, and what it is without each of them.

mod kept;
mod table;

use end_to_end::{Answer, Content, EVERY_CALL, Frontend, Kind, System};
use serde_json::json;

use crate::samples::Samples;
pub(crate) use kept::kept;
pub(crate) use table::ROUTES;

/// One route, with a request that it answers well.
pub(crate) struct Route {
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    /// With `{order}` and the like for what [`Samples`] has.
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    pub(crate) status: u16,
    /// Every call of an upstream that it makes, each one once.
    pub(crate) calls: &'static [Call],
    /// What is different in each answer, as JSON pointers.
    pub(crate) varying: &'static [&'static str],
    /// Whether it wants no credential.
    pub(crate) open: bool,
}

/// A call of an upstream.
pub(crate) struct Call {
    /// `service METHOD /route/{template}`.
    pub(crate) to: &'static str,
    pub(crate) lost: Lost,
    /// Whether its answer has a body that could be of a wrong shape.
    pub(crate) shaped: bool,
    /// Whether the screen takes an old answer of it, up to an hour, rather than none.
    pub(crate) old: bool,
}

/// What the loss of a call is.
pub(crate) enum Lost {
    /// The whole answer.
    Everything,
    /// One section, which is warned of, and these values, by JSON pointer in which `*` is every item.
    Section(&'static str, &'static [(&'static str, &'static str)]),
}

impl Route {
    /// Asks for it through `frontend`.
    pub(crate) async fn ask(&self, frontend: &Frontend, samples: &Samples) -> Answer {
        let content = (!self.body.is_empty()).then(|| Content::json(samples.fill(self.kind, self.body)));
        frontend.send(self.method, &samples.fill(self.kind, self.path), content).await
    }

    /// Whether it changes nothing.
    pub(crate) fn reads(&self) -> bool {
        self.method == "GET"
    }

    /// As the OpenAPI document names it: `GET /orders/{id}`.
    pub(crate) fn operation(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{id}" } else { segment });
        format!("{} {}", self.method, segments.collect::<Vec<_>>().join("/"))
    }
}

/// How the route is called in a failure.
impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.kind.name(), self.method, self.path)
    }
}

#[tokio::test]
async fn every_route_is_in_the_table_and_makes_just_its_calls() {
    let system = System::start_with(EVERY_CALL).await;
    for kind in Kind::ALL {
        let mut documented = system.contract(kind).operations();
        let mut tested: Vec<_> =
            ROUTES.iter().filter(|route| route.kind == kind).map(Route::operation).collect();
        // An event stream is no answer that could be read whole, and signing in is more than one answer: see
        // `events.rs` and `attacks/`.
        documented.retain(|operation| !operation.contains(" /auth/") && !operation.ends_with(" /events"));
        documented.sort_unstable();
        tested.sort_unstable();
        assert_eq!(tested, documented, "the routes of {}", kind.name());
    }
    let samples = Samples::find(&system).await;
    for route in ROUTES {
        system.shop.forget_calls().await;
        let answer = route.ask(&system.frontend(route.kind), &samples).await;
        assert_eq!(answer.outcome(), route.status.to_string(), "{route}");
        let calls = json!(system.shop.calls().await);
        let expected: serde_json::Map<_, _> =
            route.calls.iter().map(|call| (call.to.to_owned(), json!(1))).collect();
        assert_eq!(calls, json!(expected), "{route}");
    }
}
