//! Which of a server's clients a line is for: `@3`, `@3,5`, `@all`.
//!
//! Knows numbers only, not which of them are connected.

use crate::event::ConnId;
use crate::script::command::error::ParseError;
use crate::script::command::words::Word;
use crate::ui::filter::ClientSet;
use crate::ui::notation::number;

/// What begins a line that names its clients.
pub(crate) const SIGN: char = '@';

/// What is accepted where clients are named.
const ACCEPTED: &str = "a client's number, several as in 3,5, or all";

/// From `all`, or numbers with commas between; one `@` before it may stay.
pub(crate) fn parse(word: Word<'_>) -> Result<ClientSet, ParseError> {
    let text = word.text.strip_prefix(SIGN).unwrap_or(word.text);
    if text == "all" {
        return Ok(ClientSet::All);
    }
    let id = |text| number(text).filter(|id| *id > 0).map(ConnId);
    let ids: Option<Vec<ConnId>> = text.split(',').map(id).collect();
    let accepted = match word.text.starts_with(SIGN) {
        true => format!("@ and {ACCEPTED}; a text that begins with @ is written /text \\@"),
        false => ACCEPTED.to_owned(),
    };
    let mut ids = ids.ok_or_else(|| word.not("not a client", accepted))?;
    // Twice the same number is no reason to send twice.
    let mut seen = Vec::new();
    ids.retain(|id| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    Ok(ClientSet::Only(ids))
}
