//! Which of a server's clients a line is for: `@3`, `@3,5`, `@all`.
//!
//! On a proxy a direction follows: `@3>` goes to the server, `@3<` to the client, `@>` and `@<`
//! mean the connection that was opened last.
//!
//! Handles only numbers, and does not check which clients are connected.

use crate::event::{ConnId, Direction};
use crate::script::command::error::ParseError;
use crate::script::command::words::Word;
use crate::ui::filter::ClientSet;
use crate::ui::notation::number;

/// The sign before the clients of a line.
pub(crate) const SIGN: char = '@';

/// The first number that no connection can have.
const MOST: u64 = 1 << 62;

/// What is accepted where clients are named.
const ACCEPTED: &str = "a client's number, several as in 3,5, or all";

/// Parses `all`, or comma-separated numbers, with a direction; an `@` before them is allowed.
pub(crate) fn parse(word: Word<'_>) -> Result<ClientSet, ParseError> {
    let text = word.text.strip_prefix(SIGN).unwrap_or(word.text);
    let towards = [Direction::ToServer, Direction::ToClient]
        .into_iter()
        .find_map(|direction| Some((text.strip_suffix(direction.sign())?, direction)));
    let (text, direction) = towards.map_or((text, None), |(text, towards)| (text, Some(towards)));
    match (text, direction) {
        ("all", None) => return Ok(ClientSet::All),
        ("all", Some(direction)) => return Ok(ClientSet::Every(direction)),
        ("", Some(direction)) => return Ok(ClientSet::Last(direction)),
        _ => {}
    }
    let id = |text| {
        let id = number(text).filter(|id| (1..MOST).contains(id)).map(ConnId)?;
        Some(direction.map_or(id, |direction| id.towards(direction)))
    };
    let ids: Option<Vec<ConnId>> = text.split(',').map(id).collect();
    let accepted = match word.text.starts_with(SIGN) {
        true => format!("@ and {ACCEPTED}; a text that begins with @ is written /text \\@"),
        false => ACCEPTED.to_owned(),
    };
    let mut ids = ids.ok_or_else(|| word.not("not a client", accepted))?;
    // A number that is given twice counts once.
    let mut seen = Vec::new();
    ids.retain(|id| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    Ok(ClientSet::Only(ids))
}
