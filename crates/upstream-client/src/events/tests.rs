use super::*;

#[test]
fn an_id_travels_safely() {
    for good in ["1", "18f-42", "a b", "ü", &"x".repeat(256)] {
        assert_eq!(EventId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "a\nb", "a\rb", "a\0b", "\u{7f}", &"x".repeat(257)] {
        assert_eq!(EventId::parse(bad), None, "{bad:?}");
    }
    assert_eq!(EventId::parse(b"\xFF"), None);
}
