//! Payloads as they are written: text with escapes, hex, base64, the bytes of a file.

use std::path::PathBuf;

use base64::DecodeError;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::script::command::Payload;
use crate::script::command::error::{EscapeFault, ParseError, ParseFault, shown};
use crate::script::command::words::{Word, unquote};
use crate::ui::hex::{self, HexFault};

/// What a payload is that begins with none of the notations' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Text with escapes.
    Text,
    /// Hex; text if it is in double quotes or has a backslash.
    Hex,
}

/// The notations, as they begin, with what they mean.
pub const NOTATIONS: &[(&str, &str)] = &[
    ("@", "the bytes of a file"),
    ("hex:", "bytes in hex"),
    ("base64:", "bytes in base64"),
    ("text:", "text, whatever it begins with"),
];

/// Reads a payload.
///
/// # Errors
///
/// It can't be read in its notation; the offset is that of the guilty character.
pub(crate) fn parse(piece: Word<'_>, plain: Plain) -> Result<Payload, ParseError> {
    if let Some(path) = piece.strip("@") {
        return file(path);
    }
    if let Some(digits) = piece.strip("hex:") {
        return unhex(digits, |word, fault| ParseFault::Hex { word, fault });
    }
    if let Some(digits) = piece.strip("base64:") {
        return unbase64(digits);
    }
    if let Some(text) = piece.strip("text:") {
        return unescape(text).map(Payload::Bytes);
    }
    match plain {
        Plain::Text => unescape(piece).map(Payload::Bytes),
        Plain::Hex => hex_or_text(piece),
    }
}

/// Text with escapes.
///
/// # Errors
///
/// [`ParseFault::Escape`]
pub(crate) fn unescape(piece: Word<'_>) -> Result<Vec<u8>, ParseError> {
    unescape_text(piece.text).map_err(|(at, fault)| ParseFault::Escape(fault).at(piece.at + at))
}

fn file(piece: Word<'_>) -> Result<Payload, ParseError> {
    let (path, len) = unquote(piece, true)?;
    let after = piece.skip(len);
    if !after.text.trim().is_empty() {
        return Err(after.not("behind the path", "the path alone"));
    }
    match path.is_empty() {
        true => Err(ParseFault::NoPath.at(piece.at)),
        false => Ok(Payload::File(PathBuf::from(path))),
    }
}

fn hex_or_text(piece: Word<'_>) -> Result<Payload, ParseError> {
    let Some(quoted) = piece.strip("\"") else {
        return match piece.text.contains('\\') {
            true => unescape(piece).map(Payload::Bytes),
            false => unhex(piece, |word, fault| ParseFault::HexOrQuotes { word, fault }),
        };
    };
    let text =
        quoted.text.trim_end().strip_suffix('"').ok_or(ParseFault::Open('"').at(piece.at))?;
    unescape(Word { text, ..quoted }).map(Payload::Bytes)
}

fn unhex(
    piece: Word<'_>,
    wrong: fn(String, HexFault) -> ParseFault,
) -> Result<Payload, ParseError> {
    hex::unhex(piece.text)
        .map(Payload::Bytes)
        .map_err(|fault| wrong(shown(piece.text), fault).at(piece.at + fault.at()))
}

fn unbase64(piece: Word<'_>) -> Result<Payload, ParseError> {
    let digits = piece.text.trim_end();
    BASE64_STANDARD.decode(digits).map(Payload::Bytes).map_err(|error| {
        let offset = match error {
            DecodeError::InvalidByte(at, _) => at,
            DecodeError::InvalidLastSymbol { offset, .. } => offset,
            _ => digits.len(),
        };
        // The offset may lie inside a character: what is no base64 need not be ASCII.
        let at = piece.at + digits.floor_char_boundary(offset);
        let why = error.to_string().to_lowercase().trim_end_matches('.').to_owned();
        ParseFault::Base64 { word: shown(digits), why }.at(at)
    })
}

/// Resolves the escapes of `text`; all else stays as it is.
///
/// # Errors
///
/// The byte offset of the guilty backslash in `text`, and what is wrong.
fn unescape_text(text: &str) -> Result<Vec<u8>, (usize, EscapeFault)> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.extend_from_slice(plain.as_bytes());
        let at = text.len() - escape.len() - 1;
        rest = resolve(escape, &mut out).map_err(|fault| (at, fault))?;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Resolves what follows a backslash; gives what follows the escape.
fn resolve<'a>(escape: &'a str, out: &mut Vec<u8>) -> Result<&'a str, EscapeFault> {
    let mut chars = escape.chars();
    let byte = match chars.next().ok_or(EscapeFault::Nothing)? {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        '0' => 0,
        'e' => 0x1b,
        'a' => 0x07,
        'b' => 0x08,
        '\\' => b'\\',
        '"' => b'"',
        '@' => b'@',
        'x' => {
            let (digits, rest) = chars.as_str().split_at_checked(2).ok_or(EscapeFault::Byte)?;
            out.push(number(digits).ok_or(EscapeFault::Byte)? as u8);
            return Ok(rest);
        }
        'u' => return character(chars.as_str(), out).ok_or(EscapeFault::Character),
        found => return Err(EscapeFault::Unknown { found }),
    };
    out.push(byte);
    Ok(chars.as_str())
}

fn character<'a>(braces: &'a str, out: &mut Vec<u8>) -> Option<&'a str> {
    let (digits, rest) = braces.strip_prefix('{')?.split_once('}')?;
    let character = char::from_u32(number(digits)?)?;
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(rest)
}

/// Hex digits, and nothing else: `from_str_radix` would take a sign.
fn number(digits: &str) -> Option<u32> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| all_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_every_escape() {
        let all = r#"a\n\r\t\0\e\a\b\\\"\@\xff\u{1F600}z"#;
        let wanted = b"a\n\r\t\0\x1b\x07\x08\\\"@\xff\xf0\x9f\x98\x80z";
        assert_eq!(unescape_text(all).as_deref(), Ok(&wanted[..]));
        assert_eq!(unescape_text("häh").as_deref(), Ok("häh".as_bytes()));
    }

    #[test]
    fn an_error_names_the_wrong_escape_and_how_to_write_a_backslash() {
        for (text, at, fault) in [
            (r"C:\dir", 2, EscapeFault::Unknown { found: 'd' }),
            (r"ab\", 2, EscapeFault::Nothing),
            (r"\x1", 0, EscapeFault::Byte),
            (r"\x+1", 0, EscapeFault::Byte),
            (r"\x1é", 0, EscapeFault::Byte),
            (r"é\u0041", 2, EscapeFault::Character),
            (r"\u{d800}", 0, EscapeFault::Character),
            (r"\u{}", 0, EscapeFault::Character),
        ] {
            assert_eq!(unescape_text(text), Err((at, fault)), "{text}");
        }
        let message = EscapeFault::Unknown { found: 'd' }.to_string();
        assert!(message.starts_with(r"\d is no escape; a backslash is written \\"), "{message}");
    }
}
