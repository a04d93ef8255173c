//! Makes text from outside safe for a terminal, and keeps it readable.
//!
//! Headers, payloads, close reasons, certificate names: all text from a peer may contain escape
//! sequences that change the window title, direction marks that reorder a line, or invisible
//! characters. This module escapes all of these. It does not change plain ASCII (at memory speed)
//! or the letters of any script.
//!
//! Control characters become `\n \r \t \0 \e` or `\u{85}`, bytes that are not UTF-8 `\x85`.
//!
//! Two characters without width are shown if text needs them: joiners between emoji, and after
//! letters of scripts whose letters join (Persian, Hindi, Sinhala).

use unicode_width::UnicodeWidthChar as _;

use super::number;

/// Appends `bytes`, and escapes everything that could affect a terminal. It does not change quotes
/// and backslashes; use it for text that is alone on its line, such as a header.
pub fn escape_into(bytes: &[u8], out: &mut Vec<u8>) {
    write_escaped(bytes, false, out);
}

/// [`escape_into`] as a string, for messages with several parts.
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    escape_into(bytes, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The lines of a text, without their line ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// Appends `bytes` in double quotes, and also escapes quotes and backslashes. So the end can't be
/// faked, and the escapes show the original bytes.
pub fn quote_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(bytes, true, out);
    out.push(b'"');
}

/// Appends as much of `bytes` as fits into `columns` of a terminal, quoted as by [`quote_into`].
///
/// `…` before the closing quote means that text is missing: it did not fit, or `bytes` is only the
/// beginning (`truncated`). The result never takes more than `columns`, except that `"…"` needs
/// three.
pub fn fit_quoted(bytes: &[u8], truncated: bool, columns: usize, out: &mut Vec<u8>) {
    out.push(b'"');
    let inner = columns.max(3) - 2;
    let plain = plain_len(&bytes[..bytes.len().min(inner + 1)]);
    if plain == bytes.len() && plain <= inner && !truncated {
        out.extend_from_slice(bytes);
        return out.push(b'"');
    }
    // Everything up to here fits even with the ellipsis after it.
    let safe = plain.min(inner - 1);
    out.extend_from_slice(&bytes[..safe]);
    let (quoted, safe_len) = (true, out.len());
    let mut fit =
        ColumnFit { used: safe, columns: inner, mark: 1, quoted, taken: safe, safe_len, safe };
    let cut = !fit.fill(&bytes[safe..], truncated, out);
    if cut || truncated {
        out.truncate(fit.safe_len);
        out.extend_from_slice("…".as_bytes());
    }
    out.push(b'"');
}

/// Appends as much of a text of `total` bytes as fits into `columns`, escaped as by
/// [`escape_into`]; `bytes` is its beginning. A cut text ends with `… +277 B`, the number of
/// missing bytes. Returns whether the text is complete.
pub fn fit_into(bytes: &[u8], total: u64, columns: usize, out: &mut Vec<u8>) -> bool {
    let plain = run_len(&bytes[..bytes.len().min(columns + 1)], is_printable);
    if plain as u64 == total && plain <= columns {
        out.extend_from_slice(bytes);
        return true;
    }
    let mark = cut_mark_columns(total);
    let safe = plain.min(columns.saturating_sub(mark));
    out.extend_from_slice(&bytes[..safe]);
    let (quoted, safe_len) = (false, out.len());
    let mut fit = ColumnFit { used: safe, columns, mark, quoted, taken: safe, safe_len, safe };
    let truncated = total > bytes.len() as u64;
    if fit.fill(&bytes[safe..], truncated, out) && !truncated {
        return true;
    }
    out.truncate(fit.safe_len);
    cut_mark(total - fit.safe as u64, columns, out);
    false
}

/// Appends `… +277 B`, or a shorter mark if the line has no room for it.
pub(super) fn cut_mark(missing: u64, columns: usize, out: &mut Vec<u8>) {
    if columns >= 1 {
        out.extend_from_slice("…".as_bytes());
    }
    if columns >= cut_mark_columns(missing) {
        out.extend_from_slice(b" +");
        number::decimal(missing, out);
        out.extend_from_slice(b" B");
    }
}

/// The width of the mark, if at most this many bytes are missing.
pub(super) fn cut_mark_columns(missing: u64) -> usize {
    number::decimal_len(missing) + "_ + B".len()
}

/// Fills a given number of columns.
struct ColumnFit {
    used: usize,
    columns: usize,
    /// The width of the mark for missing bytes.
    mark: usize,
    quoted: bool,
    /// The number of bytes written.
    taken: usize,
    /// The length of the output up to which the mark still fits, and the number of bytes up to
    /// there.
    safe_len: usize,
    safe: usize,
}

impl ColumnFit {
    /// Appends `bytes` until the columns are full; returns whether all bytes fitted.
    fn fill(&mut self, bytes: &[u8], truncated: bool, out: &mut Vec<u8>) -> bool {
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            let mut before = None;
            let mut rest = chunk.valid().chars();
            while let Some(c) = rest.next() {
                let start = out.len();
                if is_needed_joiner(before, c, rest.as_str()) {
                    push_as_it_is(c, out);
                } else {
                    push_char(c, self.quoted, out);
                }
                before = Some(c);
                let columns = match out.len() - start {
                    // Emoji presentation may widen the previous character.
                    _ if c == '\u{fe0f}' => 1,
                    len if len == c.len_utf8() => c.width().unwrap_or(0),
                    escape => escape,
                };
                if !self.add(columns, c.len_utf8(), out) {
                    return false;
                }
            }
            // A character that is cut only by the end of the preview is not an error of the sender.
            if truncated && chunks.peek().is_none() && is_cut_character(chunk.invalid()) {
                break;
            }
            for &byte in chunk.invalid() {
                push_byte(byte, out);
                if !self.add(4, 1, out) {
                    return false;
                }
            }
        }
        true
    }

    fn add(&mut self, columns: usize, bytes: usize, out: &[u8]) -> bool {
        self.used += columns;
        self.taken += bytes;
        if self.used + self.mark <= self.columns {
            (self.safe_len, self.safe) = (out.len(), self.taken);
        }
        self.used <= self.columns
    }
}

/// `bytes` without an incomplete character at the end.
pub fn whole_characters(bytes: &[u8]) -> &[u8] {
    let last = bytes.len() - bytes.len().min(3);
    let cut = (last..bytes.len()).find(|&at| is_cut_character(&bytes[at..]));
    &bytes[..cut.unwrap_or(bytes.len())]
}

/// Whether these bytes are the beginning of an incomplete character.
fn is_cut_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// How many bytes at the start are printable ASCII other than `"` and `\`.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    run_len(bytes, |byte| is_printable(byte) & (byte != b'"') & (byte != b'\\'))
}

#[inline]
fn is_printable(byte: u8) -> bool {
    byte.wrapping_sub(b' ') < 0x5f
}

/// The length of the run of wanted bytes at the start: first in blocks of 32, which the compiler
/// vectorises, then byte by byte.
#[inline]
fn run_len(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    let (blocks, _) = bytes.as_chunks::<32>();
    let whole = blocks
        .iter()
        .position(|block| !block.iter().fold(true, |all, &byte| all & wanted(byte)))
        .unwrap_or(blocks.len());
    let at = whole * 32;
    at + bytes[at..].iter().position(|&byte| !wanted(byte)).unwrap_or(bytes.len() - at)
}

fn write_escaped(bytes: &[u8], quoted: bool, out: &mut Vec<u8>) {
    let plain = |bytes: &[u8]| match quoted {
        true => plain_len(bytes),
        false => run_len(bytes, is_printable),
    };
    let (start, rest) = bytes.split_at(plain(bytes));
    out.extend_from_slice(start);
    for chunk in rest.utf8_chunks() {
        let mut text = chunk.valid();
        let mut before = None;
        while let Some(c) = text.chars().next() {
            text = &text[c.len_utf8()..];
            if is_needed_joiner(before, c, text) {
                push_as_it_is(c, out);
            } else {
                push_char(c, quoted, out);
            }
            let (start, rest) = text.split_at(plain(text.as_bytes()));
            out.extend_from_slice(start.as_bytes());
            before = if start.is_empty() { Some(c) } else { None };
            text = rest;
        }
        for &byte in chunk.invalid() {
            push_byte(byte, out);
        }
    }
}

/// Appends one character, escaped if necessary.
fn push_char(c: char, quoted: bool, out: &mut Vec<u8>) {
    match c {
        '"' | '\\' if quoted => out.extend_from_slice(&[b'\\', c as u8]),
        ' '..='~' => out.push(c as u8),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0' => out.extend_from_slice(b"\\0"),
        '\x1b' => out.extend_from_slice(b"\\e"),
        c if is_hidden(c) => {
            out.extend_from_slice(b"\\u{");
            number::hex_number(c.into(), out);
            out.push(b'}');
        }
        c => push_as_it_is(c, out),
    }
}

fn push_as_it_is(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Whether `c` is a zero-width joiner or non-joiner that the surrounding text needs: it joins two
/// emoji, or changes the form of a letter. Elsewhere, it could only hide something.
pub(super) fn is_needed_joiner(before: Option<char>, c: char, after: &str) -> bool {
    let Some(before) = before.filter(|_| matches!(c, '\u{200c}' | '\u{200d}')) else {
        return false;
    };
    let emoji = c == '\u{200d}' && is_emoji(before) && after.chars().next().is_some_and(is_emoji);
    emoji || joins_letters(before)
}

/// Emoji, and characters that may follow one: a skin tone, a presentation selector.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2460}'..='\u{27bf}'
        | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}' | '\u{3030}'..='\u{303d}'
        | '\u{3297}'..='\u{3299}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Letters and marks of the scripts in which a joiner changes a letter: Arabic, Syriac and their
/// neighbours, those of India and South East Asia, Mongolian.
fn joins_letters(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{f00}'..='\u{109f}'
        | '\u{1700}'..='\u{18af}' | '\u{1900}'..='\u{1cff}' | '\u{a800}'..='\u{abff}'
        | '\u{fb50}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10a00}'..='\u{10eff}' | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
        && !is_hidden(c)
}

fn push_byte(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    out.extend_from_slice(&number::hex_pair(byte));
}

/// Whether a character affects a terminal or is invisible: control characters, direction marks,
/// line and paragraph separators, characters without width and without a visible effect on their
/// neighbours, and noncharacters. Variation selectors and combining marks belong to visible text;
/// private and unassigned characters are shown as boxes.
#[rustfmt::skip]
pub fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true, // C0, DEL, C1
        '\u{a0}'..='\u{ac}' | '\u{ae}'..='\u{34e}' => false,
        '\u{ad}' | '\u{34f}'                   // soft hyphen, grapheme joiner
        | '\u{61c}'                            // Arabic letter mark
        | '\u{115f}' | '\u{1160}'              // Hangul fillers
        | '\u{17b4}' | '\u{17b5}'              // Khmer inherent vowels
        | '\u{180e}'                           // Mongolian vowel separator
        | '\u{200b}'..='\u{200f}'              // zero width, direction marks
        | '\u{2028}'..='\u{202e}'              // separators, embeddings, overrides
        | '\u{2060}'..='\u{206f}'              // joiners, invisible operators, isolates
        | '\u{3164}' | '\u{ffa0}'              // Hangul fillers
        | '\u{feff}'                           // byte order mark
        | '\u{fff9}'..='\u{fffb}'              // interlinear annotation
        | '\u{fdd0}'..='\u{fdef}'              // noncharacters
        | '\u{1bca0}'..='\u{1bca3}'            // shorthand format
        | '\u{1d173}'..='\u{1d17a}'            // musical format
        | '\u{e0000}'..='\u{e007f}' => true,   // tags
        // The last two characters of each plane are noncharacters.
        c => u32::from(c) & 0xfffe == 0xfffe,
    }
}
