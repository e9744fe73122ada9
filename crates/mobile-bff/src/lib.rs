//! The backend of the mobile frontend.
