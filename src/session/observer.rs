//! The observer: bytes of one direction in, events out.
//!
//! The only place that decodes bytes. It reads the head of the opening handshake, then frames,
//! inflates compressed messages, checks every rule and joins frames into messages. It never fails:
//! a broken rule of the RFC is an event, and the endpoint decides what follows.
//!
//! Drain rule: build an [`Input`] over the bytes received, call [`Observer::next`] until it gives
//! `None`, only then add more bytes. To pause in between (a full pipe), keep the same bytes and
//! continue with [`Input::resume`].

mod frames;

use self::frames::Frames;
pub use self::frames::Run;
use crate::event::{Direction, Observed, WholeMessage};
use crate::wire::decoder::{Decoder, Input};
use crate::wire::deflate::params::DeflateParams;
use crate::wire::head::{Fed, Head, HeadError, HeadKind, HeadLimits, HeadParser};
use crate::wire::{Data, Violation};

/// How much of a peer's data is accepted before it counts as a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the head of the handshake.
    pub head: HeadLimits,
    /// Bytes of a message on the wire, announced or received.
    pub message: u64,
    /// Bytes a compressed message may inflate to.
    pub inflated: u64,
}

impl Default for Limits {
    /// One TiB on the wire, because messages are streamed and an hour's download is legitimate;
    /// one GiB inflated, because that is where a thousandfold bomb stops being data.
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
    phase: Phase,
    offset: u64,
}

#[derive(Debug)]
enum Phase {
    /// Reading the head.
    Head(Box<HeadParser>),
    /// The head has been reported; its owner has not decided what follows it.
    Undecided(Box<Head>),
    /// The head was refused; nothing can follow.
    Refused(Box<HeadError>),
    /// A response without upgrade.
    Body,
    /// After the handshake.
    Frames(Box<Frames>),
}

impl Observer {
    /// Begins before the head of the handshake.
    pub fn before_handshake(direction: Direction, limits: Limits) -> Self {
        let kind = match direction {
            Direction::ToServer => HeadKind::Request,
            Direction::ToClient => HeadKind::Response,
        };
        let parser = Box::new(HeadParser::new(kind, limits.head));
        Self::new(direction, limits, Phase::Head(parser))
    }

    fn new(direction: Direction, limits: Limits, phase: Phase) -> Self {
        let Limits { message, inflated, .. } = limits;
        Self { direction, max_message: message, max_inflated: inflated, phase, offset: 0 }
    }

    /// Bytes of memory that inflating keeps between messages.
    pub fn held(&self) -> usize {
        match &self.phase {
            Phase::Frames(frames) => frames.held(),
            _ => 0,
        }
    }

    /// The direction it observes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Begins at a frame boundary, with the compression that was agreed.
    pub fn of_frames(
        direction: Direction,
        deflate: Option<&DeflateParams>,
        limits: Limits,
    ) -> Self {
        let mut observer = Self::new(direction, limits, Phase::Body);
        observer.expect_frames(deflate);
        observer
    }

    /// Expects frames after the head, compressed as agreed.
    pub fn expect_frames(&mut self, deflate: Option<&DeflateParams>) {
        let Self { direction, max_message, max_inflated, offset, .. } = *self;
        let frames = Frames::new(direction, offset, deflate, max_message, max_inflated);
        self.phase = Phase::Frames(Box::new(frames));
    }

    /// Expects a body after the head.
    pub fn expect_body(&mut self) {
        self.phase = Phase::Body;
    }

    /// Expects another head: the one before was interim (RFC 9110 §15.2).
    pub fn expect_head(&mut self, limits: Limits) {
        *self = Self::before_handshake(self.direction, limits);
    }

    /// Whether the owner must decide what follows the head before more is decoded.
    pub fn is_undecided(&self) -> bool {
        matches!(self.phase, Phase::Undecided(_) | Phase::Refused(_))
    }

    /// The next event, or `None` when `input` is used up or the owner must decide what follows a
    /// head.
    pub fn next<'e>(&'e mut self, input: &'e mut Input<'_>) -> Option<Observed<'e>> {
        if let Phase::Head(parser) = &mut self.phase {
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
                    self.phase = Phase::Undecided(Box::new(head));
                    let Phase::Undecided(head) = &self.phase else { return None };
                    return Some(Observed::Head(head));
                }
                Err(error) => {
                    self.phase = Phase::Refused(Box::new(error));
                    let Phase::Refused(error) = &self.phase else { return None };
                    return Some(Observed::HeadError(error));
                }
            }
        }
        match &mut self.phase {
            Phase::Frames(frames) => frames.next(input).map(Observed::Frame),
            Phase::Body => {
                let body = input.take(usize::MAX);
                self.offset += body.len() as u64;
                (!body.is_empty()).then_some(Observed::Body(body))
            }
            Phase::Head(_) | Phase::Undecided(_) | Phase::Refused(_) => None,
        }
    }

    /// As [`Observer::next`], but a message that is complete in one frame in `input`, and breaks no
    /// rule, is one [`Observed::Whole`] instead of five events. For readers of many small messages,
    /// most of the cost of an event is in passing it on.
    #[inline]
    pub fn next_or_whole<'e>(&'e mut self, input: &'e mut Input<'_>) -> Option<Observed<'e>> {
        let whole = match &mut self.phase {
            Phase::Frames(frames) => frames.take_whole(input),
            _ => false,
        };
        if whole {
            let Phase::Frames(frames) = &self.phase else { return None };
            return frames.whole(input).map(Observed::Whole);
        }
        self.next(input)
    }

    /// Takes small messages of a server while each is complete in one frame in `input` and breaks
    /// no rule, and passes on their contents; at most `most` bytes of the stream, and one frame.
    /// The rest is for [`Observer::next`]. For readers that need only the content: a message then
    /// costs a fraction of its events.
    #[inline]
    pub fn take_run(&mut self, input: &mut Input<'_>, most: usize, take: impl FnMut(&[u8])) -> Run {
        match &mut self.phase {
            Phase::Frames(frames) => frames.take_run(input, most, take),
            _ => Run::default(),
        }
    }

    /// The same for small messages of a client, which are unmasked where they lie; passes on
    /// whether they are text or binary, too.
    #[inline]
    pub fn take_masked_run(
        &mut self,
        input: &mut Input<'_>,
        most: usize,
        take: impl FnMut(Data, &[u8]),
    ) -> Run {
        match &mut self.phase {
            Phase::Frames(frames) => frames.take_masked_run(input, most, take),
            _ => Run::default(),
        }
    }

    /// The last message of the run that was just taken.
    pub fn last_of_run<'e>(&'e self, input: &'e Input<'_>) -> Option<WholeMessage<'e>> {
        let Phase::Frames(frames) = &self.phase else { return None };
        frames.whole(input)
    }

    /// Takes a run of small messages of either side and drops their contents: see
    /// [`Observer::take_run`].
    pub fn skip_run(&mut self, input: &mut Input<'_>, most: usize) -> Run {
        match self.direction {
            Direction::ToClient => self.take_run(input, most, |_| {}),
            Direction::ToServer => self.take_masked_run(input, most, |_, _| {}),
        }
    }

    /// Between two frames, whether the next frame in `input` is a data frame; none inside a frame.
    pub fn is_before_data(&self, input: &Input<'_>) -> Option<bool> {
        /// "Opcodes 0x8 to 0xF are control frames" by their most significant bit (RFC 6455 §5.5).
        const CONTROL: u8 = 0x08;
        let at_boundary = matches!(&self.phase, Phase::Frames(frames) if frames.is_at_boundary());
        let data = |first: &u8| first & CONTROL == 0;
        at_boundary.then(|| input.rest().first().is_some_and(data))
    }

    /// The other side has sent a Close: data other than frames is not an answer to it.
    pub fn await_close(&mut self) {
        if let Phase::Frames(frames) = &mut self.phase {
            frames.await_close();
        }
    }

    /// A decoder that continues after the bytes consumed so far.
    pub fn decoder(&self) -> Option<Decoder> {
        match &self.phase {
            Phase::Frames(frames) => Some(frames.decoder().clone()),
            _ => None,
        }
    }

    /// The payload, as far as it has arrived, of a ping that has begun and is not reported yet.
    pub fn unreported_ping(&self) -> Option<&[u8]> {
        match &self.phase {
            Phase::Frames(frames) => frames.unreported_ping(),
            _ => None,
        }
    }

    /// The head that has been reported, until its owner decides what follows it.
    pub fn head(&self) -> Option<&Head> {
        match &self.phase {
            Phase::Undecided(head) => Some(head),
            _ => None,
        }
    }

    /// What is wrong with a head that can't be one.
    pub fn head_error(&self) -> Option<&HeadError> {
        match &self.phase {
            Phase::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// What has arrived of a head that is not complete.
    pub fn partial_head(&self) -> Option<&HeadParser> {
        match &self.phase {
            Phase::Head(parser) => Some(parser),
            _ => None,
        }
    }

    /// Ends the stream: a violation if it ends inside a frame.
    pub fn finish(&mut self) -> Option<Violation> {
        match &self.phase {
            Phase::Frames(frames) => frames.cut_short(),
            _ => None,
        }
    }

    /// Bytes of the direction's stream, head included, that were consumed.
    pub fn offset(&self) -> u64 {
        match &self.phase {
            Phase::Frames(frames) => frames.offset(),
            _ => self.offset,
        }
    }

    /// Bytes that have arrived of a frame that is not complete.
    pub fn partial_frame(&self) -> u64 {
        match &self.phase {
            Phase::Frames(frames) => frames.partial(),
            _ => 0,
        }
    }

    /// Whether a message has begun whose last frame has not ended; after a Close, whether it was so
    /// when the Close arrived.
    pub fn inside_message(&self) -> bool {
        matches!(&self.phase, Phase::Frames(frames) if frames.is_inside_message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Endpoint;

    #[test]
    fn an_idle_connection_takes_little_memory() {
        // A server holds thousands of both.
        assert!(size_of::<Endpoint>() <= 96, "{}", size_of::<Endpoint>());
        let observer = size_of::<Observer>() + size_of::<Frames>();
        assert!(observer <= 288, "{observer}");
    }
}
