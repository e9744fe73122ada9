//! Starts the real programs and talks to them.
