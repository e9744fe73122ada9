use super::*;

fn tags(count: usize, length: usize) -> Vec<String> {
    (0..count).map(|_| "t".repeat(length)).collect()
}

#[test]
fn what_does_not_fit_into_a_message_invalidates_everything() {
    for (tags, whole) in [
        (tags(0, 0), true),
        (tags(1, 10), true),
        (tags(256, 200), true),
        (tags(257, 1), false),
        (tags(1, 64 << 10), false),
    ] {
        let expected = if whole { Event::Tags(tags.clone()) } else { Event::Missed };
        assert_eq!(decode(&encode(&tags)), Some(expected));
    }
}

#[test]
fn what_is_no_message_is_nothing() {
    let many = serde_json::to_vec(&tags(257, 1)).unwrap();
    let long = serde_json::to_vec(&tags(1, 64 << 10)).unwrap();
    for message in [&b""[..], b"tag", b"[1]", b"{}", b"[\"a\"", b"\xff", &many, &long] {
        assert_eq!(decode(message), None);
    }
}
