//! One file for each page: its handler, its view, and how one becomes the other.

pub(crate) mod dashboard;
pub(crate) mod events;
pub(crate) mod notification;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod product;
pub(crate) mod products;
