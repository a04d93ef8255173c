//! Expected text in which some parts can't be known beforehand: times, ports, keys.

use regex::bytes::Regex;

/// Text to compare with: `[..]` stands for anything within a line, a line of `...` for any lines.
#[derive(Clone, Debug)]
pub struct Lines(String);

impl Lines {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Fails unless `actual` is this text.
    #[track_caller]
    pub fn check(&self, actual: &[u8], what: &str) {
        let expected = &self.0;
        if !self.regex().is_match(actual) {
            let actual = String::from_utf8_lossy(actual);
            panic!("{what} differs\n--- expected\n{expected}\n--- actual\n{actual}\n---");
        }
    }

    fn regex(&self) -> Regex {
        let mut pattern = r"\A".to_owned();
        for line in self.0.split_inclusive('\n') {
            if line.trim_end() == "..." {
                pattern.push_str("(?s-u:.*?)");
                continue;
            }
            let parts: Vec<String> = line.split("[..]").map(regex::escape).collect();
            pattern.push_str(&parts.join(r"(?-u:[^\n]*?)"));
        }
        Regex::new(&(pattern + r"\z")).expect("escaped text is a pattern")
    }
}

#[test]
fn brackets_stand_for_a_part_of_a_line_and_dots_for_lines() {
    Lines::new("a [..] c\n").check(b"a b b c\n", "text");
    Lines::new("a\n...\nd\n").check(b"a\nb\nc\nd\n", "text");
    Lines::new("a\n...\n").check(b"a\n", "text");
    let brackets = Lines::new("a[..]c").regex();
    assert!(
        !brackets.is_match(b"a\nc") && !brackets.is_match(b"xabc") && !brackets.is_match(b"abcx")
    );
}
