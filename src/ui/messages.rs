//! Which message a frame belongs to, and how to read its payload.

use crate::wire::{Data, FrameHeader, OpCode, ViolationKind};

/// What a frame's message says about its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MessageKind {
    /// Text or binary.
    pub(super) text: bool,
    /// Whether its frames are compressed.
    pub(super) compressed: bool,
}

/// Follows the messages of one direction.
#[derive(Debug, Default)]
pub(super) struct Messages {
    open: Option<MessageKind>,
}

impl Messages {
    /// The message that a frame opens or continues with.
    #[inline]
    pub(super) fn begin(&mut self, header: &FrameHeader) -> Option<MessageKind> {
        match header.opcode {
            OpCode::Data(Data::Text | Data::Binary) => {
                let text = header.opcode == OpCode::Data(Data::Text);
                // permessage-deflate gives RSV1 this meaning (RFC 7692 §6); if it was not agreed, a
                // violation is reported before the payload: see `blame`.
                self.open = Some(MessageKind { text, compressed: header.rsv1 });
                self.open
            }
            OpCode::Data(Data::Continue) => self.open,
            _ => None,
        }
    }

    /// Handles a violation in a frame of `message`.
    pub(super) fn blame(&mut self, kind: ViolationKind, message: &mut Option<MessageKind>) {
        if kind == ViolationKind::Rsv1WithoutExtension {
            for message in [&mut self.open, message].into_iter().flatten() {
                message.compressed = false;
            }
        }
    }

    /// Handles the end of a frame.
    #[inline]
    pub(super) fn end(&mut self, header: &FrameHeader) {
        // A frame with a reserved opcode belongs to no message, so it ends none.
        let data =
            matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary | Data::Continue));
        if header.fin && data {
            self.open = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(first: u8) -> FrameHeader {
        FrameHeader::parse(&[first, 0], 0).expect("a whole header")
    }

    #[test]
    fn continuations_belong_to_the_open_message() {
        let mut messages = Messages::default();
        assert_eq!(messages.begin(&header(0x80)), None);
        let text = Some(MessageKind { text: true, compressed: true });
        for (first, expected) in
            [(0x41, text), (0x89, None), (0x83, None), (0x00, text), (0x80, text)]
        {
            assert_eq!(messages.begin(&header(first)), expected);
            messages.end(&header(first));
        }
        assert_eq!(messages.begin(&header(0x80)), None);
    }

    #[test]
    fn rsv1_means_nothing_without_an_extension() {
        let mut messages = Messages::default();
        let mut message = messages.begin(&header(0x42));
        messages.blame(ViolationKind::Rsv1WithoutExtension, &mut message);
        let binary = Some(MessageKind { text: false, compressed: false });
        assert_eq!((message, messages.begin(&header(0x80))), (binary, binary));
    }
}
