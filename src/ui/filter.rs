//! Which frames people are shown: a gate in front of the lines of the transcript.
//!
//! What it holds back is only not shown; it was sent or received all the same, and logs have it.
//! Broken rules, notes and endings never meet a gate.

use crate::event::ConnId;
use crate::script::command::{Filter, Way};
use crate::wire::OpCode;

/// So much of the content is looked at by a regex: of a longer one, the beginning decides.
pub const LOOKED_AT: usize = 64 * 1024;

impl Filter {
    /// Whether a frame may pass as far as its header shows. `opcode` is that of its message.
    fn lets_pass(&self, conn: ConnId, way: Way, opcode: OpCode) -> bool {
        self.target.includes(conn)
            && self.way.is_none_or(|only| only == way)
            && (self.opcodes.is_empty() || self.opcodes.contains(&opcode))
    }
}

/// What is known of one frame, or of one message where messages are shown as a whole.
#[derive(Debug, Default)]
pub(super) enum Gate {
    /// It is shown.
    #[default]
    Open,
    /// It is not.
    Shut,
    /// Its content decides; this is what came of it.
    Undecided(Vec<u8>),
}

impl Gate {
    /// A gate for what travels `way` on a connection.
    #[inline]
    pub(super) fn new(filter: Option<&Filter>, conn: ConnId, way: Way, opcode: OpCode) -> Self {
        match filter {
            None => Self::Open,
            Some(filter) if !filter.lets_pass(conn, way, opcode) => Self::Shut,
            Some(Filter { regex: None, unless: None, .. }) => Self::Open,
            Some(_) => Self::Undecided(Vec::new()),
        }
    }

    /// Takes the next piece of the content into account.
    #[inline]
    pub(super) fn push(&mut self, content: &[u8], filter: Option<&Filter>) {
        if let Self::Undecided(seen) = self {
            let room = LOOKED_AT - seen.len();
            seen.extend_from_slice(&content[..content.len().min(room)]);
            if seen.len() == LOOKED_AT {
                self.decide(filter);
            }
        }
    }

    /// Decides by what came.
    pub(super) fn decide(&mut self, filter: Option<&Filter>) {
        if let Self::Undecided(seen) = self {
            // The filter may have been taken away in the meantime.
            let shown = filter.is_none_or(|Filter { regex, unless, .. }| {
                regex.as_ref().is_none_or(|regex| regex.is_match(seen))
                    && unless.as_ref().is_none_or(|unless| !unless.is_match(seen))
            });
            *self = if shown { Self::Open } else { Self::Shut };
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    pub(super) fn is_undecided(&self) -> bool {
        matches!(self, Self::Undecided(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::command::Target;
    use crate::wire::{Control, Data};
    use regex::bytes::Regex;

    const TEXT: OpCode = OpCode::Data(Data::Text);
    const PING: OpCode = OpCode::Control(Control::Ping);

    fn passes(filter: &Filter, way: Way, opcode: OpCode, content: &[u8]) -> bool {
        let mut gate = Gate::new(Some(filter), ConnId(1), way, opcode);
        content.chunks(1000).for_each(|piece| gate.push(piece, Some(filter)));
        gate.decide(Some(filter));
        gate.is_open()
    }

    #[test]
    fn all_that_is_given_must_hold() {
        let nothing = Filter::default();
        assert!(passes(&nothing, Way::In, PING, b""));
        let filter = Filter {
            way: Some(Way::In),
            opcodes: vec![TEXT, PING],
            regex: Some(Regex::new("a+").expect("valid")),
            ..Filter::default()
        };
        assert!(passes(&filter, Way::In, TEXT, b"xaax"));
        assert!(!passes(&filter, Way::Out, TEXT, b"xaax"));
        assert!(!passes(&filter, Way::In, OpCode::Data(Data::Binary), b"xaax"));
        assert!(!passes(&filter, Way::In, PING, b"xyz"));
        let others = Target::Only(vec![ConnId(2)]);
        assert!(!passes(&Filter { target: others, ..Filter::default() }, Way::In, PING, b""));
    }

    #[test]
    fn the_beginning_of_a_long_content_decides() {
        let filter = Filter { regex: Some(Regex::new("a").expect("valid")), ..Filter::default() };
        let mut content = vec![b'x'; LOOKED_AT];
        content.push(b'a');
        assert!(!passes(&filter, Way::In, TEXT, &content));
        assert!(passes(&filter, Way::In, TEXT, &content[1..]));
        let mut gate = Gate::new(Some(&filter), ConnId(1), Way::In, TEXT);
        gate.push(&content, Some(&filter));
        assert!(!gate.is_undecided(), "no more is needed");
    }

    #[test]
    fn without_a_filter_all_is_shown() {
        assert!(Gate::new(None, ConnId(1), Way::In, TEXT).is_open());
        let filter = Filter { regex: Some(Regex::new("a").expect("valid")), ..Filter::default() };
        let mut gate = Gate::new(Some(&filter), ConnId(1), Way::In, TEXT);
        gate.decide(None);
        assert!(gate.is_open());
    }
}
