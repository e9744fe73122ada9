//! The ids of the shop: a letter for the kind of thing, and a number.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::data::USERS;

const ACCOUNTS: [&str; 3] = ["acct_acme", "acct_globex", "acct_initech"];

/// How many can own orders: every user and every partner account.
pub(crate) const OWNERS: usize = USERS as usize + ACCOUNTS.len();

/// An id as it is on the wire, like `o_17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    prefix: &'static str,
    number: u32,
}

impl Id {
    const fn new(prefix: &'static str, number: u32) -> Self {
        Self { prefix, number }
    }

    pub(crate) const fn user(number: u32) -> Self {
        Self::new("u_", number)
    }

    pub(crate) const fn product(number: u32) -> Self {
        Self::new("p_", number)
    }

    pub(crate) const fn order(number: u32) -> Self {
        Self::new("o_", number)
    }

    pub(crate) const fn promo(number: u32) -> Self {
        Self::new("promo_", number)
    }

    pub(crate) const fn notification(number: u32) -> Self {
        Self::new("n_", number)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.number)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The number in an id with this prefix, if it is one that we would have written.
pub(crate) fn number(prefix: &str, text: &str) -> Option<u32> {
    let digits = text.strip_prefix(prefix)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    plain.then(|| digits.parse().ok()).flatten()
}

/// Who owns orders and notifications: a user or a partner account. It is its place in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner(usize);

impl Owner {
    /// Ada Lovelace, `u_42`.
    pub(crate) const ADA: Self = Self(41);

    /// User `u_n`.
    pub(crate) fn user(number: u32) -> Option<Self> {
        let index = number.checked_sub(1)?;
        (index < USERS).then_some(Self(index as usize))
    }

    /// The owner with this id.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        number("u_", id).and_then(Self::user).or_else(|| {
            let account = ACCOUNTS.iter().position(|account| *account == id)?;
            Some(Self(USERS as usize + account))
        })
    }

    /// Every owner.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..OWNERS).map(Self)
    }

    /// The partner accounts.
    pub(crate) fn accounts() -> impl Iterator<Item = Self> {
        Self::all().skip(USERS as usize)
    }

    /// Its place in the table.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index().checked_sub(USERS as usize) {
            Some(account) => f.write_str(ACCOUNTS[account]),
            None => write!(f, "u_{}", self.0 + 1),
        }
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_we_would_write_are_read() {
        assert_eq!(number("u_", "u_42"), Some(42));
        for text in ["", "u_", "42", "o_42", "u_042", "u_0", "u_-1", "u_+1", "u_4 2", "u_99999999999", "U_42"]
        {
            assert_eq!(number("u_", text), None, "{text:?}");
        }
    }

    #[test]
    fn every_owner_reads_back_as_itself() {
        for owner in Owner::all() {
            assert_eq!(Owner::parse(&owner.to_string()), Some(owner));
        }
        assert_eq!(Owner::parse("u_1001"), None);
        assert_eq!(Owner::parse("acct_umbrella"), None);
    }
}
