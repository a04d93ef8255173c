//! Words as a POSIX shell reads them back, for commands that are printed to be pasted.

use std::fmt::Write as _;

/// A word in the plainest form that a shell reads as this text: bare, in single quotes, or in
/// `$'…'` where it has characters that a terminal must not get.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('=') {
        return word.to_owned();
    }
    if !word.chars().any(must_be_escaped) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut text = String::from("$'");
    for c in word.chars() {
        match c {
            '\n' => text.push_str(r"\n"),
            '\r' => text.push_str(r"\r"),
            '\t' => text.push_str(r"\t"),
            '\'' | '\\' => text.extend(['\\', c]),
            // Always so many digits that none of what follows can be taken for one more.
            c if must_be_escaped(c) => {
                let _ = match u32::from(c) {
                    code @ ..=0xffff => write!(text, "\\u{code:04x}"),
                    code => write!(text, "\\U{code:08x}"),
                };
            }
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}

fn must_be_escaped(c: char) -> bool {
    c.is_control() || crate::ui::sanitize::is_hidden(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_curl::split;

    #[test]
    fn a_word_takes_the_plainest_form() {
        for (word, expected) in [
            ("wss://h:81/a", "wss://h:81/a"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$x `y` \\ \"", "'$x `y` \\ \"'"),
            ("a\x1b'\\é\u{202e}1", r"$'a\u001b\'\\é\u202e1'"),
            ("x\n\u{e0001}", r"$'x\n\U000e0001'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_shell_reads_the_same_back() {
        for word in
            ["", "a b", "it's", "$x", "a\x1b'\\é\u{202e}1", "\u{e0001}f", "\x7f0", "^", "~", "#"]
        {
            let words = split(&format!("x {} y", quoted(word))).expect("whole").words;
            assert_eq!(words, ["x", word, "y"]);
        }
    }
}
