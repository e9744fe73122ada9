//! The seven services.

use std::fmt;

use clap::ValueEnum;

/// One of the services that the demo stands in for. The n-th listens on the base port + n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum Service {
    /// Who the users are.
    Users,
    /// Their orders.
    Orders,
    /// Products and promos.
    Catalog,
    /// What the users have been told.
    Notifications,
    /// What they pay.
    Billing,
    /// What they use.
    Usage,
    /// The identity provider.
    Identity,
}

impl Service {
    /// All of them, in the order of their ports.
    pub const ALL: [Self; 7] = [
        Self::Users,
        Self::Orders,
        Self::Catalog,
        Self::Notifications,
        Self::Billing,
        Self::Usage,
        Self::Identity,
    ];

    /// Its name: on the command line, in its tokens' audience and in what it prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Orders => "orders",
            Self::Catalog => "catalog",
            Self::Notifications => "notifications",
            Self::Billing => "billing",
            Self::Usage => "usage",
            Self::Identity => "identity",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
