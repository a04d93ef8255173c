//! What can be proposed at the cursor: commands, their arguments, files.
//!
//! Has no side effects: a function lists the files; everything else is in the table.

use crate::lens;
use crate::script::command::frame::FRAME_KEYS;
use crate::script::command::payload::NOTATIONS;
use crate::script::command::table::{
    self, Arg, ArgKind, CommandEntry, ENTRIES, Group, Nesting, values,
};
use crate::script::command::words::{TypedPath, Word};
use crate::script::command::{LensChoice, Timestamps, View, target};
use crate::ui::notation::{close_code, close_names, opcode, opcode_word};
use crate::ui::pretty::Pretty;
use crate::wire::{OpCode, Role};

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What replaces the line from the start of the completion to the cursor.
    pub replacement: String,
    /// The text in a list.
    pub display: String,
    /// What it means, in a few words; may be empty.
    pub description: String,
}

/// Proposed headers: those of the handshake, and those that servers often require.
const HEADERS: &[(&str, &str)] = &[
    ("Authorization", "credentials"),
    ("Cookie", "a browser's session"),
    ("Host", "the virtual host"),
    ("Origin", "the page that a browser would send"),
    ("Sec-WebSocket-Extensions", "extensions offered"),
    ("Sec-WebSocket-Key", "16 bytes in base64"),
    ("Sec-WebSocket-Protocol", "subprotocols offered"),
    ("Sec-WebSocket-Version", "13"),
    ("User-Agent", "the program"),
    ("X-Forwarded-For", "the client's address, as a proxy reports it"),
];

/// What completion depends on besides the line.
pub struct Surroundings<'a> {
    /// The side that the line is for.
    pub role: Role,
    /// Lists the paths that begin with the given text. The text has no quotes. If it begins with
    /// `~/`, the results do, too. A folder ends in `/`.
    pub files: &'a dyn Fn(&str) -> Vec<String>,
    /// The numbers of a server's clients, each with a description.
    pub clients: &'a [(u64, String)],
}

/// The possible completions at byte `pos` of a client's `line`; [`complete_for`] with `files` only.
pub fn complete(
    line: &str,
    pos: usize,
    files: &dyn Fn(&str) -> Vec<String>,
) -> (usize, Vec<Candidate>) {
    complete_for(line, pos, &Surroundings { role: Role::Client, files, clients: &[] })
}

/// The possible completions at byte `pos` of `line`: where they begin, and the candidates for the
/// text between there and `pos`.
///
/// A `pos` inside a character counts as before the character, a `pos` beyond the end as the end.
pub fn complete_for(line: &str, pos: usize, amid: &Surroundings<'_>) -> (usize, Vec<Candidate>) {
    let pos = line.floor_char_boundary(pos);
    match CompletionPoint::of(&line[..pos], amid.role) {
        None => (pos, Vec::new()),
        Some(CompletionPoint::Target(word)) => (word.at, clients(word.text, amid.clients)),
        Some(CompletionPoint::Name { typed, outer }) => {
            (typed.at, commands(typed.text, outer, amid.role))
        }
        Some(CompletionPoint::Argument { entry, args, word }) => {
            // The word may be any of the optional arguments, or the one after them.
            let optional = args.iter().take_while(|arg| arg.is_optional()).count();
            let possible = args.iter().take(optional + 1);
            let all = possible.flat_map(|arg| of_kind(arg.kind, word, entry, amid));
            (word.at, all.collect())
        }
    }
}

fn of_kind(
    kind: ArgKind,
    word: Word<'_>,
    entry: &'static CommandEntry,
    amid: &Surroundings<'_>,
) -> Vec<Candidate> {
    let (typed, files) = (word.text, amid.files);
    let pairs = |pairs: &[(&str, &str)]| -> Vec<Candidate> {
        pairs.iter().filter_map(|(text, meaning)| begun(typed, text, meaning)).collect()
    };
    match kind {
        ArgKind::Choice(choices) => pairs(choices),
        ArgKind::View => of_enum::<View>(typed),
        ArgKind::Pretty => of_enum::<Pretty>(typed),
        ArgKind::Timestamps => of_enum::<Timestamps>(typed),
        ArgKind::Lens => LensChoice::names()
            .filter_map(|name| begun(typed, name, lens::find(name).map_or("", |p| p.title)))
            .collect(),
        ArgKind::Spoken => lens::find(entry.name)
            .map_or(&[][..], |protocol| protocol.commands)
            .iter()
            .filter(|command| !command.name.is_empty())
            .filter_map(|command| begun(typed, &format!("{} ", command.name), command.help))
            .collect(),
        ArgKind::Path(choices) => [pairs(choices), paths("", typed, false, files)].concat(),
        ArgKind::Payload => match typed.strip_prefix('@') {
            Some(path) => paths("@", path, true, files),
            None => pairs(NOTATIONS),
        },
        ArgKind::CloseCode => close_codes("", typed),
        ArgKind::Opcode => opcodes("", typed),
        ArgKind::Opcodes => {
            let (before, last) = typed.split_at(typed.rfind(',').map_or(0, |at| at + 1));
            opcodes(before, last)
        }
        ArgKind::FrameOption => frame_options(typed),
        ArgKind::Header => HEADERS
            .iter()
            .filter_map(|(name, what)| begun(typed, &format!("{name}: "), what))
            .collect(),
        ArgKind::Command => commands(typed, Some(entry), amid.role),
        ArgKind::Topic => topics(typed, amid.role),
        ArgKind::Clients => clients(typed, amid.clients),
        ArgKind::Reason | ArgKind::Value | ArgKind::Regex | ArgKind::Text => Vec::new(),
    }
}

/// `text` as a candidate, if it begins with the typed text.
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

fn commands(typed: &str, outer: Option<&'static CommandEntry>, role: Role) -> Vec<Candidate> {
    let allowed = |entry: &&CommandEntry| {
        entry.side.refuses(role).is_none() && outer.is_none_or(|outer| can_stand_in(entry, outer))
    };
    let candidate = |entry: &CommandEntry| {
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

/// Candidates for the last number in a list of clients; keeps a typed `@`.
fn clients(typed: &str, clients: &[(u64, String)]) -> Vec<Candidate> {
    let sign = usize::from(typed.starts_with(target::SIGN));
    let (before, last) = typed.split_at(typed.rfind(',').map_or(sign, |at| at + 1));
    let all = (before.len() == sign).then(|| begun(last, "all", "everybody")).flatten();
    let one = |(id, about): &(u64, String)| begun(last, &id.to_string(), about);
    let found = clients.iter().filter_map(one).chain(all);
    found.map(|found| after(before, found)).collect()
}

/// Close codes as numbers, or as names if the user has typed a letter.
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

/// Files, with the quotes that the user has typed.
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

/// Proposes what may follow a client's `line` if the cursor is at byte `pos`: the rest of an
/// unambiguous name, and the remaining arguments. Returns `None` in a text, in a payload and before
/// the line's end.
///
/// The prompt shows it, but does not insert it.
pub fn hint(line: &str, pos: usize) -> Option<String> {
    hint_for(line, pos, Role::Client)
}

/// [`hint`] for a side.
pub fn hint_for(line: &str, pos: usize, role: Role) -> Option<String> {
    if pos != line.len() {
        return None;
    }
    match CompletionPoint::of(line, role)? {
        CompletionPoint::Target(_) => None,
        CompletionPoint::Name { typed, outer } => {
            let name = &typed.text[1..];
            let entry = meant(name, outer, role)?;
            let missing = entry.name.strip_prefix(name).unwrap_or_default();
            let usage = spelled(entry.args);
            Some(format!("{missing}{usage}")).filter(|hint| !hint.is_empty())
        }
        CompletionPoint::Argument { entry, args, word } => {
            if let Some(hint) = spoken_hint(entry, line) {
                return Some(hint).filter(|hint| !hint.is_empty());
            }
            if word.text.is_empty() {
                return Some(spelled(args).trim_start().to_owned()).filter(|h| !h.is_empty());
            }
            let left = match from(args, word.text) {
                [arg, ..] if arg.is_rest() => &[],
                [_, left @ ..] => left,
                [] => &[],
            };
            Some(spelled(left)).filter(|hint| !hint.is_empty())
        }
    }
}

/// The remaining arguments of a command of a protocol, if that command is unambiguous.
fn spoken_hint(entry: &CommandEntry, line: &str) -> Option<String> {
    let protocol = lens::find(entry.name).filter(|_| entry.group == Group::Lens)?;
    let (_, rest) = line.split_once(entry.name)?;
    if rest.trim().is_empty() {
        return None;
    }
    let (command, given) = lens::SpeechCommand::find(protocol.commands, rest).ok()?;
    let slots = command.arguments.split_whitespace().skip(given.split_whitespace().count());
    let slots = slots.collect::<Vec<_>>().join(" ");
    let space = if line.ends_with(char::is_whitespace) || slots.is_empty() { "" } else { " " };
    Some(format!("{space}{slots}"))
}

/// The command with this name, or the only command whose name begins with it.
fn meant(
    name: &str,
    outer: Option<&'static CommandEntry>,
    role: Role,
) -> Option<&'static CommandEntry> {
    let allowed = |entry: &&CommandEntry| {
        entry.side.refuses(role).is_none() && outer.is_none_or(|outer| can_stand_in(entry, outer))
    };
    if let Some(entry) = table::find(name) {
        return Some(entry).filter(allowed);
    }
    let mut begun = ENTRIES
        .iter()
        .filter(|entry| !name.is_empty() && entry.name.starts_with(name))
        .filter(allowed);
    begun.next().filter(|_| begun.next().is_none())
}

/// The arguments with a space before each.
fn spelled(args: &[Arg]) -> String {
    args.iter().map(|arg| format!(" {}", arg.shown)).collect()
}

/// What the end of a line is a part of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CompletionPoint<'a> {
    /// The word that names the clients of a server's line, with its sign.
    Target(Word<'a>),
    /// The name of a command.
    Name {
        /// The name so far, with its slash.
        typed: Word<'a>,
        /// The command that contains this one.
        outer: Option<&'static CommandEntry>,
    },
    /// The arguments of a command.
    Argument {
        /// The command.
        entry: &'static CommandEntry,
        /// The argument that the user is writing or will write next, and those after it. Optional
        /// arguments may be left out, so the user may mean a later one.
        args: &'static [Arg],
        /// The written part of it; empty after white space.
        word: Word<'a>,
    },
}

impl<'a> CompletionPoint<'a> {
    /// The point at the end of `line` for this side; `None` in a text.
    pub fn of(line: &'a str, role: Role) -> Option<Self> {
        locate(Word { at: 0, text: line }, None, role)
    }
}

fn locate<'a>(
    line: Word<'a>,
    outer: Option<&'static CommandEntry>,
    role: Role,
) -> Option<CompletionPoint<'a>> {
    if role == Role::Server && line.text.starts_with(target::SIGN) {
        let Some(separator) = line.text.find(char::is_whitespace) else {
            return Some(CompletionPoint::Target(line));
        };
        let rest = line.skip(separator);
        let space = rest.text.chars().next().map_or(0, char::len_utf8);
        return locate(rest.skip(space), outer, role);
    }
    let after_slash = line.strip("/").filter(|rest| !rest.text.starts_with(['/', '#']))?;
    let Some(name_len) = after_slash.text.find(char::is_whitespace) else {
        return Some(CompletionPoint::Name { typed: line, outer });
    };
    let found = table::find(&after_slash.text[..name_len]);
    let entry = found.filter(|entry| entry.side.refuses(role).is_none())?;
    if !outer.is_none_or(|outer| can_stand_in(entry, outer)) {
        return None;
    }
    let mut args = entry.args;
    let mut rest = after_slash.skip(name_len);
    loop {
        let word = rest.skip(rest.text.len() - rest.text.trim_start().len());
        if let [Arg { kind: ArgKind::Command, .. }] = args
            && !word.text.is_empty()
        {
            let outer = (entry.name != "to").then_some(entry);
            return locate(word, outer, role);
        }
        let len = word_len(word.text, args);
        if len == word.text.len() {
            return Some(CompletionPoint::Argument { entry, args, word });
        }
        if word.text[..len] == *"--"
            && let [.., Arg { kind: ArgKind::Payload, .. }] = args
        {
            // White space follows, because otherwise this word would be the last one.
            let payload = word.skip(len);
            let separator = payload.text.chars().next().map_or(0, char::len_utf8);
            return Some(CompletionPoint::Argument {
                entry,
                args: &args[args.len() - 1..],
                word: payload.skip(separator),
            });
        }
        args = from(args, &word.text[..len]);
        match args.first() {
            Some(arg) if arg.is_rest() => {
                return Some(CompletionPoint::Argument { entry, args, word });
            }
            Some(arg) if arg.is_repeated() => {}
            Some(_) => args = &args[1..],
            None => return None,
        }
        rest = word.skip(len);
    }
}

/// The argument that `word` begins, and those after it; skips optional arguments that `word` can't
/// be.
pub(crate) fn from(args: &'static [Arg], word: &str) -> &'static [Arg] {
    let skipped = args.iter().take_while(|arg| arg.is_optional() && !fits(arg.kind, word));
    &args[skipped.count()..]
}

/// Whether `inner` can be the command of `outer`.
pub(crate) fn can_stand_in(inner: &CommandEntry, outer: &CommandEntry) -> bool {
    match inner.nesting {
        Nesting::Yes => true,
        Nesting::NotInItself(_) => inner.name != outer.name,
        Nesting::No(_) => false,
    }
}

fn fits(kind: ArgKind, word: &str) -> bool {
    match kind {
        ArgKind::Choice(choices) => choices.iter().any(|(choice, _)| *choice == word),
        ArgKind::CloseCode => close_code(word).is_some(),
        ArgKind::Opcode => opcode(word).is_some(),
        ArgKind::Opcodes => word.split(',').all(|word| opcode(word).is_some()),
        ArgKind::FrameOption => {
            word.split_once('=').is_some_and(|(name, _)| FRAME_KEYS.iter().any(|k| k.name == name))
        }
        ArgKind::Regex => word.starts_with(['/', '"']),
        _ => true,
    }
}

/// The length of the first word of `text`. The word may be in quotes, a regular expression also
/// between slashes.
fn word_len(text: &str, args: &[Arg]) -> usize {
    let regex_due = args.first().is_some_and(|arg| arg.kind == ArgKind::Regex || arg.is_optional())
        && args.iter().any(|arg| arg.kind == ArgKind::Regex);
    if regex_due && text.starts_with('/') {
        let mut escaped = false;
        let end = text.char_indices().skip(1).find(|&(_, c)| {
            let ends = c == '/' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return end.map_or(text.len(), |(at, _)| at + 1);
    }
    TypedPath::read(text, false).len
}
