//! Escapes in texts that are typed: how bytes are written that no key has.
//!
//! Text in, bytes out; plain lines never come here, they are sent as they are.

/// Why an escape can't be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EscapeFault {
    /// A backslash before something else.
    #[error("\\{} is no escape; a backslash is written \\\\ (known: {KNOWN})", .found.escape_default())]
    Unknown {
        /// What follows the backslash.
        found: char,
    },
    /// A backslash at the end.
    #[error("nothing follows the backslash; a backslash is written \\\\ (known: {KNOWN})")]
    Nothing,
    /// `\x` without two digits.
    #[error("\\x needs two hex digits, as in \\x7f")]
    Byte,
    /// `\u` without a character's number.
    #[error("\\u needs the number of a character, as in \\u{{1F600}}")]
    Character,
}

/// All escapes, as the message about an unknown one and the help list them.
pub const KNOWN: &str = r#"\n \r \t \0 \e \a \b \\ \" \@ \xHH \u{1F600}"#;

/// Resolves the escapes of `text`; all else stays as it is.
///
/// # Errors
///
/// The byte offset of the guilty backslash in `text`, and what is wrong.
pub fn unescape(text: &str) -> Result<Vec<u8>, (usize, EscapeFault)> {
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
        assert_eq!(unescape(all).as_deref(), Ok(&wanted[..]));
        assert_eq!(unescape("häh").as_deref(), Ok("häh".as_bytes()));
    }

    #[test]
    fn says_where_an_escape_is_wrong_and_how_to_write_a_backslash() {
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
            assert_eq!(unescape(text), Err((at, fault)), "{text}");
        }
        let said = EscapeFault::Unknown { found: 'd' }.to_string();
        assert!(said.starts_with(r"\d is no escape; a backslash is written \\"), "{said}");
    }
}
