//! What a client still sends when it has its answer.
//!
//! A socket that is closed while bytes wait in it is reset, and a reset takes back what the client has not read yet: of
//! an upload that is refused early it would see a broken connection and no reason. So the connection is closed
//! for writing first, and what still comes is thrown away for a while (RFC 9112, section 9.6).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// For how long, and how much, is thrown away.
const LONGEST: Duration = Duration::from_secs(1);
const MOST: usize = 32 << 20;
const AT_ONCE: usize = 16 * 1024;

/// How many uploads of a connection have not been read to their end.
#[derive(Clone, Debug, Default)]
pub(super) struct Uploads(Arc<AtomicUsize>);

impl Uploads {
    /// The body of a request that has one, watched until its end.
    pub(super) fn watch(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Body::new(Upload { body, unread: Some(self.clone()) })
    }

    fn are_read(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

struct Upload {
    body: Body,
    unread: Option<Uploads>,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if (frame.is_none() || self.body.is_end_stream())
            && let Some(uploads) = self.unread.take()
        {
            uploads.0.fetch_sub(1, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The end of a connection.
#[derive(Default)]
pub(super) struct Lingering {
    until: Option<Pin<Box<Sleep>>>,
    thrown_away: usize,
}

impl Lingering {
    /// Ready when nothing of an upload comes any more, or enough has come.
    pub(super) fn poll(
        &mut self,
        stream: &mut TcpStream,
        uploads: &Uploads,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if uploads.are_read() {
            return Poll::Ready(Ok(()));
        }
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(LONGEST)));
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut buffer = [0; AT_ONCE];
        while self.thrown_away < MOST {
            let mut buffer = ReadBuf::new(&mut buffer);
            // A client that broke the connection off has ended it, too.
            let Ok(()) = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) else { break };
            if buffer.filled().is_empty() {
                break;
            }
            self.thrown_away += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
