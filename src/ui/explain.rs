//! The long form of a catalogue entry, and the list of all entries: `wscope explain`.

use super::diagnostic::ink;
use super::style::Palette;
use super::terminal::FULL_WIDTH;
use super::wrap::wrap;
use crate::diagnostics::{CatalogueEntry, SECTIONS};

/// The largest width of a page, in columns.
const WIDEST: usize = 100;

/// Appends the whole text of a catalogue entry.
pub fn write(entry: &CatalogueEntry, width: usize, palette: Palette, out: &mut Vec<u8>) {
    let width = if width == FULL_WIDTH { width } else { width.clamp(40, WIDEST) };
    title(entry, palette, out);
    let mut section = |name: &str, text: &str| {
        if text.is_empty() {
            return;
        }
        out.extend_from_slice(format!("\n{name}\n").as_bytes());
        for line in wrap(text, width - 2) {
            out.extend_from_slice(format!("  {line}\n").as_bytes());
        }
    };
    section("What it means", &sentence(entry.explanation));
    section("How it is recognised", &sentence(entry.recognised));
    section("What to do", &sentence(entry.help));
    section("Background", entry.background);
    section("Source", entry.source);
    if entry.causes.is_empty() {
        return;
    }
    out.extend_from_slice(b"\nPossible causes\n");
    let mut named: Vec<&str> = Vec::new();
    for cause in entry.causes {
        // The catalogue has a cause once for each of its clues.
        if named.contains(&cause.text) {
            continue;
        }
        named.push(cause.text);
        for (at, line) in wrap(cause.text, width - 4).iter().enumerate() {
            let lead = if at == 0 { "  - " } else { "    " };
            out.extend_from_slice(format!("{lead}{line}\n").as_bytes());
        }
    }
}

/// Appends a line for each entry, by sections.
pub fn list(palette: Palette, out: &mut Vec<u8>) {
    for (at, section) in SECTIONS.iter().enumerate() {
        if at > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(format!("{}\n", section.title).as_bytes());
        for entry in section.entries {
            out.extend_from_slice(b"  ");
            palette.paint(ink(entry.severity), entry.code, out);
            out.extend_from_slice(format!("  {}\n", entry.title).as_bytes());
        }
    }
}

/// `error[W602]: RSV1 is set …`; without the severity if it is not certain.
fn title(entry: &CatalogueEntry, palette: Palette, out: &mut Vec<u8>) {
    let name = format!("{}[{}]", entry.severity.name(), entry.code);
    palette.paint(ink(entry.severity), name, out);
    out.extend_from_slice(format!(": {}\n", entry.title).as_bytes());
}

/// Makes a sentence of a clause of the catalogue: with a capital (unless it begins with a command,
/// a lower-case name or a number) and a full stop.
fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let Some(first) = chars.next() else { return String::new() };
    let word: String = clause.chars().take_while(char::is_ascii_alphanumeric).collect();
    let is_word = word.len() == 1 || word.chars().skip(1).all(|c| c.is_ascii_lowercase());
    // Names such as `connect()` and `server_max_window_bits` keep their spelling.
    let is_name = clause[word.len()..].starts_with(['(', '_', '.', '=']);
    match is_word && !is_name && first.is_ascii_lowercase() {
        true => format!("{}{}.", first.to_ascii_uppercase(), chars.as_str()),
        false => format!("{clause}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_become_sentences() {
        for (clause, wanted) in [
            ("a server goes down", "A server goes down."),
            ("connect() fails", "connect() fails."),
            ("`-b` sends binary", "`-b` sends binary."),
            ("TLS failed", "TLS failed."),
            ("3000 to 3999", "3000 to 3999."),
            ("", ""),
        ] {
            assert_eq!(sentence(clause), wanted);
        }
    }
}
