//! How long a request outlasts others under load.

/// The three priorities, the most important first. What is shed first is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// A write that costs the business when it is lost.
    Checkout,
    /// A screen that somebody is waiting for.
    Page,
    /// Machine traffic that can come again later.
    Batch,
}

impl Priority {
    /// The value of `X-Request-Priority`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Page => "page",
            Self::Batch => "batch",
        }
    }
}
