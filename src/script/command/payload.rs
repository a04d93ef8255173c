//! Payloads as they are written: text with escapes, hex, base64, the bytes of a file.

use std::path::PathBuf;

use crate::script::command::Payload;
use crate::script::command::error::{EscapeFault, ParseError, ParseFault, shown};
use crate::script::command::variables::{Scope, TextPart};
use crate::script::command::words::{Word, unquote};
use crate::ui::base64;
use crate::ui::hex::{self, HexFault};
use crate::ui::suggest;

/// How to read a payload that does not begin with a notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Text with escapes.
    Text,
    /// Hex; text if it is in double quotes or has a backslash.
    Hex,
}

/// The prefixes of the notations, with their meaning.
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
/// It can't be read in its notation. The error has the offset of the wrong character.
pub(crate) fn parse(
    piece: Word<'_>,
    plain: Plain,
    scope: Scope<'_>,
) -> Result<Payload, ParseError> {
    // The line as written decides the notation; the value of a variable never begins one.
    let meant = |piece: Word<'_>, read: &dyn Fn(Word<'_>) -> Result<Payload, ParseError>| {
        read(Word { text: &scope.text(piece)?, ..piece })
    };
    if let Some(path) = piece.strip("@") {
        return meant(path, &file);
    }
    if let Some(digits) = piece.strip("hex:") {
        return meant(digits, &|digits| {
            unhex(digits, |word, fault| ParseFault::Hex { word, fault })
        });
    }
    if let Some(digits) = piece.strip("base64:") {
        return meant(digits, &unbase64);
    }
    if let Some(text) = piece.strip("text:") {
        return unescape(text, scope).map(Payload::Bytes);
    }
    mistyped_notation(piece)?;
    match plain {
        Plain::Text => unescape(piece, scope).map(Payload::Bytes),
        Plain::Hex => hex_or_text(piece, scope),
    }
}

/// Finds a mistyped notation, such as `hexx:00ff` or `BASE64:AA==`: the word is almost a notation
/// and the rest can be read in it, so the user did not mean text.
fn mistyped_notation(piece: Word<'_>) -> Result<(), ParseError> {
    let Some((name, rest)) = piece.text.split_once([':', '=']) else { return Ok(()) };
    if rest.trim().is_empty() || name.contains(char::is_whitespace) || name.len() > 8 {
        return Ok(());
    }
    let near = suggest::near(&name.to_ascii_lowercase(), ["hex", "base64", "b64"]);
    let meant = match near.first() {
        Some(&"hex") if hex::unhex(rest).is_ok() => "hex",
        Some(&("base64" | "b64")) if base64::decode(rest.trim_end()).is_ok() => "base64",
        _ => return Ok(()),
    };
    let word = Word { text: &piece.text[..=name.len()], ..piece };
    Err(word.not("not a notation", format!("{meant}:, or text: before a text that begins so")))
}

/// Resolves escapes in text, but not in the values of variables.
///
/// # Errors
///
/// [`ParseFault::Escape`], or a variable is unknown.
pub(crate) fn unescape(piece: Word<'_>, scope: Scope<'_>) -> Result<Vec<u8>, ParseError> {
    let mut bytes = Vec::new();
    for part in scope.parts(piece)? {
        match part {
            TextPart::Value(value) => bytes.extend_from_slice(value.as_bytes()),
            TextPart::Text(piece) => {
                let plain = unescape_text(piece.text);
                bytes.append(
                    &mut plain
                        .map_err(|(at, fault)| ParseFault::Escape(fault).at(piece.at + at))?,
                );
            }
        }
    }
    Ok(bytes)
}

fn file(piece: Word<'_>) -> Result<Payload, ParseError> {
    let (path, len) = unquote(piece, true)?;
    let after = piece.skip(len);
    if !after.text.trim().is_empty() {
        return Err(after.not("not part of the path", "the path alone, in quotes if it has spaces"));
    }
    match path.is_empty() {
        true => Err(ParseFault::NoPath.at(piece.at)),
        false => Ok(Payload::File(PathBuf::from(path))),
    }
}

fn hex_or_text(piece: Word<'_>, scope: Scope<'_>) -> Result<Payload, ParseError> {
    let Some(quoted) = piece.strip("\"") else {
        return match piece.text.contains('\\') {
            true => unescape(piece, scope).map(Payload::Bytes),
            false => unhex(Word { text: &scope.text(piece)?, ..piece }, |word, fault| {
                ParseFault::HexOrQuotes { word, fault }
            }),
        };
    };
    let text =
        quoted.text.trim_end().strip_suffix('"').ok_or(ParseFault::Open('"').at(piece.at))?;
    unescape(Word { text, ..quoted }, scope).map(Payload::Bytes)
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
    base64::decode(digits).map(Payload::Bytes).map_err(|fault| {
        ParseFault::Base64 { word: shown(digits), fault }.at(piece.at + fault.at())
    })
}

/// Resolves the escapes of `text`; does not change anything else.
///
/// # Errors
///
/// The byte offset of the wrong escape's backslash in `text`, and what is wrong.
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

/// Resolves the escape after a backslash; returns the text after the escape.
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

/// Parses hex digits only: `from_str_radix` would also accept a sign.
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
        assert!(
            message.starts_with(r"\d is not an escape; a backslash is written \\"),
            "{message}"
        );
    }
}
