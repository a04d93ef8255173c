//! The lists in handshake headers: extensions (RFC 6455 §9.1) and subprotocols (§4.1,
//! §11.3.4). Works on header values, one slice for each header line; several lines of
//! one name count as one list. It knows no particular extension.

use std::fmt;

use thiserror::Error;

use crate::wire::head::{is_token, is_token_byte, trim_white_space};

/// One element of `Sec-WebSocket-Extensions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The extension's name, case preserved.
    pub name: String,
    /// Its parameters in order, repeated ones included.
    pub params: Vec<ExtensionParam>,
}

/// One `;name` or `;name=value` of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionParam {
    /// The parameter's name, case preserved.
    pub name: String,
    /// The value, unescaped if it was quoted.
    pub value: Option<String>,
    /// Whether the value was written as a quoted string.
    pub quoted: bool,
}

impl ExtensionParam {
    /// An unquoted parameter, as wscope writes it.
    pub fn new(name: impl Into<String>, value: Option<String>) -> Self {
        Self { name: name.into(), value, quoted: false }
    }
}

impl Extension {
    /// Whether the extension has this parameter, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.params.iter().any(|param| param.name == name)
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for param in &self.params {
            write!(f, "; {}", param.name)?;
            match (&param.value, param.quoted) {
                (Some(value), true) => write!(f, "=\"{value}\"")?,
                (Some(value), false) => write!(f, "={value}")?,
                (None, _) => {}
            }
        }
        Ok(())
    }
}

/// Where and how a list breaks its grammar.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset} of header line {line}")]
pub struct GrammarError {
    /// What is wrong.
    pub kind: GrammarErrorKind,
    /// Which of the header lines of that name, counted from 1.
    pub line: usize,
    /// The byte offset in the value of that line, counted from 0.
    pub offset: usize,
}

/// The ways to break a list.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GrammarErrorKind {
    /// The header is present but its list is empty.
    #[error("empty list")]
    EmptyList,
    /// An empty subprotocol.
    #[error("empty element")]
    EmptyElement,
    /// A name or value is missing.
    #[error("missing {0}")]
    Missing(ExtensionPart),
    /// A byte that is not allowed in a token.
    #[error("byte 0x{0:02x}, which no token may hold,")]
    IllegalByte(u8),
    /// The closing quote is missing.
    #[error("quoted value without its closing quote")]
    UnterminatedQuote,
    /// The quoted value is not a token.
    #[error("quoted value that is not a token")]
    QuotedNotToken,
    /// A subprotocol is in the list twice.
    #[error("repeated {0:?}")]
    Repeated(String),
}

/// The parts of an extension that can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtensionPart {
    /// Before the first `;`.
    ExtensionName,
    /// After a `;`.
    ParameterName,
    /// After a `=`.
    ParameterValue,
}

impl fmt::Display for ExtensionPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExtensionName => "extension name",
            Self::ParameterName => "parameter name",
            Self::ParameterValue => "parameter value",
        })
    }
}

/// Parses the extension list in all these header values.
///
/// Empty elements between commas are skipped: RFC 6455 §9.1 takes its list rule from
/// RFC 2616 §2.1, where "null elements are allowed, but do not contribute to the count
/// of elements present".
///
/// # Errors
///
/// The first [`GrammarError`]; [`GrammarErrorKind::EmptyList`] if there are header
/// lines but no extension in them.
pub fn parse_extensions<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Extension>, GrammarError> {
    let mut extensions = Vec::new();
    let mut count = 0;
    for value in lines {
        count += 1;
        let mut cursor = Scanner { bytes: value, at: 0, line: count };
        loop {
            cursor.skip_space();
            match cursor.peek() {
                None => break,
                Some(b',') => cursor.at += 1,
                Some(_) => extensions.push(cursor.extension()?),
            }
        }
    }
    if count > 0 && extensions.is_empty() {
        return Err(GrammarError { kind: GrammarErrorKind::EmptyList, line: 1, offset: 0 });
    }
    Ok(extensions)
}

/// A subprotocol list with all its faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubprotocolList {
    /// The legal names in order, each once.
    pub names: Vec<String>,
    /// Other elements, in order.
    pub faults: Vec<GrammarError>,
}

/// Parses the subprotocol list in all these header values.
///
/// RFC 6455 §4.1: "The elements that comprise this value MUST be non-empty strings with
/// characters in the range U+0021 to U+007E not including separator characters as
/// defined in \[RFC2616\] and MUST all be unique strings."
pub fn parse_subprotocols<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> SubprotocolList {
    let mut list = SubprotocolList::default();
    for (index, value) in lines.into_iter().enumerate() {
        let mut start = 0;
        for element in value.split(|&byte| byte == b',') {
            let lead = element.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
            let name = trim_white_space(element);
            let mut fault = |kind, offset| {
                list.faults.push(GrammarError { kind, line: index + 1, offset: start + offset });
            };
            if name.is_empty() {
                fault(GrammarErrorKind::EmptyElement, 0);
            } else if let Some(bad) = name.iter().position(|&byte| !is_token_byte(byte)) {
                fault(GrammarErrorKind::IllegalByte(name[bad]), lead + bad);
            } else {
                let name = text(name);
                if list.names.contains(&name) {
                    fault(GrammarErrorKind::Repeated(name), lead);
                } else {
                    list.names.push(name);
                }
            }
            start += element.len() + 1;
        }
    }
    list
}

/// A position in one header value.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Scanner<'_> {
    /// `extension = extension-token *( ";" extension-param )`, up to a comma or the end.
    fn extension(&mut self) -> Result<Extension, GrammarError> {
        let name = self.token(ExtensionPart::ExtensionName)?;
        let mut params = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                None | Some(b',') => return Ok(Extension { name, params }),
                Some(b';') => {
                    self.at += 1;
                    self.skip_space();
                    params.push(self.param()?);
                }
                Some(byte) => return Err(self.error(GrammarErrorKind::IllegalByte(byte))),
            }
        }
    }

    /// `extension-param = token [ "=" (token | quoted-string) ]`
    fn param(&mut self) -> Result<ExtensionParam, GrammarError> {
        let name = self.token(ExtensionPart::ParameterName)?;
        self.skip_space();
        if self.peek() != Some(b'=') {
            return Ok(ExtensionParam::new(name, None));
        }
        self.at += 1;
        self.skip_space();
        let quoted = self.peek() == Some(b'"');
        let value =
            if quoted { self.quoted_string()? } else { self.token(ExtensionPart::ParameterValue)? };
        Ok(ExtensionParam { name, value: Some(value), quoted })
    }

    fn token(&mut self, part: ExtensionPart) -> Result<String, GrammarError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|&&byte| is_token_byte(byte)).count();
        if length == 0 {
            let kind = match self.peek() {
                None | Some(b',' | b';' | b'=') => GrammarErrorKind::Missing(part),
                Some(byte) => GrammarErrorKind::IllegalByte(byte),
            };
            return Err(self.error(kind));
        }
        self.at += length;
        Ok(text(&rest[..length]))
    }

    /// RFC 6455 §9.1: "When using the quoted-string syntax variant, the value after
    /// quoted-string unescaping MUST conform to the 'token' ABNF."
    fn quoted_string(&mut self) -> Result<String, GrammarError> {
        let opening = self.at;
        let mut value = Vec::new();
        loop {
            self.at += 1;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    value.extend(self.peek());
                }
                Some(byte) => value.push(byte),
                None => {
                    self.at = opening;
                    return Err(self.error(GrammarErrorKind::UnterminatedQuote));
                }
            }
        }
        if !is_token(&value) {
            self.at = opening;
            return Err(self.error(GrammarErrorKind::QuotedNotToken));
        }
        self.at += 1;
        Ok(text(&value))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn error(&self, kind: GrammarErrorKind) -> GrammarError {
        GrammarError { kind, line: self.line, offset: self.at }
    }
}

/// Token bytes are ASCII, so nothing is lost here.
fn text(token: &[u8]) -> String {
    token.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extensions(lines: &[&str]) -> Result<Vec<Extension>, GrammarError> {
        parse_extensions(lines.iter().map(|line| line.as_bytes()))
    }

    fn written(lines: &[&str]) -> Vec<String> {
        let list = extensions(lines).unwrap();
        list.iter().map(ToString::to_string).collect()
    }

    fn subprotocols(lines: &[&str]) -> SubprotocolList {
        parse_subprotocols(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn rfc_6455_section_9_1_samples() {
        assert_eq!(written(&["foo", "bar; baz=2"]), ["foo", "bar; baz=2"]);
        assert_eq!(written(&["foo, bar; baz=2"]), ["foo", "bar; baz=2"]);
        assert_eq!(written(&["deflate-stream"]), ["deflate-stream"]);
        assert_eq!(
            written(&["mux; max-channels=4; flow-control, deflate-stream"]),
            ["mux; max-channels=4; flow-control", "deflate-stream"]
        );
        assert_eq!(written(&["private-extension"]), ["private-extension"]);
    }

    #[test]
    fn white_space_and_empty_elements_are_skipped() {
        assert_eq!(written(&[" a\t; b = 1 ,, c ,"]), ["a; b=1", "c"]);
    }

    #[test]
    fn a_quoted_value_is_unescaped() {
        let list = extensions(&[r#"a; b="1\0"; c=d"#]).unwrap();
        assert_eq!(list[0].params[0].value.as_deref(), Some("10"));
        assert!(list[0].params[0].quoted);
        assert!(!list[0].params[1].quoted);
        assert_eq!(list[0].to_string(), r#"a; b="10"; c=d"#);
    }

    #[test]
    fn no_header_is_no_error() {
        assert_eq!(extensions(&[]), Ok(Vec::new()));
    }

    #[test]
    fn each_extension_error_has_its_offset() {
        use GrammarErrorKind::*;
        for (lines, kind, line, offset) in [
            (&[""][..], EmptyList, 1, 0),
            (&[" , "], EmptyList, 1, 0),
            (&[";a"], Missing(ExtensionPart::ExtensionName), 1, 0),
            (&["a;"], Missing(ExtensionPart::ParameterName), 1, 2),
            (&["a; =1"], Missing(ExtensionPart::ParameterName), 1, 3),
            (&["a; b="], Missing(ExtensionPart::ParameterValue), 1, 5),
            (&["a", "b b"], IllegalByte(b'b'), 2, 2),
            (&["a; b=1=2"], IllegalByte(b'='), 1, 6),
            (&["a@"], IllegalByte(b'@'), 1, 1),
            (&["\u{e9}"], IllegalByte(0xc3), 1, 0),
            (&["a; b=\"1"], UnterminatedQuote, 1, 5),
            (&["a; b=\"1\\"], UnterminatedQuote, 1, 5),
            (&["a; b=\"1 2\""], QuotedNotToken, 1, 5),
            (&["a; b=\"\""], QuotedNotToken, 1, 5),
        ] {
            let error = extensions(lines).unwrap_err();
            assert_eq!(error, GrammarError { kind, line, offset }, "{lines:?}");
        }
    }

    #[test]
    fn an_error_reads_as_a_sentence() {
        assert_eq!(
            extensions(&["a@"]).unwrap_err().to_string(),
            "byte 0x40, which no token may hold, at byte 1 of header line 1"
        );
    }

    #[test]
    fn subprotocol_lines_combine() {
        let list = subprotocols(&["chat, superchat", "v12.stomp"]);
        assert_eq!(list.names, ["chat", "superchat", "v12.stomp"]);
        assert_eq!(list.faults, []);
        assert_eq!(subprotocols(&[]), SubprotocolList::default());
    }

    #[test]
    fn each_subprotocol_fault_has_its_offset() {
        use GrammarErrorKind::*;
        for (lines, kind, line, offset) in [
            (&[""][..], EmptyElement, 1, 0),
            (&["a,, b"], EmptyElement, 1, 2),
            (&["a", "b c"], IllegalByte(b' '), 2, 1),
            (&["a, b/c"], IllegalByte(b'/'), 1, 4),
            (&["a, b, a"], Repeated("a".to_owned()), 1, 6),
        ] {
            let list = subprotocols(lines);
            assert_eq!(list.faults, [GrammarError { kind, line, offset }], "{lines:?}");
        }
    }

    #[test]
    fn names_that_differ_in_case_differ() {
        assert_eq!(subprotocols(&["a, A"]).names, ["a", "A"]);
    }
}
