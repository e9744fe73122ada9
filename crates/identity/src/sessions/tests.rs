//! Sessions as their users see them.
