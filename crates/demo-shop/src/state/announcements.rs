//! Tells everyone who watches what became of their orders.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::broadcast;

use super::lock;
use crate::data::{Order, Status};
use crate::ids::{Id, Owner};

/// How many announcements are kept for those who come back.
const HISTORY: usize = 1000;
/// How far a watcher may fall behind before its stream ends; it resumes from the history.
const BACKLOG: usize = 64;

/// One order reached a new status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announcement {
    pub(crate) number: u64,
    owner: Owner,
    pub(crate) order: Id,
    pub(crate) status: Status,
    pub(crate) at: Timestamp,
}

/// The announcements of late, and those who wait for the next.
pub(crate) struct Announcements {
    /// Tells the ids of this process from those of the one before it.
    life: i64,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    last: u64,
    history: VecDeque<Announcement>,
    watchers: HashMap<Owner, broadcast::Sender<Announcement>>,
}

/// What a watcher gets: what it missed, and then whatever comes.
pub(crate) type Subscription = (Vec<Announcement>, broadcast::Receiver<Announcement>);

impl Default for Announcements {
    fn default() -> Self {
        Self { life: Timestamp::now().as_millisecond(), desk: Mutex::default() }
    }
}

impl Announcements {
    /// The event id of an announcement.
    pub(crate) fn id(&self, announcement: &Announcement) -> String {
        format!("{:x}-{}", self.life, announcement.number)
    }

    /// Starts to watch. Whoever names the last event it has seen gets what came after it; an id from
    /// another life means that all of the history is new.
    pub(crate) fn watch(&self, owner: Owner, last_event_id: Option<&str>) -> Subscription {
        let mut desk = lock(&self.desk);
        let seen = last_event_id.map_or(desk.last, |id| self.number_in(id));
        let missed =
            desk.history.iter().filter(|one| one.owner == owner && one.number > seen).copied().collect();
        let sender = desk.watchers.entry(owner).or_insert_with(|| broadcast::Sender::new(BACKLOG));
        (missed, sender.subscribe())
    }

    /// Who watches right now.
    pub(super) fn watchers(&self) -> Vec<Owner> {
        let mut desk = lock(&self.desk);
        desk.watchers.retain(|_, sender| sender.receiver_count() > 0);
        desk.watchers.keys().copied().collect()
    }

    pub(super) fn announce(&self, order: &Order) {
        let mut desk = lock(&self.desk);
        desk.last += 1;
        let announcement = Announcement {
            number: desk.last,
            owner: order.owner,
            order: Id::order(order.number),
            status: order.status,
            at: order.updated_at,
        };
        if desk.history.len() == HISTORY {
            desk.history.pop_front();
        }
        desk.history.push_back(announcement);
        if let Some(sender) = desk.watchers.get(&order.owner) {
            // It fails when the last watcher has just left, who will find it in the history.
            let _ = sender.send(announcement);
        }
    }

    /// Forgets what was announced; those who watch stay.
    pub(super) fn forget(&self) {
        lock(&self.desk).history.clear();
    }

    fn number_in(&self, id: &str) -> u64 {
        let (life, number) = id.split_once('-').unwrap_or_default();
        let ours = i64::from_str_radix(life, 16) == Ok(self.life);
        number.parse().ok().filter(|_| ours).unwrap_or_default()
    }
}
