//! One file for each resource: its handlers, its view, and how one becomes the other.

pub(crate) mod docs;
pub(crate) mod openapi;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod product;
pub(crate) mod products;
pub(crate) mod usage;
