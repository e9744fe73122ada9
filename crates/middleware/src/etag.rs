//! Entity tags (RFC 9110, section 8.8.3).

use std::io::Write;

use http::HeaderValue;
use xxhash_rust::xxh3::xxh3_128;

/// The tag of a body. Weak, as its compressed forms share it.
pub(crate) fn of(body: &[u8]) -> HeaderValue {
    let mut tag = [0; 36];
    write!(&mut tag[..], "W/\"{:032x}\"", xxh3_128(body)).expect("it has room for three signs and 32 digits");
    HeaderValue::from_bytes(&tag).expect("hexadecimal digits and quotes are a header value")
}

/// Whether a line of `If-None-Match` names `tag`, compared weakly (section 8.8.3.2), or names them all.
pub(crate) fn is_named(line: &HeaderValue, tag: &HeaderValue) -> bool {
    let line = line.as_bytes().trim_ascii();
    line == b"*" || Tags(line).any(|named| named == opaque(tag.as_bytes()))
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// The quoted parts of a list of tags. A comma may stand inside of one, so a list is read, not split.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.0.iter().position(|b| !matches!(b, b',' | b' ' | b'\t'))?;
        let rest = opaque(&self.0[start..]);
        let inside = rest.strip_prefix(b"\"")?;
        let end = inside.iter().position(|b| *b == b'"')? + 2;
        let (tag, rest) = rest.split_at(end);
        self.0 = rest;
        Some(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparison_is_weak_and_lists_are_read() {
        let cases = [
            (r#"W/"a""#, true),
            (r#""a""#, true),
            ("*", true),
            (" * ", true),
            (r#"W/"b", "a""#, true),
            (r#""x,y" ,, W/"a""#, true),
            (r#""b", "c""#, false),
            (r#"w/"a""#, false),
            (r#""x,"a"#, false),
            ("a", false),
            ("", false),
            (r#""*""#, false),
            (r#""a"#, false),
        ];
        for (line, expected) in cases {
            for tag in [r#"W/"a""#, r#""a""#] {
                let (line, tag) = (HeaderValue::from_static(line), HeaderValue::from_static(tag));
                assert_eq!(is_named(&line, &tag), expected, "{line:?} names {tag:?}");
            }
        }
    }

    #[test]
    fn a_tag_is_that_of_its_bytes() {
        assert_eq!(of(b"{}"), of(b"{}"));
        assert_ne!(of(b"{}"), of(b"[]"));
    }
}
