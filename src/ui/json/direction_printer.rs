//! The frames and messages of one direction of one connection.
//!
//! A frame's object is written at its end, with its payload. If a frame is too long for one object,
//! its object is written at its start, and the payload follows in pieces. Violations are printed at
//! once, with the number of their frame.

use super::object::{INLINE, ObjectWriter, PIECE};
use crate::event::{Direction, FrameEvent, Made, MessageInfo, Stamp};
use crate::ui::clock::UtcClock;
use crate::ui::messages::{MessageKind, Messages};
use crate::wire::{Control, Data, FrameHeader, OpCode, Violation, ViolationKind};

/// Larger buffers are freed after use, so that a server that has received a long frame on each
/// connection does not keep memory for all of them.
const KEPT: usize = 64 * 1024;

/// State of one direction.
#[derive(Debug, Default)]
pub(super) struct JsonDirectionPrinter {
    frame: Option<JsonFrame>,
    messages: Messages,
    /// The payload of a frame that has not been written yet.
    payload: Vec<u8>,
    /// Content of the message.
    content: Vec<u8>,
    /// The content is too long to be kept.
    omitted: bool,
    /// The endpoint made the next frame itself.
    automatic: bool,
    /// A relay made these frames.
    pub(super) made: Option<Made>,
}

/// A frame whose end has not arrived.
#[derive(Debug)]
struct JsonFrame {
    direction: Direction,
    number: u64,
    header: FrameHeader,
    /// Time of its latest event.
    at: Stamp,
    /// Received payload bytes.
    received: u64,
    message: Option<MessageKind>,
    automatic: bool,
    made: Option<Made>,
}

impl JsonFrame {
    /// Whether its own bytes may be text.
    fn is_textual(&self) -> bool {
        match self.message {
            Some(message) => message.text && !message.compressed,
            None => {
                let opcode = self.header.opcode;
                matches!(opcode, OpCode::Control(Control::Close | Control::Ping | Control::Pong))
            }
        }
    }

    /// Whether the payload gets separate objects.
    fn is_long(&self) -> bool {
        self.header.len > INLINE as u64
    }
}

impl JsonDirectionPrinter {
    /// Takes the next event of the direction.
    #[inline]
    pub(super) fn take(
        &mut self,
        at: &Stamp,
        direction: Direction,
        event: &FrameEvent<'_>,
        clock: &mut UtcClock,
        out: &mut Vec<u8>,
    ) {
        if let Some(frame) = &mut self.frame {
            frame.at = *at;
        }
        match event {
            FrameEvent::Start { number, header } => {
                self.flush(clock, out);
                self.begin(at, direction, *number, header);
                if let Some(frame) = self.frame.as_ref().filter(|frame| frame.is_long()) {
                    let mut object = write_header(frame, clock, out);
                    object.word("payload", "follows");
                    object.end();
                }
            }
            FrameEvent::Payload(bytes) => self.take_payload(bytes, clock, out),
            FrameEvent::Data(bytes) => {
                self.omitted |= bytes.len() > INLINE - self.content.len();
                if self.omitted {
                    self.content.clear();
                } else {
                    self.content.extend_from_slice(bytes);
                }
            }
            FrameEvent::End { header, .. } => {
                self.flush(clock, out);
                self.messages.end(header);
            }
            FrameEvent::Message(info) => self.write_message(at, direction, info, clock, out),
            FrameEvent::Violation(violation) => {
                if let Some(frame) = &mut self.frame {
                    self.messages.blame(violation.kind, &mut frame.message);
                }
                if violation.kind == ViolationKind::CutInsideFrame {
                    self.flush(clock, out);
                }
                write_violation(at, direction, self.made, violation, clock, out);
            }
            FrameEvent::Undecodable(bytes) => {
                self.flush(clock, out);
                for piece in bytes.chunks(PIECE) {
                    let mut object =
                        ObjectWriter::begin("undecodable", at, Some(direction), clock, out);
                    mark(self.made, &mut object);
                    object.base64(piece);
                    object.end();
                }
            }
            // The payload has already been handled.
            FrameEvent::Control { .. } => {}
        }
    }

    /// Notes that the endpoint made the next frame itself.
    pub(super) fn automatic(&mut self) {
        self.automatic = true;
    }

    /// Writes the frame with its result.
    pub(super) fn flush(&mut self, clock: &mut UtcClock, out: &mut Vec<u8>) {
        let Some(frame) = self.frame.take() else { return };
        if frame.is_long() {
            self.write_pieces(&frame, 1, clock, out);
            let mut object =
                ObjectWriter::begin("frame-end", &frame.at, Some(frame.direction), clock, out);
            mark(frame.made, &mut object);
            object.number("number", frame.number);
            object.number("received", frame.received);
            object.end();
        } else {
            let mut object = write_header(&frame, clock, out);
            if frame.received < frame.header.len {
                object.number("received", frame.received);
            }
            object.text_or_base64(frame.is_textual(), &self.payload);
            if frame.header.opcode == OpCode::Control(Control::Close) {
                write_close(&self.payload, &mut object);
            }
            object.end();
        }
        empty(&mut self.payload);
    }

    fn begin(&mut self, at: &Stamp, direction: Direction, number: u64, header: &FrameHeader) {
        let message = self.messages.begin(header);
        if matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary)) {
            self.content.clear();
            self.omitted = false;
        }
        let (header, at, received) = (*header, *at, 0);
        let (automatic, made) = (std::mem::take(&mut self.automatic), self.made);
        self.frame =
            Some(JsonFrame { direction, number, header, at, received, message, automatic, made });
    }

    #[inline]
    fn take_payload(&mut self, bytes: &[u8], clock: &mut UtcClock, out: &mut Vec<u8>) {
        let Some(mut frame) = self.frame.take() else { return };
        frame.received += bytes.len() as u64;
        self.payload.extend_from_slice(bytes);
        if frame.is_long() {
            self.write_pieces(&frame, PIECE, clock, out);
        }
        self.frame = Some(frame);
    }

    /// Writes pieces of payload as long as at least `least` bytes wait.
    fn write_pieces(
        &mut self,
        frame: &JsonFrame,
        least: usize,
        clock: &mut UtcClock,
        out: &mut Vec<u8>,
    ) {
        let mut done = 0;
        let mut offset = frame.received - self.payload.len() as u64;
        while self.payload.len() - done >= least {
            let piece = &self.payload[done..];
            let piece = &piece[..piece.len().min(PIECE)];
            let mut object =
                ObjectWriter::begin("payload", &frame.at, Some(frame.direction), clock, out);
            mark(frame.made, &mut object);
            object.number("number", frame.number);
            object.number("offset", offset);
            object.base64(piece);
            object.end();
            done += piece.len();
            offset += piece.len() as u64;
        }
        self.payload.drain(..done);
    }

    fn write_message(
        &mut self,
        at: &Stamp,
        direction: Direction,
        info: &MessageInfo,
        clock: &mut UtcClock,
        out: &mut Vec<u8>,
    ) {
        // If the beginning of a message is missing, its content would be incomplete.
        let omitted = self.omitted || self.content.len() as u64 != info.len;
        let content = (!omitted).then_some(&self.content[..]);
        write_message(at, direction, self.made, info, content, clock, out);
        self.omitted = false;
        empty(&mut self.content);
    }
}

/// Writes the object of a message, with its content if that is known.
pub(super) fn write_message(
    at: &Stamp,
    direction: Direction,
    made: Option<Made>,
    info: &MessageInfo,
    content: Option<&[u8]>,
    clock: &mut UtcClock,
    out: &mut Vec<u8>,
) {
    let mut object = ObjectWriter::begin("message", at, Some(direction), clock, out);
    mark(made, &mut object);
    object.number("number", info.number);
    object.opcode(info.opcode);
    object.number("frames", info.frames);
    object.number("first_frame", info.first_frame);
    object.flag("compressed", info.compressed);
    object.number("wire_length", info.wire_len);
    object.number("length", info.len);
    match content {
        Some(content) => object.text_or_base64(info.opcode == OpCode::Data(Data::Text), content),
        None => object.word("content", "omitted"),
    }
    object.end();
}

/// Begins the object of a frame with all fields of its header.
fn write_header<'o>(
    frame: &JsonFrame,
    clock: &mut UtcClock,
    out: &'o mut Vec<u8>,
) -> ObjectWriter<'o> {
    let header = &frame.header;
    let mut object = ObjectWriter::begin("frame", &frame.at, Some(frame.direction), clock, out);
    mark(frame.made, &mut object);
    object.number("number", frame.number);
    object.flag("fin", header.fin);
    object.flag("rsv1", header.rsv1);
    object.flag("rsv2", header.rsv2);
    object.flag("rsv3", header.rsv3);
    object.opcode(header.opcode);
    match header.mask {
        Some(key) => object.hex("mask", &key),
        None => object.null("mask"),
    }
    object.number("length", header.len);
    object.number("length_form", header.form.bits().into());
    object.number("offset", header.offset);
    object.hex("header_hex", &header.bytes());
    if frame.automatic {
        object.flag("auto", true);
    }
    object
}

/// Marks frames and messages that a relay made.
#[inline]
fn mark(made: Option<Made>, object: &mut ObjectWriter<'_>) {
    if let Some(made) = made {
        object.word("made", made.name());
    }
}

/// The code and the reason of a Close frame; the reason is `null` if it is not UTF-8.
fn write_close(body: &[u8], object: &mut ObjectWriter<'_>) {
    match body.split_first_chunk::<2>() {
        Some((code, reason)) => {
            object.number("code", u16::from_be_bytes(*code).into());
            object.optional("reason", std::str::from_utf8(reason).ok());
        }
        None => {
            object.null("code");
            object.null("reason");
        }
    }
}

#[cold]
fn write_violation(
    at: &Stamp,
    direction: Direction,
    made: Option<Made>,
    violation: &Violation,
    clock: &mut UtcClock,
    out: &mut Vec<u8>,
) {
    let mut object = ObjectWriter::begin("violation", at, Some(direction), clock, out);
    mark(made, &mut object);
    super::facts::violation(violation, &mut object);
    object.end();
}

/// Empties a buffer that will be filled again.
#[inline]
fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    }
}
