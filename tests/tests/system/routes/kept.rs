//! For how long the answers of calls are kept, as the clients of the domain services declare it.

use std::time::Duration;

/// For how long the answers of one call are kept. They are kept for its caller alone, or for all if it names none.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// So long nobody asks for a new one, or nobody waits for it.
    pub(crate) unnoticed: Duration,
    /// Whether it is renewed behind an answer, once it is no longer fresh.
    pub(crate) renewed: bool,
    /// Up to this age one is given when the service fails, to who takes it.
    pub(crate) if_error: Duration,
}

/// By call: the seconds in which it is fresh, those in which it is renewed behind the answer, and those if nothing better
/// can be had.
const KEPT: &[(&str, u64, u64, u64)] = &[
    ("users GET /users/{id}", 30, 300, 0),
    ("billing GET /accounts/{userId}/billing", 10, 0, 3600),
    ("usage GET /accounts/{userId}/usage", 10, 0, 3600),
    ("notifications GET /notifications", 10, 0, 0),
    ("catalog GET /products", 10, 50, 3600),
    ("catalog GET /products/{id}", 10, 50, 3600),
    ("catalog GET /promos", 30, 300, 3600),
];

/// The longest that a screen takes an old answer for, where it takes any.
const OLDEST: Duration = Duration::from_hours(1);

/// What is kept of a call's answers, if anything is.
pub(crate) fn kept(to: &str) -> Option<Kept> {
    let (_, fresh, renewed, if_error) = KEPT.iter().find(|(call, ..)| *call == to)?;
    Some(Kept {
        unnoticed: Duration::from_secs(fresh + renewed),
        renewed: *renewed > 0,
        if_error: Duration::from_secs(*if_error).min(OLDEST),
    })
}
