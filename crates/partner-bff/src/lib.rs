//! The backend of the partner frontend.
