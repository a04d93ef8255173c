//! Where in a command a line has come to: which argument is being written at its end.
//!
//! Completion and hints are made from it. A line that is not finished has no faults yet: what does
//! not parse has simply nothing to propose.

use crate::script::command::frame::FRAME_KEYS;
use crate::script::command::table::{self, Arg, Entry, Kind, Nesting};
use crate::script::command::target;
use crate::script::command::words::{Piece, TypedPath};
use crate::ui::notation::{close_code, opcode};
use crate::wire::Role;

/// The end of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cursor<'a> {
    /// In the word that names the clients of a server's line, its sign included.
    Target(Piece<'a>),
    /// In the name of a command.
    Name {
        /// The name so far, with its slash.
        typed: Piece<'a>,
        /// The command it stands in.
        outer: Option<&'static Entry>,
    },
    /// In the arguments of a command.
    Argument {
        /// The command.
        entry: &'static Entry,
        /// The argument being written, or to be written next, and those after it. Optional ones
        /// may be left out, so it may be a later one.
        args: &'static [Arg],
        /// What has been written of it; empty after white space.
        word: Piece<'a>,
    },
}

impl<'a> Cursor<'a> {
    /// The place at the end of `line`, written on this side; `None` in a text.
    pub fn of(line: &'a str, role: Role) -> Option<Self> {
        locate(Piece { at: 0, text: line }, None, role)
    }
}

fn locate<'a>(line: Piece<'a>, outer: Option<&'static Entry>, role: Role) -> Option<Cursor<'a>> {
    if role == Role::Server && line.text.starts_with(target::SIGN) {
        let Some(separator) = line.text.find(char::is_whitespace) else {
            return Some(Cursor::Target(line));
        };
        let rest = line.skip(separator);
        let space = rest.text.chars().next().map_or(0, char::len_utf8);
        return locate(rest.skip(space), outer, role);
    }
    let after_slash = line.strip("/").filter(|rest| !rest.text.starts_with(['/', '#']))?;
    let Some(name_len) = after_slash.text.find(char::is_whitespace) else {
        return Some(Cursor::Name { typed: line, outer });
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
        if let [Arg { kind: Kind::Command, .. }] = args
            && !word.text.is_empty()
        {
            let outer = (entry.name != "to").then_some(entry);
            return locate(word, outer, role);
        }
        let len = word_len(word.text, args);
        if len == word.text.len() {
            return Some(Cursor::Argument { entry, args, word });
        }
        if word.text[..len] == *"--"
            && let [.., Arg { kind: Kind::Payload, .. }] = args
        {
            // One white space follows; there is one, or the word would be the last.
            let payload = word.skip(len);
            let separator = payload.text.chars().next().map_or(0, char::len_utf8);
            return Some(Cursor::Argument {
                entry,
                args: &args[args.len() - 1..],
                word: payload.skip(separator),
            });
        }
        args = from(args, &word.text[..len]);
        match args.first() {
            Some(arg) if arg.is_rest() => return Some(Cursor::Argument { entry, args, word }),
            Some(arg) if arg.is_repeated() => {}
            Some(_) => args = &args[1..],
            None => return None,
        }
        rest = word.skip(len);
    }
}

/// The argument that `word` is, and those after it: optional ones it can't be are left out.
pub(crate) fn from(args: &'static [Arg], word: &str) -> &'static [Arg] {
    let skipped = args.iter().take_while(|arg| arg.is_optional() && !fits(arg.kind, word));
    &args[skipped.count()..]
}

/// Whether `inner` can stand in `outer`.
pub(crate) fn can_stand_in(inner: &Entry, outer: &Entry) -> bool {
    match inner.nesting {
        Nesting::Yes => true,
        Nesting::NotInItself(_) => inner.name != outer.name,
        Nesting::No(_) => false,
    }
}

fn fits(kind: Kind, word: &str) -> bool {
    match kind {
        Kind::Choice(choices) => choices.iter().any(|(choice, _)| *choice == word),
        Kind::CloseCode => close_code(word).is_some(),
        Kind::Opcode => opcode(word).is_some(),
        Kind::Opcodes => word.split(',').all(|word| opcode(word).is_some()),
        Kind::FrameOption => {
            word.split_once('=').is_some_and(|(name, _)| FRAME_KEYS.iter().any(|k| k.name == name))
        }
        Kind::Regex => word.starts_with(['/', '"']),
        _ => true,
    }
}

/// The length of the word at the beginning of `text`, which may be in quotes; a regular expression
/// also between slashes.
fn word_len(text: &str, args: &[Arg]) -> usize {
    let regex_due = args.first().is_some_and(|arg| arg.kind == Kind::Regex || arg.is_optional())
        && args.iter().any(|arg| arg.kind == Kind::Regex);
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
