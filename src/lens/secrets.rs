//! What is taken out of meanings before they are shown.

use std::borrow::Cow;

/// What is secret, and what is shown instead.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// Whether what goes by this name is secret.
    pub is_secret: &'a dyn Fn(&str) -> bool,
    /// A text without the secrets that are known by their value.
    pub clean: &'a dyn for<'t> Fn(&'t str) -> Cow<'t, str>,
    /// What is shown in the place of a secret.
    pub mask: &'a str,
}

impl Secrets<'_> {
    /// A text about a conversation without secrets. Its lines begin with names of ours.
    pub fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.take_out_of_line(&mut text);
        text
    }

    /// Takes secrets out of a text: those that it quotes as JSON, those that a line has behind their
    /// name, and those that are known by their value.
    pub(super) fn take_out_of(&self, text: &mut String) {
        if let Some(masked) = mask_lines(text, self.is_secret, self.mask) {
            *text = masked;
        }
        self.take_out_of_line(text);
    }

    fn take_out_of_line(&self, text: &mut String) {
        if let Some(masked) = mask_quoted(text, self.is_secret, self.mask) {
            *text = masked;
        }
        if let Some(masked) = mask_arguments(text, self.is_secret, self.mask) {
            *text = masked;
        }
        if let Cow::Owned(cleaned) = (self.clean)(text) {
            *text = cleaned;
        }
    }
}

/// A text with `mask` in place of the values whose JSON name is a secret's, as in `"token":"…"`, also
/// where the JSON is itself in a string, or in one in a string. `None` if there is none.
fn mask_quoted(text: &str, is_secret: &dyn Fn(&str) -> bool, mask: &str) -> Option<String> {
    let (mut masked, mut done) = (String::new(), 0);
    let mut at = 0;
    while let Some(begin) = text[at..].find('"').map(|quote| at + quote + 1) {
        at = begin;
        let Some(end) = text[begin..].find('"').map(|quote| begin + quote) else { break };
        let name = text[begin..end].trim_end_matches('\\');
        // In a string of JSON a quote has a backslash, in one in that three, then seven.
        let quote = &text[begin + name.len()..=end];
        let Some(value) = text[end + 1..].trim_start().strip_prefix(':').map(str::trim_start)
        else {
            continue;
        };
        if !is_secret(name) {
            continue;
        }
        let start = text.len() - value.len();
        let (from, to) = match value.strip_prefix(quote) {
            Some(string) => {
                let from = start + quote.len();
                (from, from + string_end(string, quote.len() - 1))
            }
            None => (start, start + value_end(value, quote.len() - 1)),
        };
        masked.push_str(&text[done..from]);
        masked.push_str(mask);
        (done, at) = (to, to);
        // Behind the quote that ends it.
        at += text[to..].find('"').filter(|_| from > start).map_or(0, |quote| quote + 1);
    }
    (done > 0).then(|| masked + &text[done..])
}

/// A text with `mask` in place of what follows a secret's name and a colon on a line, as in
/// `passcode:…` of STOMP, or `a=ice-pwd:…` of SDP. `None` if there is none.
fn mask_lines(text: &str, is_secret: &dyn Fn(&str) -> bool, mask: &str) -> Option<String> {
    let is_header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let name = name.strip_prefix("a=").unwrap_or(name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let value = value.trim();
        (name.chars().all(is_name) && is_secret(name) && !value.is_empty()).then(|| {
            let from = line.len() - line.split_once(':').map_or(0, |(_, value)| value.len());
            from + line[from..].find(value).unwrap_or(0)..from + line[from..].trim_end().len()
        })
    };
    let mut masked = String::new();
    let mut is_any = false;
    for line in text.split_inclusive('\n') {
        match is_header(line) {
            Some(value) => {
                is_any = true;
                masked.push_str(&line[..value.start]);
                masked.push_str(mask);
                masked.push_str(&line[value.end..]);
            }
            None => masked.push_str(line),
        }
    }
    is_any.then_some(masked)
}

/// A text with `mask` in place of the values that go by a secret's name without quotes, as in
/// `login(password:"…")` of GraphQL, also where that is in a string of JSON. `None` if there is none.
fn mask_arguments(text: &str, is_secret: &dyn Fn(&str) -> bool, mask: &str) -> Option<String> {
    let (mut masked, mut done, mut at) = (String::new(), 0, 0);
    while let Some(colon) = text[at..].find(':').map(|colon| at + colon) {
        at = colon + 1;
        let before = text[done..colon].trim_end();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = &before[before.trim_end_matches(is_part).len()..];
        if name.is_empty() || !is_secret(name) {
            continue;
        }
        let value = with_default(text[at..].trim_start());
        let start = text.len() - value.len();
        let level = value.bytes().take_while(|byte| *byte == b'\\').count();
        if value.starts_with(['[', '{', '-']) || value.starts_with(|c: char| c.is_ascii_digit()) {
            // Of a text in a string the quotes have backslashes.
            let level = value.find('"').map_or(0, |quote| {
                value[..quote].bytes().rev().take_while(|byte| *byte == b'\\').count()
            });
            let end = value.find([')', ',', '}', ' ']).filter(|_| !value.starts_with(['[', '{']));
            let to = start + end.unwrap_or_else(|| value_end(value, level));
            masked.push_str(&text[done..start]);
            masked.push_str(mask);
            (done, at) = (to, to);
            continue;
        }
        if !value[level..].starts_with('"') {
            continue;
        }
        let quote = &value[..=level];
        let from = text.len() - value.len() + quote.len();
        let string = &text[from..];
        // A block string has three quotes at each end.
        let (from, to) = match string.strip_prefix(&quote.repeat(2)) {
            Some(block) => {
                let from = text.len() - block.len();
                (from, from + block.find(&quote.repeat(3)).unwrap_or(block.len()))
            }
            None => (from, from + string_end(string, level)),
        };
        masked.push_str(&text[done..from]);
        masked.push_str(mask);
        (done, at) = (to, to);
    }
    (done > 0).then(|| masked + &text[done..])
}

/// What follows the type of a variable, as in `String! = "…"`, if there is a default; else the value
/// itself.
fn with_default(value: &str) -> &str {
    let is_type = |c: char| c.is_ascii_alphanumeric() || "_!".contains(c);
    let behind = value.trim_start_matches(is_type).trim_start();
    match behind.strip_prefix('=') {
        Some(default) if behind.len() < value.len() => default.trim_start(),
        _ => value,
    }
}

/// Where a string ends whose quotes have so many backslashes; one with more is part of it.
fn string_end(string: &str, level: usize) -> usize {
    quotes(string, level).next().map_or(string.len(), |at| at - level)
}

/// The quotes of JSON in a text that have so many backslashes because it is itself in a string.
fn quotes(text: &str, level: usize) -> impl Iterator<Item = usize> {
    let before = |at: usize| text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
    text.match_indices('"').map(|(at, _)| at).filter(move |at| {
        // Each backslash of the content is twice as many as the quotes of its level have, and two.
        let before = before(*at);
        before >= level && (before - level).is_multiple_of(2 * (level + 1))
    })
}

/// Where a value that is no string ends; a list or an object with its bracket.
fn value_end(value: &str, level: usize) -> usize {
    if !value.starts_with(['[', '{']) {
        return value.find([',', ']', '}', ' ']).unwrap_or(value.len());
    }
    let (mut quotes, mut quoted, mut depth) = (quotes(value, level).peekable(), false, 0usize);
    for (at, c) in value.char_indices() {
        match c {
            '"' if quotes.next_if_eq(&at).is_some() => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted && depth == 1 => return at + 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        mask_quoted(text, &|name| name.starts_with("pass"), "-").unwrap_or_else(|| text.to_owned())
    }

    /// A text as it stands in a string of JSON.
    fn packed(text: &str) -> String {
        let string = crate::lens::Value::from(text).json();
        string[1..string.len() - 1].to_owned()
    }

    #[test]
    fn arguments_of_a_query_are_masked() {
        let masked = |text: &str| {
            mask_arguments(text, &|name| name.starts_with("pass"), "-")
                .unwrap_or_else(|| text.to_owned())
        };
        let cases = [
            (r#"{login(user:"u",password:"a b"){id}}"#, r#"{login(user:"u",password:"-"){id}}"#),
            (r#"{l(password : "a\"b", n:"x")}"#, r#"{l(password : "-", n:"x")}"#),
            (r#"{l(pass:"a",password:"b")}"#, r#"{l(pass:"-",password:"-")}"#),
            (r#"{l(password:"")}"#, r#"{l(password:"-")}"#),
            (r#"{l(password:$p)}"#, r#"{l(password:$p)}"#),
            (r#"{l(password:"""a "b""#, r#"{l(password:"""-"#),
            (r#"{l(password:"""a "b" c""")}"#, r#"{l(password:"""-""")}"#),
            (r#"{l(password:"cut …"#, r#"{l(password:"-"#),
            (r#"{l(password:1234,n:1)}"#, r#"{l(password:-,n:1)}"#),
            (r#"{l(passwords:["a","b"],n:1)}"#, r#"{l(passwords:-,n:1)}"#),
            (r#"{l(pass:{a:"b",c:1},n:1)}"#, r#"{l(pass:-,n:1)}"#),
            (
                r#"query($password:String!="a",$n:Int=1){l}"#,
                r#"query($password:String!="-",$n:Int=1){l}"#,
            ),
            (r#"query($password: String = "a"){l}"#, r#"query($password: String = "-"){l}"#),
            (
                r#"query($password:String){l(password:$password)}"#,
                r#"query($password:String){l(password:$password)}"#,
            ),
        ];
        for (text, expected) in &cases[..] {
            assert_eq!(masked(text), *expected);
            assert_eq!(masked(&packed(text)), packed(expected));
        }
    }

    #[test]
    fn secrets_are_masked_behind_their_names_in_lines() {
        let masked = |text: &str| mask_lines(text, &|name| name.contains("pass"), "-");
        let text = "CONNECT\nlogin:me\npasscode: a b\r\nhost:x\n\n\0";
        assert_eq!(masked(text).as_deref(), Some("CONNECT\nlogin:me\npasscode: -\r\nhost:x\n\n\0"));
        assert_eq!(masked("v=0\na=ice-pass:x y\n").as_deref(), Some("v=0\na=ice-pass:-\n"));
        assert_eq!(masked("the password: x"), None, "a sentence");
        assert_eq!(masked("passcode:\nx:y"), None);
    }

    #[test]
    fn secrets_are_masked_at_any_level_of_strings_in_strings() {
        let cases = [
            (r#"{"pass":"a b","n":1}"#, r#"{"pass":"-","n":1}"#),
            (r#"{"pass":"a\"b\\","n":"x"}"#, r#"{"pass":"-","n":"x"}"#),
            (r#"{"pass": 12,"n":1} "pass""#, r#"{"pass": -,"n":1} "pass""#),
            (r#"{"pass":{"a":"}\"","b":[1,2]},"n":1}"#, r#"{"pass":-,"n":1}"#),
            (r#"{"pass":"cut …"#, r#"{"pass":"-"#),
            (r#"{"pass":"","password":"x"}"#, r#"{"pass":"-","password":"-"}"#),
        ];
        for (text, expected) in cases {
            let (mut text, mut expected) = (text.to_owned(), expected.to_owned());
            for level in 0..4 {
                assert_eq!(masked(&text), expected, "{level}");
                (text, expected) = (packed(&text), packed(&expected));
            }
        }
    }
}
