//! A sliding window of whole seconds.

use tokio::time::Instant;

/// One `T` for each of the last `N` seconds, the running one among them: what it holds is less than `N` seconds old.
///
/// Seconds are counted from the start of the window, not of the clock.
#[derive(Debug)]
pub(crate) struct Window<T, const N: usize> {
    began: Instant,
    /// The running second.
    second: usize,
    slots: [T; N],
}

impl<T: Copy + Default, const N: usize> Window<T, N> {
    /// An empty window that begins at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self { began: now, second: 0, slots: [T::default(); N] }
    }

    /// Moves on to `now` and drops what is too old.
    ///
    /// A `now` that was read before another thread moved on belongs to the second that runs by now.
    pub(crate) fn advance(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.began).as_secs();
        let second = usize::try_from(seconds).unwrap_or(usize::MAX);
        for new in (self.second..second).take(N) {
            self.slots[(new + 1) % N] = T::default();
        }
        self.second = self.second.max(second);
    }

    /// The running second's, as of the last [`advance`](Self::advance).
    pub(crate) fn newest(&mut self) -> &mut T {
        &mut self.slots[self.second % N]
    }

    /// Every second's, the oldest first.
    pub(crate) fn oldest_first(&mut self) -> impl Iterator<Item = &mut T> {
        let (newer, older) = self.slots.split_at_mut(self.second % N + 1);
        older.iter_mut().chain(newer)
    }

    /// Every second's, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_second_is_kept_until_as_many_as_fit_have_followed_it() {
        let began = Instant::now();
        let mut window = Window::<u64, 3>::new(began);
        // (milliseconds since the beginning, what is there after one more has been put in)
        for (now, expected) in [
            (0, [0, 0, 1]),
            (999, [0, 0, 2]),
            (1000, [0, 2, 1]),
            (2999, [2, 1, 1]),
            (2500, [2, 1, 2]),
            (0, [2, 1, 3]),
            (3000, [1, 3, 1]),
            (5000, [1, 0, 1]),
            (7999, [1, 0, 1]),
            (60_000, [0, 0, 1]),
        ] {
            window.advance(began + Duration::from_millis(now));
            *window.newest() += 1;
            let kept: Vec<_> = window.oldest_first().map(|slot| *slot).collect();
            assert_eq!(kept, expected, "at {now} ms");
            assert_eq!(window.iter().sum::<u64>(), expected.iter().sum::<u64>());
        }
    }
}
