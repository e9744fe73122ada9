//! The listener's limits, over real sockets.

mod drain;
mod idle;
mod limits;
mod slow;
mod support;
