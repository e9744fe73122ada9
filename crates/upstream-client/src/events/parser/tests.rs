use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The events in these pieces, as `name|data|id`.
fn read(pieces: &[&[u8]]) -> Result<Vec<String>, TooLarge> {
    let mut parser = Parser::default();
    let mut events = vec![];
    for piece in pieces {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(Raw { name, data, id }) = parser.next(&mut input)? {
            events.push(format!("{name}|{data}|{id}"));
        }
        assert!(input.is_empty());
    }
    Ok(events)
}

#[test]
fn what_the_standard_says() {
    let table: &[(&str, &[&str])] = &[
        ("data: a\n\n", &["message|a|"]),
        ("data:a\r\n\r\n", &["message|a|"]),
        ("data: a\r\rdata: b\r\r", &["message|a|", "message|b|"]),
        ("\u{feff}data: a\n\n", &["message|a|"]),
        ("\u{feff}\u{feff}data: a\n\n", &[]),
        ("data: a\n\n\u{feff}data: b\n\n", &["message|a|"]),
        ("data: a\ndata:  b\ndata\n\n", &["message|a\n b\n|"]),
        ("data\n\n", &["message||"]),
        (": beat\n\n:\n\ndata: a\n\n", &["message|a|"]),
        ("event: x\nid: 1\n\ndata: a\n\n", &["message|a|1"]),
        ("event: x\nid: 1\ndata: a\n\ndata: b\n\n", &["x|a|1", "message|b|1"]),
        ("id: 1\nid\ndata: a\n\n", &["message|a|"]),
        ("id: 1\nid: 2\0\ndata: a\n\n", &["message|a|1"]),
        ("data: a\nDATA: b\ndata : c\nother: d\n\n", &["message|a|"]),
        ("data: ü\u{1f600}\n\n", &["message|ü\u{1f600}|"]),
        ("data: a\n", &[]),
        ("data: a", &[]),
        ("\n\n\r\n", &[]),
    ];
    for (stream, expected) in table {
        assert_eq!(read(&[stream.as_bytes()]).unwrap(), *expected, "{stream:?}");
    }
    assert_eq!(read(&[b"data: \xFF\n\n"]).unwrap(), ["message|\u{fffd}|"]);
}

#[test]
fn a_wish_to_be_left_alone_is_a_number() {
    for (stream, expected) in [
        ("retry: 3000\n", Some(3000)),
        ("retry:0\n", Some(0)),
        ("retry: 3000\nretry: soon\nretry: -1\nretry: 1.5\nretry:\n", Some(3000)),
        ("retry: 99999999999999999999999\n", None),
        ("retry: +5\n", None),
    ] {
        let mut parser = Parser::default();
        assert_eq!(parser.next(&mut stream.into()), Ok(None));
        assert_eq!(parser.retry(), expected.map(Duration::from_millis), "{stream:?}");
    }
}

#[test]
fn what_is_too_large_ends_it_before_it_is_kept() {
    let long = "x".repeat(MOST);
    let half = "x".repeat(MOST / 2);
    for (stream, fits) in [
        (format!(":{}\n\ndata: a\n\n", &long[1..]), true),
        (format!(":{long}\n"), false),
        (format!(":{long}"), false),
        (format!("data:{}\n\n", &long["data:".len()..]), true),
        (format!("data:{half}\ndata:{half}\n"), false),
        (format!("data:{half}\n\ndata:{half}\n\n"), true),
        ("data\n".repeat(MOST + 1), false),
    ] {
        let outcome = read(&[stream.as_bytes()]);
        assert_eq!(outcome.is_ok(), fits, "{}…", &stream[..40]);
        for size in [1000, 4096] {
            let pieces: Vec<_> = stream.as_bytes().chunks(size).collect();
            assert_eq!(read(&pieces), outcome);
        }
    }
}

/// Lines of all kinds, ended in all ways.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "(data|event|id|retry|other)?:? ?[a-c:\u{fc}\0]{0,6}".prop_map(String::into_bytes),
        Just(vec![]),
        vec(any::<u8>(), 0..8),
    ];
    let end = prop_oneof![Just(&b"\n"[..]), Just(&b"\r"[..]), Just(&b"\r\n"[..])];
    vec((line, end), 0..20).prop_map(|lines| {
        lines.into_iter().flat_map(|(line, end)| line.into_iter().chain(end.iter().copied())).collect()
    })
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_does_not_matter(stream in streams(), cuts in vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
        let whole = read(&[&stream]).unwrap();
        prop_assert_eq!(read(&pieces).unwrap(), whole.clone());
        let bytes: Vec<_> = stream.chunks(1).collect();
        prop_assert_eq!(read(&bytes).unwrap(), whole);
    }

    #[test]
    fn the_end_of_a_line_does_not_matter(lines in vec("[a-z :]{0,8}", 0..20)) {
        let ended = |end: &str| lines.iter().flat_map(|line| [line, end]).collect::<String>();
        let read_with = |end| read(&[ended(end).as_bytes()]).unwrap();
        prop_assert_eq!(read_with("\n"), read_with("\r\n"));
        prop_assert_eq!(read_with("\n"), read_with("\r"));
    }
}
