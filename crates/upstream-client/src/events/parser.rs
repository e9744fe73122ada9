//! Server-sent events from bytes (HTML Standard, section 9.2.6), within bounds.

use std::mem;
use std::time::Duration;

use bytes::{Buf, Bytes};

/// The longest line, and the most data of one event, in bytes. A status is a few hundred.
pub(crate) const MOST: usize = 64 * 1024;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An event as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    /// `message` if the stream does not say.
    pub(crate) name: String,
    /// The lines of its data, joined.
    pub(crate) data: String,
    /// The last id that the stream has named up to here; empty if none.
    pub(crate) id: String,
}

/// A line or an event is larger than [`MOST`]. Nothing that follows can be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than its cap")]
pub(crate) struct TooLarge;

/// Reads events from bytes that may be cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The line so far.
    line: Vec<u8>,
    /// Whether the first line, which may begin with a byte order mark, is over.
    begun: bool,
    /// The last byte was a carriage return, whose line feed, if it has one, belongs to it.
    after_return: bool,
    name: String,
    data: String,
    id: String,
    retry: Option<Duration>,
}

impl Parser {
    /// Takes bytes off `input` up to the end of the next event, or all of them if there is none.
    pub(crate) fn next(&mut self, input: &mut Bytes) -> Result<Option<Raw>, TooLarge> {
        while !input.is_empty() {
            if mem::take(&mut self.after_return) && input[0] == b'\n' {
                input.advance(1);
                continue;
            }
            let end = input.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let piece = input.split_to(end.unwrap_or(input.len()));
            if self.line.len() + piece.len() > MOST {
                return Err(TooLarge);
            }
            self.line.extend_from_slice(&piece);
            if end.is_some() {
                self.after_return = input.get_u8() == b'\r';
                let line = mem::take(&mut self.line);
                let event = self.line_ended(&line)?;
                // What it has room for, the next line may use.
                self.line = line;
                self.line.clear();
                if event.is_some() {
                    return Ok(event);
                }
            }
        }
        Ok(None)
    }

    /// How long the service wants to be left alone when the stream has ended, if it said so.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn line_ended(&mut self, line: &[u8]) -> Result<Option<Raw>, TooLarge> {
        let first = !mem::replace(&mut self.begun, true);
        let line = line.strip_prefix(BOM).filter(|_| first).unwrap_or(line);
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" if self.data.len() + value.len() >= MOST => return Err(TooLarge),
            "data" => self.data.extend([value, "\n"]),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry);
            }
            // A comment, which is a field without a name, or what nobody has defined yet.
            _ => {}
        }
        Ok(None)
    }

    fn dispatch(&mut self) -> Option<Raw> {
        let (mut name, mut data) = (mem::take(&mut self.name), mem::take(&mut self.data));
        // Without its last line feed; an event without a line of data is none.
        data.pop()?;
        if name.is_empty() {
            "message".clone_into(&mut name);
        }
        Some(Raw { name, data, id: self.id.clone() })
    }
}

#[cfg(test)]
mod tests;
