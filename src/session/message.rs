//! Assembles messages from the events of one direction: as a whole, or in pieces of limited size.
//!
//! The content of a message is copied once. Between messages, an assembler uses almost no memory.

use crate::event::FrameEvent;
use crate::wire::{Data, FrameHeader, OpCode};

/// A message that is not kept as a whole is sent in fragments of this size. So memory stays
/// constant, and control frames can pass between the fragments.
pub const FRAGMENT_SIZE: usize = 1024 * 1024;

/// The size of a buffer that is kept between messages.
const KEPT: usize = 4 * 1024;

/// A complete data message.
#[derive(Debug)]
pub struct Message<'a> {
    /// Text or binary.
    pub opcode: Data,
    /// The size of the whole content; larger than [`Message::content`] if the limit was exceeded.
    pub len: u64,
    content: &'a mut Vec<u8>,
}

impl Message<'_> {
    /// The content, up to the limit.
    pub fn content(&self) -> &[u8] {
        self.content
    }

    /// Returns the content.
    pub fn into_content(self) -> Vec<u8> {
        std::mem::take(self.content)
    }
}

/// A part of a message that is passed on before the message is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePiece<'a> {
    /// Text or binary; the first frame of the message decides.
    pub opcode: Data,
    /// The next bytes of content.
    pub content: &'a [u8],
    /// Whether it is the last piece.
    pub last: bool,
}

/// Collects the messages of one direction.
///
/// Its owner calls either [`Assembler::take`] or [`Assembler::take_pieces`] with every frame event
/// of the direction. A message whose last frame never arrives, because another one begins, is
/// dropped.
#[derive(Debug)]
pub struct Assembler {
    limit: usize,
    opcode: Data,
    content: Vec<u8>,
}

impl Assembler {
    /// Keeps at most `limit` bytes of a message, or passes on pieces of about this size.
    pub fn new(limit: usize) -> Self {
        Self { limit, opcode: Data::Binary, content: Vec::new() }
    }

    /// Takes one event; passes a message to `complete` at its end. Of a message longer than the
    /// limit, only the beginning is kept.
    #[inline]
    pub fn take<R>(
        &mut self,
        event: &FrameEvent<'_>,
        complete: impl FnOnce(Message<'_>) -> R,
    ) -> Option<R> {
        match event {
            FrameEvent::Start { header, .. } => self.begin(header),
            FrameEvent::Data(bytes) => {
                let room = self.limit - self.content.len().min(self.limit);
                self.content.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            FrameEvent::Message(info) => {
                let content = &mut self.content;
                let done = complete(Message { opcode: self.opcode, len: info.len, content });
                self.clear();
                return Some(done);
            }
            _ => {}
        }
        None
    }

    /// Takes one event; passes on a piece when the limit is reached, and at the end of the message.
    /// A piece has at most the limit plus the bytes of one event.
    #[inline]
    pub fn take_pieces<R>(
        &mut self,
        event: &FrameEvent<'_>,
        hand_on: impl FnOnce(MessagePiece<'_>) -> R,
    ) -> Option<R> {
        let last = match event {
            FrameEvent::Start { header, .. } => {
                self.begin(header);
                return None;
            }
            FrameEvent::Data(bytes) if self.content.is_empty() && bytes.len() >= self.limit => {
                return Some(hand_on(MessagePiece {
                    opcode: self.opcode,
                    content: bytes,
                    last: false,
                }));
            }
            FrameEvent::Data(bytes) => {
                self.content.extend_from_slice(bytes);
                false
            }
            FrameEvent::Message(_) => true,
            _ => return None,
        };
        if !last && self.content.len() < self.limit {
            return None;
        }
        let done = hand_on(MessagePiece { opcode: self.opcode, content: &self.content, last });
        match last {
            true => self.clear(),
            false => self.content.clear(),
        }
        Some(done)
    }

    /// Its memory in bytes.
    pub fn held(&self) -> usize {
        self.content.capacity()
    }

    /// Drops an incomplete message.
    pub fn clear(&mut self) {
        self.content.clear();
        self.content.shrink_to(KEPT);
    }

    #[inline]
    fn begin(&mut self, header: &FrameHeader) {
        if let OpCode::Data(opcode @ (Data::Text | Data::Binary)) = header.opcode {
            self.opcode = opcode;
            self.content.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Direction, Observed};
    use crate::session::{Limits, Observer};
    use crate::wire::decoder::Input;
    use crate::wire::deflate::codec::Deflater;
    use crate::wire::deflate::params::DeflateParams;
    use crate::wire::{Control, writer};

    /// A message as sent: whether it is text, its content, whether it is compressed, the size of
    /// its fragments.
    type Sent = (bool, Vec<u8>, bool, usize);

    fn stream(messages: &[Sent]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut deflater = Deflater::new(15, false).expect("a usable window");
        for (text, content, compressed, piece) in messages {
            let mut rest = content.as_slice();
            let mut first = true;
            loop {
                let (piece, tail) =
                    rest.split_at((*piece).clamp(1, rest.len().max(1)).min(rest.len()));
                let (last, opcode) = (
                    tail.is_empty(),
                    match (first, text) {
                        (false, _) => Data::Continue,
                        (true, true) => Data::Text,
                        (true, false) => Data::Binary,
                    },
                );
                let mut payload = piece.to_vec();
                if *compressed {
                    payload.clear();
                    deflater.deflate(piece, last, &mut payload);
                }
                let (opcode, rsv1) = (OpCode::Data(opcode), *compressed && first);
                writer::write_frame(opcode, last, rsv1, None, &payload, &mut bytes);
                let ping = OpCode::Control(Control::Ping);
                writer::write_frame(ping, true, false, None, b"between", &mut bytes);
                (rest, first) = (tail, false);
                if last {
                    break;
                }
            }
        }
        bytes
    }

    /// Passes the bytes to an observer in buffers of `cut` bytes, and its events to `take`.
    fn observe(bytes: &[u8], cut: usize, mut take: impl FnMut(Observed<'_>)) {
        let deflate = DeflateParams::default();
        let mut observer =
            Observer::of_frames(Direction::ToClient, Some(&deflate), Limits::default());
        for buffer in bytes.chunks(cut) {
            let mut buffer = buffer.to_vec();
            let mut input = Input::new(&mut buffer);
            while let Some(observed) = observer.next_or_whole(&mut input) {
                take(observed);
            }
        }
    }

    fn taken(bytes: &[u8], cut: usize, limit: usize) -> Vec<(Data, u64, Vec<u8>)> {
        let mut assembler = Assembler::new(limit);
        let mut messages = Vec::new();
        let owned = |message: Message<'_>| {
            (message.opcode, message.len, message.content().to_vec(), message.into_content())
        };
        observe(bytes, cut, |observed| {
            let message = match observed {
                Observed::Whole(whole) => {
                    let mut message = None;
                    let taken = whole.try_events(|event| {
                        message = message.take().or(assembler.take(&event, owned));
                        Ok::<_, ()>(())
                    });
                    taken.expect("nothing refuses");
                    message
                }
                Observed::Frame(event) => assembler.take(&event, owned),
                _ => None,
            };
            messages.extend(message);
            assert!(assembler.held() <= KEPT.max(limit.saturating_mul(2)), "{}", assembler.held());
        });
        messages
            .into_iter()
            .map(|(opcode, len, content, kept)| {
                assert_eq!(content, kept);
                (opcode, len, content)
            })
            .collect()
    }

    #[test]
    fn whole_and_fragmented_messages_are_collected() {
        let bytes = b"\x81\x05whole\x01\x02in\x80\x04 two\x82\x00";
        let expected = [
            (Data::Text, 5, b"whole".to_vec()),
            (Data::Text, 6, b"in two".to_vec()),
            (Data::Binary, 0, Vec::new()),
        ];
        assert_eq!(taken(bytes, usize::MAX, usize::MAX), expected);
        assert_eq!(taken(bytes, 1, usize::MAX), expected);
    }

    #[test]
    fn a_message_that_another_one_interrupts_is_forgotten() {
        let bytes = b"\x01\x04half\x82\x05whole\x01\x02in\x80\x04 two";
        let expected = [(Data::Binary, 5, b"whole".to_vec()), (Data::Text, 6, b"in two".to_vec())];
        assert_eq!(taken(bytes, 3, usize::MAX), expected);
    }

    #[test]
    fn memory_goes_back_after_a_large_message() {
        let mut assembler = Assembler::new(usize::MAX);
        let message = vec![7; 1 << 20];
        assembler.take(&FrameEvent::Data(&message), |_| ());
        assert!(assembler.held() >= 1 << 20);
        assembler.clear();
        assert!(assembler.held() <= KEPT);
    }

    fn sent() -> impl Strategy<Value = Vec<Sent>> {
        let content = proptest::collection::vec(b'a'..b'e', 0..2000);
        proptest::collection::vec((any::<bool>(), content, any::<bool>(), 1usize..900), 1..6)
    }

    proptest! {
        #[test]
        fn messages_are_those_that_were_sent(
            sent in sent(), cut in 1usize..3000, limit in 0usize..2500,
        ) {
            let expected: Vec<_> = sent.iter().map(|(text, content, ..)| {
                let opcode = if *text { Data::Text } else { Data::Binary };
                let kept = content[..content.len().min(limit)].to_vec();
                (opcode, content.len() as u64, kept)
            }).collect();
            prop_assert_eq!(taken(&stream(&sent), cut, limit), expected);
        }

        #[test]
        fn pieces_make_the_messages_that_were_sent(
            sent in sent(), cut in 1usize..3000, limit in 1usize..2500,
        ) {
            let mut assembler = Assembler::new(limit);
            let mut messages = vec![(Data::Continue, Vec::new())];
            observe(&stream(&sent), cut, |observed| {
                let mut add = |piece: MessagePiece<'_>| {
                    let (opcode, content) = messages.last_mut().expect("never empty");
                    *opcode = piece.opcode;
                    content.extend_from_slice(piece.content);
                    if piece.last {
                        messages.push((Data::Continue, Vec::new()));
                    }
                };
                match observed {
                    Observed::Whole(whole) => {
                        whole.try_events(|event| {
                            assembler.take_pieces(&event, &mut add);
                            Ok::<_, ()>(())
                        }).expect("nothing refuses");
                    }
                    Observed::Frame(event) => {
                        assembler.take_pieces(&event, add);
                    }
                    _ => {}
                }
            });
            let expected: Vec<_> = sent.iter().map(|(text, content, ..)| {
                (if *text { Data::Text } else { Data::Binary }, content.clone())
            }).chain([(Data::Continue, Vec::new())]).collect();
            prop_assert_eq!(messages, expected);
        }
    }
}
