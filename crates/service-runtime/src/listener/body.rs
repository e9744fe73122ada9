use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Buf, Frame, SizeHint};

use super::activity::Share;

/// An answer's body, which tells whether it waits for the client.
///
/// That hyper asks it for more, or drops it, says nothing about the client: hyper and h2 keep whole frames until
/// there is room for them on the wire. So each frame tells for itself how far it has come: see [`Piece`].
pub(super) struct WatchedBody {
    body: Body,
    /// Goes with the last frame.
    share: Option<Share>,
    making: bool,
}

impl WatchedBody {
    pub(super) fn new(body: Body, share: Share) -> Self {
        if !body.is_end_stream() {
            share.offer();
        }
        Self { body, share: Some(share), making: false }
    }

    /// Whether there is nothing more for the client to take until more is made.
    fn make(&mut self, making: bool) {
        if let Some(share) = self.share.as_ref().filter(|_| self.making != making) {
            if making {
                share.make();
            } else {
                share.offer();
            }
            self.making = making;
        }
    }

    fn piece(&mut self, bytes: Bytes) -> Piece {
        let is_last = self.body.is_end_stream();
        let share = if is_last { self.share.take() } else { self.share.as_ref().map(Share::split) };
        Piece { bytes, share }
    }
}

impl HttpBody for WatchedBody {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.make(frame.is_pending());
        frame.map_ok(|frame| frame.map_data(|bytes| self.piece(bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of an answer, gone when the last of them is written.
pub(super) struct Piece {
    bytes: Bytes,
    share: Option<Share>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        // The end of a piece is told by its drop.
        if let Some(share) = self.share.as_ref().filter(|_| !self.bytes.is_empty()) {
            share.taken();
        }
    }
}
