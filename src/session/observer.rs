//! The observer: it takes the bytes of one direction, and returns events.
//!
//! Only this module decodes bytes. It reads the head of the opening handshake, then frames,
//! inflates compressed messages, checks every rule and joins frames into messages. It never fails:
//! a broken rule of the RFC is an event, and the endpoint decides what follows.
//!
//! Drain rule: build an [`Input`] over the bytes received, call [`Observer::next`] until it gives
//! `None`, only then add more bytes. To pause in between (a full pipe), keep the same bytes and
//! continue with [`Input::resume`].

mod frames;

use self::frames::Frames;
pub use self::frames::Run;
use crate::event::{Direction, MessageInfo, Observed, WholeMessage};
use crate::wire::decoder::{Decoder, Input};
use crate::wire::deflate::params::DeflateParams;
use crate::wire::head::{Fed, Head, HeadError, HeadKind, HeadLimits, HeadParser};
use crate::wire::{Data, Violation};

/// The limits for a peer's data. To exceed one is a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the head of the handshake.
    pub head: HeadLimits,
    /// For a message on the wire, announced or received, in bytes.
    pub message: u64,
    /// For a message after decompression, in bytes.
    pub inflated: u64,
}

impl Default for Limits {
    /// One TiB on the wire, because messages are streamed and an hour's download is legitimate; one
    /// GiB inflated, because larger messages are probably bombs.
    fn default() -> Self {
        Self { head: HeadLimits::default(), message: 1 << 40, inflated: 1 << 30 }
    }
}

/// Decodes one direction of a connection.
#[derive(Debug)]
pub struct Observer {
    direction: Direction,
    /// [`Limits::message`] and [`Limits::inflated`].
    max_message: u64,
    max_inflated: u64,
    phase: ObserverPhase,
    offset: u64,
}

#[derive(Debug)]
enum ObserverPhase {
    /// The observer reads the head.
    Head(Box<HeadParser>),
    /// The head has been reported; the owner has not decided what follows it.
    Undecided(Box<Head>),
    /// The head was refused; nothing can follow it.
    Refused(Box<HeadError>),
    /// A response without upgrade.
    Body,
    /// After the handshake.
    Frames(Box<Frames>),
}

impl Observer {
    /// An observer that begins before the head of the handshake.
    pub fn before_handshake(direction: Direction, limits: Limits) -> Self {
        let kind = match direction {
            Direction::ToServer => HeadKind::Request,
            Direction::ToClient => HeadKind::Response,
        };
        let parser = Box::new(HeadParser::new(kind, limits.head));
        Self::new(direction, limits, ObserverPhase::Head(parser))
    }

    fn new(direction: Direction, limits: Limits, phase: ObserverPhase) -> Self {
        let Limits { message, inflated, .. } = limits;
        Self { direction, max_message: message, max_inflated: inflated, phase, offset: 0 }
    }

    /// The memory that inflating keeps between messages, in bytes.
    pub fn held(&self) -> usize {
        match &self.phase {
            ObserverPhase::Frames(frames) => frames.held(),
            _ => 0,
        }
    }

    /// The direction.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// An observer that begins at a frame boundary, with the agreed compression.
    pub fn of_frames(
        direction: Direction,
        deflate: Option<&DeflateParams>,
        limits: Limits,
    ) -> Self {
        let mut observer = Self::new(direction, limits, ObserverPhase::Body);
        observer.expect_frames(deflate);
        observer
    }

    /// Expects frames after the head, with the agreed compression.
    pub fn expect_frames(&mut self, deflate: Option<&DeflateParams>) {
        let Self { direction, max_message, max_inflated, offset, .. } = *self;
        let frames = Frames::new(direction, offset, deflate, max_message, max_inflated);
        self.phase = ObserverPhase::Frames(Box::new(frames));
    }

    /// Expects a body after the head.
    pub fn expect_body(&mut self) {
        self.phase = ObserverPhase::Body;
    }

    /// Expects another head, because the last one was interim (RFC 9110 §15.2).
    pub fn expect_head(&mut self, limits: Limits) {
        *self = Self::before_handshake(self.direction, limits);
    }

    /// Whether the owner must decide what follows the head before decoding continues.
    pub fn is_undecided(&self) -> bool {
        matches!(self.phase, ObserverPhase::Undecided(_) | ObserverPhase::Refused(_))
    }

    /// The next event; `None` when `input` is used up, or when the owner must decide what follows a
    /// head.
    pub fn next<'e>(&'e mut self, input: &'e mut Input<'_>) -> Option<Observed<'e>> {
        if let ObserverPhase::Head(parser) = &mut self.phase {
            if input.is_empty() {
                return None;
            }
            match parser.push(input.rest()) {
                Ok(Fed::Incomplete) => {
                    self.offset += input.take(usize::MAX).len() as u64;
                    return None;
                }
                Ok(Fed::Complete { consumed, head }) => {
                    self.offset += input.take(consumed).len() as u64;
                    self.phase = ObserverPhase::Undecided(Box::new(head));
                    let ObserverPhase::Undecided(head) = &self.phase else { return None };
                    return Some(Observed::Head(head));
                }
                Err(error) => {
                    self.phase = ObserverPhase::Refused(Box::new(error));
                    let ObserverPhase::Refused(error) = &self.phase else { return None };
                    return Some(Observed::HeadError(error));
                }
            }
        }
        match &mut self.phase {
            ObserverPhase::Frames(frames) => frames.next(input).map(Observed::Frame),
            ObserverPhase::Body => {
                let body = input.take(usize::MAX);
                self.offset += body.len() as u64;
                (!body.is_empty()).then_some(Observed::Body(body))
            }
            ObserverPhase::Head(_) | ObserverPhase::Undecided(_) | ObserverPhase::Refused(_) => {
                None
            }
        }
    }

    /// Like [`Observer::next`], but returns one [`Observed::Whole`] instead of five events for a
    /// legal message that is complete in one frame in `input`. For readers of many small messages,
    /// passing on events is the main cost.
    #[inline]
    pub fn next_or_whole<'e>(&'e mut self, input: &'e mut Input<'_>) -> Option<Observed<'e>> {
        let whole = match &mut self.phase {
            ObserverPhase::Frames(frames) => frames.take_whole(input),
            _ => false,
        };
        if whole {
            let ObserverPhase::Frames(frames) = &self.phase else { return None };
            return frames.whole(input).map(Observed::Whole);
        }
        self.next(input)
    }

    /// Takes small messages of a server, as long as each is legal and complete in one frame in
    /// `input`, and passes on their contents: at most `most` bytes of the stream, plus one frame.
    /// [`Observer::next`] handles the rest. Readers that need only the content save most of the
    /// cost of events.
    #[inline]
    pub fn take_run(&mut self, input: &mut Input<'_>, most: usize, take: impl FnMut(&[u8])) -> Run {
        match &mut self.phase {
            ObserverPhase::Frames(frames) => frames.take_run(input, most, take),
            _ => Run::default(),
        }
    }

    /// Like [`Self::take_run`], for small messages of a client. It unmasks them in place, and also
    /// passes on whether they are text or binary.
    #[inline]
    pub fn take_masked_run(
        &mut self,
        input: &mut Input<'_>,
        most: usize,
        take: impl FnMut(Data, &[u8]),
    ) -> Run {
        match &mut self.phase {
            ObserverPhase::Frames(frames) => frames.take_masked_run(input, most, take),
            _ => Run::default(),
        }
    }

    /// The last message of the last run.
    pub fn last_of_run<'e>(&'e self, input: &'e Input<'_>) -> Option<WholeMessage<'e>> {
        let ObserverPhase::Frames(frames) = &self.phase else { return None };
        frames.whole(input)
    }

    /// Takes a run of small messages of either side, and drops their contents: see
    /// [`Observer::take_run`].
    pub fn skip_run(&mut self, input: &mut Input<'_>, most: usize) -> Run {
        match self.direction {
            Direction::ToClient => self.take_run(input, most, |_| {}),
            Direction::ToServer => self.take_masked_run(input, most, |_, _| {}),
        }
    }

    /// Whether the next frame in `input` is a data frame; `None` inside a frame.
    pub fn is_before_data(&self, input: &Input<'_>) -> Option<bool> {
        /// "Opcodes 0x8 to 0xF are control frames" by their most significant bit (RFC 6455 §5.5).
        const CONTROL: u8 = 0x08;
        let at_boundary =
            matches!(&self.phase, ObserverPhase::Frames(frames) if frames.is_at_boundary());
        let data = |first: &u8| first & CONTROL == 0;
        at_boundary.then(|| input.rest().first().is_some_and(data))
    }

    /// The other side has sent a Close: data that is not a frame does not answer it.
    pub fn await_close(&mut self) {
        if let ObserverPhase::Frames(frames) = &mut self.phase {
            frames.await_close();
        }
    }

    /// A decoder that continues after the consumed bytes.
    pub fn decoder(&self) -> Option<Decoder> {
        match &self.phase {
            ObserverPhase::Frames(frames) => Some(frames.decoder().clone()),
            _ => None,
        }
    }

    /// The received part of a ping's payload, if the ping has begun and has not been reported.
    pub fn unreported_ping(&self) -> Option<&[u8]> {
        match &self.phase {
            ObserverPhase::Frames(frames) => frames.unreported_ping(),
            _ => None,
        }
    }

    /// The reported head, until its owner decides what follows it.
    pub fn head(&self) -> Option<&Head> {
        match &self.phase {
            ObserverPhase::Undecided(head) => Some(head),
            _ => None,
        }
    }

    /// The error of an invalid head.
    pub fn head_error(&self) -> Option<&HeadError> {
        match &self.phase {
            ObserverPhase::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// The received part of an incomplete head.
    pub fn partial_head(&self) -> Option<&HeadParser> {
        match &self.phase {
            ObserverPhase::Head(parser) => Some(parser),
            _ => None,
        }
    }

    /// Ends the stream. If it ends inside a frame, that is a violation.
    pub fn finish(&mut self) -> Option<Violation> {
        match &self.phase {
            ObserverPhase::Frames(frames) => frames.cut_short(),
            _ => None,
        }
    }

    /// The number of consumed bytes of the stream, including the head.
    pub fn offset(&self) -> u64 {
        match &self.phase {
            ObserverPhase::Frames(frames) => frames.offset(),
            _ => self.offset,
        }
    }

    /// The number of received bytes of an incomplete frame.
    pub fn partial_frame(&self) -> u64 {
        match &self.phase {
            ObserverPhase::Frames(frames) => frames.partial(),
            _ => 0,
        }
    }

    /// The message that has begun and whose last frame has not ended, with the numbers of its frames
    /// and bytes until now; after a Close, as at the time of the Close.
    pub fn unfinished_message(&self) -> Option<&MessageInfo> {
        match &self.phase {
            ObserverPhase::Frames(frames) => frames.open_message_info(),
            _ => None,
        }
    }

    /// Whether a message has begun and its last frame has not ended; after a Close, whether this
    /// was so when the Close arrived.
    pub fn inside_message(&self) -> bool {
        matches!(&self.phase, ObserverPhase::Frames(frames) if frames.is_inside_message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Endpoint;

    #[test]
    fn an_idle_connection_takes_little_memory() {
        // A server has thousands of both.
        assert!(size_of::<Endpoint>() <= 96, "{}", size_of::<Endpoint>());
        let observer = size_of::<Observer>() + size_of::<Frames>();
        assert!(observer <= 288, "{observer}");
    }
}
