//! What is done with the bytes of one input. Each target ends without a panic, in bounded time and memory, whatever
//! they are; what is asserted beside that holds for every input.

mod answers;
mod requests;
mod settings;
mod stored;
mod texts;

pub use answers::answers;
pub use requests::requests;
pub use settings::settings;
pub use stored::stored;
pub use texts::texts;

use http::{HeaderMap, HeaderName, HeaderValue};

/// An input as a message: a first line, headers, an empty line and the rest. What is no header is left out.
fn message(input: &[u8]) -> (&str, HeaderMap, &[u8]) {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((input, &[][..]), |end| (&input[..end], &input[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().and_then(|line| str::from_utf8(line).ok()).unwrap_or_default();
    let headers = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
    });
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name, value);
    }
    (first, map, body)
}
