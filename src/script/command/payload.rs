//! Payloads as they are written: text with escapes, hex, base64, the bytes of a file.

use std::path::PathBuf;

use base64::DecodeError;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::script::command::Payload;
use crate::script::command::error::{Fault, ParseError, shown};
use crate::script::command::escape;
use crate::script::command::words::{Piece, unquote};
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
pub(crate) fn parse(piece: Piece<'_>, plain: Plain) -> Result<Payload, ParseError> {
    if let Some(path) = piece.strip("@") {
        return file(path);
    }
    if let Some(digits) = piece.strip("hex:") {
        return unhex(digits, |word, fault| Fault::Hex { word, fault });
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
/// [`Fault::Escape`]
pub(crate) fn unescape(piece: Piece<'_>) -> Result<Vec<u8>, ParseError> {
    escape::unescape(piece.text).map_err(|(at, fault)| Fault::Escape(fault).at(piece.at + at))
}

fn file(piece: Piece<'_>) -> Result<Payload, ParseError> {
    let (path, len) = unquote(piece, true)?;
    let after = piece.skip(len);
    if !after.text.trim().is_empty() {
        return Err(after.not("behind the path", "the path alone"));
    }
    match path.is_empty() {
        true => Err(Fault::NoPath.at(piece.at)),
        false => Ok(Payload::File(PathBuf::from(path))),
    }
}

fn hex_or_text(piece: Piece<'_>) -> Result<Payload, ParseError> {
    let Some(quoted) = piece.strip("\"") else {
        return match piece.text.contains('\\') {
            true => unescape(piece).map(Payload::Bytes),
            false => unhex(piece, |word, fault| Fault::HexOrQuotes { word, fault }),
        };
    };
    let text = quoted.text.trim_end().strip_suffix('"').ok_or(Fault::Open('"').at(piece.at))?;
    unescape(Piece { text, ..quoted }).map(Payload::Bytes)
}

fn unhex(piece: Piece<'_>, wrong: fn(String, HexFault) -> Fault) -> Result<Payload, ParseError> {
    hex::unhex(piece.text)
        .map(Payload::Bytes)
        .map_err(|fault| wrong(shown(piece.text), fault).at(piece.at + fault.at()))
}

fn unbase64(piece: Piece<'_>) -> Result<Payload, ParseError> {
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
        Fault::Base64 { word: shown(digits), why }.at(at)
    })
}
