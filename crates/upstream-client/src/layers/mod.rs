//! One file for each thing that happens to a call.

pub(crate) mod authorize;
pub(crate) mod classify;
pub(crate) mod deadline;
pub(crate) mod propagate;
