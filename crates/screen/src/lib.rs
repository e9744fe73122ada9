//! A screen: sections that must be there, sections that may be lost or old, and what is said about those.
//!
//! ```ignore
//! let screen = Screen::new(&ctx);
//! let (user, orders, promos) = try_join!(
//!     screen.required("user", async |ctx| app.users.profile(ctx).await),
//!     screen.optional(Section::RecentOrders, async |ctx| app.orders.recent(ctx, 3).await),
//!     screen.stale_ok(Section::Promos, HOUR, async |ctx| app.catalog.promos(ctx).await),
//! )?;
//! Ok(screen.respond(|warnings| Home::compose(user, orders, promos, warnings)))
//! ```

mod answer;
mod errors;
mod name;
mod span;
mod warning;

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
pub use problem::Problem;
use problem::{Causes, Warned};
use request_context::RequestContext;
use serde::Serialize;
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;
use upstream_client::CallError;

pub use errors::OrProblem;
pub use problem::{Cause, FieldErrorBody, MEDIA_TYPE, Naming, ProblemBody, ProblemKind, Problems, kind};
use span::Span;
pub use warning::{Status, Warning};

/// One answer in the making. `S` is the enum of what the screen can lose, in the order of the view; it
/// serializes to the fields' names.
///
/// Each section is a closure, which is handed the [`RequestContext`] that its calls must be made with: it carries
/// what the section's policy means for them.
#[derive(Debug)]
pub struct Screen<S> {
    ctx: RequestContext,
    notes: Mutex<Vec<Note<S>>>,
}

/// What is to be said about a section.
#[derive(Debug)]
struct Note<S> {
    section: S,
    status: Status,
    age: Option<Duration>,
    cause: Option<Cause>,
}

impl<S: Copy + Ord + Serialize> Screen<S> {
    /// A screen that has lost nothing yet.
    pub fn new(ctx: &RequestContext) -> Self {
        Self { ctx: ctx.clone(), notes: Mutex::new(Vec::new()) }
    }

    /// A section that the screen is nothing without: its loss is the screen's problem. It may take all the time
    /// that there is, and is never old. `section` is what the span and the metrics of it are called.
    ///
    /// Under `try_join!` the loss drops the other sections, which cancels their calls.
    pub async fn required<T>(
        &self,
        section: &'static str,
        call: impl AsyncFnOnce(&RequestContext) -> Result<T, CallError>,
    ) -> Result<T, Problem> {
        let span = Span::begin(&self.ctx, section, "required");
        let outcome = call(&span.inside(&self.ctx)).await;
        span.end(outcome.as_ref().err().map(Status::of));
        outcome.or_problem()
    }

    /// A section that the screen can do without: `None` and a warning when it is lost, or not there by
    /// [`RequestContext::optional_deadline`], however many calls it makes. Never an error.
    pub async fn optional<T>(
        &self,
        section: S,
        call: impl AsyncFnOnce(&RequestContext) -> Result<T, CallError>,
    ) -> Result<Option<T>, Problem> {
        Ok(self.section(section, None, call).await)
    }

    /// As [`optional`](Self::optional), but an answer of up to `max_age` is better than none: when no new one can
    /// be had, the section is there, and a warning says how old it is.
    pub async fn stale_ok<T>(
        &self,
        section: S,
        max_age: Duration,
        call: impl AsyncFnOnce(&RequestContext) -> Result<T, CallError>,
    ) -> Result<Option<T>, Problem> {
        Ok(self.section(section, Some(max_age), call).await)
    }

    /// Says that a part of a section is missing though its call succeeded.
    pub fn lost(&self, section: S, status: Status) {
        self.note(Note { section, status, age: None, cause: None });
    }

    /// Says that a part of a section is missing if this is why; the rest of it is there.
    pub fn partly(&self, section: S, error: Option<CallError>) {
        if let Some(error) = error {
            self.note(Note::failed(section, error));
        }
    }

    /// The answer: what `compose` makes of the warnings, and the causes for the access log.
    pub fn respond<V: Serialize>(self, compose: impl FnOnce(Vec<Warning<S>>) -> V) -> Response {
        let mut notes = self.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        // In the order of the enum, not of the accidents, and each once: the same losses are the same answer and
        // entity tag.
        notes.sort_by_key(|note| (note.section, note.status, Reverse(note.age)));
        let mut warnings: Vec<_> =
            notes.iter().map(|note| Warning::new(note.section, note.status, note.age)).collect();
        warnings.dedup_by_key(|warning| (warning.section, warning.status));
        let aged = warnings.iter().any(|warning| warning.age_seconds.is_some());
        let mut response = answer::json(&compose(warnings), aged);
        let warned: Vec<_> =
            notes.iter().map(|note| (name::of(&note.section).into(), note.status.as_str())).collect();
        if !warned.is_empty() {
            response.extensions_mut().insert(Warned(warned));
        }
        let causes: Vec<_> = notes.into_iter().filter_map(Note::into_cause).collect();
        if !causes.is_empty() {
            response.extensions_mut().insert(Causes(causes));
        }
        response
    }

    async fn section<T>(
        &self,
        section: S,
        stale_ok: Option<Duration>,
        call: impl AsyncFnOnce(&RequestContext) -> Result<T, CallError>,
    ) -> Option<T> {
        let policy = if stale_ok.is_some() { "stale_ok" } else { "optional" };
        let span = Span::begin(&self.ctx, name::of(&section), policy);
        let ctx = span.inside(&self.ctx.for_section(self.ctx.optional_deadline(), stale_ok));
        let (value, note) = match timeout_at(ctx.deadline().instant(), call(&ctx)).await {
            Ok(Ok(value)) => (Some(value), ctx.stale_age().map(|age| Note::stale(section, age))),
            Ok(Err(error)) => (None, Some(Note::failed(section, error))),
            Err(late) => (None, Some(Note::late(section, late))),
        };
        span.end(note.as_ref().map(|note| note.status));
        if let Some(note) = note {
            self.note(note);
        }
        value
    }

    fn note(&self, note: Note<S>) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }
}

impl<S: Serialize> Note<S> {
    fn failed(section: S, error: CallError) -> Self {
        Self { section, status: Status::of(&error), age: None, cause: Some(Arc::new(error)) }
    }

    fn stale(section: S, age: Duration) -> Self {
        Self { section, status: Status::Stale, age: Some(age), cause: None }
    }

    fn late(section: S, late: Elapsed) -> Self {
        Self { section, status: Status::Timeout, age: None, cause: Some(Arc::new(late)) }
    }

    fn into_cause(self) -> Option<(String, Cause)> {
        Some((name::of(&self.section).to_owned(), self.cause?))
    }
}

#[cfg(test)]
mod tests;
