//! Writes protobuf (<https://protobuf.dev/programming-guides/encoding/>), as far as OTLP wants it.
//!
//! Into the bytes that leave, at once: to build a span as objects of the SDK first, and of the protocol then, costs several
//! times as much.

use std::fmt;

use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::Resource;

/// What follows a field's number.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

/// Appends fields to a message. One that has its default value can be left out.
pub(super) struct Message<'a>(&'a mut Vec<u8>);

impl<'a> Message<'a> {
    pub(super) fn new(to: &'a mut Vec<u8>) -> Self {
        Self(to)
    }

    pub(super) fn number(&mut self, field: u64, value: u64) {
        self.key(field, VARINT);
        self.varint(value);
    }

    pub(super) fn fixed64(&mut self, field: u64, value: u64) {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u64, value: u32) {
        self.key(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, LENGTH);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(super) fn text(&mut self, field: u64, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    /// The text that something is printed as.
    pub(super) fn printed(&mut self, field: u64, value: fmt::Arguments<'_>) {
        self.message(field, |text| {
            // Only what is printed could fail, and then it has no more to say.
            let _ = fmt::write(text, value);
        });
    }

    /// A message within this one, or anything else whose length is known when it is there.
    pub(super) fn message(&mut self, field: u64, write: impl FnOnce(&mut Message<'_>)) {
        self.measured(field, 1, write);
    }

    /// The same, for one that has more than a few fields: what it guesses well it need not move.
    pub(super) fn long_message(&mut self, field: u64, write: impl FnOnce(&mut Message<'_>)) {
        self.measured(field, 2, write);
    }

    /// With room for a length that takes so many bytes.
    fn measured(&mut self, field: u64, guess: usize, write: impl FnOnce(&mut Message<'_>)) {
        self.key(field, LENGTH);
        let start = self.0.len();
        let begin = start + guess;
        self.0.resize(begin, 0);
        write(&mut Message(self.0));
        let end = self.0.len();
        let (length, of_length) = varint((end - begin) as u64);
        if of_length != guess {
            self.0.resize(end.max(end + of_length - guess), 0);
            self.0.copy_within(begin..end, start + of_length);
            self.0.truncate(end + of_length - guess);
        }
        self.0[start..start + of_length].copy_from_slice(&length[..of_length]);
    }

    /// A `KeyValue` whose value `write` says.
    pub(super) fn attribute(&mut self, field: u64, key: &str, write: impl FnOnce(&mut Message<'_>)) {
        self.message(field, |pair| {
            pair.text(1, key);
            pair.message(2, write);
        });
    }

    pub(super) fn attributes<'b>(&mut self, field: u64, all: impl IntoIterator<Item = &'b KeyValue>) {
        for KeyValue { key, value, .. } in all {
            self.attribute(field, key.as_str(), |any| any.any(value));
        }
    }

    /// What there is in an `AnyValue`.
    pub(super) fn any(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(1, text.as_str()),
            Value::Bool(value) => self.number(2, u64::from(*value)),
            Value::I64(value) => self.number(3, value.cast_unsigned()),
            Value::F64(value) => self.fixed64(4, value.to_bits()),
            Value::Array(Array::String(texts)) => self.message(5, |values| {
                for text in texts {
                    values.message(1, |any| any.text(1, text.as_str()));
                }
            }),
            other => self.text(1, &other.as_str()),
        }
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    fn varint(&mut self, value: u64) {
        if value < 0x80 {
            return self.0.push(value.to_le_bytes()[0]);
        }
        let (bytes, length) = varint(value);
        self.0.extend_from_slice(&bytes[..length]);
    }
}

/// The bytes of a number, and how many they are: seven bits in each, and one that says that there are more.
fn varint(mut value: u64) -> ([u8; 10], usize) {
    let (mut bytes, mut length) = ([0; 10], 0);
    while value >= 0x80 {
        bytes[length] = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value.to_le_bytes()[0];
    (bytes, length + 1)
}

/// Text within a message.
impl fmt::Write for Message<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Spans or log records as what a collector takes: who they are of goes before them.
#[derive(Debug)]
pub(super) struct Envelope {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Envelope {
    pub(super) fn new(resource: &Resource) -> Self {
        let mut envelope = Self { resource: vec![], scope: vec![] };
        Message(&mut envelope.resource).message(1, |whose| {
            for (key, value) in resource {
                whose.attribute(1, key.as_str(), |any| any.any(value));
            }
        });
        Message(&mut envelope.scope).message(1, |scope| scope.text(1, super::scope().name()));
        envelope
    }

    /// `items` are fields of the number 2.
    pub(super) fn around(&self, items: &[u8]) -> Vec<u8> {
        let mut head = self.resource.clone();
        let mut inner = Message(&mut head);
        inner.key(2, LENGTH);
        inner.varint((self.scope.len() + items.len()) as u64);
        let length = head.len() + self.scope.len() + items.len();
        let mut body = Vec::with_capacity(length + 16);
        let mut outer = Message(&mut body);
        outer.key(1, LENGTH);
        outer.varint(length as u64);
        for part in [&head, &self.scope, items] {
            body.extend_from_slice(part);
        }
        body
    }
}

/// How many of what was sent the answer says were not taken: `partial_success.rejected_*`.
pub(super) fn rejected(answer: &[u8]) -> usize {
    let number = || {
        let partial = field(answer, 1)?.bytes()?;
        field(partial, 1)?.number()
    };
    number().and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn number(self) -> Option<u64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    fn bytes(self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// The first field of this number; none as well when there is none that can be read.
fn field(mut message: &[u8], wanted: u64) -> Option<Field<'_>> {
    loop {
        let key = read_varint(&mut message)?;
        let found = match key & 7 {
            VARINT => Field::Number(read_varint(&mut message)?),
            LENGTH => {
                let length = usize::try_from(read_varint(&mut message)?).ok()?;
                Field::Bytes(message.split_off(..length)?)
            }
            FIXED64 => Field::Bytes(message.split_off(..8)?),
            FIXED32 => Field::Bytes(message.split_off(..4)?),
            _ => return None,
        };
        if key >> 3 == wanted {
            return Some(found);
        }
    }
}

fn read_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *from.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests;
