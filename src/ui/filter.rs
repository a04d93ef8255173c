//! Decides which frames the transcript shows.
//!
//! Hidden frames are still sent and received, and logs contain them. Broken rules, notes and
//! endings are never hidden.

use std::fmt;

use crate::event::{ConnId, Direction};
use crate::ui::pattern::Pattern;
use crate::wire::OpCode;

/// How much of the content a regex searches; of longer content, only the beginning.
pub const LOOKED_AT: usize = 64 * 1024;

/// Some of a server's clients, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientSet {
    /// Every client that is connected when the set is used.
    #[default]
    All,
    /// These clients, in this order; at least one, none twice.
    Only(Vec<ConnId>),
    /// This direction of every relayed connection.
    Every(Direction),
    /// This direction of the connection that was opened last.
    Last(Direction),
}

impl ClientSet {
    /// Whether a connection belongs to the set.
    pub fn includes(&self, id: ConnId) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.iter().any(|own| {
                let directions = own.direction().zip(id.direction());
                own.pair() == id.pair() && directions.is_none_or(|(own, its)| own == its)
            }),
            Self::Every(direction) | Self::Last(direction) => {
                id.direction().is_none_or(|its| its == *direction)
            }
        }
    }

    /// The direction of relayed connections that the set names.
    pub fn direction(&self) -> Option<Direction> {
        match self {
            Self::All => None,
            Self::Only(ids) => ids.iter().find_map(|id| id.direction()),
            Self::Every(direction) | Self::Last(direction) => Some(*direction),
        }
    }
}

/// The notation of the prompt: `3,5` or `all`, and `3>`, `all>` or `>` for one direction.
impl fmt::Display for ClientSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = match self {
            Self::Only(ids) => ids,
            Self::All => return f.write_str("all"),
            Self::Every(direction) => return write!(f, "all{}", direction.sign()),
            Self::Last(direction) => return f.write_str(direction.sign()),
        };
        for (at, id) in ids.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}", id.pair())?;
        }
        f.write_str(self.direction().map_or("", Direction::sign))
    }
}

/// A filter for frames: it shows frames that match all its parts.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only frames of these connections.
    pub clients: ClientSet,
    /// Only frames that travel in this direction.
    pub direction: Option<Direction>,
    /// Only these opcodes; empty means all. A continuation counts as the opcode that it continues.
    pub opcodes: Vec<OpCode>,
    /// Only frames whose content matches.
    pub regex: Option<Pattern>,
    /// Only frames whose content does not match this one.
    pub unless: Option<Pattern>,
}

impl Filter {
    /// Whether a message is shown because this line of its meaning matches.
    pub(super) fn lets_mean(&self, line: &str) -> bool {
        let matches = |pattern: &Pattern| pattern.is_match(line.as_bytes());
        self.regex.as_ref().is_some_and(matches) && !self.unless.as_ref().is_some_and(matches)
    }

    /// Whether a frame with this header may be shown. `opcode` is that of its message.
    fn lets_pass(&self, conn: ConnId, direction: Direction, opcode: OpCode) -> bool {
        self.clients.includes(conn)
            && self.direction.is_none_or(|only| only == direction)
            && (self.opcodes.is_empty() || self.opcodes.contains(&opcode))
    }
}

/// The decision about a frame, or about a message if whole messages are shown.
#[derive(Debug, Default)]
pub(super) enum FilterGate {
    /// It is shown.
    #[default]
    Open,
    /// It is hidden, whatever its content.
    Shut,
    /// It is hidden because of its content.
    Barred,
    /// The content decides; this is its beginning.
    Undecided(Vec<u8>),
}

impl FilterGate {
    /// The gate of a frame or message. It is undecided if the filter searches the content.
    #[inline]
    pub(super) fn new(
        filter: Option<&Filter>,
        conn: ConnId,
        direction: Direction,
        opcode: OpCode,
    ) -> Self {
        match filter {
            None => Self::Open,
            Some(filter) if !filter.lets_pass(conn, direction, opcode) => Self::Shut,
            Some(Filter { regex: None, unless: None, .. }) => Self::Open,
            Some(_) => Self::Undecided(Vec::new()),
        }
    }

    /// Takes the next piece of the content.
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

    /// Decides with the received content.
    pub(super) fn decide(&mut self, filter: Option<&Filter>) {
        if let Self::Undecided(seen) = self {
            // The filter may have been removed in the meantime.
            let shown = filter.is_none_or(|Filter { regex, unless, .. }| {
                regex.as_ref().is_none_or(|regex| regex.is_match(seen))
                    && unless.as_ref().is_none_or(|unless| !unless.is_match(seen))
            });
            *self = if shown { Self::Open } else { Self::Barred };
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether only its content hides it.
    pub(super) fn is_shut_by_content(&self) -> bool {
        matches!(self, Self::Barred)
    }

    pub(super) fn is_undecided(&self) -> bool {
        matches!(self, Self::Undecided(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Control, Data};

    const TEXT: OpCode = OpCode::Data(Data::Text);
    const PING: OpCode = OpCode::Control(Control::Ping);

    fn passes(filter: &Filter, direction: Direction, opcode: OpCode, content: &[u8]) -> bool {
        let mut gate = FilterGate::new(Some(filter), ConnId(1), direction, opcode);
        content.chunks(1000).for_each(|piece| gate.push(piece, Some(filter)));
        gate.decide(Some(filter));
        gate.is_open()
    }

    #[test]
    fn all_that_is_given_must_hold() {
        let nothing = Filter::default();
        assert!(passes(&nothing, Direction::ToClient, PING, b""));
        let filter = Filter {
            direction: Some(Direction::ToClient),
            opcodes: vec![TEXT, PING],
            regex: Some(Pattern::new("a+").expect("valid")),
            ..Filter::default()
        };
        assert!(passes(&filter, Direction::ToClient, TEXT, b"xaax"));
        assert!(!passes(&filter, Direction::ToServer, TEXT, b"xaax"));
        assert!(!passes(&filter, Direction::ToClient, OpCode::Data(Data::Binary), b"xaax"));
        assert!(!passes(&filter, Direction::ToClient, PING, b"xyz"));
        let others = ClientSet::Only(vec![ConnId(2)]);
        assert!(!passes(
            &Filter { clients: others, ..Filter::default() },
            Direction::ToClient,
            PING,
            b""
        ));
    }

    #[test]
    fn the_beginning_of_a_long_content_decides() {
        let filter = Filter { regex: Some(Pattern::new("a").expect("valid")), ..Filter::default() };
        let mut content = vec![b'x'; LOOKED_AT];
        content.push(b'a');
        assert!(!passes(&filter, Direction::ToClient, TEXT, &content));
        assert!(passes(&filter, Direction::ToClient, TEXT, &content[1..]));
        let mut gate = FilterGate::new(Some(&filter), ConnId(1), Direction::ToClient, TEXT);
        gate.push(&content, Some(&filter));
        assert!(!gate.is_undecided(), "no more is needed");
    }

    #[test]
    fn without_a_filter_all_is_shown() {
        assert!(FilterGate::new(None, ConnId(1), Direction::ToClient, TEXT).is_open());
        let filter = Filter { regex: Some(Pattern::new("a").expect("valid")), ..Filter::default() };
        let mut gate = FilterGate::new(Some(&filter), ConnId(1), Direction::ToClient, TEXT);
        gate.decide(None);
        assert!(gate.is_open());
    }
}
