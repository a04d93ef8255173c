//! Content whose format the protocol does not specify.

use super::payload::json;
use super::value::Value;

/// A description of the content, as in `json 118 B`.
pub(super) fn body(bytes: &[u8]) -> String {
    let json = matches!(bytes.first(), Some(b'{' | b'['))
        && std::str::from_utf8(bytes).is_ok_and(|text| json::read(text).is_some());
    format!("{}{} B", if json { "json " } else { "" }, bytes.len())
}

/// The content as a field: a text if it is UTF-8, otherwise bytes.
pub(super) fn content(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.into(), Into::into)
}
