use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn withdrawals(budget: &Budget) -> usize {
    (0..1000).take_while(|_| budget.withdraw()).count()
}

fn hedges(budget: &Budget) -> usize {
    (0..1000).take_while(|_| budget.withdraw_hedge()).count()
}

fn after(calls: usize) -> Budget {
    let budget = Budget::new();
    (0..calls).for_each(|_| budget.call());
    budget
}

#[tokio::test(start_paused = true)]
async fn a_tenth_of_the_calls_and_one_more() {
    for (calls, expected) in [(0, 1), (9, 1), (10, 2), (19, 2), (20, 3), (100, 11), (1005, 101)] {
        assert_eq!(after(calls).state().attempts_left, expected, "{calls} calls");
        assert_eq!(withdrawals(&after(calls)) as u64, expected, "{calls} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn time_earns_one_a_second_and_saves_one() {
    let budget = after(0);
    // (milliseconds that pass, attempts that there are then)
    for (pass, expected) in [(0, 1), (0, 0), (999, 0), (1, 1), (500, 0), (500, 1), (60_000, 1)] {
        advance(Duration::from_millis(pass)).await;
        assert_eq!(withdrawals(&budget), expected, "after {pass} ms more");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_call_earned_is_lost_within_ten_seconds() {
    for (pass, expected) in [(9999, 11), (10_000, 1)] {
        let budget = after(100);
        advance(Duration::from_millis(pass)).await;
        assert_eq!(withdrawals(&budget), expected, "after {pass} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_is_spent_first() {
    let budget = after(50);
    advance(5 * SECOND).await;
    (0..50).for_each(|_| budget.call());
    (0..6).for_each(|_| assert!(budget.withdraw()));
    advance(5 * SECOND).await;
    assert_eq!(withdrawals(&budget), 6, "one for the time, five for the younger calls");
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_a_tenth_and_one_a_second() {
    let budget = after(0);
    let mut extra = 0;
    for _ in 0..60 * 100 {
        budget.call();
        extra += u64::from(budget.withdraw());
        advance(Duration::from_millis(10)).await;
    }
    assert_eq!(extra, 600 + 60, "100 calls a second for 60 seconds, every one of which fails");
}

#[tokio::test(start_paused = true)]
async fn one_call_in_twenty_may_be_hedged() {
    for (calls, expected) in [(0, 0), (19, 0), (20, 1), (39, 1), (40, 2), (100, 5)] {
        let budget = after(calls);
        assert_eq!(budget.state().hedges_left, expected, "{calls} calls");
        assert_eq!(hedges(&budget) as u64, expected, "{calls} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn hedges_and_retries_share_one_budget() {
    let budget = after(100);
    assert_eq!(hedges(&budget), 5);
    assert_eq!(withdrawals(&budget), 6);
    (0..100).for_each(|_| budget.call());
    assert_eq!(withdrawals(&budget), 10);
    assert_eq!(budget.state(), BudgetState { calls: 200, attempts_left: 0, hedges_left: 0 });
    assert_eq!(hedges(&budget), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Calls(usize),
    Withdraw(usize),
    Hedge(usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let nanoseconds =
        prop_oneof![0..3_u64, 0..300_000_000_u64, 0..3_000_000_000_u64, 9_000_000_000..=11_000_000_000_u64];
    let step = prop_oneof![
        3 => (1..60_usize).prop_map(Step::Calls),
        3 => (1..8_usize).prop_map(Step::Withdraw),
        1 => (1..4_usize).prop_map(Step::Hedge),
        4 => nanoseconds.prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..80)
}

/// When everything happened, since the beginning.
#[derive(Default)]
struct History {
    calls: Vec<Duration>,
    withdrawals: Vec<Duration>,
    hedges: Vec<Duration>,
}

/// How many of `times`, which rise, are in `from..=to`.
fn within(times: &[Duration], from: Duration, to: Duration) -> u32 {
    let count = times.partition_point(|time| *time <= to) - times.partition_point(|time| *time < from);
    u32::try_from(count).unwrap()
}

impl History {
    async fn of(steps: Vec<Step>) -> Self {
        let (budget, began, mut history) = (Budget::new(), Instant::now(), Self::default());
        for step in steps {
            let now = began.elapsed();
            match step {
                Step::Calls(count) => {
                    (0..count).for_each(|_| budget.call());
                    history.calls.extend(vec![now; count]);
                }
                Step::Withdraw(count) => {
                    for _ in 0..count {
                        history.withdrawals.extend(budget.withdraw().then_some(now));
                    }
                }
                Step::Hedge(count) => {
                    let paid = (0..count).filter(|_| budget.withdraw_hedge()).count();
                    history.withdrawals.extend(vec![now; paid]);
                    history.hedges.extend(vec![now; paid]);
                }
                Step::Pass(nanoseconds) => advance(Duration::from_nanos(nanoseconds)).await,
            }
        }
        history
    }

    /// The promise, in exact arithmetic, for every span that begins and ends with a withdrawal: any other has no more
    /// of these in it and is longer. With the span from the start on, which has no calls before it.
    fn check(&self) {
        for to in &self.withdrawals {
            let starts = self.withdrawals.iter().filter(|from| *from <= to);
            for from in starts.chain([&Duration::ZERO]) {
                let withdrawals = within(&self.withdrawals, *from, *to);
                let calls = within(&self.calls, from.saturating_sub(10 * SECOND), *to);
                let allowed = calls * SECOND / 10 + to.saturating_sub(*from) + SECOND;
                assert!(withdrawals * SECOND <= allowed, "{withdrawals} in {from:?}..={to:?}, {calls} calls");
            }
        }
        for to in &self.hedges {
            let from = (*to + Duration::from_nanos(1)).saturating_sub(10 * SECOND);
            let (hedges, calls) = (within(&self.hedges, from, *to), within(&self.calls, from, *to));
            assert!(20 * hedges <= calls, "{hedges} hedges and {calls} calls in the 10 s up to {to:?}");
        }
    }
}

/// What each call still has to spend, one by one, by the second in which it was made.
#[derive(Default)]
struct Model {
    saved: Duration,
    calls: Vec<(u64, Duration)>,
    hedges: Vec<u64>,
}

impl Model {
    fn pay(&mut self, now: u64) -> bool {
        self.calls.retain(|(second, _)| second + 10 > now);
        let all = self.saved + self.calls.iter().map(|(_, left)| *left).sum::<Duration>();
        if all < SECOND {
            return false;
        }
        let mut due = SECOND.saturating_sub(std::mem::take(&mut self.saved));
        for (_, left) in &mut self.calls {
            let part = due.min(*left);
            (*left, due) = (left.saturating_sub(part), due.saturating_sub(part));
        }
        true
    }

    fn hedge(&mut self, now: u64) -> bool {
        let hedges = self.hedges.iter().filter(|second| **second + 10 >= now).count();
        let calls = self.calls.iter().filter(|(second, _)| second + 10 > now).count();
        let paid = 20 * (hedges + 1) <= calls && self.pay(now);
        self.hedges.extend(paid.then_some(now));
        paid
    }
}

async fn compare(steps: Vec<Step>) {
    let (budget, began) = (Budget::new(), Instant::now());
    let mut model = Model { saved: SECOND, ..Model::default() };
    for step in steps {
        let now = began.elapsed().as_secs();
        match step {
            Step::Calls(count) => {
                (0..count).for_each(|_| budget.call());
                model.calls.extend(vec![(now, SECOND / 10); count]);
            }
            Step::Withdraw(count) => (0..count).for_each(|_| assert_eq!(budget.withdraw(), model.pay(now))),
            Step::Hedge(count) => {
                (0..count).for_each(|_| assert_eq!(budget.withdraw_hedge(), model.hedge(now)));
            }
            Step::Pass(nanoseconds) => {
                let passed = Duration::from_nanos(nanoseconds);
                model.saved = (model.saved + passed).min(SECOND);
                advance(passed).await;
            }
        }
    }
}

fn block_on(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future);
}

proptest! {
    #[test]
    fn no_span_of_time_has_more_than_it_may(steps in steps()) {
        block_on(async { History::of(steps).await.check() });
    }

    #[test]
    fn it_pays_as_the_model_does(steps in steps()) {
        block_on(compare(steps));
    }
}
