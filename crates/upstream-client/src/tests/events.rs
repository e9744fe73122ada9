use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::events::EVENT_STREAM;
use crate::{Event, EventId, Events};

static STREAM: Operation = Operation::get("things.events", "/events").streams();

/// What a service has to say on one stream: a piece of it, or that it breaks off. Dropped, it ends it.
type Mouth = mpsc::UnboundedSender<Result<&'static str, &'static str>>;

/// The head of a stream, and the mouth that speaks on it.
fn stream_of(call: &Call, media_type: &str) -> (Reply, Mouth) {
    let (mouth, said) = mpsc::unbounded_channel();
    let frames = stream::unfold(said, |mut said| async {
        let piece: Result<&'static str, &'static str> = said.recv().await?;
        let frame = piece.map(|text| http_body::Frame::data(Bytes::from(text))).map_err(Into::into);
        Some((frame, said))
    });
    let mut reply = reply(call, 200, &[], "");
    reply.headers.insert(CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap());
    reply.stream = Some(StreamBody::new(frames).boxed_unsync());
    (reply, mouth)
}

/// A service that opens a stream, and the mouth of the one that was opened last.
fn speaking(world: &World) -> Arc<Mutex<Option<Mouth>>> {
    let mouth = Arc::new(Mutex::new(None));
    let last = mouth.clone();
    world.service.answers(move |call| {
        let (reply, mouth) = stream_of(call, "text/event-stream;charset=utf-8");
        *last.lock().unwrap() = Some(mouth);
        async { Ok(reply) }
    });
    mouth
}

fn say(mouth: &Mutex<Option<Mouth>>, text: &'static str) {
    mouth.lock().unwrap().as_ref().unwrap().send(Ok(text)).unwrap();
}

async fn open(world: &World, ctx: &RequestContext) -> Result<Events<Said>, CallError> {
    world.upstream.call(ctx, &STREAM).events("thing").await
}

/// `id said`, or the error's kind.
fn shown(event: Option<Result<Event<Said>, CallError>>) -> String {
    match event {
        None => "end".into(),
        Some(Ok(event)) => format!("{} {}", event.id.as_ref().map_or("-", EventId::as_str), event.data.said),
        Some(Err(error)) => error.kind.to_string(),
    }
}

#[tokio::test(start_paused = true)]
async fn events_come_as_what_they_are_read_as() {
    let world = World::new();
    let mouth = speaking(&world);
    let mut events = open(&world, &request()).await.unwrap();
    say(&mouth, "retry: 700\n\nid: 1\nevent: thing\ndata: {\"said\": \"a\"}\n\n");
    assert_eq!(shown(events.next().await), "1 a");
    assert_eq!(events.retry(), Some(Duration::from_millis(700)));
    // A comment, another event, one that breaks the contract, and a good one that is cut in two.
    say(
        &mouth,
        ": beat\n\nevent: other\nid: 2\ndata: x\n\nevent: thing\nid: 3\ndata: {\"said\": 1}\n\nevent: thi",
    );
    say(&mouth, "ng\ndata: {\"said\":\ndata: \"b\"}\n\nevent: thing\nid: \u{1}\ndata: {\"said\": \"c\"}\n\n");
    assert_eq!(shown(events.next().await), "3 b");
    assert_eq!(shown(events.next().await), "- c");
    mouth.lock().unwrap().take();
    assert_eq!(shown(events.next().await), "end");
    assert_eq!(shown(events.next().await), "end");
    assert_eq!(world.counts(&STREAM)["contractViolations"], serde_json::json!({"said": 1, "id": 1}));
}

#[tokio::test(start_paused = true)]
async fn how_a_stream_is_lost() {
    for (said, expected) in [
        (Some(Err("broken off")), "not available"),
        (Some(Ok(": silence\n")), "no answer in time"),
        (None, "no answer in time"),
    ] {
        let world = World::new();
        let mouth = speaking(&world);
        let mut events = open(&world, &request()).await.unwrap();
        if let Some(said) = said {
            mouth.lock().unwrap().as_ref().unwrap().send(said).unwrap();
        }
        let begun = Instant::now();
        assert_eq!(shown(events.next().await), expected, "{said:?}");
        assert_eq!(shown(events.next().await), "end");
        assert_eq!(begun.elapsed().as_secs(), if said == Some(Err("broken off")) { 0 } else { 45 });
        assert!(mouth.lock().unwrap().as_ref().unwrap().is_closed(), "the body is dropped");
    }
    let world = World::new();
    let mouth = speaking(&world);
    let mut events = open(&world, &request()).await.unwrap();
    say(&mouth, Box::leak("x".repeat(70_000).into_boxed_str()));
    assert_eq!(shown(events.next().await), "contract violated at body");
    assert_eq!(world.counts(&STREAM)["contractViolations"], serde_json::json!({"body": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_keeps_a_stream_and_a_dropped_future_loses_nothing() {
    let world = World::new();
    let mouth = speaking(&world);
    let mut events = open(&world, &request()).await.unwrap();
    for _ in 0..10 {
        let waiting = tokio::time::timeout(44 * SECOND, events.next()).await;
        assert!(waiting.is_err());
        say(&mouth, ":\n\n");
    }
    say(&mouth, "event: thing\ndata: {\"said\":");
    assert!(tokio::time::timeout(SECOND, events.next()).await.is_err());
    say(&mouth, "\"a\"}\n\n");
    assert_eq!(shown(events.next().await), "- a");
}

#[tokio::test(start_paused = true)]
async fn opening_a_stream_is_a_call_and_reading_it_is_none() {
    let world = World::with(|settings| settings.max_concurrency = 1);
    let told = Arc::new(Mutex::new(vec![]));
    let note = told.clone();
    world.service.answers(move |call| {
        let names = ["accept", "x-request-deadline-ms", "x-request-priority", "x-user-id", "last-event-id"];
        let lines = names.map(|name| format!("{name}: {}", header(call, name).unwrap_or("-")));
        note.lock().unwrap().push(lines.join(", "));
        let (reply, mouth) = stream_of(call, EVENT_STREAM);
        std::mem::forget(mouth);
        async { Ok(reply) }
    });
    let id = EventId::parse("7-1").unwrap();
    let ctx = request();
    // More at once than there are places.
    let mut open = vec![];
    for after in [Some(&id), None] {
        open.push(
            world.upstream.call(&ctx, &STREAM).last_event_id(after).events::<Said>("thing").await.unwrap(),
        );
    }
    let rest = "x-request-priority: page, x-user-id: u_1, last-event-id";
    assert_eq!(
        *told.lock().unwrap(),
        ["7-1", "-"].map(|id| format!("accept: text/event-stream, x-request-deadline-ms: -, {rest}: {id}"))
    );
    let state = serde_json::to_value(world.outbound.state()).unwrap();
    assert_eq!(state["upstreams"]["things"]["concurrency"]["inFlight"], 0, "{state}");
    assert_eq!(world.counts(&STREAM)["attempts"], 2);
}

#[tokio::test(start_paused = true)]
async fn how_a_stream_is_not_opened() {
    let world = World::new();
    for (status, media_type, expected) in [
        (200, "application/json", "contract violated at content-type"),
        (200, "text/event-streams", "contract violated at content-type"),
        (204, EVENT_STREAM, "contract violated at content-type"),
        (304, EVENT_STREAM, "contract violated at content-type"),
        (302, EVENT_STREAM, "contract violated at status"),
        (404, EVENT_STREAM, "refused with 404"),
        (503, EVENT_STREAM, "not available"),
        (429, EVENT_STREAM, "shed"),
    ] {
        world.service.answers(move |call| {
            let (mut reply, _) = stream_of(call, media_type);
            reply.status = StatusCode::from_u16(status).unwrap();
            if status != 200 {
                reply.stream = None;
            }
            async { Ok(reply) }
        });
        let error = open(&world, &request()).await.unwrap_err();
        assert_eq!(error.kind.to_string(), expected, "{status} {media_type}");
    }
    let misused = world.upstream.call(&request(), &GET).segment("a").events::<Said>("thing").await;
    assert_eq!(misused.unwrap_err().kind.to_string(), "contract violated at request");
    let misused = world.upstream.call(&request(), &STREAM).fetch::<Said>().await;
    assert_eq!(misused.unwrap_err().kind.to_string(), "contract violated at request");
}

#[tokio::test(start_paused = true)]
async fn the_head_has_the_time_of_its_operation_or_of_its_request() {
    for (left, took) in [(2000, 1000), (300, 300)] {
        let world = World::new();
        world.service.answers(|_| std::future::pending());
        let begun = Instant::now();
        let error = open(&world, &request_of("u", Duration::from_millis(left))).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Timeout);
        assert_eq!(begun.elapsed().as_millis(), took);
        assert_eq!(world.service.running(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_opens_no_streams_is_left_alone() {
    let world = World::new();
    world.service.answers(|call| std::future::ready(Ok(reply(call, 500, &[], ""))));
    for _ in 0..5 {
        assert_eq!(open(&world, &request()).await.unwrap_err().kind, CallErrorKind::Unavailable);
    }
    let error = open(&world, &request()).await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::BreakerOpen { .. }), "{error:?}");
    assert_eq!(world.service.attempts(), 5);
}
