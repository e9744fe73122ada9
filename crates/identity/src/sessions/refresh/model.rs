//! The protocol under a model: replicas, requests and troubles in an order that a seed decides.
//!
//! Time is tokio's and paused: what happens next is decided by the waits that are drawn, and by nothing else,
//! so that a seed that failed fails again. `TRIPTYCH_SEED` runs one seed alone.

mod parts;
mod world;

use std::collections::BTreeMap;

use self::world::{Outcome, Seen, Troubles, World};

const SEEDS: u64 = 1000;

#[test]
fn every_promise_holds_whatever_happens() {
    #[expect(clippy::disallowed_methods, reason = "a test has no settings")]
    let one = std::env::var("TRIPTYCH_SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let seeds = one.map_or(0..SEEDS, |seed| seed..seed + 1);
    let mut met = BTreeMap::<&str, usize>::new();
    for seed in seeds {
        let checked = std::panic::catch_unwind(|| check(seed));
        let saw = checked.unwrap_or_else(|_| panic!("seed {seed} breaks a promise, for the reason above"));
        for (name, happened) in [
            ("refreshed", saw.redeemed.len() > 1),
            ("redeemed twice", saw.redeemed.values().any(|times| *times > 1)),
            ("logged out", saw.logged_out().is_some()),
            ("killed", saw.killed),
            ("lost a lease", saw.lost_a_lease),
            ("ended without logout", saw.logout.is_none() && saw.last == Outcome::Ended),
            ("unavailable", saw.requests.iter().any(|request| request.outcome == Outcome::Unavailable)),
        ] {
            *met.entry(name).or_default() += usize::from(happened);
        }
    }
    // What never happened was not tried.
    assert!(one.is_some() || met.values().all(|times| *times > 0), "{met:?}");
}

fn check(seed: u64) -> Seen {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let troubles = Troubles::of(seed);
    let saw = runtime.block_on(async { World::new(seed, troubles).await.run().await });
    // A lease is lost only by who is stopped, or cannot reach the store.
    let lost_a_lease = saw.lost_a_lease && (troubles.stall || troubles.store);
    let excused = saw.killed || lost_a_lease || troubles.lost_answers;

    assert_eq!(saw.broken, None);
    let twice: Vec<_> = saw.redeemed.iter().filter(|(_, times)| **times > 1).collect();
    assert!(excused || !troubles.rotation || twice.is_empty(), "redeemed twice without need: {twice:?}");

    for request in &saw.requests {
        let ended = request.outcome == Outcome::Ended;
        let signed_out = saw.logout.is_some_and(|logout| logout.began <= request.ended);
        assert!(!ended || signed_out || excused, "logged out by nobody: {request:?}");
        let after = saw.logged_out().is_some_and(|done| done < request.began);
        assert!(!after || request.outcome != Outcome::Served, "served after its logout: {request:?}");
        assert!(request.lived, "served with a token that is over: {request:?}");
    }
    assert_eq!(saw.unanswered, 0, "somebody never got an answer");
    let logged_out = saw.logged_out().is_some();
    assert!(!logged_out || !saw.is_there, "a session came back after its logout");
    let expected = match saw.last {
        Outcome::Served => !logged_out,
        Outcome::Ended => saw.logout.is_some() || excused,
        Outcome::Unavailable => false,
    };
    assert!(expected, "when all is well again: {:?}", saw.last);
    saw
}
