//! Random calls against a breaker and against a plain model of what it must do.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// A call that ends at once.
    Call {
        succeeded: bool,
    },
    /// A call that goes on.
    Begin,
    /// The end of one that went on; `None` gives it up.
    End {
        which: prop::sample::Index,
        succeeded: Option<bool>,
    },
    Pass {
        ms: u64,
    },
}

fn steps(successes: f64) -> impl Strategy<Value = Vec<Step>> {
    let end = |(which, succeeded)| Step::End { which, succeeded };
    let step = prop_oneof![
        8 => prop::bool::weighted(successes).prop_map(|succeeded| Step::Call { succeeded }),
        2 => Just(Step::Begin),
        2 => any::<(prop::sample::Index, Option<bool>)>().prop_map(end),
        2 => (0..700_u64).prop_map(|ms| Step::Pass { ms }),
        1 => (700..12_000_u64).prop_map(|ms| Step::Pass { ms }),
    ];
    prop::collection::vec(step, 1..150)
}

/// Everything is remembered; whatever matters is worked out from it.
struct Model {
    position: BreakerPosition,
    changes: u32,
    closed_at: Instant,
    /// When they came and whether they were good, since `closed_at`.
    results: Vec<(Instant, bool)>,
    next_probe: Instant,
    /// The latest probe that ended with a result or has not ended.
    last_probe: Option<Instant>,
    opened: u64,
}

impl Model {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            position: BreakerPosition::Closed,
            changes: 0,
            closed_at: now,
            results: vec![],
            next_probe: now,
            last_probe: None,
            opened: 0,
        }
    }

    fn turn(&mut self, position: BreakerPosition) {
        self.position = position;
        self.changes += 1;
    }

    /// Admits as the breaker did, or fails. The model has no dice: it takes the breaker's, within their range.
    fn admit(&mut self, breaker: &Arc<Breaker>) -> Option<Running> {
        let (now, admitted) = (Instant::now(), breaker.admit());
        match self.position {
            BreakerPosition::Closed => assert!(admitted.is_ok()),
            _ if self.next_probe <= now => {
                assert!(admitted.is_ok());
                assert!(self.last_probe.is_none_or(|last| now >= last + SECOND), "two probes in a second");
                self.last_probe = Some(now);
                self.position = BreakerPosition::Probing;
                self.pause(breaker);
            }
            _ => {
                let retry_after = self.next_probe.saturating_duration_since(now);
                assert_eq!(admitted.as_ref().unwrap_err().retry_after, retry_after);
            }
        }
        Some(Running { admission: admitted.ok()?, changes: self.changes })
    }

    fn pause(&mut self, breaker: &Arc<Breaker>) {
        let pause = retry_after(breaker);
        assert!(PAUSE.contains(&pause), "{pause:?}");
        self.next_probe = Instant::now() + pause;
    }

    fn end(&mut self, breaker: &Arc<Breaker>, running: Running, succeeded: Option<bool>) {
        match succeeded {
            Some(true) => running.admission.succeeded(),
            Some(false) => running.admission.failed(),
            None => drop(running.admission),
        }
        if running.changes != self.changes {
            return;
        }
        match (self.position, succeeded) {
            (BreakerPosition::Open | BreakerPosition::Probing, Some(true)) => {
                self.turn(BreakerPosition::Closed);
                self.closed_at = Instant::now();
                self.results.clear();
                self.last_probe = None;
            }
            (BreakerPosition::Open | BreakerPosition::Probing, Some(false)) => {
                self.position = BreakerPosition::Open;
            }
            (BreakerPosition::Open | BreakerPosition::Probing, None) => {
                self.position = BreakerPosition::Open;
                self.next_probe = Instant::now();
                self.last_probe = None;
            }
            (_, Some(succeeded)) => self.count(breaker, succeeded),
            (_, None) => {}
        }
    }

    fn count(&mut self, breaker: &Arc<Breaker>, succeeded: bool) {
        self.results.push((Instant::now(), succeeded));
        let (all, failed) = self.window();
        let condemned = if all < 20 { self.streak() >= 5 } else { all - failed < failed };
        if condemned {
            self.turn(BreakerPosition::Open);
            self.opened += 1;
            self.pause(breaker);
        }
    }

    fn window(&self) -> (u64, u64) {
        let second = |at: Instant| (at - self.closed_at).as_secs();
        let now = second(Instant::now());
        let recent = self.results.iter().filter(|(at, _)| second(*at) + 10 > now);
        recent.fold((0, 0), |(all, failed), (_, succeeded)| (all + 1, failed + u64::from(!succeeded)))
    }

    fn streak(&self) -> u64 {
        self.results.iter().rev().take_while(|(_, succeeded)| !succeeded).count() as u64
    }

    fn check(&self, breaker: &Breaker) {
        let state = breaker.state();
        assert_eq!((state.position, state.opened), (self.position, self.opened));
        assert_eq!(state.consecutive_failures, self.streak());
        assert_eq!(breaker.is_closed(), self.position == BreakerPosition::Closed);
        if breaker.is_closed() {
            assert_eq!((state.results, state.failures), self.window());
        }
    }
}

struct Running {
    admission: Admission,
    changes: u32,
}

async fn run(steps: Vec<Step>) {
    let (breaker, mut model) = (Breaker::new(true), Model::new());
    let mut running: Vec<Running> = vec![];
    for step in steps {
        match step {
            Step::Call { succeeded } => {
                if let Some(call) = model.admit(&breaker) {
                    model.end(&breaker, call, Some(succeeded));
                }
            }
            Step::Begin => running.extend(model.admit(&breaker)),
            Step::End { which, succeeded } if !running.is_empty() => {
                let call = running.swap_remove(which.index(running.len()));
                model.end(&breaker, call, succeeded);
            }
            Step::End { .. } => {}
            Step::Pass { ms } => advance(Duration::from_millis(ms)).await,
        }
        model.check(&breaker);
    }
}

proptest! {
    #[test]
    fn it_does_as_the_model_does(steps in (0.3..0.8).prop_flat_map(steps)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(run(steps));
    }
}
