//! The grey rest of a line: what can still be written.

use crate::script::command::cursor::{Cursor, can_stand_in, from};
use crate::script::command::table::{self, Arg, ENTRIES, Entry};
use crate::wire::Role;

/// What may follow a client's `line` with the cursor at byte `pos`: the rest of the name if it is clear, and
/// the arguments that are left. `None` in a text, in a payload and before the line's end.
///
/// It is to be shown, not to be taken over.
pub fn hint(line: &str, pos: usize) -> Option<String> {
    hint_for(line, pos, Role::Client)
}

/// The same for a side.
pub fn hint_for(line: &str, pos: usize, role: Role) -> Option<String> {
    if pos != line.len() {
        return None;
    }
    match Cursor::of(line, role)? {
        Cursor::Target(_) => None,
        Cursor::Name { typed, outer } => {
            let name = &typed.text[1..];
            let entry = meant(name, outer, role)?;
            let missing = entry.name.strip_prefix(name).unwrap_or_default();
            let usage = spelled(entry.args);
            Some(format!("{missing}{usage}")).filter(|hint| !hint.is_empty())
        }
        Cursor::Argument { args, word, .. } => {
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

/// The command that `name` is or alone begins with.
fn meant(name: &str, outer: Option<&'static Entry>, role: Role) -> Option<&'static Entry> {
    let allowed = |entry: &&Entry| {
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
