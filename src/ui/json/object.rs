//! Writes one object on a line, field by field.

use std::fmt::Display;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Serialize;

use crate::event::{Direction, Stamp};
use crate::ui::clock::UtcClock;
use crate::ui::sanitize::{is_hidden, plain_len};
use crate::ui::{number, pretty};
use crate::wire::{OpCode, frame};

/// The most bytes of payload or content in one object.
pub const INLINE: usize = 1 << 20;

/// The bytes of payload in each object of a frame longer than [`INLINE`]; divisible by three, so
/// that base64 needs no padding.
pub const PIECE: usize = 48 * 1024;

/// The name of a direction in the field `dir`.
#[inline]
pub(super) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::ToServer => "to-server",
        Direction::ToClient => "to-client",
    }
}

/// An object that is being written. [`ObjectWriter::end`] ends it and its line.
pub(super) struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> ObjectWriter<'o> {
    /// Begins an object with the common fields: `event`, `time`, `conn`, and `dir` if it applies.
    #[inline]
    pub(super) fn begin(
        event: &str,
        at: &Stamp,
        direction: Option<Direction>,
        clock: &mut UtcClock,
        out: &'o mut Vec<u8>,
    ) -> Self {
        out.extend_from_slice(b"{\"event\":\"");
        out.extend_from_slice(event.as_bytes());
        out.push(b'"');
        Self::go_on(at, direction, clock, out)
    }

    /// Continues after the first fields.
    #[inline]
    pub(super) fn go_on(
        at: &Stamp,
        direction: Option<Direction>,
        clock: &mut UtcClock,
        out: &'o mut Vec<u8>,
    ) -> Self {
        out.extend_from_slice(b",\"time\":\"");
        clock.write(at.micros, out);
        out.extend_from_slice(b"\",\"conn\":");
        number::decimal(at.conn.0, out);
        let mut object = Self { out };
        if let Some(direction) = direction {
            object.word("dir", direction_name(direction));
        }
        object
    }

    /// Ends the object and its line.
    pub(super) fn end(self) {
        self.out.extend_from_slice(b"}\n");
    }

    /// Appends the name of a field; the value goes into the returned buffer.
    #[inline]
    pub(super) fn key(&mut self, name: &str) -> &mut Vec<u8> {
        // Only the first field of a nested object has no field before it.
        self.out.extend_from_slice(if self.out.last() == Some(&b'{') { b"\"" } else { b",\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A string.
    pub(super) fn string(&mut self, name: &str, text: &str) {
        string(text, self.key(name));
    }

    /// A value that is already JSON. Characters that could affect a terminal are in its strings,
    /// and are escaped.
    pub(super) fn json(&mut self, name: &str, json: &str) {
        escaped(json, self.key(name));
    }

    /// A value in the form in which a recording is read.
    pub(super) fn value(&mut self, name: &str, value: &impl Serialize) {
        // Facts are texts, numbers and lists, which are always JSON.
        self.json(name, &serde_json::to_string(value).unwrap_or_default());
    }

    /// The fields of a value with at least one, in the form in which a recording is read.
    pub(super) fn fields(&mut self, value: &impl Serialize) {
        let json = serde_json::to_string(value).unwrap_or_default();
        let fields = json.strip_prefix('{').and_then(|json| json.strip_suffix('}'));
        self.out.push(b',');
        escaped(fields.unwrap_or_default(), self.out);
    }

    /// A string that needs no escapes.
    #[inline]
    pub(super) fn word(&mut self, name: &str, word: &str) {
        let out = self.key(name);
        out.push(b'"');
        out.extend_from_slice(word.as_bytes());
        out.push(b'"');
    }

    /// The opcode by name, or by number if it has none.
    #[inline]
    pub(super) fn opcode(&mut self, opcode: OpCode) {
        match frame::opcode_name(opcode) {
            Some(name) => self.word("opcode", name),
            None => self.number("opcode", u8::from(opcode).into()),
        }
    }

    /// A string, or `null`.
    pub(super) fn optional(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.string(name, text),
            None => self.null(name),
        }
    }

    /// A string of bytes that should be UTF-8; invalid bytes become U+FFFD.
    pub(super) fn lossy(&mut self, name: &str, bytes: &[u8]) {
        self.string(name, &String::from_utf8_lossy(bytes));
    }

    /// A string with the text of a value.
    pub(super) fn display(&mut self, name: &str, value: impl Display) {
        self.string(name, &value.to_string());
    }

    /// `null`.
    pub(super) fn null(&mut self, name: &str) {
        self.key(name).extend_from_slice(b"null");
    }

    /// A number.
    #[inline]
    pub(super) fn number(&mut self, name: &str, n: u64) {
        number::decimal(n, self.key(name));
    }

    /// A number, or `null`.
    pub(super) fn optional_number(&mut self, name: &str, n: Option<u64>) {
        match n {
            Some(n) => self.number(name, n),
            None => self.null(name),
        }
    }

    /// A duration in microseconds, limited to half a million years.
    pub(super) fn micros(&mut self, name: &str, time: impl Into<Option<Duration>>) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.optional_number(name, time.into().map(micros));
    }

    /// `true` or `false`.
    #[inline]
    pub(super) fn flag(&mut self, name: &str, set: bool) {
        self.key(name).extend_from_slice(if set { b"true" } else { b"false" });
    }

    /// A string of hexadecimal digits.
    #[inline]
    pub(super) fn hex(&mut self, name: &str, bytes: &[u8]) {
        let out = self.key(name);
        out.push(b'"');
        number::hex(bytes, out);
        out.push(b'"');
    }

    /// The field `base64`.
    pub(super) fn base64(&mut self, bytes: &[u8]) {
        base64(bytes, self.key("base64"));
    }

    /// The field `text` if `bytes` may be text and are UTF-8, otherwise the field `base64`.
    #[inline]
    pub(super) fn text_or_base64(&mut self, may_be_text: bool, bytes: &[u8]) {
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) if may_be_text => self.string("text", text),
            _ => self.base64(bytes),
        }
    }

    /// An array, each item written by `write`.
    pub(super) fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Vec<u8>),
    ) {
        let out = self.key(name);
        out.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write(item, out);
        }
        out.push(b']');
    }

    /// An array of strings.
    pub(super) fn strings<T: Display>(&mut self, name: &str, items: impl IntoIterator<Item = T>) {
        self.array(name, items, |item, out| string(&item.to_string(), out));
    }

    /// An object inside this one.
    pub(super) fn nested(&mut self, name: &str, fields: impl FnOnce(&mut ObjectWriter<'_>)) {
        ObjectWriter::inline(self.key(name), fields);
    }

    /// An object inside this one, or `null`.
    pub(super) fn nested_if<T>(
        &mut self,
        name: &str,
        value: Option<T>,
        fields: impl FnOnce(T, &mut ObjectWriter<'_>),
    ) {
        match value {
            Some(value) => self.nested(name, |object| fields(value, object)),
            None => self.null(name),
        }
    }

    /// An object inside a line.
    pub(super) fn inline(out: &mut Vec<u8>, fields: impl FnOnce(&mut ObjectWriter<'_>)) {
        out.push(b'{');
        fields(&mut ObjectWriter { out });
        out.push(b'}');
    }
}

/// Appends JSON. Characters that could affect a terminal are escaped.
fn escaped(json: &str, out: &mut Vec<u8>) {
    for c in json.chars() {
        match is_hidden(c) {
            true => pretty::escape(c, out),
            false => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Appends a JSON string with its quotes.
///
/// It also escapes characters that could affect a terminal, because users often print JSON lines
/// with `cat`.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(plain_len(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        let Some(c) = special.chars().next() else { break };
        push_special(c, out);
        rest = &special[c.len_utf8()..];
    }
    out.push(b'"');
}

/// Appends a JSON string of the base64 of `bytes`.
pub(super) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // The buffer has the size that the encoding needs, so this can't fail.
    let written = BASE64_STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
    out.push(b'"');
}

fn push_special(c: char, out: &mut Vec<u8>) {
    match c {
        '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        c if is_hidden(c) => pretty::escape(c, out),
        c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
