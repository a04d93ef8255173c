//! Stores long texts; the line contains a label in their place.
//!
//! The line editor measures and draws the whole line at each key, and counts its rows in 16 bits:
//! with a megabyte in the line, each key would take a second, and with ten megabytes, the program
//! would crash. Texts with control characters are stored here, too, because the line is drawn
//! unescaped.

use crate::ui::number::grouped;

/// A text with more bytes is stored.
const MAX_INLINE: usize = 1024;
/// A text with more lines is stored.
const MAX_INLINE_LINES: usize = 10;

/// The stored texts of the line that is being edited.
#[derive(Debug, Default)]
pub struct PasteStore(Vec<Paste>);

#[derive(Debug)]
struct Paste {
    label: String,
    text: String,
}

impl PasteStore {
    /// The text to put into the line for `text`: `text` itself if it is short and safe, otherwise a
    /// label with its origin (`pasted`) and its size.
    pub fn fold(&mut self, what: &str, text: String) -> String {
        if is_inline(&text) {
            return text;
        }
        if let Some(paste) = self.0.iter().find(|paste| paste.text == text) {
            return paste.label.clone();
        }
        let mut label = label(what, &text, None);
        let mut number = 1;
        while self.0.iter().any(|paste| paste.label == label) {
            number += 1;
            label = self::label(what, &text, Some(number));
        }
        self.0.push(Paste { label: label.clone(), text });
        label
    }

    /// The line with all labels replaced by their texts.
    pub fn unfold(&self, line: String) -> String {
        let mut rest = line.as_str();
        let mut whole = String::new();
        // Replaces the first label in the rest, again and again. An inserted text is not searched
        // for labels.
        let first = |rest: &str| {
            let found = |paste: &'_ Paste| rest.find(&paste.label);
            let at = self.0.iter().enumerate().filter_map(|(n, paste)| Some((found(paste)?, n)));
            at.min()
        };
        while let Some((at, number)) = first(rest) {
            let paste = &self.0[number];
            whole.push_str(&rest[..at]);
            whole.push_str(&paste.text);
            rest = &rest[at + paste.label.len()..];
        }
        if whole.is_empty() && rest.len() == line.len() {
            return line;
        }
        whole.push_str(rest);
        whole
    }

    /// Whether `before` ends with a label.
    pub fn ends_with_label(&self, before: &str) -> bool {
        self.0.iter().any(|paste| before.ends_with(&paste.label))
    }
}

/// Whether the line can contain and draw the text.
fn is_inline(text: &str) -> bool {
    let drawable = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.len() <= MAX_INLINE
        && text.lines().count() <= MAX_INLINE_LINES
        && text.chars().all(drawable)
}

/// `[pasted 10,485,760 bytes, 12,345 lines]`. It contains no other bracket, because deleting
/// removes everything back to the first one.
fn label(what: &str, text: &str, number: Option<u64>) -> String {
    let counted = |count: usize, one: &str, more: &str| {
        format!("{} {}", grouped(count as u64), if count == 1 { one } else { more })
    };
    let number = number.map(|number| format!("{}: ", grouped(number))).unwrap_or_default();
    let bytes = counted(text.len(), "byte", "bytes");
    let lines = counted(text.lines().count(), "line", "lines");
    format!("[{what} {number}{bytes}, {lines}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_stays_in_the_line() {
        let mut pastes = PasteStore::default();
        for text in ["", "a", "two\nlines\n", "tab\tand ünicode", &"x".repeat(MAX_INLINE)] {
            assert_eq!(pastes.fold("pasted", text.to_owned()), text);
        }
        assert_eq!(pastes.unfold("line".to_owned()), "line");
    }

    #[test]
    fn long_text_comes_back_on_the_way_out() {
        let mut pastes = PasteStore::default();
        let long = "x".repeat(1025);
        let lines = "line\n".repeat(11);
        let first = pastes.fold("pasted", long.clone());
        let second = pastes.fold("pasted", lines.clone());
        assert_eq!(first, "[pasted 1,025 bytes, 1 line]");
        assert_eq!(second, "[pasted 55 bytes, 11 lines]");
        let line = format!("a{second}b{first}{first}c");
        assert_eq!(pastes.unfold(line), format!("a{lines}b{long}{long}c"));
    }

    #[test]
    fn control_characters_are_never_drawn() {
        let mut pastes = PasteStore::default();
        assert_eq!(pastes.fold("pasted", "\x1b[2J".to_owned()), "[pasted 4 bytes, 1 line]");
        assert_eq!(pastes.fold("pasted", "\u{9b}2J".to_owned()), "[pasted 2: 4 bytes, 1 line]");
    }

    #[test]
    fn texts_of_one_size_are_kept_apart_and_equal_ones_kept_once() {
        let mut pastes = PasteStore::default();
        let (a, b) = ("a".repeat(2000), "b".repeat(2000));
        assert_eq!(pastes.fold("pasted", a.clone()), "[pasted 2,000 bytes, 1 line]");
        assert_eq!(pastes.fold("pasted", b.clone()), "[pasted 2: 2,000 bytes, 1 line]");
        assert_eq!(pastes.fold("pasted", a.clone()), "[pasted 2,000 bytes, 1 line]");
        let line = "[pasted 2: 2,000 bytes, 1 line] [pasted 2,000 bytes, 1 line]";
        assert_eq!(pastes.unfold(line.to_owned()), format!("{b} {a}"));
    }

    #[test]
    fn what_was_unfolded_is_not_unfolded_again() {
        let mut pastes = PasteStore::default();
        let inner = pastes.fold("pasted", "x".repeat(2000));
        let text = format!("{inner}{}", "y".repeat(2000));
        let outer = pastes.fold("pasted", text.clone());
        assert_eq!(pastes.unfold(outer), text);
    }

    #[test]
    fn a_broken_label_is_text() {
        let mut pastes = PasteStore::default();
        let label = pastes.fold("pasted", "x".repeat(2000));
        assert!(pastes.ends_with_label(&format!("before {label}")));
        assert!(!pastes.ends_with_label(&format!("{label} ")));
        assert_eq!(pastes.unfold(label[..9].to_owned()), "[pasted 2");
        assert_eq!(PasteStore::default().unfold(label.clone()), label);
    }
}
