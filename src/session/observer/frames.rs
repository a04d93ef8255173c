//! Frames, and the messages that they form: the observer after the handshake.
//!
//! A small state machine between the decoder and the reader. Each call to [`Frames::next`] returns
//! one event. The stage says what must still be reported about the current bytes before more are
//! read.

use std::cell::Cell;
use std::collections::VecDeque;

use crate::event::{Direction, FrameEvent, MessageInfo, WholeMessage};
use crate::session::framing::{self, Situation};
use crate::wire::close::CloseBody;
use crate::wire::decoder::{Decoder, DecoderStep, Input, Unfinished};
use crate::wire::deflate::codec::{CodecProgress, InflateError, Inflater, TAIL, TooFar};
use crate::wire::deflate::params::DeflateParams;
use crate::wire::mask;
use crate::wire::utf8::{Utf8Error, Utf8Validator, is_utf8};
use crate::wire::{Control, Data, FrameHeader, LengthForm, OpCode, Role, Violation, ViolationKind};

/// The run that [`Observer::take_run`](super::Observer::take_run) took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The number of messages, which is also the number of frames.
    pub messages: u64,
    /// The number of bytes of the stream.
    pub wire_bytes: u64,
    /// The number of bytes of content.
    pub bytes: u64,
    /// For a run of a server: the position of the content of the last message but one in the input,
    /// and its length.
    pub before_last: (usize, usize),
}

/// How many inflated bytes are passed on at once.
const INFLATE_PIECE: usize = 32 * 1024;

/// "All control frames MUST have a payload length of 125 bytes or less" (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

thread_local! {
    /// A buffer for inflated bytes that no message is using.
    static OUTPUT: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Decodes the stream after the handshake.
#[derive(Debug)]
pub(super) struct Frames {
    direction: Direction,
    /// The limits for bytes of a message on the wire, and after decompression.
    max_message: u64,
    max_inflated: u64,
    decoder: Decoder,
    stage: FrameStage,
    /// The number of the current frame.
    number: u64,
    messages: u64,
    message: Option<OpenMessage>,
    /// The end of `message` was the last event: it is not needed any more.
    ended: bool,
    /// Whether the payload of the current frame belongs to the open message.
    in_message: bool,
    /// A Close has arrived.
    closed: bool,
    /// The other side has sent a Close: an HTTP response may come instead of the answer.
    awaits_close: bool,
    /// The Close arrived inside a message, which stays unfinished.
    cut_by_close: bool,
    /// The payload of a control frame; uses memory only from its first byte to its end.
    control: Vec<u8>,
    utf8: Utf8Validator,
    inflate: Option<Box<Inflate>>,
    /// Violations that wait to be reported; `None` if no rule was broken.
    found: Option<Box<ViolationQueue>>,
}

/// Violations, the first one found at the front.
#[derive(Debug, Default)]
struct ViolationQueue {
    waiting: VecDeque<Violation>,
    /// The last reported violation.
    handed_on: Option<Violation>,
}

/// A message whose last frame has not ended.
#[derive(Debug)]
struct OpenMessage {
    info: MessageInfo,
    check_utf8: bool,
    inflate: bool,
}

#[derive(Debug)]
struct Inflate {
    inflater: Inflater,
    output: Box<[u8]>,
    /// How many bytes of `output` are content.
    given: usize,
    /// How many of these precede an invalid byte of a text; all of them if there is none.
    good: usize,
    /// The violation that ends the content.
    broken: Option<Violation>,
    /// The message after which the DEFLATE context is lost.
    broken_by: Option<u64>,
}

impl Inflate {
    /// Ends a message, and frees the memory that only a message needs.
    fn end_message(&mut self) {
        self.inflater.end_message();
        if !self.output.is_empty() {
            OUTPUT.set(Some(std::mem::take(&mut self.output)));
        }
    }
}

impl OpenMessage {
    /// Checks a piece of text; returns the position of the first invalid byte in the message.
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

/// What to report before the decoder continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameStage {
    /// Call the decoder.
    Decode,
    /// What was read as a header was none, and waits as bytes.
    Foreign,
    /// The last `n` bytes of the input are content that has not been checked.
    Content { n: usize },
    /// The last `n` bytes of the input are content that contains an invalid byte.
    Rest { n: usize },
    /// `done` of the last `n` bytes of the input have been inflated.
    Inflate { n: usize, done: usize },
    /// `done` bytes of the tail after a compressed message have been inflated.
    InflateTail { done: usize },
    /// Inflated bytes after the valid ones wait in the buffer; then continue with the noted stage.
    Inflated { n: usize, done: usize, tail: bool },
    /// The frame is complete: report its control event, then its end.
    Finish,
    /// Report the frame's end.
    FrameEnd,
    /// Report the end of the message, if this was the last frame.
    MessageEnd,
}

impl Frames {
    /// The memory that inflating keeps between messages, in bytes.
    pub(super) fn held(&self) -> usize {
        self.inflate.as_ref().map_or(0, |inflate| inflate.inflater.held())
    }

    pub(super) fn new(
        direction: Direction,
        offset: u64,
        deflate: Option<&DeflateParams>,
        max_message: u64,
        max_inflated: u64,
    ) -> Self {
        let sender = match direction {
            Direction::ToServer => Role::Client,
            Direction::ToClient => Role::Server,
        };
        let inflate = deflate.map(|params| {
            Box::new(Inflate {
                inflater: Inflater::new(
                    params.window_bits(sender),
                    params.no_context_takeover(sender),
                ),
                output: Box::default(),
                given: 0,
                good: 0,
                broken: None,
                broken_by: None,
            })
        });
        Self {
            direction,
            max_message,
            max_inflated,
            decoder: Decoder::new(offset),
            stage: FrameStage::Decode,
            number: 0,
            messages: 0,
            message: None,
            ended: false,
            in_message: false,
            closed: false,
            awaits_close: false,
            cut_by_close: false,
            control: Vec::new(),
            utf8: Utf8Validator::default(),
            inflate,
            found: None,
        }
    }

    /// Takes an uncompressed, legal message that is complete in one frame at the front of `input`;
    /// otherwise takes nothing, and returns false.
    #[inline]
    pub(super) fn take_whole(&mut self, input: &mut Input<'_>) -> bool {
        if !self.is_between_messages() {
            return false;
        }
        let (direction, limit) = (self.direction, self.max_message);
        let taken = self.decoder.take_whole(input, |header, payload| {
            let plain = header.fin && !header.rsv1 && !header.rsv2 && !header.rsv3;
            let masked = header.mask.is_some() == (direction == Direction::ToServer);
            let minimal = header.form == LengthForm::minimal(header.len);
            plain
                && masked
                && minimal
                && header.len <= limit
                && match header.opcode {
                    OpCode::Data(Data::Text) => is_utf8(payload),
                    OpCode::Data(Data::Binary) => true,
                    _ => false,
                }
        });
        if taken {
            self.number += 1;
            self.messages += 1;
            self.in_message = false;
        }
        taken
    }

    /// Takes a run of small messages of a server, each legal and complete in one frame, and passes
    /// on their contents. Stops before the first other frame, or after `most` bytes of the stream.
    pub(super) fn take_run(
        &mut self,
        input: &mut Input<'_>,
        most: usize,
        mut take: impl FnMut(&[u8]),
    ) -> Run {
        let mut run = Run::default();
        if !self.may_run(Direction::ToClient) {
            return run;
        }
        let (mut at, mut last) = (0, None);
        let (base, mut content_of_last) = (input.consumed(), (0, 0));
        let rest = input.rest();
        // FIN and the opcode text or binary, no RSV bits; no mask and a length of seven bits.
        while at < most
            && let [first @ (0x81 | 0x82), len @ 0..=125, tail @ ..] = &rest[at..]
            && let Some(content) = tail.get(..usize::from(*len))
            && (*first == 0x82 || is_utf8(content))
        {
            take(content);
            let opcode = if *first == 0x81 { Data::Text } else { Data::Binary };
            last = Some(FrameHeader::short(opcode, None, content.len(), at as u64));
            run.before_last = content_of_last;
            content_of_last = (base + at + 2, content.len());
            at += 2 + content.len();
            run.messages += 1;
            run.bytes += content.len() as u64;
        }
        self.end_run(run, input, at, last)
    }

    /// Like [`Self::take_run`], for small messages of a client.
    pub(super) fn take_masked_run(
        &mut self,
        input: &mut Input<'_>,
        most: usize,
        mut take: impl FnMut(Data, &[u8]),
    ) -> Run {
        let mut run = Run::default();
        if !self.may_run(Direction::ToServer) {
            return run;
        }
        let (mut at, mut last) = (0, None);
        let rest = input.rest_mut();
        // FIN and the opcode text or binary, no RSV bits; a mask and a length of seven bits.
        while at < most
            && let [first @ (0x81 | 0x82), len @ 0x80..=0xfd, a, b, c, d, tail @ ..] =
                &mut rest[at..]
            && let Some(content) = tail.get_mut(..usize::from(*len & 0x7f))
        {
            let key = [*a, *b, *c, *d];
            let opcode = if *first == 0x81 { Data::Text } else { Data::Binary };
            mask::apply(key, 0, content);
            if opcode == Data::Text && !is_utf8(content) {
                mask::apply(key, 0, content);
                break;
            }
            take(opcode, content);
            last = Some(FrameHeader::short(opcode, Some(key), content.len(), at as u64));
            at += 6 + content.len();
            run.messages += 1;
            run.bytes += content.len() as u64;
        }
        self.end_run(run, input, at, last)
    }

    /// Whether small messages in `direction` can be read without events.
    fn may_run(&mut self, direction: Direction) -> bool {
        let free = self.is_between_messages() && self.decoder.at_boundary();
        free && self.direction == direction && self.max_message >= 125
    }

    /// The other side has sent a Close.
    pub fn await_close(&mut self) {
        self.awaits_close = true;
    }

    /// Whether no message is incomplete, nothing waits to be reported, and the peer has not closed.
    #[inline]
    fn is_between_messages(&mut self) -> bool {
        self.forget_ended();
        let free = self.stage == FrameStage::Decode && self.message.is_none() && !self.closed;
        free && !self.has_found()
    }

    /// Whether violations wait to be reported.
    #[inline]
    fn has_found(&self) -> bool {
        self.found.as_ref().is_some_and(|found| !found.waiting.is_empty())
    }

    /// Drops a message whose end has been reported.
    #[inline]
    fn forget_ended(&mut self) {
        if std::mem::take(&mut self.ended) {
            self.message = None;
        }
    }

    /// Whether the next byte begins a frame, and the previous frame has been reported completely.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.stage == FrameStage::Decode && !self.has_found() && self.decoder.at_boundary()
    }

    /// Takes the `len` bytes of a run; `last` is the header of its last frame, if it has any.
    #[inline]
    fn end_run(
        &mut self,
        mut run: Run,
        input: &mut Input<'_>,
        len: usize,
        last: Option<FrameHeader>,
    ) -> Run {
        if let Some(last) = last {
            self.decoder.skip_whole(input, len, last);
            run.wire_bytes = len as u64;
            self.number += run.messages;
            self.messages += run.messages;
            self.in_message = false;
        }
        run
    }

    /// The message that [`Frames::take_whole`] has just read.
    #[inline]
    pub(super) fn whole<'e>(&'e self, input: &'e Input<'_>) -> Option<WholeMessage<'e>> {
        let header = self.decoder.header()?;
        let content = input.taken(header.len as usize);
        let (frame, number) = (self.number, self.messages);
        Some(WholeMessage { header, content, frame, number })
    }

    /// The violation if the stream ends here.
    pub(super) fn cut_short(&self) -> Option<Violation> {
        let (frame, detail) = match self.decoder.unfinished()? {
            Unfinished::Header { have } => {
                let bytes = if have == 1 { "byte" } else { "bytes" };
                (self.number + 1, format!("only {have} {bytes} of a header came"))
            }
            Unfinished::Payload { have, len } => {
                (self.number, format!("{have} of {len} payload bytes came"))
            }
        };
        let (kind, offset) = (ViolationKind::CutInsideFrame, self.decoder.offset());
        Some(Violation { kind, frame, offset, detail })
    }

    /// The decoder.
    pub(super) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// See [`Observer::unreported_ping`](super::Observer::unreported_ping).
    pub(super) fn unreported_ping(&self) -> Option<&[u8]> {
        let is_open =
            self.decoder.open_frame().is_some() || matches!(self.stage, FrameStage::Finish);
        let header = self.decoder.header().filter(|header| is_open && header.len <= 125)?;
        (header.opcode == OpCode::Control(Control::Ping)).then_some(&*self.control)
    }

    /// The number of consumed bytes of the stream.
    pub(super) fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    /// The number of received bytes of an incomplete frame.
    pub(super) fn partial(&self) -> u64 {
        let header = self.decoder.header().map_or(0, FrameHeader::wire_len) as u64;
        match self.decoder.unfinished() {
            None => 0,
            Some(Unfinished::Header { have }) => have as u64,
            Some(Unfinished::Payload { have, .. }) => header + have,
        }
    }

    /// Whether a message has begun and its last frame has not ended; after a Close, at the time of
    /// the Close, because later data belongs to no message (RFC 6455 §5.5.1).
    pub(super) fn is_inside_message(&self) -> bool {
        if self.closed { self.cut_by_close } else { self.message.is_some() && !self.ended }
    }

    /// The message of [`Frames::is_inside_message`], with its bytes until then.
    pub(super) fn open_message_info(&self) -> Option<&MessageInfo> {
        self.message.as_ref().filter(|_| self.is_inside_message()).map(|open| &open.info)
    }

    pub(super) fn next<'e>(&'e mut self, input: &'e mut Input<'_>) -> Option<FrameEvent<'e>> {
        self.forget_ended();
        loop {
            if self.has_found() {
                let found = self.found.as_mut()?;
                found.handed_on = found.waiting.pop_front();
                return found.handed_on.as_ref().map(FrameEvent::Violation);
            }
            match self.stage {
                FrameStage::Decode => match self.decoder.step(input)? {
                    DecoderStep::Header => {
                        if !self.begin_frame() {
                            self.control = self.decoder.header()?.bytes().to_vec();
                            self.decoder.lose_boundary();
                            self.stage = FrameStage::Foreign;
                            continue;
                        }
                        let header = self.decoder.header()?;
                        return Some(FrameEvent::Start { number: self.number, header });
                    }
                    DecoderStep::Payload(n) => {
                        self.stage = self.take_payload(input.taken(n));
                        return Some(FrameEvent::Payload(input.taken(n)));
                    }
                    DecoderStep::End => self.stage = self.end_payload(),
                    DecoderStep::Undecodable(n) => {
                        return Some(FrameEvent::Undecodable(input.taken(n)));
                    }
                },
                FrameStage::Foreign => {
                    self.stage = FrameStage::Decode;
                    return Some(FrameEvent::Undecodable(&self.control));
                }
                FrameStage::Content { n } => {
                    // First the content, then the violation, then the rest of the content, however
                    // the input was cut. A strict reader takes the same bytes, and stops before the
                    // first invalid one.
                    let good = self.check_plain(input.taken(n));
                    self.stage = match n - good {
                        0 => FrameStage::Decode,
                        n => FrameStage::Rest { n },
                    };
                    if good > 0 {
                        return Some(FrameEvent::Data(&input.taken(n)[..good]));
                    }
                }
                FrameStage::Rest { n } => {
                    self.stage = FrameStage::Decode;
                    return Some(FrameEvent::Data(input.taken(n)));
                }
                FrameStage::Inflate { n, done } => {
                    let done = done + self.inflate(&input.taken(n)[done..]);
                    self.stage = FrameStage::Inflated { n, done, tail: false };
                    if let good @ 1.. = self.inflate.as_ref()?.good {
                        return Some(FrameEvent::Data(&self.inflate.as_ref()?.output[..good]));
                    }
                }
                FrameStage::InflateTail { done } => {
                    let done = done + self.inflate(&TAIL[done..]);
                    self.stage = FrameStage::Inflated { n: 0, done, tail: true };
                    if let good @ 1.. = self.inflate.as_ref()?.good {
                        return Some(FrameEvent::Data(&self.inflate.as_ref()?.output[..good]));
                    }
                }
                FrameStage::Inflated { n, done, tail } => {
                    let full = self.inflated_is_full();
                    self.stage = match tail {
                        true if done == TAIL.len() && !full => FrameStage::Finish,
                        true => FrameStage::InflateTail { done },
                        false if done == n && !full => FrameStage::Decode,
                        false => FrameStage::Inflate { n, done },
                    };
                    let inflate = self.inflate.as_mut()?;
                    let rest = inflate.good..inflate.given;
                    if let Some(violation) = inflate.broken.take() {
                        self.found(violation);
                    }
                    if !rest.is_empty() {
                        return Some(FrameEvent::Data(&self.inflate.as_ref()?.output[rest]));
                    }
                }
                FrameStage::Finish => {
                    self.stage = FrameStage::FrameEnd;
                    let header = self.decoder.header()?;
                    if self.in_message && header.fin {
                        self.end_text();
                        continue;
                    }
                    if header.is_control() && header.len <= 125 {
                        let opcode = header.opcode;
                        return Some(FrameEvent::Control { opcode, payload: &self.control });
                    }
                }
                FrameStage::FrameEnd => {
                    self.stage = FrameStage::MessageEnd;
                    self.control = Vec::new();
                    let header = self.decoder.header()?;
                    return Some(FrameEvent::End { number: self.number, header });
                }
                FrameStage::MessageEnd => {
                    self.stage = FrameStage::Decode;
                    self.end_message();
                    if self.ended {
                        return self.message.as_ref().map(|open| FrameEvent::Message(&open.info));
                    }
                }
            }
        }
    }

    /// Checks a header, and begins or continues a message with it. False if it is none: the other
    /// side has closed, and sent something else than frames.
    fn begin_frame(&mut self) -> bool {
        self.number += 1;
        let Some(header) = self.decoder.header().copied() else { return false };
        let situation = Situation {
            direction: self.direction,
            compression: self.inflate.is_some(),
            message_open: self.message.is_some(),
            closed: self.closed,
        };
        let (frame, offset) = (self.number, header.offset);
        let ending = self.closed || self.awaits_close && self.message.is_none();
        let foreign = match self.direction {
            Direction::ToClient if frame == 1 || ending => framing::foreign(&header),
            _ => None,
        };
        if let Some(foreign) = foreign.filter(|_| ending) {
            self.breach(ViolationKind::FrameAfterClose, offset, foreign.to_owned());
            return false;
        }
        framing::judge(&header, situation, |kind, mut detail| {
            if let Some(foreign) = foreign {
                let link = if detail.is_empty() { "" } else { "; " };
                detail += &format!("{link}{foreign}");
            }
            self.found(Violation { kind, frame, offset, detail });
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
        true
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
        self.message = Some(OpenMessage { info, check_utf8, inflate });
        if let (true, Some(message)) = (compressed, broken_by) {
            let detail = format!("its context was lost with message #{message}");
            self.breach(ViolationKind::InflateFailed, header.offset, detail);
        }
    }

    /// Gives up an open message whose last frame never arrived.
    fn abandon_message(&mut self) {
        let Some(open) = self.message.take() else { return };
        self.utf8 = Utf8Validator::default();
        if open.info.compressed
            && let Some(inflate) = &mut self.inflate
        {
            inflate.end_message();
            if open.inflate {
                inflate.broken_by = inflate.inflater.keeps_context().then_some(open.info.number);
            }
        }
    }

    fn breach(&mut self, kind: ViolationKind, offset: u64, detail: String) {
        self.found(Violation { kind, frame: self.number, offset, detail });
    }

    /// Queues a violation.
    fn found(&mut self, violation: Violation) {
        self.found.get_or_insert_default().waiting.push_back(violation);
    }

    /// Adds a frame to the open message, and compares its announced length with the limit.
    fn count_frame(&mut self, header: &FrameHeader) {
        let (true, Some(open)) = (self.in_message, &mut self.message) else { return };
        open.info.frames += 1;
        let announced = open.info.wire_len.saturating_add(header.len);
        // §10.4: "implementations … SHOULD impose … limits … regarding the frame size or total
        // message size after reassembly". It is reported once, because later frames have the same
        // fault.
        let most = self.max_message;
        if announced > most && open.info.wire_len <= most && header.has_end() {
            let detail = format!("{announced} bytes announced, {most} allowed");
            self.breach(ViolationKind::MessageTooBig, header.offset, detail);
        }
    }

    /// Decides what to do with payload bytes that have just been unmasked.
    fn take_payload(&mut self, wire: &[u8]) -> FrameStage {
        let n = wire.len();
        if self.in_message
            && let Some(open) = &mut self.message
        {
            open.info.wire_len += n as u64;
            return match (open.info.compressed, open.inflate) {
                (true, true) => FrameStage::Inflate { n, done: 0 },
                (true, false) => FrameStage::Decode,
                _ => FrameStage::Content { n },
            };
        }
        let room = MAX_CONTROL - self.control.len();
        self.control.extend_from_slice(&wire[..n.min(room)]);
        FrameStage::Decode
    }

    /// Counts and checks uncompressed content; returns how many bytes precede the first invalid
    /// one.
    fn check_plain(&mut self, content: &[u8]) -> usize {
        let Some(open) = &mut self.message else { return content.len() };
        // The last byte of the content is the last one that the decoder took.
        let start = self.decoder.offset().saturating_sub(content.len() as u64);
        let before = open.info.len;
        open.info.len += content.len() as u64;
        let Some((at, detail)) = open.check_text(&mut self.utf8, content) else {
            return content.len();
        };
        let good = at.saturating_sub(before);
        self.breach(ViolationKind::InvalidUtf8, start + good, detail);
        good as usize
    }

    /// Inflates once into `output`; returns how many bytes it consumed.
    fn inflate(&mut self, wire: &[u8]) -> usize {
        let (Some(inflate), Some(open)) = (&mut self.inflate, &mut self.message) else {
            return wire.len();
        };
        (inflate.given, inflate.good) = (0, 0);
        if !open.inflate {
            return wire.len();
        }
        if inflate.output.is_empty() {
            inflate.output = OUTPUT.take().unwrap_or_else(|| vec![0; INFLATE_PIECE].into());
        }
        let (consumed, given, failure) = match inflate.inflater.inflate(wire, &mut inflate.output) {
            Ok(CodecProgress { consumed, produced }) => (consumed, produced, None),
            Err(error) => (wire.len(), error.given, Some(error)),
        };
        // Content ends at the limit, even if a call produced more.
        let (number, before) = (open.info.number, open.info.len);
        let room = usize::try_from(self.max_inflated.saturating_sub(before)).unwrap_or(usize::MAX);
        inflate.given = given.min(room);
        inflate.good = inflate.given;
        open.info.len += inflate.given as u64;

        let (frame, offset) = (self.number, self.decoder.header().map_or(0, |h| h.offset));
        if let Some((at, detail)) =
            open.check_text(&mut self.utf8, &inflate.output[..inflate.given])
        {
            inflate.good = at.saturating_sub(before) as usize;
            let kind = ViolationKind::InvalidUtf8;
            let violation = Violation { kind, frame, offset, detail };
            self.found.get_or_insert_default().waiting.push_back(violation);
        }
        let (kind, detail) = match failure {
            _ if given > room => {
                let detail = format!("more than {} bytes", self.max_inflated);
                (ViolationKind::InflatedTooBig, detail)
            }
            Some(InflateError { too_far: Some(far), .. }) => {
                let TooFar { distance, window, consumed, .. } = far;
                let detail = format!(
                    "{distance} bytes back, {window} agreed, at compressed byte {consumed} of message #{number}"
                );
                (ViolationKind::BeyondWindow, detail)
            }
            Some(error) => (ViolationKind::InflateFailed, format!("{error} of message #{number}")),
            None => return consumed,
        };
        // The content of this message ends here, and later messages lose their context.
        open.inflate = false;
        open.check_utf8 = false;
        self.utf8 = Utf8Validator::default();
        inflate.broken_by = inflate.inflater.keeps_context().then_some(number);
        inflate.broken = Some(Violation { kind, frame, offset, detail });
        wire.len()
    }

    fn inflated_is_full(&self) -> bool {
        self.inflate.as_ref().is_some_and(|i| i.given > 0 && i.given == i.output.len())
    }

    /// The payload of the frame is complete: returns what must still be reported or checked.
    fn end_payload(&mut self) -> FrameStage {
        let Some(header) = self.decoder.header().copied() else { return FrameStage::Decode };
        if header.opcode == OpCode::Control(Control::Close) {
            self.judge_close(&header);
            if !self.closed {
                self.cut_by_close = self.message.is_some();
            }
            self.closed = true;
        }
        match &self.message {
            Some(open) if self.in_message && header.fin => {
                if open.info.compressed && open.inflate {
                    return FrameStage::InflateTail { done: 0 };
                }
                FrameStage::Finish
            }
            _ => FrameStage::Finish,
        }
    }

    fn judge_close(&mut self, header: &FrameHeader) {
        if header.len > 125 {
            return;
        }
        let Some(fault) = CloseBody::parse(&self.control).fault() else { return };
        let (kind, detail) = fault.breach();
        self.breach(kind, header.offset, detail);
    }

    /// Ends the open message if its last frame has ended.
    fn end_message(&mut self) {
        let last = self.decoder.header().is_some_and(|header| header.fin);
        self.ended = self.in_message && last && self.message.is_some();
        let compressed = self.message.as_ref().is_some_and(|open| open.info.compressed);
        if let (true, true, Some(inflate)) = (self.ended, compressed, &mut self.inflate) {
            inflate.end_message();
        }
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
            self.breach(ViolationKind::TruncatedUtf8, self.decoder.offset(), detail);
        }
    }
}
