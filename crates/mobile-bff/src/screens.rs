//! One file for each screen: its handler, its view, and how one becomes the other.

pub(crate) mod home;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod product;
pub(crate) mod products;
