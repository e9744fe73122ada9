//! The backend of the web frontend.
