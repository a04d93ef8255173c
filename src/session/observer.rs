//! The observer: bytes of one direction in, events out.
//!
//! The one place where bytes are decoded. It reads the head of the opening handshake, then frames,
//! inflates compressed messages, checks every rule and joins frames into messages. It never fails:
//! a breach of the RFC is an event, and what to do about it is the endpoint's policy.
//!
//! Drain rule: build an [`Input`] over the bytes received, call [`Observer::next`] until it gives
//! `None`, only then bring more bytes. To pause in between (a full pipe), keep the same bytes and
//! go on with [`Input::resume`].

use std::collections::VecDeque;

use super::framing::{self, Situation};
use crate::event::{Direction, FrameEvent, MessageInfo, Observed};
use crate::wire::close::{CloseBody, CloseBodyFault};
use crate::wire::decoder::{Decoder, Input, Step, Unfinished};
use crate::wire::deflate::codec::{Inflater, Progress, TAIL};
use crate::wire::deflate::params::DeflateParams;
use crate::wire::head::{Fed, Head, HeadError, HeadKind, HeadLimits, HeadParser};
use crate::wire::utf8::{Utf8Error, Utf8Validator};
use crate::wire::{Control, Data, FrameHeader, OpCode, Role, Violation, ViolationKind};

/// Inflated bytes handed on at once.
const INFLATE_PIECE: usize = 32 * 1024;

/// How much of a peer's data is taken before it counts as a violation.
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
    limits: Limits,
    phase: Phase,
    offset: u64,
}

#[derive(Debug)]
enum Phase {
    /// Reading the head.
    Head(Box<HeadParser>),
    /// The head has been told; the owner has not yet said what follows.
    Undecided(Box<Head>),
    /// The head was refused; nothing can follow.
    Refused(HeadError),
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
        Self { direction, limits, phase: Phase::Head(parser), offset: 0 }
    }

    /// Begins at a frame boundary, with the compression that was agreed.
    pub fn of_frames(
        direction: Direction,
        deflate: Option<&DeflateParams>,
        limits: Limits,
    ) -> Self {
        let mut observer = Self { direction, limits, phase: Phase::Body, offset: 0 };
        observer.expect_frames(deflate);
        observer
    }

    /// Says that frames follow the head, compressed as agreed.
    pub fn expect_frames(&mut self, deflate: Option<&DeflateParams>) {
        let frames = Frames::new(self.direction, self.offset, deflate, self.limits);
        self.phase = Phase::Frames(Box::new(frames));
    }

    /// Says that a body follows the head.
    pub fn expect_body(&mut self) {
        self.phase = Phase::Body;
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
                    self.phase = Phase::Refused(error);
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

    /// What has arrived of a head that is not complete.
    pub fn partial_head(&self) -> Option<&HeadParser> {
        match &self.phase {
            Phase::Head(parser) => Some(parser),
            _ => None,
        }
    }

    /// Ends the stream: a violation if it ends inside a frame.
    pub fn finish(&mut self) -> Option<Violation> {
        let Phase::Frames(frames) = &self.phase else { return None };
        let (frame, detail) = match frames.decoder.unfinished()? {
            Unfinished::Header { have } => {
                (frames.number + 1, format!("only {have} bytes of a header came"))
            }
            Unfinished::Payload { have, len } => {
                (frames.number, format!("{have} of {len} payload bytes came"))
            }
        };
        let (kind, offset) = (ViolationKind::CutInsideFrame, frames.decoder.offset());
        Some(Violation { kind, frame, offset, detail })
    }

    /// Whether a frame has begun and not ended.
    pub fn inside_frame(&self) -> bool {
        matches!(&self.phase, Phase::Frames(frames) if frames.decoder.unfinished().is_some())
    }
}

/// The part after the handshake.
#[derive(Debug)]
struct Frames {
    direction: Direction,
    limits: Limits,
    decoder: Decoder,
    stage: Stage,
    /// Number of the frame being decoded.
    number: u64,
    messages: u64,
    message: Option<Open>,
    /// Whether the payload of the frame being decoded belongs to the open message.
    in_message: bool,
    closed: bool,
    control: [u8; 125],
    control_len: usize,
    utf8: Utf8Validator,
    inflate: Option<Inflate>,
    found: VecDeque<Violation>,
    told: Option<Violation>,
    done: Option<MessageInfo>,
}

/// A message of which frames are still to come, or to end.
#[derive(Debug)]
struct Open {
    info: MessageInfo,
    check_utf8: bool,
    inflate: bool,
}

#[derive(Debug)]
struct Inflate {
    inflater: Inflater,
    output: Box<[u8]>,
    /// Bytes of `output` that are content.
    given: usize,
    /// How many of these come before an impossible byte of a text; all, if there is none.
    good: usize,
    /// What ends the content after these.
    broken: Option<Violation>,
    /// The message after which the DEFLATE context is lost.
    broken_by: Option<u64>,
}

impl Open {
    /// Checks a piece of text; gives the place of the first bad byte in the message.
    #[inline]
    fn check_text(&mut self, utf8: &mut Utf8Validator, content: &[u8]) -> Option<(u64, String)> {
        if !self.check_utf8 {
            return None;
        }
        let error = utf8.push(content).err()?;
        self.check_utf8 = false;
        *utf8 = Utf8Validator::default();
        let (Utf8Error::Impossible { offset, .. } | Utf8Error::Truncated { offset }) = error;
        Some((offset, format!("{error} of message #{}", self.info.number)))
    }
}

/// What is to be told before the decoder goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Ask the decoder.
    Decode,
    /// The last `n` bytes of the input are content, still to be checked.
    Content { n: usize },
    /// The last `n` bytes of the input are content after an impossible byte was found.
    Rest { n: usize },
    /// Of the last `n` bytes of the input, `done` have been inflated.
    Inflate { n: usize, done: usize },
    /// Of the tail after a compressed message, `done` bytes have been inflated.
    InflateTail { done: usize },
    /// Inflated bytes after the good ones wait in the buffer; then goes on with the stage noted.
    Inflated { n: usize, done: usize, tail: bool },
    /// The frame is complete: its control event, then its end.
    Finish,
    /// Tell the frame's end.
    TellEnd,
    /// Tell the message's end, if it was the last frame.
    TellMessage,
}

impl Frames {
    fn new(
        direction: Direction,
        offset: u64,
        deflate: Option<&DeflateParams>,
        limits: Limits,
    ) -> Self {
        let sender = match direction {
            Direction::ToServer => Role::Client,
            Direction::ToClient => Role::Server,
        };
        let inflate = deflate.map(|params| Inflate {
            inflater: Inflater::new(params.no_context_takeover(sender)),
            output: Box::default(),
            given: 0,
            good: 0,
            broken: None,
            broken_by: None,
        });
        Self {
            direction,
            limits,
            decoder: Decoder::new(offset),
            stage: Stage::Decode,
            number: 0,
            messages: 0,
            message: None,
            in_message: false,
            closed: false,
            control: [0; 125],
            control_len: 0,
            utf8: Utf8Validator::default(),
            inflate,
            found: VecDeque::new(),
            told: None,
            done: None,
        }
    }

    fn next<'e>(&'e mut self, input: &'e mut Input<'_>) -> Option<FrameEvent<'e>> {
        loop {
            if !self.found.is_empty() {
                self.told = self.found.pop_front();
                return self.told.as_ref().map(FrameEvent::Violation);
            }
            match self.stage {
                Stage::Decode => match self.decoder.step(input)? {
                    Step::Header => {
                        self.begin_frame();
                        let header = self.decoder.header()?;
                        return Some(FrameEvent::Start { number: self.number, header });
                    }
                    Step::Payload(n) => {
                        self.stage = self.take_payload(input.taken(n));
                        return Some(FrameEvent::Payload(input.taken(n)));
                    }
                    Step::End => self.stage = self.end_payload(),
                    Step::Undecodable(n) => return Some(FrameEvent::Undecodable(input.taken(n))),
                },
                Stage::Content { n } => {
                    // Content, violation, the rest of the content, however the input was cut: a
                    // strict reader takes the same bytes and stops before the first bad one.
                    let good = self.check_plain(input.taken(n));
                    self.stage = match n - good {
                        0 => Stage::Decode,
                        n => Stage::Rest { n },
                    };
                    if good > 0 {
                        return Some(FrameEvent::Data(&input.taken(n)[..good]));
                    }
                }
                Stage::Rest { n } => {
                    self.stage = Stage::Decode;
                    return Some(FrameEvent::Data(input.taken(n)));
                }
                Stage::Inflate { n, done } => {
                    let done = done + self.inflate(&input.taken(n)[done..]);
                    self.stage = Stage::Inflated { n, done, tail: false };
                    if let good @ 1.. = self.inflate.as_ref()?.good {
                        return Some(FrameEvent::Data(&self.inflate.as_ref()?.output[..good]));
                    }
                }
                Stage::InflateTail { done } => {
                    let done = done + self.inflate(&TAIL[done..]);
                    self.stage = Stage::Inflated { n: 0, done, tail: true };
                    if let good @ 1.. = self.inflate.as_ref()?.good {
                        return Some(FrameEvent::Data(&self.inflate.as_ref()?.output[..good]));
                    }
                }
                Stage::Inflated { n, done, tail } => {
                    let full = self.inflated_is_full();
                    self.stage = match tail {
                        true if done == TAIL.len() && !full => Stage::Finish,
                        true => Stage::InflateTail { done },
                        false if done == n && !full => Stage::Decode,
                        false => Stage::Inflate { n, done },
                    };
                    let inflate = self.inflate.as_mut()?;
                    self.found.extend(inflate.broken.take());
                    let rest = inflate.good..inflate.given;
                    if !rest.is_empty() {
                        return Some(FrameEvent::Data(&self.inflate.as_ref()?.output[rest]));
                    }
                }
                Stage::Finish => {
                    self.stage = Stage::TellEnd;
                    let header = self.decoder.header()?;
                    if self.in_message && header.fin {
                        self.end_text();
                        continue;
                    }
                    if header.is_control() && header.len <= 125 {
                        let opcode = header.opcode;
                        return Some(FrameEvent::Control {
                            opcode,
                            payload: self.control_payload(),
                        });
                    }
                }
                Stage::TellEnd => {
                    self.stage = Stage::TellMessage;
                    let header = self.decoder.header()?;
                    return Some(FrameEvent::End { number: self.number, header });
                }
                Stage::TellMessage => {
                    self.stage = Stage::Decode;
                    self.done = self.end_message();
                    if self.done.is_some() {
                        return self.done.as_ref().map(FrameEvent::Message);
                    }
                }
            }
        }
    }

    /// Judges a header and opens a message with it, or goes on with the open one.
    fn begin_frame(&mut self) {
        self.number += 1;
        self.control_len = 0;
        let Some(header) = self.decoder.header().copied() else { return };
        let situation = Situation {
            direction: self.direction,
            compression: self.inflate.is_some(),
            message_open: self.message.is_some(),
            closed: self.closed,
        };
        let (frame, offset) = (self.number, header.offset);
        let found = &mut self.found;
        framing::judge(&header, situation, |kind, detail| {
            found.push_back(Violation { kind, frame, offset, detail });
        });
        self.in_message = match header.opcode {
            OpCode::Data(Data::Text | Data::Binary) => {
                self.open_message(&header);
                true
            }
            OpCode::Data(Data::Continue) => self.message.is_some(),
            _ => false,
        };
        self.count_frame(&header);
    }

    fn open_message(&mut self, header: &FrameHeader) {
        let compressed = header.rsv1 && self.inflate.is_some();
        self.abandon_message();
        self.messages += 1;
        let info = MessageInfo {
            number: self.messages,
            opcode: header.opcode,
            frames: 0,
            first_frame: self.number,
            compressed,
            wire_len: 0,
            len: 0,
        };
        let broken_by = self.inflate.as_ref().and_then(|inflate| inflate.broken_by);
        let inflate = compressed && broken_by.is_none();
        let check_utf8 = header.opcode == OpCode::Data(Data::Text) && inflate == compressed;
        self.message = Some(Open { info, check_utf8, inflate });
        if let (true, Some(message)) = (compressed, broken_by) {
            let detail = format!("its context was lost with message #{message}");
            self.blame(ViolationKind::InflateFailed, header.offset, detail);
        }
    }

    /// Gives up an open message whose last frame never came.
    fn abandon_message(&mut self) {
        let Some(open) = self.message.take() else { return };
        self.utf8 = Utf8Validator::default();
        if open.info.compressed
            && let Some(inflate) = &mut self.inflate
        {
            inflate.inflater.end_message();
            if open.inflate {
                inflate.broken_by = inflate.inflater.keeps_context().then_some(open.info.number);
            }
        }
    }

    fn blame(&mut self, kind: ViolationKind, offset: u64, detail: String) {
        self.found.push_back(Violation { kind, frame: self.number, offset, detail });
    }

    /// Adds a frame to the open message and compares what it announces with the limit.
    fn count_frame(&mut self, header: &FrameHeader) {
        let (true, Some(open)) = (self.in_message, &mut self.message) else { return };
        open.info.frames += 1;
        let announced = open.info.wire_len.saturating_add(header.len);
        // §10.4: "implementations … SHOULD impose … limits … regarding the frame size or total
        // message size after reassembly".
        if announced > self.limits.message && header.has_end() {
            let detail = format!("{announced} bytes announced, {} allowed", self.limits.message);
            self.blame(ViolationKind::MessageTooBig, header.offset, detail);
        }
    }

    /// Decides what becomes of payload bytes that have just been unmasked.
    fn take_payload(&mut self, wire: &[u8]) -> Stage {
        let n = wire.len();
        if self.in_message
            && let Some(open) = &mut self.message
        {
            open.info.wire_len += n as u64;
            return match (open.info.compressed, open.inflate) {
                (true, true) => Stage::Inflate { n, done: 0 },
                (true, false) => Stage::Decode,
                _ => Stage::Content { n },
            };
        }
        let room = self.control.len() - self.control_len;
        let kept = n.min(room);
        self.control[self.control_len..self.control_len + kept].copy_from_slice(&wire[..kept]);
        self.control_len += kept;
        Stage::Decode
    }

    /// Counts and checks content that travelled uncompressed; gives how many of its bytes come
    /// before the first impossible one.
    fn check_plain(&mut self, content: &[u8]) -> usize {
        let Some(open) = &mut self.message else { return content.len() };
        // The content's last byte is the last one the decoder took.
        let start = self.decoder.offset().saturating_sub(content.len() as u64);
        let before = open.info.len;
        open.info.len += content.len() as u64;
        let Some((at, detail)) = open.check_text(&mut self.utf8, content) else {
            return content.len();
        };
        let good = at.saturating_sub(before);
        self.blame(ViolationKind::InvalidUtf8, start + good, detail);
        good as usize
    }

    /// Inflates once, leaving in `output` what it gave; tells how much it consumed.
    fn inflate(&mut self, wire: &[u8]) -> usize {
        let (Some(inflate), Some(open)) = (&mut self.inflate, &mut self.message) else {
            return wire.len();
        };
        (inflate.given, inflate.good) = (0, 0);
        if !open.inflate {
            return wire.len();
        }
        if inflate.output.is_empty() {
            inflate.output = vec![0; INFLATE_PIECE].into_boxed_slice();
        }
        let (consumed, given, failure) = match inflate.inflater.inflate(wire, &mut inflate.output) {
            Ok(Progress { consumed, produced }) => (consumed, produced, None),
            Err(error) => (wire.len(), error.given, Some(error)),
        };
        // Content ends at the limit, whatever a single call gave beyond it.
        let (number, before) = (open.info.number, open.info.len);
        let room =
            usize::try_from(self.limits.inflated.saturating_sub(before)).unwrap_or(usize::MAX);
        inflate.given = given.min(room);
        inflate.good = inflate.given;
        open.info.len += inflate.given as u64;

        let (frame, offset) = (self.number, self.decoder.header().map_or(0, |h| h.offset));
        if let Some((at, detail)) =
            open.check_text(&mut self.utf8, &inflate.output[..inflate.given])
        {
            inflate.good = at.saturating_sub(before) as usize;
            let kind = ViolationKind::InvalidUtf8;
            self.found.push_back(Violation { kind, frame, offset, detail });
        }
        let (kind, detail) = match failure {
            _ if given > room => {
                let detail = format!("more than {} bytes", self.limits.inflated);
                (ViolationKind::InflatedTooBig, detail)
            }
            Some(error) => (ViolationKind::InflateFailed, format!("{error} of message #{number}")),
            None => return consumed,
        };
        // The content of this message ends here, and with it the context later ones refer to.
        open.inflate = false;
        open.check_utf8 = false;
        self.utf8 = Utf8Validator::default();
        inflate.broken_by = inflate.inflater.keeps_context().then_some(number);
        inflate.broken = Some(Violation { kind, frame, offset, detail });
        wire.len()
    }

    fn inflated_is_full(&self) -> bool {
        self.inflate.as_ref().is_some_and(|i| i.given == i.output.len())
    }

    /// The frame's payload is complete: what is still to be told or checked.
    fn end_payload(&mut self) -> Stage {
        let Some(header) = self.decoder.header().copied() else { return Stage::Decode };
        if header.opcode == OpCode::Control(Control::Close) {
            self.judge_close(&header);
            self.closed = true;
        }
        match &self.message {
            Some(open) if self.in_message && header.fin => {
                if open.info.compressed && open.inflate {
                    return Stage::InflateTail { done: 0 };
                }
                Stage::Finish
            }
            _ => Stage::Finish,
        }
    }

    fn judge_close(&mut self, header: &FrameHeader) {
        if header.len > 125 {
            return;
        }
        let (kind, detail) = match CloseBody::parse(self.control_payload()).fault() {
            None => return,
            Some(CloseBodyFault::OneByte) => (ViolationKind::CloseBodyOfOneByte, String::new()),
            Some(CloseBodyFault::Code(code)) => {
                let name = crate::wire::close::lookup(code).name;
                (ViolationKind::IllegalCloseCode, format!("{code} {name}"))
            }
            Some(CloseBodyFault::Reason(error)) => {
                (ViolationKind::CloseReasonNotUtf8, error.to_string())
            }
        };
        self.blame(kind, header.offset, detail);
    }

    fn control_payload(&self) -> &[u8] {
        &self.control[..self.control_len]
    }

    /// Closes the open message if its last frame has just ended.
    fn end_message(&mut self) -> Option<MessageInfo> {
        let header = self.decoder.header()?;
        if !self.in_message || !header.fin {
            return None;
        }
        let open = self.message.take()?;
        if open.info.compressed
            && let Some(inflate) = &mut self.inflate
        {
            inflate.inflater.end_message();
        }
        Some(open.info)
    }

    /// Checks that a text does not end inside a character.
    fn end_text(&mut self) {
        let Some(open) = &mut self.message else { return };
        if !open.check_utf8 {
            return;
        }
        open.check_utf8 = false;
        if let Err(error) = self.utf8.finish() {
            let detail = format!("{error} of message #{}", open.info.number);
            self.blame(ViolationKind::TruncatedUtf8, self.decoder.offset(), detail);
        }
    }
}
