//! `docs/commands.md`: the commands of the prompt from their table, as Markdown.

use std::fmt::Write as _;

use wscope::script::command::table::{CommandEntry, Group, entries_of};

const PREAMBLE: &str = "\
# Commands of the prompt

On a terminal, `wscope URL` and `wscope listen PORT` read lines; `/source FILE` reads them from a file.
A line is sent as a text message, unchanged: no escapes, spaces kept. A server sends it to all clients;
`@3` or `@3,5` before it selects [clients](#to). A line that begins with `/` is a command, `//` begins a
text with a slash, `/#` a comment. Commands can't be abbreviated; Tab completes them, `/help` lists them,
`/help COMMAND` explains one.

[`/text`](#text) explains how payloads are written, [`/binary`](#binary) how bytes are. An illegal frame is
sent at once; a line names the rules it breaks.

This page, `/help` and the manual page are generated from the same table.
";

/// The page.
pub fn page() -> String {
    let mut page = PREAMBLE.to_owned();
    for group in Group::ALL {
        let _ = writeln!(page, "\n| {} | |\n| --- | --- |", group.title());
        for entry in entries_of(group) {
            let usage = entry.usage().replace('|', "\\|");
            let side = side(entry);
            let _ = writeln!(page, "| [`{usage}`](#{}) | {}{side} |", entry.name, entry.summary);
        }
    }
    for group in Group::ALL {
        let _ = writeln!(page, "\n## {}", group.title());
        for entry in entries_of(group) {
            chapter(entry, &mut page);
        }
    }
    page
}

fn chapter(entry: &CommandEntry, page: &mut String) {
    let summary = sentence(entry.summary);
    let _ = writeln!(page, "\n### {}\n\n`{}`\n\n{summary}", entry.name, entry.usage());
    if let Some(side) = entry.side.word() {
        let _ = writeln!(page, "For a {side} only.");
    }
    if !entry.aliases.is_empty() {
        let aliases: Vec<_> = entry.aliases.iter().map(|alias| format!("`/{alias}`")).collect();
        let _ = writeln!(page, "Also {}.", aliases.join(", "));
    }
    for paragraph in entry.help.lines() {
        let _ = writeln!(page, "\n{}", escaped(paragraph));
    }
    page.push_str("\n| for example | |\n| --- | --- |\n");
    for (line, meaning) in entry.examples {
        let line = line.replace('|', "\\|");
        let _ = writeln!(page, "| `{line}` | {} |", escaped(meaning));
    }
}

/// Behind a summary: where it can be used, if not everywhere.
fn side(entry: &CommandEntry) -> String {
    entry.side.word().map(|side| format!(" ({side})")).unwrap_or_default()
}

/// A summary as a sentence of its own.
pub fn sentence(summary: &str) -> String {
    let mut chars = summary.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    format!("{}{}.", String::from_iter(first), chars.as_str())
}

/// What Markdown would read as its own signs.
fn escaped(text: &str) -> String {
    let special = |c: char| matches!(c, '\\' | '*' | '_' | '|' | '<' | '`' | '[');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
