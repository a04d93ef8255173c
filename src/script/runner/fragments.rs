//! `/fragment`: a message in fragments of chosen sizes, some in each turn, to one peer or to
//! several.

use std::time::Instant;
use std::vec;

use crate::engine::outbox::Producer;
use crate::event::ConnId;
use crate::script::command::{FragmentSpec, Fragmentation};
use crate::script::runner::connections::Connections;
use crate::session::endpoint::SendError;
use crate::ui::filter::ClientSet;
use crate::wire::Data;

/// The number of fragments between two checks of the clock.
const AT_ONCE: usize = 256;

/// A message that is being sent.
pub(crate) struct Fragments {
    /// The clients that get it; a client that can't get more is removed.
    to: Vec<ConnId>,
    opcode: Data,
    /// Sends a ping after each fragment except the last.
    ping: bool,
    content: Vec<u8>,
    /// Bytes sent.
    at: usize,
    sizes: vec::IntoIter<usize>,
    /// Fragments sent.
    sent: usize,
}

impl Fragments {
    /// Cuts the `content` of a message.
    ///
    /// # Errors
    ///
    /// It has fewer bytes than the sizes add up to; in words.
    pub(crate) fn begin(
        spec: &FragmentSpec,
        content: Vec<u8>,
        to: Vec<ConnId>,
    ) -> Result<Self, String> {
        let opcode = if spec.binary { Data::Binary } else { Data::Text };
        let sizes = sizes(content.len(), &spec.cut)?.into_iter();
        Ok(Self { to, opcode, ping: spec.ping, content, at: 0, sizes, sent: 0 })
    }

    /// Sends the next fragments. Returns whether the last one was sent.
    ///
    /// # Errors
    ///
    /// No client is left; in words.
    pub(crate) fn go_on(
        &mut self,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> Result<bool, String> {
        for _ in 0..AT_ONCE {
            let Some(size) = self.sizes.next() else { return Ok(true) };
            let last = self.sizes.len() == 0;
            let piece = &self.content[self.at..self.at + size];
            (self.at, self.sent) = (self.at + size, self.sent + 1);
            let Self { to, opcode, ping, sent, .. } = self;
            // "Control frames … MAY be injected in the middle of a fragmented message"
            // (RFC 6455 §5.4).
            let ping =
                (*ping && !last).then(|| format!("between fragments {sent} and {}", *sent + 1));
            let mut fault = "the connection ended before everything was sent".to_owned();
            to.retain(|id| {
                let Some(mut sender) = connections.sender(*id, now) else { return false };
                let mut send = || -> Result<(), SendError> {
                    sender.fragment(Producer::Fragments, *opcode, piece, last)?;
                    ping.iter().try_for_each(|ping| sender.ping(ping.as_bytes()))
                };
                send().map_err(|error| fault = error.to_string()).is_ok()
            });
            if to.is_empty() {
                return Err(fault);
            }
        }
        Ok(self.sizes.len() == 0)
    }

    /// The clients that get it.
    pub(crate) fn target(&self) -> ClientSet {
        ClientSet::Only(self.to.clone())
    }
}

/// The sizes of the fragments of a message of `len` bytes. The rest beyond the given sizes is one
/// more fragment.
fn sizes(len: usize, cut: &Fragmentation) -> Result<Vec<usize>, String> {
    match cut {
        Fragmentation::Count(count) => {
            let mut rest = len;
            let size = |left| {
                let size = rest / left;
                rest -= size;
                size
            };
            Ok((1..=*count).rev().map(size).collect())
        }
        Fragmentation::Sizes(sizes) => {
            let sum = sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(*size));
            let rest = len.checked_sub(sum).ok_or_else(|| {
                format!("/fragment: the message has {len} bytes, the sizes add up to {sum}")
            })?;
            let rest = (rest > 0 || sizes.is_empty()).then_some(rest);
            Ok(sizes.iter().copied().chain(rest).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_into_as_many_pieces_as_asked_for() {
        let cut = |len, how| sizes(len, &how).expect("sizes");
        assert_eq!(cut(5, Fragmentation::Count(2)), [2, 3]);
        assert_eq!(cut(5, Fragmentation::Count(5)), [1; 5]);
        assert_eq!(cut(2, Fragmentation::Count(3)), [0, 1, 1]);
        assert_eq!(cut(5, Fragmentation::Sizes(vec![1, 0, 2])), [1, 0, 2, 2]);
        assert_eq!(cut(5, Fragmentation::Sizes(vec![2, 3])), [2, 3]);
        assert_eq!(cut(0, Fragmentation::Sizes(vec![])), [0]);
        let error = sizes(2, &Fragmentation::Sizes(vec![1, 2])).expect_err("too long");
        assert_eq!(error, "/fragment: the message has 2 bytes, the sizes add up to 3");
    }
}
