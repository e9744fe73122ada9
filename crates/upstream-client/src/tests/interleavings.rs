//! What must hold in whatever order things happen: nobody gets another's answer, everything that is taken comes back,
//! nobody waits longer than they can.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const SUBJECTS: [&str; 3] = ["ada", "bob", "eve"];

/// One caller, what they ask, and what becomes of it.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Milliseconds after the one before.
    after: u64,
    who: usize,
    what: usize,
    id: u8,
    /// Milliseconds that the request has.
    left: u64,
    /// Milliseconds after which the client leaves, if it does.
    leaves: Option<u64>,
    /// How the service answers: milliseconds and status.
    takes: u64,
    status: u16,
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop_oneof![6 => Just(200), 1 => Just(500), 1 => Just(503), 1 => Just(404), 1 => Just(0)];
    let leaves = prop_oneof![3 => Just(None), 1 => (0u64..400).prop_map(Some)];
    (0u64..30, 0..SUBJECTS.len(), 0usize..6, 0u8..2, 50u64..2000, leaves, 0u64..1500, status).prop_map(
        |(after, who, what, id, left, leaves, takes, status)| Step {
            after,
            who,
            what,
            id,
            left,
            leaves,
            takes,
            status,
        },
    )
}

/// Runs the steps, and says how many answers there were.
async fn run(steps: Vec<Step>) -> usize {
    let world = World::with(|settings| settings.max_concurrency = 8);
    // How the service answers depends on how many attempts it has seen, so that it is random and repeatable.
    let script: Vec<_> = steps.iter().map(|step| (step.takes, step.status)).collect();
    let turn = AtomicUsize::new(0);
    world.service.answers(move |call| {
        let (takes, status) = script[turn.fetch_add(1, Ordering::Relaxed) % script.len()];
        let who = header(call, "x-user-id").unwrap_or("nobody");
        let path = call.facts.url.path();
        let body = serde_json::json!({"said": format!("{who}{path}")}).to_string();
        let answer = reply(call, if status == 0 { 200 } else { status }, &[], &body);
        async move {
            tokio::time::sleep(Duration::from_millis(takes)).await;
            if status == 0 { std::future::pending().await } else { Ok(answer) }
        }
    });
    let calls = steps.len() as u64;
    let requests: Vec<_> = std::iter::repeat_with(Mutex::default).take(steps.len()).collect();
    let mut at = Duration::ZERO;
    let mut asking = FuturesUnordered::new();
    for (step, request) in steps.into_iter().zip(&requests) {
        at += Duration::from_millis(step.after);
        asking.push(ask(&world, at, step, request));
    }
    let mut answers = 0;
    while let Some(answered) = asking.next().await {
        answers += usize::from(answered);
    }
    drop(asking);
    // A refresh that nobody waits for may still run; it ends with its operation's time.
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(world.service.running(), 0, "an attempt outlived all who waited for it");
    let state = world.outbound.state();
    let concurrency = serde_json::to_value(state.upstreams["things"].concurrency).unwrap();
    assert_eq!((&concurrency["inFlight"], &concurrency["queued"]), (&0.into(), &0.into()), "{concurrency}");
    let counted = state.upstreams["things"].operations.values().flat_map(|of| of.outcomes.values());
    assert_eq!(counted.sum::<u64>(), calls, "each call has one outcome, also one that was left");
    for request in requests {
        let request: Option<RequestContext> = request.into_inner().unwrap();
        assert_ne!(request.unwrap().recorded().len(), 0, "of each call something is recorded");
    }
    answers
}

/// Whether the answer came, and was that of this caller and this question.
async fn ask(world: &World, at: Duration, step: Step, request: &Mutex<Option<RequestContext>>) -> bool {
    tokio::time::sleep(at).await;
    let subject = SUBJECTS[step.who];
    let left = Duration::from_millis(step.left);
    let ctx = request_of(subject, left);
    *request.lock().unwrap() = Some(ctx.clone());
    let ctx = ctx.for_section(ctx.deadline(), (step.what == 5).then_some(Duration::from_hours(1)));
    let (operation, who, path) = [
        (&GET, "nobody", "things"),
        (&MINE, subject, "mine"),
        (&KEPT, "nobody", "kept"),
        (&MY_KEPT, subject, "my-kept"),
        (&CHANGE, subject, "mine"),
        (&KEPT, "nobody", "kept"),
    ][step.what];
    let begun = tokio::time::Instant::now();
    let id = step.id.to_string();
    let call = world.get(&ctx, operation, &id);
    let leaves = step.leaves.map_or(Duration::MAX, Duration::from_millis);
    let Ok(outcome) = tokio::time::timeout(leaves.min(Duration::from_hours(1)), call).await else {
        return false;
    };
    assert!(begun.elapsed() <= left, "{step:?} took {:?}", begun.elapsed());
    outcome.is_ok_and(|said| {
        assert_eq!(said.said, format!("{who}/{path}/{id}"), "somebody else's answer");
        true
    })
}

/// 1,000 runs of 100 requests each: 10⁵ requests in random order.
const RUNS: u32 = 1_000;

#[test]
fn nobody_gets_anothers_answer_and_everything_comes_back() {
    let answers = AtomicUsize::new(0);
    let config = Config { cases: RUNS, source_file: Some(file!()), ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(step(), 100), |steps| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        answers.fetch_add(runtime.block_on(run(steps)), Ordering::Relaxed);
        Ok(())
    });
    // Its text has the steps, as few as still fail, and the seed is kept beside this file.
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    let answers = answers.into_inner();
    assert!(answers > 10_000, "hardly anybody got an answer, which proves nothing");
    // What scripts/figures shows.
    println!("figure: interleavings | {} | {RUNS} | {} | {answers} | 0", SUBJECTS.len(), 100 * RUNS);
}
