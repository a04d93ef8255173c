//! The meaning of a message in the protocol that it carries, for printers.

use crate::event::Direction;
use crate::lens::Decoded;

/// What a message means.
#[derive(Clone, Debug)]
pub struct Meaning {
    /// Who sent it.
    pub direction: Direction,
    /// The number of the message in its direction, from 1.
    pub number: u64,
    /// Whether other messages arrived between the message and this meaning, because only they
    /// showed the protocol.
    pub is_late: bool,
    /// Its packets.
    pub packets: Vec<Decoded>,
}
