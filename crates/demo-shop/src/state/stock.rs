//! How many of each product are left.

use std::sync::Mutex;

use super::lock;
use crate::data::Product;

/// The stock of every product.
pub(crate) struct Stock(Mutex<Vec<u32>>);

impl Stock {
    pub(super) fn of(products: &[Product]) -> Self {
        Self(Mutex::new(at_start(products)))
    }

    pub(super) fn reset(&self, products: &[Product]) {
        *lock(&self.0) = at_start(products);
    }

    /// How many of this product are left.
    pub(crate) fn left(&self, product: u32) -> u32 {
        lock(&self.0).get(product as usize - 1).copied().unwrap_or_default()
    }

    /// Takes so many, if there are so many.
    pub(super) fn take(&self, product: u32, quantity: u32) -> bool {
        let mut stock = lock(&self.0);
        let rest = stock.get_mut(product as usize - 1).and_then(|left| {
            *left = left.checked_sub(quantity)?;
            Some(*left)
        });
        rest.is_some()
    }

    /// Puts so many back; of a product that is gone, nowhere.
    pub(super) fn put_back(&self, product: u32, quantity: u32) {
        if let Some(left) = lock(&self.0).get_mut(product as usize - 1) {
            *left = left.saturating_add(quantity);
        }
    }
}

fn at_start(products: &[Product]) -> Vec<u32> {
    products.iter().map(|product| product.stock).collect()
}
