use std::future::pending;

use domain_clients::EventId;
use futures::FutureExt;
use test_support::caller;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::streams::Streams;

struct Listening {
    relay: Relay,
    /// What happens to orders; dropped, the service refuses.
    happens: Option<UnboundedSender<Event<OrderEvent>>>,
    closing: CancellationToken,
}

fn listening(refused: impl Future<Output = Refused> + Send + 'static) -> Listening {
    let settings = EventSettings::default();
    let place = Streams::new(&settings).enter(&caller("u_42")).ok().unwrap();
    let (happens, events) = unbounded_channel();
    let events = stream::unfold(events, |mut events| async { Some((events.recv().await?, events)) });
    let closing = CancellationToken::new();
    let relay = Relay::new(events, refused, closing.clone().cancelled_owned(), &settings, place);
    Listening { relay, happens: Some(happens), closing }
}

/// Five seconds from now, whenever it is asked first.
fn in_five_seconds(refused: Refused) -> impl Future<Output = Refused> + Send + 'static {
    tokio::time::sleep(Duration::from_secs(5)).map(move |()| refused)
}

fn event(id: &str) -> Event<OrderEvent> {
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    let data = OrderEvent { order_id: "o_1".parse().unwrap(), status: "paid".into(), at };
    Event { id: EventId::parse(id), data }
}

/// What is said next, on one line; `-` at the end.
async fn said(relay: &mut Relay) -> String {
    let frame = relay.next().await;
    frame.map_or("-".into(), |bytes| String::from_utf8_lossy(&bytes).trim_end().replace('\n', "|"))
}

#[track_caller]
fn assert_spread(frame: &str) {
    let milliseconds: u64 = frame.strip_prefix("retry: ").expect(frame).parse().unwrap();
    assert!((1_000..=5_000).contains(&milliseconds), "{frame}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_and_events_are_passed_on() {
    let mut stream = listening(pending());
    let begun = Instant::now();
    assert_eq!(said(&mut stream.relay).await, "retry: 3000");
    for beat in 1..=3 {
        assert_eq!(said(&mut stream.relay).await, ":");
        assert_eq!(begun.elapsed(), Duration::from_secs(15 * beat));
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    stream.happens.as_ref().unwrap().send(event("7-1")).unwrap();
    let expected =
        r#"event: order-status|id: 7-1|data: {"orderId":"o_1","status":"paid","at":"2026-11-22T10:00:00Z"}"#;
    assert_eq!(said(&mut stream.relay).await, expected);
    // An event is a sign of life.
    assert_eq!(said(&mut stream.relay).await, ":");
    assert_eq!(begun.elapsed(), Duration::from_secs(45 + 10 + 15));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_ended_hears_nothing_more() {
    let mut stream = listening(in_five_seconds(Refused::Over));
    assert_eq!(said(&mut stream.relay).await, "retry: 3000");
    tokio::time::advance(Duration::from_secs(5)).await;
    let happens = stream.happens.take().unwrap();
    happens.send(event("7-1")).unwrap();
    assert_eq!(said(&mut stream.relay).await, "event: session-ended|data: {}");
    assert_eq!(said(&mut stream.relay).await, "-");
    assert!(happens.is_closed(), "the service need not go on");
}

#[tokio::test(start_paused = true)]
async fn every_other_end_says_when_to_come_back() {
    for why in ["drain", "age", "upstream", "unknown"] {
        let mut stream = if why == "unknown" {
            listening(in_five_seconds(Refused::Unknown).boxed())
        } else {
            listening(pending().boxed())
        };
        assert_eq!(said(&mut stream.relay).await, "retry: 3000");
        match why {
            "drain" => stream.closing.cancel(),
            "age" => tokio::time::advance(Duration::from_hours(1)).await,
            "unknown" => tokio::time::advance(Duration::from_secs(5)).await,
            _ => drop(stream.happens.take()),
        }
        assert_spread(&said(&mut stream.relay).await);
        assert_eq!(said(&mut stream.relay).await, "-");
        assert_eq!(stream.relay.ending().reason(), Some(why));
    }
}
