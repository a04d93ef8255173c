//! Headers the user gives by hand: how they are written (`-H`, the curl habits), and
//! how they change the headers a head would have by default.

use std::str::FromStr;

use thiserror::Error;

use crate::wire::head::is_token_byte;

/// One change to the default headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Sends this header. All values given for one name stand, in the order given, in
    /// the place of the default header of that name, or behind all others.
    Send {
        /// The name, sent as written.
        name: String,
        /// The value, sent as written; may be empty.
        value: String,
    },
    /// Leaves the default header of this name out.
    Remove {
        /// The name, in any case.
        name: String,
    },
}

/// Why a header cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Neither `Name: value` nor `Name;`.
    #[error("header {text:?} has no colon; write 'Name: value', or 'Name;' for an empty value")]
    MissingColon {
        /// The text as given.
        text: String,
    },
    /// Nothing before the colon.
    #[error("header {text:?} has no name before the colon")]
    EmptyName {
        /// The text as given.
        text: String,
    },
    /// A character that no header name may hold.
    #[error("character {found:?} at byte {offset} cannot stand in a header name: {name:?}")]
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
    /// A header to send.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if name or value would break the head.
    pub fn send(name: &str, value: &str) -> Result<Self, HeaderError> {
        check_name(name)?;
        check_value(name, value)?;
        Ok(Self::Send {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    /// The name of the header it is about.
    pub fn name(&self) -> &str {
        match self {
            Self::Send { name, .. } | Self::Remove { name } => name,
        }
    }
}

impl FromStr for HeaderEdit {
    type Err = HeaderError;

    /// Reads what curl's `-H` takes: `Name: value` sends, `Name:` removes the default,
    /// `Name;` sends an empty value. Spaces behind the colon are not part of the value.
    fn from_str(text: &str) -> Result<Self, HeaderError> {
        let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
            (Some((name, value)), _) => (name, Some(value.trim_start_matches([' ', '\t']))),
            (None, Some(name)) => (name, None),
            (None, None) => {
                return Err(HeaderError::MissingColon {
                    text: text.to_owned(),
                });
            }
        };
        if name.is_empty() {
            return Err(HeaderError::EmptyName {
                text: text.to_owned(),
            });
        }
        match value {
            Some("") => {
                check_name(name)?;
                Ok(Self::Remove {
                    name: name.to_owned(),
                })
            }
            value => Self::send(name, value.unwrap_or_default()),
        }
    }
}

/// Writes a head: the start line, `defaults` changed by `edits`, the blank line.
///
/// # Errors
///
/// [`HeaderError`] for a line break in any name or value, whoever supplied it.
pub(super) fn write_head(
    start_line: &str,
    defaults: &[(&str, String)],
    edits: &[HeaderEdit],
) -> Result<Vec<u8>, HeaderError> {
    let mut head = Vec::with_capacity(512);
    check_value("start line", start_line)?;
    head.extend_from_slice(start_line.as_bytes());
    head.extend_from_slice(b"\r\n");
    for (name, value) in defaults {
        if edits
            .iter()
            .any(|edit| edit.name().eq_ignore_ascii_case(name))
        {
            for edit in edits {
                if edit.name().eq_ignore_ascii_case(name) {
                    write_edit(&mut head, edit)?;
                }
            }
        } else {
            write_field(&mut head, name, value)?;
        }
    }
    for edit in edits {
        let replaced_a_default = defaults
            .iter()
            .any(|(name, _)| edit.name().eq_ignore_ascii_case(name));
        if !replaced_a_default {
            write_edit(&mut head, edit)?;
        }
    }
    head.extend_from_slice(b"\r\n");
    Ok(head)
}

fn write_edit(head: &mut Vec<u8>, edit: &HeaderEdit) -> Result<(), HeaderError> {
    match edit {
        HeaderEdit::Send { name, value } => write_field(head, name, value),
        HeaderEdit::Remove { .. } => Ok(()),
    }
}

fn write_field(head: &mut Vec<u8>, name: &str, value: &str) -> Result<(), HeaderError> {
    check_name(name)?;
    check_value(name, value)?;
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(if value.is_empty() { b":" } else { b": " });
    head.extend_from_slice(value.as_bytes());
    head.extend_from_slice(b"\r\n");
    Ok(())
}

fn check_name(name: &str) -> Result<(), HeaderError> {
    let legal = |c: char| u8::try_from(c).is_ok_and(is_token_byte);
    match name.char_indices().find(|&(_, c)| !legal(c)) {
        Some((offset, found)) => Err(HeaderError::IllegalName {
            name: name.to_owned(),
            found,
            offset,
        }),
        None if name.is_empty() => Err(HeaderError::EmptyName {
            text: name.to_owned(),
        }),
        None => Ok(()),
    }
}

/// RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and
/// dangerous". Other odd characters are the user's to try.
fn check_value(name: &str, value: &str) -> Result<(), HeaderError> {
    match value
        .char_indices()
        .find(|(_, c)| matches!(c, '\r' | '\n' | '\0'))
    {
        Some((offset, found)) => Err(HeaderError::IllegalValue {
            name: name.to_owned(),
            found,
            offset,
        }),
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
        let remove = HeaderEdit::Remove {
            name: "Host".to_owned(),
        };
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
                Err(HeaderError::IllegalName {
                    found: f,
                    offset: o,
                    ..
                }) => assert_eq!((f, o), (found, offset)),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn illegal_value() {
        for (text, found) in [
            ("A: b\r\nC: d", '\r'),
            ("A: b\nC: d", '\n'),
            ("A: b\0", '\0'),
        ] {
            match text.parse::<HeaderEdit>() {
                Err(HeaderError::IllegalValue {
                    found: f, offset, ..
                }) => assert_eq!((f, offset), (found, 1)),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
