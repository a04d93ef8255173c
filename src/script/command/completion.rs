//! What can be proposed at the cursor: commands, their arguments, files.
//!
//! Pure: the files come from a function, the rest from the table.

use crate::script::command::cursor::{Cursor, can_stand_in};
use crate::script::command::frame::FRAME_KEYS;
use crate::script::command::payload::NOTATIONS;
use crate::script::command::table::{ENTRIES, Entry, Kind, values};
use crate::script::command::target;
use crate::script::command::words::{Piece, TypedPath};
use crate::script::command::{Timestamps, View};
use crate::ui::notation::{close_names, opcode_word};
use crate::wire::{OpCode, Role};

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What replaces the line from the start of the completion to the cursor.
    pub replacement: String,
    /// What a list shows.
    pub display: String,
    /// What it means, in a few words; may be empty.
    pub description: String,
}

/// Headers that are worth proposing: those of the handshake, and what servers ask for.
const HEADERS: &[(&str, &str)] = &[
    ("Authorization", "credentials"),
    ("Cookie", "the session of a browser"),
    ("Host", "the virtual host"),
    ("Origin", "the page a browser would come from"),
    ("Sec-WebSocket-Extensions", "extensions offered"),
    ("Sec-WebSocket-Key", "16 bytes in base64"),
    ("Sec-WebSocket-Protocol", "subprotocols offered"),
    ("Sec-WebSocket-Version", "13"),
    ("User-Agent", "the program"),
    ("X-Forwarded-For", "the address a proxy saw"),
];

/// What completion depends on besides the line.
pub struct Surroundings<'a> {
    /// Whose side the line is written on.
    pub role: Role,
    /// Gives the paths that begin with a path: without quotes, perhaps with `~/` at the beginning,
    /// which its answers keep; a folder ends in `/`.
    pub files: &'a dyn Fn(&str) -> Vec<String>,
    /// The numbers of a server's clients, each with a description.
    pub clients: &'a [(u64, String)],
}

/// What can be written at byte `pos` of a client's `line`: as [`complete_for`], with `files` alone.
pub fn complete(
    line: &str,
    pos: usize,
    files: &dyn Fn(&str) -> Vec<String>,
) -> (usize, Vec<Candidate>) {
    complete_for(line, pos, &Surroundings { role: Role::Client, files, clients: &[] })
}

/// What can be written at byte `pos` of `line`: where it begins, and the candidates for what stands
/// between there and `pos`.
///
/// A `pos` inside a character counts as before it, one beyond the end as the end.
pub fn complete_for(line: &str, pos: usize, amid: &Surroundings<'_>) -> (usize, Vec<Candidate>) {
    let pos = line.floor_char_boundary(pos);
    match Cursor::of(&line[..pos], amid.role) {
        None => (pos, Vec::new()),
        Some(Cursor::Target(word)) => (word.at, clients(word.text, amid.clients)),
        Some(Cursor::Name { typed, outer }) => (typed.at, commands(typed.text, outer, amid.role)),
        Some(Cursor::Argument { entry, args, word }) => {
            // The word may be any of the optional arguments, or the one after them.
            let optional = args.iter().take_while(|arg| arg.is_optional()).count();
            let possible = args.iter().take(optional + 1);
            let all = possible.flat_map(|arg| of_kind(arg.kind, word, entry, amid));
            (word.at, all.collect())
        }
    }
}

fn of_kind(
    kind: Kind,
    word: Piece<'_>,
    entry: &'static Entry,
    amid: &Surroundings<'_>,
) -> Vec<Candidate> {
    let (typed, files) = (word.text, amid.files);
    let pairs = |pairs: &[(&str, &str)]| -> Vec<Candidate> {
        pairs.iter().filter_map(|(text, meaning)| begun(typed, text, meaning)).collect()
    };
    match kind {
        Kind::Choice(choices) => pairs(choices),
        Kind::View => of_enum::<View>(typed),
        Kind::Timestamps => of_enum::<Timestamps>(typed),
        Kind::Path(choices) => [pairs(choices), paths("", typed, false, files)].concat(),
        Kind::Payload => match typed.strip_prefix('@') {
            Some(path) => paths("@", path, true, files),
            None => pairs(NOTATIONS),
        },
        Kind::CloseCode => close_codes("", typed),
        Kind::Opcode => opcodes("", typed),
        Kind::Opcodes => {
            let (before, last) = typed.split_at(typed.rfind(',').map_or(0, |at| at + 1));
            opcodes(before, last)
        }
        Kind::FrameOption => frame_options(typed),
        Kind::Header => HEADERS
            .iter()
            .filter_map(|(name, what)| begun(typed, &format!("{name}: "), what))
            .collect(),
        Kind::Command => commands(typed, Some(entry), amid.role),
        Kind::Topic => topics(typed, amid.role),
        Kind::Clients => clients(typed, amid.clients),
        Kind::Reason | Kind::Value | Kind::Regex => Vec::new(),
    }
}

/// `text` as a candidate, if what is typed begins it.
fn begun(typed: &str, text: &str, description: &str) -> Option<Candidate> {
    let begins = text.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
    begins.then(|| Candidate {
        replacement: text.to_owned(),
        display: text.trim_end().to_owned(),
        description: description.to_owned(),
    })
}

fn after(before: &str, candidate: Candidate) -> Candidate {
    Candidate { replacement: format!("{before}{}", candidate.replacement), ..candidate }
}

fn of_enum<T: clap::ValueEnum + 'static>(typed: &str) -> Vec<Candidate> {
    values::<T>().filter_map(|(name, help)| begun(typed, &name, &help)).collect()
}

fn commands(typed: &str, outer: Option<&'static Entry>, role: Role) -> Vec<Candidate> {
    let allowed = |entry: &&Entry| {
        entry.side.refuses(role).is_none() && outer.is_none_or(|outer| can_stand_in(entry, outer))
    };
    let candidate = |entry: &Entry| {
        let space = if entry.args.is_empty() { "" } else { " " };
        begun(typed, &format!("/{}{space}", entry.name), entry.summary)
    };
    ENTRIES.iter().filter(allowed).filter_map(candidate).collect()
}

fn topics(typed: &str, role: Role) -> Vec<Candidate> {
    let name = typed.strip_prefix('/').unwrap_or(typed);
    let usable = ENTRIES.iter().filter(|entry| entry.side.refuses(role).is_none());
    usable.filter_map(|entry| begun(name, entry.name, entry.summary)).collect()
}

/// The numbers of clients, the last of a list, with the sign they were begun with.
fn clients(typed: &str, clients: &[(u64, String)]) -> Vec<Candidate> {
    let sign = usize::from(typed.starts_with(target::SIGN));
    let (before, last) = typed.split_at(typed.rfind(',').map_or(sign, |at| at + 1));
    let all = (before.len() == sign).then(|| begun(last, "all", "everybody")).flatten();
    let one = |(id, about): &(u64, String)| begun(last, &id.to_string(), about);
    let found = clients.iter().filter_map(one).chain(all);
    found.map(|found| after(before, found)).collect()
}

/// Codes as numbers, or as names once a letter is typed.
fn close_codes(before: &str, typed: &str) -> Vec<Candidate> {
    let by_name = typed.starts_with(|c: char| c.is_ascii_alphabetic());
    let candidate = |(name, info): (String, &crate::wire::close::CloseCodeInfo)| {
        let code = info.first.to_string();
        let found = begun(typed, if by_name { &name } else { &code }, info.meaning)?;
        Some(after(before, Candidate { display: format!("{code}  {}", info.name), ..found }))
    };
    close_names().filter_map(candidate).collect()
}

fn opcodes(before: &str, typed: &str) -> Vec<Candidate> {
    let named = (0..16)
        .map(OpCode::from)
        .filter(|opcode| crate::wire::frame::opcode_name(*opcode).is_some());
    let candidate = |opcode: OpCode| {
        let meaning = format!("opcode {}", u8::from(opcode));
        begun(typed, &opcode_word(opcode), &meaning).map(|found| after(before, found))
    };
    named.filter_map(candidate).collect()
}

fn frame_options(typed: &str) -> Vec<Candidate> {
    let Some((name, value)) = typed.split_once('=') else {
        let keys = FRAME_KEYS.iter();
        return keys.filter_map(|k| begun(typed, &format!("{}=", k.name), k.meaning)).collect();
    };
    let before = &typed[..=name.len()];
    match FRAME_KEYS.iter().find(|key| key.name == name) {
        Some(key) if key.name == "opcode" => opcodes(before, value),
        Some(key) if key.name == "code" => close_codes(before, value),
        Some(key) => {
            let values = key.values.iter().filter_map(|text| begun(value, text, ""));
            values.map(|found| after(before, found)).collect()
        }
        None => Vec::new(),
    }
}

/// Files, written with the quotes they were begun with.
fn paths(
    before: &str,
    typed: &str,
    to_end: bool,
    files: &dyn Fn(&str) -> Vec<String>,
) -> Vec<Candidate> {
    let quote = typed.chars().next().filter(|c| matches!(c, '"' | '\''));
    let begun = TypedPath::read(typed, to_end);
    if begun.len < typed.len() || (quote.is_some() && begun.open.is_none()) {
        return Vec::new();
    }
    let candidate = |path: String| Candidate {
        replacement: format!("{before}{}", TypedPath::written(&path, quote, to_end)),
        display: path,
        description: String::new(),
    };
    files(&begun.text).into_iter().map(candidate).collect()
}
