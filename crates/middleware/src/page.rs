//! Error answers that people read.

/// Put into the extensions of an error answer whose body is a page for people: it stays as it is. The problem
/// beside it is for the log alone.
#[derive(Clone, Copy, Debug)]
pub struct Page;
