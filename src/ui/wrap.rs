//! Wraps lines between words; a terminal would break them inside words.
//!
//! Text in backquotes is never wrapped, so that users can copy a command. A word that is longer than
//! a line is not broken either. The width is an argument; output to a pipe or a file is not wrapped.

use memchr::memchr;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Breaks a text into lines at spaces outside backquotes.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(text) {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The words of a text; a text in backquotes belongs to one word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let split = move |c: char| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    };
    text.split(split).filter(|word| !word.is_empty())
}

/// Breaks whole lines that are ready for a terminal, colours included. The rest of a broken line is
/// indented: below the second column if the line has columns, otherwise below the text after its
/// mark.
pub fn fold(lines: &str, width: usize) -> String {
    let mut out = Vec::new();
    lines.split_inclusive('\n').for_each(|line| fold_line(line, width, &mut out));
    String::from_utf8_lossy(&out).into_owned()
}

/// Like [`fold`], for the text that was appended to `out` after its first `start` bytes.
pub fn fold_from(start: usize, width: usize, out: &mut Vec<u8>) {
    // A character never takes more columns than bytes.
    let is_long = |line: &[u8]| line.len() > width;
    if !out[start..].split(|byte| *byte == b'\n').any(is_long) {
        return;
    }
    let lines = String::from_utf8_lossy(&out[start..]).into_owned();
    out.truncate(start);
    lines.split_inclusive('\n').for_each(|line| fold_line(line, width, out));
}

/// Breaks one line.
fn fold_line(line: &str, width: usize, out: &mut Vec<u8>) {
    if line.len() <= width {
        return out.extend_from_slice(line.as_bytes());
    }
    let indent = hanging_indent(line, width);
    // The last spaces at which the line can be broken, as a range of bytes, and the column where
    // they end.
    let mut last: Option<(usize, usize, usize)> = None;
    let (mut written, mut column, mut quoted, mut begun) = (0, 0, false, false);
    let mut rest = line.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == '\x1b' {
            skip_escape(&mut rest);
            continue;
        }
        quoted ^= c == '`';
        if c != ' ' {
            column += c.width().unwrap_or(0);
            begun |= column > indent;
            if let Some((from, to, at_column)) = last.filter(|_| column > width) {
                out.extend_from_slice(&line.as_bytes()[written..from]);
                out.push(b'\n');
                super::number::spaces(indent, out);
                (written, column, last) = (to, column - at_column + indent, None);
            }
            continue;
        }
        let mut end = at + 1;
        column += 1;
        while rest.next_if(|(_, next)| *next == ' ').is_some() {
            (end, column) = (end + 1, column + 1);
        }
        if !quoted && begun {
            last = Some((at, end, column));
        }
    }
    out.extend_from_slice(&line.as_bytes()[written..]);
}

/// The indent of lines after the first.
fn hanging_indent(line: &str, width: usize) -> usize {
    let plain = plain(line);
    let lead = plain.len() - plain.trim_start_matches(' ').len();
    // ` /close [CODE] starts the closing handshake`: below the last column that leaves enough room.
    let (mut column, mut at) = (None, lead);
    while let Some(gap) = plain[at..].find("  ") {
        let text = plain[at + gap..].trim_start_matches(' ');
        at = plain.len() - text.len();
        let width_before = plain[..at].width();
        if width_before > width / 2 || text.is_empty() {
            break;
        }
        column = Some(width_before);
    }
    match column {
        Some(column) => column,
        // An indented paragraph has no mark, so its lines keep the indent.
        None if lead > 0 && !plain[lead..].starts_with("- ") => lead.min(width / 4),
        None => (lead + 2).min(width / 4),
    }
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = memchr(b'\x1b', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let mut chars = rest[at + 1..].char_indices().peekable();
        skip_escape(&mut chars);
        let next = chars.peek().map_or(rest.len(), |(next, _)| at + 1 + next);
        rest = &rest[next..];
    }
    text + rest
}

/// Skips an escape sequence after ESC: `[`, then everything up to a letter.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
    if rest.next_if(|(_, c)| *c == '[').is_some() {
        while rest.next().is_some_and(|(_, c)| !c.is_ascii_alphabetic()) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_never_broken() {
        let text = "use `wscope -x 'a long message' URL` and then wait";
        assert_eq!(wrap(text, 12), ["use", "`wscope -x 'a long message' URL`", "and then", "wait"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(
            fold("* use `wscope -x 'a message'` and wait\n", 14),
            "* use\n  `wscope -x 'a message'`\n  and wait\n"
        );
    }

    #[test]
    fn lines_are_broken_at_words_below_their_text() {
        for (line, folded) in [
            ("* one two three\n", "* one two\n  three\n"),
            ("short\n", "short\n"),
            ("aaaaaaaaaaaaaaaaaaaa b\n", "aaaaaaaaaaaaaaaaaaaa\n  b\n"),
            ("no line end at all", "no line\n  end at\n  all"),
            ("ééééé ééééé é\n", "ééééé\n  ééééé é\n"),
            ("日本語 日本語\n", "日本語\n  日本語\n"),
            ("a\nb c d e f g h\n", "a\nb c d e f\n  g h\n"),
        ] {
            assert_eq!(fold(line, 10), folded, "{line:?}");
        }
    }

    #[test]
    fn paragraphs_and_lists_keep_their_indentation() {
        assert_eq!(fold("  - one two three four five\n", 20), "  - one two three\n    four five\n");
        assert_eq!(fold("  one two three four five\n", 20), "  one two three four\n  five\n");
    }

    #[test]
    fn a_second_column_is_kept() {
        assert_eq!(
            fold("  /a [B]  does this and that\n", 20),
            "  /a [B]  does this\n          and that\n"
        );
        assert_eq!(
            fold("ok  ping  answered in a second\n", 24),
            "ok  ping  answered in a\n          second\n"
        );
        // A column that leaves no room does not count.
        assert_eq!(fold("  a long usage here  does it\n", 20), "  a long usage here\n  does it\n");
    }

    #[test]
    fn colours_take_no_columns() {
        assert_eq!(
            fold("\x1b[31m* one two three\x1b[0m\n", 10),
            "\x1b[31m* one two\n  three\x1b[0m\n"
        );
        assert_eq!(fold("\x1b[1", 2), "\x1b[1");
        assert_eq!(fold("\x1b", 0), "\x1b");
    }

    #[test]
    fn nothing_but_spaces_is_lost_at_any_width() {
        let text = "* a `b c` 日本 \x1b[1mddd\x1b[0m   e\u{301}e `open\n\n  x  y z\n";
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        for width in 0..40 {
            assert_eq!(squeezed(&fold(text, width)), squeezed(text), "{width}");
        }
    }
}
