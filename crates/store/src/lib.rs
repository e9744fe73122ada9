//! Key-value storage with time to live, versions and leases.
