//! Headers that the user gives: their notation (`-H`, as in curl), and how they change the default
//! headers of a head.

use std::str::FromStr;

use thiserror::Error;

use crate::wire::head::is_token_byte;

/// RFC 6455 §11.3.1.
pub const KEY: &str = "Sec-WebSocket-Key";
/// RFC 6455 §11.3.5.
pub const VERSION: &str = "Sec-WebSocket-Version";
/// RFC 6455 §11.3.3.
pub const ACCEPT: &str = "Sec-WebSocket-Accept";
/// RFC 6455 §11.3.4.
pub const PROTOCOL: &str = "Sec-WebSocket-Protocol";
/// RFC 6455 §11.3.2.
pub const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// One change to the default headers: send this header, or leave a default out.
///
/// All values for one name replace the default header of that name, in their order; without a
/// default, they come after all other headers. Name and value have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderEdit {
    name: String,
    /// `None` leaves out the default.
    value: Option<String>,
}

/// Why a header can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Neither `Name: value` nor `Name;`.
    #[error("header {text:?} has no colon; write 'Name: value', or 'Name;' for an empty value")]
    MissingColon {
        /// The text as given.
        text: String,
    },
    /// No name before the colon.
    #[error("header {text:?} has no name before the colon")]
    EmptyName {
        /// The text as given.
        text: String,
    },
    /// A character that is not allowed in a header name.
    #[error("character {found:?} at byte {offset} is not allowed in a header name: {name:?}")]
    IllegalName {
        /// The name as given.
        name: String,
        /// The first illegal character.
        found: char,
        /// Its byte offset in the name.
        offset: usize,
    },
    /// CR, LF or NUL, which would end the header or confuse the peer.
    #[error(
        "header {name} has {found:?} at byte {offset} of its value; line breaks cannot be sent"
    )]
    IllegalValue {
        /// The name of the header.
        name: String,
        /// CR, LF or NUL.
        found: char,
        /// Its byte offset in the value.
        offset: usize,
    },
}

impl HeaderEdit {
    /// A header to send as written; the value may be empty.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if name or value would break the head.
    pub fn send(name: &str, value: &str) -> Result<Self, HeaderError> {
        check_name(name)?;
        check_value(name, value)?;
        Ok(Self { name: name.to_owned(), value: Some(value.to_owned()) })
    }

    /// A default header to leave out; its letter case does not matter.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if this is not a valid header name.
    pub fn remove(name: &str) -> Result<Self, HeaderError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), value: None })
    }

    /// The name of the header.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value to send, `None` if the header is left out.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Name and value as sent.
    fn field(&self) -> (&str, &str) {
        (&self.name, self.value.as_deref().unwrap_or_default())
    }

    fn is_about(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl FromStr for HeaderEdit {
    type Err = HeaderError;

    /// Parses the notation of curl's `-H`: `Name: value` sends the header, `Name:` removes the
    /// default, `Name;` sends an empty value. Spaces after the colon are not part of the value.
    fn from_str(text: &str) -> Result<Self, HeaderError> {
        let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
            (Some((name, value)), _) => (name, Some(value.trim_start_matches([' ', '\t']))),
            (None, Some(name)) => (name, None),
            (None, None) => {
                return Err(HeaderError::MissingColon { text: text.to_owned() });
            }
        };
        if name.is_empty() {
            return Err(HeaderError::EmptyName { text: text.to_owned() });
        }
        match value {
            Some("") => Self::remove(name),
            value => Self::send(name, value.unwrap_or_default()),
        }
    }
}

/// Writes a head: the start line, `defaults` changed by `edits`, the blank line. The defaults must
/// have passed [`check_value`] if they contain text from outside. Fields whose names are in `order`
/// are first, in that order.
pub(super) fn write_head(
    start_line: &str,
    defaults: &[(&str, String)],
    edits: &[HeaderEdit],
    order: &[String],
) -> Vec<u8> {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    let given = |edit: &'_ HeaderEdit| edit.value.is_some();
    for (name, value) in defaults {
        if edits.iter().any(|edit| edit.is_about(name)) {
            let edits = edits.iter().filter(|edit| edit.is_about(name) && given(edit));
            fields.extend(edits.map(HeaderEdit::field));
        } else {
            fields.push((name, value));
        }
    }
    let is_default = |edit: &HeaderEdit| defaults.iter().any(|(name, _)| edit.is_about(name));
    let others = edits.iter().filter(|edit| !is_default(edit) && given(edit));
    fields.extend(others.map(HeaderEdit::field));
    fields.sort_by_key(|(name, _)| {
        order.iter().position(|first| first.eq_ignore_ascii_case(name)).unwrap_or(order.len())
    });
    let mut head = format!("{start_line}\r\n");
    for (name, value) in fields {
        write_field(&mut head, name, value);
    }
    head.push_str("\r\n");
    head.into_bytes()
}

fn write_field(head: &mut String, name: &str, value: &str) {
    head.push_str(name);
    head.push_str(if value.is_empty() { ":" } else { ": " });
    head.push_str(value);
    head.push_str("\r\n");
}

fn check_name(name: &str) -> Result<(), HeaderError> {
    let legal = |c: char| u8::try_from(c).is_ok_and(is_token_byte);
    match name.char_indices().find(|&(_, c)| !legal(c)) {
        Some((offset, found)) => {
            Err(HeaderError::IllegalName { name: name.to_owned(), found, offset })
        }
        None if name.is_empty() => Err(HeaderError::EmptyName { text: name.to_owned() }),
        None => Ok(()),
    }
}

/// RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous".
/// Users may try other unusual characters.
pub(super) fn check_value(name: &str, value: &str) -> Result<(), HeaderError> {
    match value.char_indices().find(|(_, c)| matches!(c, '\r' | '\n' | '\0')) {
        Some((offset, found)) => {
            Err(HeaderError::IllegalValue { name: name.to_owned(), found, offset })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(name: &str, value: &str) -> HeaderEdit {
        HeaderEdit::send(name, value).unwrap()
    }

    #[test]
    fn reads_what_curl_reads() {
        let remove = HeaderEdit::remove("Host").unwrap();
        for (text, edit) in [
            ("X-A: b", send("X-A", "b")),
            ("X-A:b: c;", send("X-A", "b: c;")),
            ("X-A:   b ", send("X-A", "b ")),
            ("X-A: grüße", send("X-A", "grüße")),
            ("X-A;", send("X-A", "")),
            ("Host:", remove.clone()),
            ("Host:  ", remove),
        ] {
            assert_eq!(text.parse(), Ok(edit), "{text}");
        }
    }

    #[test]
    fn missing_colon() {
        let error = "X-A".parse::<HeaderEdit>().unwrap_err();
        assert!(matches!(error, HeaderError::MissingColon { .. }));
        assert_eq!(
            error.to_string(),
            "header \"X-A\" has no colon; write 'Name: value', or 'Name;' for an empty value"
        );
    }

    #[test]
    fn empty_name() {
        for text in [": x", ";", ":"] {
            let error = text.parse::<HeaderEdit>().unwrap_err();
            assert!(matches!(error, HeaderError::EmptyName { .. }), "{text}");
        }
    }

    #[test]
    fn illegal_name() {
        for (text, found, offset) in [("X A: b", ' ', 1), ("é: b", 'é', 0), ("a\r\nb;", '\r', 1)]
        {
            match text.parse::<HeaderEdit>() {
                Err(HeaderError::IllegalName { found: f, offset: o, .. }) => {
                    assert_eq!((f, o), (found, offset))
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn illegal_value() {
        for (text, found) in [("A: b\r\nC: d", '\r'), ("A: b\nC: d", '\n'), ("A: b\0", '\0')] {
            match text.parse::<HeaderEdit>() {
                Err(HeaderError::IllegalValue { found: f, offset, .. }) => {
                    assert_eq!((f, offset), (found, 1))
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
