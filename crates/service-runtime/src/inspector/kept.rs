use std::collections::VecDeque;
use std::sync::Arc;

use super::view::Request;

/// However many requests are kept, they take no more than this.
const MOST_BYTES: usize = 4 << 20;

/// The last requests, the oldest first.
#[derive(Debug)]
pub(super) struct Kept {
    requests: VecDeque<Arc<Request>>,
    most: usize,
    bytes: usize,
    /// How many there have been: the number of the newest one.
    newest: u64,
}

impl Kept {
    pub(super) fn new(most: usize) -> Self {
        Self { requests: VecDeque::new(), most, bytes: 0, newest: 0 }
    }

    pub(super) fn add(&mut self, mut request: Request) {
        self.newest += 1;
        request.number = self.newest;
        self.bytes += request.bytes();
        self.requests.push_back(Arc::new(request));
        while self.requests.len() > self.most || self.bytes > MOST_BYTES {
            let Some(oldest) = self.requests.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }

    /// The newest first. Handles, so that whoever reads them holds up no request.
    pub(super) fn all(&self) -> Vec<Arc<Request>> {
        self.requests.iter().rev().cloned().collect()
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspector::view::tests::request_with_spans;

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut kept = Kept::new(3);
        for _ in 0..10 {
            kept.add(request_with_spans(1));
        }
        let numbers: Vec<_> = kept.all().iter().map(|request| request.number).collect();
        assert_eq!((numbers, kept.newest()), (vec![10, 9, 8], 10));
        assert_eq!(kept.bytes, kept.all().iter().map(|request| request.bytes()).sum::<usize>());
    }

    #[test]
    fn the_oldest_go_when_they_take_too_much() {
        let mut kept = Kept::new(usize::MAX);
        let size = request_with_spans(256).bytes();
        for number in 0..2 * MOST_BYTES / size {
            kept.add(request_with_spans(256));
            assert!(kept.bytes <= MOST_BYTES, "{number}: {}", kept.bytes);
        }
        assert_eq!(kept.all().len(), MOST_BYTES / size);
    }

    #[test]
    fn nothing_is_kept_where_there_is_room_for_none() {
        let mut kept = Kept::new(0);
        kept.add(request_with_spans(1));
        assert_eq!((kept.all().len(), kept.bytes, kept.newest()), (0, 0, 1));
    }
}
