//! JSON, RFC 8259. Keeps the order of keys, and numbers exactly as written.

use crate::lens::Value;

/// The deepest nesting of lists and objects. Document trees are deeper than values of other
/// formats.
const DEPTH: usize = 256;

/// Parses a text that is a single value.
pub fn read(text: &str) -> Option<Value> {
    let (value, end) = read_first(text)?;
    text[end..].bytes().all(is_space).then_some(value)
}

/// Parses the value at the beginning of a text; returns its end, too.
pub(in crate::lens) fn read_first(text: &str) -> Option<(Value, usize)> {
    let mut reader = JsonReader { text, at: 0 };
    let value = reader.value(DEPTH)?;
    Some((value, reader.at))
}

/// The complete entries at the beginning of a text whose object is incomplete or has an invalid
/// entry; and the name of that entry.
pub(in crate::lens) fn begun(text: &str) -> (Value, Option<String>) {
    let mut reader = JsonReader { text, at: 0 };
    let (mut entries, mut next) = (Vec::new(), None);
    if !reader.takes(b'{') {
        return (Value::Map(entries), None);
    }
    while let Some(key) = {
        reader.skip_space();
        reader.string()
    } {
        let value = reader.takes(b':').then(|| reader.value(DEPTH)).flatten();
        // A number may continue after the end of the text.
        match value.filter(|_| {
            reader.skip_space();
            reader.peek().is_some()
        }) {
            Some(value) => entries.push((key.into(), value)),
            None => {
                next = Some(key);
                break;
            }
        }
        if !reader.takes(b',') {
            break;
        }
    }
    (Value::Map(entries), next)
}

/// Whether a text is nested too deep, if it is JSON.
pub(in crate::lens) fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return true;
        }
    }
    false
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct JsonReader<'t> {
    text: &'t str,
    at: usize,
}

impl JsonReader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Takes a byte if it is next after white space.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_space();
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b'{' => {
                let mut entries = Vec::new();
                self.items(
                    b'}',
                    |reader, depth| {
                        reader.skip_space();
                        let key = reader.string()?;
                        let value = reader.takes(b':').then(|| reader.value(depth))??;
                        entries.push((key.into(), value));
                        Some(())
                    },
                    depth,
                )?;
                Some(Value::Map(entries))
            }
            b'[' => {
                let mut values = Vec::new();
                self.items(
                    b']',
                    |reader, depth| {
                        values.push(reader.value(depth)?);
                        Some(())
                    },
                    depth,
                )?;
                Some(Value::List(values))
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let words = [("null", Value::Null), ("true", true.into()), ("false", false.into())];
                let rest = &self.text[self.at..];
                let (word, value) = words.into_iter().find(|(word, _)| rest.starts_with(word))?;
                self.at += word.len();
                Some(value)
            }
        }
    }

    /// The items between brackets, separated by commas.
    fn items(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self, usize) -> Option<()>,
        depth: usize,
    ) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.at += 1;
        if self.takes(end) {
            return Some(());
        }
        loop {
            item(self, depth)?;
            if self.takes(end) {
                return Some(());
            }
            self.takes(b',').then_some(())?;
        }
    }

    /// A text in quotes. Half of a surrogate pair, which JavaScript may send, becomes U+FFFD.
    fn string(&mut self) -> Option<String> {
        if self.peek() != Some(b'"') {
            return None;
        }
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
            let len = rest.bytes().position(|byte| !plain(&byte))?;
            string.push_str(&rest[..len]);
            self.at += len + 1;
            match rest.as_bytes()[len] {
                b'"' => return Some(string),
                b'\\' => string.push(self.escaped()?),
                _ => return None,
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => byte.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits()?;
                let before = self.at;
                let low = if (0xd800..0xdc00).contains(&first)
                    && self.text[self.at..].starts_with("\\u")
                {
                    self.at += 2;
                    self.four_digits().filter(|low| (0xdc00..0xe000).contains(low))
                } else {
                    None
                };
                match low {
                    Some(low) => char::from_u32(0x10000 + ((first - 0xd800) << 10) + low - 0xdc00)?,
                    None => {
                        self.at = before;
                        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
                    }
                }
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.at;
        let digits = self.digits()?;
        if digits > 1 && self.text.as_bytes()[whole] == b'0' {
            return None;
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            (self.at, is_whole) = (self.at + 1, false);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            (self.at, is_whole) = (self.at + 1, false);
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if is_whole
            && text != "-0"
            && let Ok(number) = text.parse()
        {
            return Some(Value::Integer(number));
        }
        // A number in an unusual notation is kept as written, because the notation may matter.
        let number = text.parse().ok().filter(|number: &f64| format!("{number:?}") == text);
        Some(number.map_or_else(|| Value::Number(text.to_owned()), Value::Float))
    }

    /// Takes at least one digit.
    fn digits(&mut self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += len;
        (len > 0).then_some(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn order_and_types_are_kept() {
        let text = r#"{"z":1,"a":[true,null,-2,1.5,"\"é"],"z":{}}"#;
        assert_eq!(read(text).expect("valid").json(), text);
    }

    #[test]
    fn numbers_are_as_they_are_written() {
        for text in [
            "9007199254740993",
            "18446744073709551616",
            "340282366920938463463374607431768211456",
            "-170141183460469231731687303715884105729",
            "0.1",
            "1.10",
            "0.30000000000000000001",
            "1e2",
            "1E+400",
            "-0",
            "-0.0",
        ] {
            assert_eq!(read(text).expect("a number").json(), text);
        }
        for text in ["01", "-", "1.", ".5", "1e", "+1", "0x1", "1e+", "NaN"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_read() {
        let text = r#""\"\\\/\b\f\n\r\té😀\ud800x\ud800A""#;
        let expected = "\"\\/\u{8}\u{c}\n\r\té😀\u{fffd}x\u{fffd}A";
        assert_eq!(read(text), Some(expected.into()));
        for text in [r#""\x""#, r#""\u12""#, r#""\u+123""#, "\"\n\"", "\"", "\"\\"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_refused() {
        for text in ["{", "", " ", "[1,]", "[,]", "{\"a\"}", "{1:2}", "nul", "truex", "[1] x", "[}"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"[".repeat(100_000)), None);
        assert_eq!(read_first("[1] x"), Some((Value::List(vec![1u8.into()]), 3)));
    }

    proptest! {
        #[test]
        fn what_another_reader_reads_is_read(text in r#"[ \[\]{}:,"\\u0-9a-f.eE+truenls-]{0,40}"#) {
            let other = serde_json::from_str::<serde_json::Value>(&text);
            // It refuses numbers that are too large, and halves of surrogate pairs.
            if other.is_ok() {
                prop_assert!(read(&text).is_some());
            } else if let Some(value) = read(&text) {
                prop_assert!(value.json().contains('e') || text.contains("\\ud"), "{}", text);
            }
        }
    }
}
