//! Stand-in domain services and identity provider, with faults on demand; for development only.
