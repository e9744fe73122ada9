//! A screen: sections that must be there, sections that may be lost, and what is said about the lost ones.
//!
//! ```ignore
//! let screen = Screen::new();
//! let (user, promos) = try_join!(
//!     screen.required(app.users.profile(&ctx)),
//!     screen.optional(Section::Promos, app.catalog.promos(&ctx)),
//! )?;
//! Ok(screen.respond(|warnings| Home::compose(user, promos, warnings)))
//! ```

mod errors;
mod warning;

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
pub use problem::Problem;
use problem::{Cause, Causes};
use serde::Serialize;
use upstream_client::CallError;

pub use errors::OrProblem;
pub use problem::{FieldErrorBody, MEDIA_TYPE, Naming, ProblemBody, ProblemKind, Problems, kind};
pub use warning::{Status, Warning};

/// What most screens fit into, in bytes.
const SMALL_PAGE: usize = 4096;

/// One answer in the making. `S` is the enum of what the screen can lose, in the order of the view; it
/// serializes to the fields' names.
#[derive(Debug)]
pub struct Screen<S> {
    losses: Mutex<Vec<Loss<S>>>,
}

#[derive(Debug)]
struct Loss<S> {
    section: S,
    status: Status,
    cause: Option<CallError>,
}

impl<S: Copy + Ord + Serialize> Screen<S> {
    /// A screen that has lost nothing yet.
    #[expect(clippy::new_without_default, reason = "a screen is begun, never defaulted")]
    pub fn new() -> Self {
        Self { losses: Mutex::new(Vec::new()) }
    }

    /// A section that the screen is nothing without: its loss is the screen's problem.
    ///
    /// Under `try_join!` the loss drops the other sections, which cancels their calls.
    pub async fn required<T>(&self, call: impl Future<Output = Result<T, CallError>>) -> Result<T, Problem> {
        call.await.or_problem()
    }

    /// A section that the screen can do without: `None` and a warning when it is lost. Never an error.
    pub async fn optional<T>(
        &self,
        section: S,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<Option<T>, Problem> {
        match call.await {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.record(Loss { section, status: Status::of(&error), cause: Some(error) });
                Ok(None)
            }
        }
    }

    /// Says that a part of a section is missing though its call succeeded.
    pub fn lost(&self, section: S, status: Status) {
        self.record(Loss { section, status, cause: None });
    }

    /// The answer: what `compose` makes of the warnings, and the causes for the access log.
    pub fn respond<V: Serialize>(self, compose: impl FnOnce(Vec<Warning<S>>) -> V) -> Response {
        let mut losses = self.losses.into_inner().unwrap_or_else(PoisonError::into_inner);
        // In the order of the enum, not of the accidents: the same losses are the same answer and entity tag.
        losses.sort_by_key(|loss| loss.section);
        let warnings = losses.iter().map(|loss| Warning::new(loss.section, loss.status)).collect();
        let mut response = json(&compose(warnings));
        let causes: Vec<_> = losses.into_iter().filter_map(Loss::into_cause).collect();
        if !causes.is_empty() {
            response.extensions_mut().insert(Causes(causes));
        }
        response
    }

    fn record(&self, loss: Loss<S>) {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).push(loss);
    }
}

/// Into a vector that has room for most screens from the start. A view that cannot be written is our mistake.
fn json(view: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(SMALL_PAGE);
    match serde_json::to_writer(&mut body, view) {
        Ok(()) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
        Err(error) => Problem::new(kind::INTERNAL).caused_by(error).into_response(),
    }
}

impl<S: Serialize> Loss<S> {
    fn into_cause(self) -> Option<(String, Cause)> {
        let section = serde_json::to_string(&self.section).unwrap_or_default();
        Some((section.trim_matches('"').to_owned(), Arc::new(self.cause?)))
    }
}

#[cfg(test)]
mod tests;
