use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Waker};

use axum::body::{Body, Bytes, HttpBody};
use futures::FutureExt;
use hyper::body::Buf;
use tokio::sync::mpsc;
use tokio::time::advance;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::super::body::{Piece, WatchedBody};
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const LARGE: usize = 2 << 20;

/// Idle after 3 s, stalled after 10 s.
fn activity() -> Arc<Activity> {
    let settings = ServerSettings {
        header_timeout: 2 * SECOND,
        idle_timeout: 3 * SECOND,
        write_timeout: 10 * SECOND,
        ..ServerSettings::default()
    };
    Arc::new(Activity::new((&settings).into()))
}

fn overdue(activity: &Activity) -> Option<Overdue> {
    activity.overdue().now_or_never()
}

/// What hyper gets when it asks for more.
fn piece(body: &mut WatchedBody) -> Option<Piece> {
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(body).poll_frame(&mut context) {
        std::task::Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        _ => None,
    }
}

/// An answer that is one frame, as hyper holds it once the body is gone.
fn large(activity: &Arc<Activity>) -> Piece {
    let mut body = WatchedBody::new(Body::from(vec![b'x'; LARGE]), activity.begin(true));
    piece(&mut body).expect("all of it is there")
}

#[tokio::test(start_paused = true)]
async fn a_frame_counts_until_its_last_byte() {
    let activity = activity();
    let mut frame = large(&activity);
    for _ in 0..8 {
        advance(9 * SECOND).await;
        assert_eq!(overdue(&activity), None);
        frame.advance(LARGE / 8 - 1);
    }
    advance(10 * SECOND).await;
    assert_eq!(overdue(&activity), Some(Overdue::Stalled));
    drop(frame);
    assert_eq!(overdue(&activity), None);
    advance(3 * SECOND).await;
    assert_eq!(overdue(&activity), Some(Overdue::Idle));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_stream_is_so_among_busy_ones() {
    let activity = activity();
    let _stalled = large(&activity);
    let mut busy = large(&activity);
    for _ in 0..5 {
        assert_eq!(overdue(&activity), None);
        advance(2 * SECOND).await;
        busy.advance(1);
        drop(large(&activity));
    }
    assert_eq!(overdue(&activity), Some(Overdue::Stalled));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_being_made_waits_for_nobody() {
    let activity = activity();
    let (sender, chunks) = mpsc::channel(4);
    let chunks = ReceiverStream::new(chunks).map(Ok::<_, Infallible>);
    let share = activity.begin(false);
    advance(60 * SECOND).await;
    assert_eq!(overdue(&activity), None, "the handler runs");

    let mut body = WatchedBody::new(Body::from_stream(chunks), share);
    assert!(piece(&mut body).is_none());
    advance(60 * SECOND).await;
    assert_eq!(overdue(&activity), None, "there is nothing to take yet");

    for chunk in ["one", "two"] {
        sender.try_send(Bytes::from_static(chunk.as_bytes())).unwrap();
    }
    let (one, two) = (piece(&mut body).unwrap(), piece(&mut body).unwrap());
    assert!(piece(&mut body).is_none());
    drop(one);
    advance(10 * SECOND).await;
    assert_eq!(overdue(&activity), Some(Overdue::Stalled), "the second chunk waits");
    drop(two);
    advance(60 * SECOND).await;
    assert_eq!(overdue(&activity), None, "all is taken, more may come");

    drop(sender);
    assert!(piece(&mut body).is_none());
    drop(body);
    advance(3 * SECOND).await;
    assert_eq!(overdue(&activity), Some(Overdue::Idle));
}

#[tokio::test(start_paused = true)]
async fn an_answer_nobody_asks_for_is_stalled() {
    let activity = activity();
    let _body = WatchedBody::new(Body::from("x"), activity.begin(true));
    advance(10 * SECOND).await;
    assert_eq!(overdue(&activity), Some(Overdue::Stalled));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_an_answer_without_a_body() {
    let activity = activity();
    drop(WatchedBody::new(Body::empty(), activity.begin(false)));
    activity.received();
    advance(2 * SECOND).await;
    assert_eq!(overdue(&activity), Some(Overdue::Head));
}
