//! Which of a server's clients a line is for: `@3`, `@3,5`, `@all`.
//!
//! Knows numbers only; who is connected is the mode's affair.

use std::fmt;

use crate::event::ConnId;
use crate::script::command::error::ParseError;
use crate::script::command::notation::number;
use crate::script::command::words::Piece;

/// What begins a line that says whom it is for.
pub(crate) const SIGN: char = '@';

/// What is accepted where clients are named.
const ACCEPTED: &str = "a client's number, several as in 3,5, or all";

/// Some of a server's clients, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Everybody who is connected when the line is carried out.
    #[default]
    All,
    /// These, in the order given; at least one.
    Only(Vec<ConnId>),
}

impl Target {
    /// Whether a connection is meant.
    pub fn includes(&self, id: ConnId) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(&id),
        }
    }

    /// From `all`, or numbers with commas between; one `@` before it may stay.
    pub(crate) fn parse(word: Piece<'_>) -> Result<Self, ParseError> {
        let text = word.text.strip_prefix(SIGN).unwrap_or(word.text);
        if text == "all" {
            return Ok(Self::All);
        }
        let id = |text| number(text).filter(|id| *id > 0).map(ConnId);
        let ids: Option<Vec<ConnId>> = text.split(',').map(id).collect();
        let accepted = match word.text.starts_with(SIGN) {
            true => format!("@ and {ACCEPTED}; a text that begins with @ is written /text \\@"),
            false => ACCEPTED.to_owned(),
        };
        let mut ids = ids.ok_or_else(|| word.not("no client", accepted))?;
        // Twice the same number is no reason to send twice.
        let mut seen = Vec::new();
        ids.retain(|id| {
            !seen.contains(id) && {
                seen.push(*id);
                true
            }
        });
        Ok(Self::Only(ids))
    }
}

/// As it is written behind the sign: `3,5` or `all`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Only(ids) = self else { return f.write_str("all") };
        for (at, id) in ids.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}", id.0)?;
        }
        Ok(())
    }
}
