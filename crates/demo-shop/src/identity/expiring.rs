//! What the provider remembers for a while, and never more than so much of it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// Things by their key, each until its time is over. When there is no room, what would end first makes some.
pub(super) struct Expiring<V> {
    things: HashMap<String, (V, Instant)>,
    room: usize,
}

impl<V> Expiring<V> {
    /// Nothing yet, and room for so many.
    pub(super) fn new(room: usize) -> Self {
        Self { things: HashMap::new(), room }
    }

    /// Remembers `value` for `life`, in place of what had the key before.
    pub(super) fn insert(&mut self, key: String, value: V, life: Duration) {
        let now = Instant::now();
        if self.things.len() >= self.room && !self.things.contains_key(&key) {
            self.things.retain(|_, (_, ends)| *ends > now);
            self.make_room();
        }
        self.things.insert(key, (value, now + life));
    }

    /// What has this key and has not ended.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let (value, ends) = self.things.get_mut(key)?;
        (*ends > Instant::now()).then_some(value)
    }

    /// The same, which is then forgotten.
    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        let (value, ends) = self.things.remove(key)?;
        (ends > Instant::now()).then_some(value)
    }

    /// Forgets all to which this applies, and returns those that had not ended.
    pub(super) fn extract(&mut self, mut applies: impl FnMut(&V) -> bool) -> Vec<(String, V)> {
        let now = Instant::now();
        let extracted = self.things.extract_if(|_, (value, _)| applies(value));
        extracted.filter(|(_, (_, ends))| *ends > now).map(|(key, (value, _))| (key, value)).collect()
    }

    fn make_room(&mut self) {
        if self.things.len() < self.room {
            return;
        }
        let first = self.things.iter().min_by_key(|(_, (_, ends))| *ends).map(|(key, _)| key.clone());
        if let Some(key) = first {
            self.things.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_remembered_for_its_time() {
        let mut things = Expiring::new(10);
        things.insert("a".to_owned(), 1, Duration::from_mins(1));
        things.insert("b".to_owned(), 2, Duration::from_secs(61));
        advance(Duration::from_millis(59_999)).await;
        assert_eq!(things.get_mut("a"), Some(&mut 1));
        advance(Duration::from_millis(1)).await;
        assert_eq!(things.get_mut("a"), None);
        assert_eq!(things.remove("a"), None);
        assert_eq!(things.extract(|_| true), [("b".to_owned(), 2)]);
        assert_eq!(things.get_mut("b"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_never_more_than_there_is_room_for() {
        let mut things = Expiring::new(3);
        for (number, life) in [(0, 50), (1, 10), (2, 40), (3, 30), (4, 20)] {
            things.insert(number.to_string(), number, Duration::from_secs(life));
        }
        assert_eq!(things.things.len(), 3);
        // Those that would have ended first had to go.
        assert_eq!(things.get_mut("1"), None);
        assert_eq!(things.get_mut("3"), None);
        assert_eq!(things.get_mut("0"), Some(&mut 0));
        things.insert("0".to_owned(), 9, Duration::from_secs(1));
        assert_eq!((things.things.len(), things.get_mut("0")), (3, Some(&mut 9)));
    }
}
