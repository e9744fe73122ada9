//! Stand-in domain services and identity provider, with faults on demand; for development only.
//!
//! What the services answer is in `services`, one file each; what surrounds every one of them is in
//! `stack`; their data comes from `data`, and what of it changes is in `state`.

mod auth;
mod calls;
mod capacity;
mod control;
mod data;
mod faults;
mod identity;
mod ids;
mod input;
mod load;
mod observation;
mod options;
mod paging;
mod problem;
mod running;
mod service;
mod services;
mod stack;
mod state;
mod tokens;

pub use capacity::Limit;
pub use options::Options;
pub use running::{Running, StartError, healthy, start};
pub use service::Service;
