//! Who has which notifications, and which of them were read.

use std::sync::Mutex;

use super::lock;
use crate::data::Notification;
use crate::ids::{OWNERS, Owner};

/// The notifications of everyone.
pub(crate) struct Inbox {
    /// The oldest first.
    by_owner: Vec<Vec<u32>>,
    read: Mutex<Vec<bool>>,
}

impl Inbox {
    pub(super) fn of(notifications: &[Notification]) -> Self {
        let mut by_owner = vec![Vec::new(); OWNERS];
        for notification in notifications {
            by_owner[notification.owner.index()].push(notification.number);
        }
        Self { by_owner, read: Mutex::new(at_start(notifications)) }
    }

    pub(super) fn reset(&self, notifications: &[Notification]) {
        *lock(&self.read) = at_start(notifications);
    }

    /// The numbers of somebody's notifications, the newest first, each with whether it was read.
    pub(crate) fn of_owner(&self, owner: Owner) -> Vec<(u32, bool)> {
        let read = lock(&self.read);
        let numbers = self.by_owner[owner.index()].iter().rev();
        numbers.map(|number| (*number, read[*number as usize - 1])).collect()
    }

    /// Marks this one as read.
    pub(crate) fn mark_read(&self, number: u32) {
        lock(&self.read)[number as usize - 1] = true;
    }
}

fn at_start(notifications: &[Notification]) -> Vec<bool> {
    notifications.iter().map(|notification| notification.read_at_start).collect()
}
