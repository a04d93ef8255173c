//! Strings and base64 for JSON.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::ui::pretty;
use crate::ui::sanitize::{is_hidden, plain_len};

/// Appends a JSON string with its quotes.
///
/// Beside what JSON demands, everything that must not reach a terminal is escaped: a line of JSON
/// is often looked at with `cat`.
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
    // The room is what the encoding needs; if it were not, nothing could be encoded.
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
