//! One direction of one connection: from the pieces of a frame to its line.
//!
//! A frame's line is printed at its end, when the preview, the inflated length and the round trip
//! are known, and the `!` lines follow it. Until then, violations wait here. If the end can't
//! arrive any more, the line is printed with the received data. If messages are shown by their
//! content, their frames have no lines.

use std::collections::VecDeque;
use std::time::Duration;

use super::content::{Content, Heading};
use super::dump;
use super::frame::HumanFrame;
use super::line_writer::{DisplayMode, LineWriter, ink};
use super::preview;
use crate::event::{ConnId, Direction, FrameEvent, Made, Stamp};
use crate::ui::excerpt::Excerpt;
use crate::ui::filter::{self, FilterGate};
use crate::ui::hexdump::Rows;
use crate::ui::messages::{MessageKind, Messages};
use crate::ui::style::Ink;
use crate::ui::view::View;
use crate::wire::{Control, Data, FrameHeader, OpCode, Violation, ViolationKind};

/// State of one direction.
#[derive(Debug, Default)]
pub(super) struct HumanDirectionPrinter {
    frame: Option<HumanFrame>,
    messages: Messages,
    /// How the last message is shown, and its content.
    mode: DisplayMode,
    content: Content,
    /// Whether the last message is shown, if whole messages are shown.
    message_gate: FilterGate,
    /// Whether the last frame is shown.
    gate: FilterGate,
    /// The payload of a frame until it is decided whether all its bytes are shown.
    undecided: Vec<u8>,
    /// The beginning of the previewed data.
    preview: Excerpt,
    /// Lines that wait for the line of their frame.
    held: Vec<u8>,
    /// For a relay: the lines of frames without a decision, the latest at the end.
    passing: VecDeque<PassingLine>,
    /// The size of these lines in bytes.
    passing_bytes: usize,
    rows: Rows,
    /// The number of bytes after a lost frame boundary.
    lost: u64,
    /// Whether all of these bytes are shown.
    lost_in_hex: bool,
    /// A relay made these frames.
    pub(super) made: Option<Made>,
    /// The lines of the current message that wait for its content.
    kept_back: Vec<u8>,
    /// The hidden messages by number, with those lines: their meaning may make them visible.
    hidden: VecDeque<(u64, Vec<u8>)>,
    hidden_bytes: usize,
}

/// The line of a frame of a relay. It is written again when the decision about the frame is known.
#[derive(Debug)]
struct PassingLine {
    frame: HumanFrame,
    preview: Vec<u8>,
    line: Vec<u8>,
}

/// The largest number of such lines, and of their bytes.
const PASSING: (usize, usize) = (256, 16 * 1024);

/// The largest number of hidden messages whose meaning may still come, and of the bytes of their
/// lines.
const HIDDEN: (usize, usize) = (1024, 256 * 1024);

/// Why a frame's line is printed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is complete.
    Complete,
    /// Its end will not come.
    Cut,
    /// Its end may come, but a violation in it must be printed now.
    SoFar,
    /// It has no end: the length's top bit is set.
    Endless,
}

impl HumanDirectionPrinter {
    /// Takes the next event of the direction.
    #[inline]
    pub(super) fn take(
        &mut self,
        at: &Stamp,
        direction: Direction,
        event: &FrameEvent<'_>,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        if let Some(frame) = &mut self.frame {
            frame.at = at.micros;
        }
        match event {
            FrameEvent::Start { number, header } => {
                self.print_line(Why::Cut, writer, out);
                self.begin(at, direction, *number, header, writer, out);
            }
            FrameEvent::Payload(bytes) => self.take_payload(bytes, writer, out),
            FrameEvent::Data(bytes) => {
                let Some(frame) = &mut self.frame else { return };
                if frame.is_compressed() && frame.content == 0 {
                    self.preview.clear();
                }
                frame.content += bytes.len() as u64;
                self.preview.push(bytes, writer.preview_len(), &writer.excerpts);
                self.content.push(bytes, at.micros, writer);
                if frame.is_in_message() {
                    self.message_gate.push(bytes, writer.filter.as_ref());
                } else if self.gate.is_undecided() {
                    self.gate.push(bytes, writer.filter.as_ref());
                    self.dump_decided(writer, out);
                }
            }
            FrameEvent::Violation(violation) => self.blame(at.conn, violation, writer, out),
            FrameEvent::Undecodable(bytes) => {
                self.print_line(Why::Endless, writer, out);
                self.undecodable(at, direction, bytes, writer, out);
            }
            FrameEvent::End { header, .. } => {
                self.print_line(Why::Complete, writer, out);
                self.messages.end(header);
            }
            FrameEvent::Message(info) => {
                self.print_message(true, writer, out);
                self.note_hidden(info.number);
            }
            // The payload of control frames has already been handled.
            FrameEvent::Control { .. } => {}
        }
    }

    /// Whether the last message is shown.
    fn shows_last(&self) -> bool {
        match self.mode.view {
            View::Messages => self.message_gate.is_open(),
            _ => self.gate.is_open(),
        }
    }

    /// Notes that a message is hidden.
    fn note_hidden(&mut self, number: u64) {
        let lines = std::mem::take(&mut self.kept_back);
        if self.shows_last() {
            return;
        }
        self.hidden_bytes += lines.len();
        self.hidden.push_back((number, lines));
        while self.hidden.len() > HIDDEN.0 || self.hidden_bytes > HIDDEN.1 {
            let Some((_, oldest)) = self.hidden.pop_front() else { break };
            self.hidden_bytes -= oldest.len();
        }
    }

    /// Whether the meaning of a message is shown: together with the message, or because a filter
    /// matches it. In the second case, a message that its content hid is shown, too.
    pub(super) fn shows_meaning(
        &mut self,
        number: u64,
        mut lines: impl Iterator<Item = impl AsRef<str>>,
        writer: &LineWriter,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(at) = self.hidden.iter().rposition(|(hidden, _)| *hidden == number) else {
            return true;
        };
        let Some((_, kept)) = self.hidden.remove(at) else { return true };
        self.hidden_bytes -= kept.len();
        let wanted = |line: &str| writer.filter.as_ref().is_some_and(|one| one.lets_mean(line));
        let shown = !kept.is_empty() && lines.any(|line| wanted(line.as_ref()));
        if shown {
            out.extend_from_slice(&kept);
        }
        shown
    }

    /// Adds the time of a round trip to the pong that is being printed, if there is one.
    pub(super) fn take_round_trip(&mut self, time: Duration) -> bool {
        let pong = OpCode::Control(Control::Pong);
        let Some(frame) = self.frame.as_mut().filter(|frame| frame.header.opcode == pong) else {
            return false;
        };
        frame.round_trip = Some(time);
        true
    }

    /// Prints an incomplete frame if it broke a rule.
    pub(super) fn flush_if_blamed(&mut self, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if !self.held.is_empty() {
            self.print_line(Why::SoFar, writer, out);
        }
    }

    /// Prints the rest when no more data will come.
    pub(super) fn finish(&mut self, conn: ConnId, writer: &mut LineWriter, out: &mut Vec<u8>) {
        self.print_line(Why::Cut, writer, out);
        self.print_message(false, writer, out);
        if self.lost_in_hex {
            self.rows.finish(dump::INDENT, out);
        }
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            writer.info(conn, &format!("{lost} bytes in total could not be decoded"), out);
        }
    }

    fn begin(
        &mut self,
        at: &Stamp,
        direction: Direction,
        number: u64,
        header: &FrameHeader,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        let message = self.messages.begin(header);
        // A continuation counts as the opcode that it continues.
        let opcode = match message {
            Some(MessageKind { text: true, .. }) => OpCode::Data(Data::Text),
            Some(_) => OpCode::Data(Data::Binary),
            None => header.opcode,
        };
        if message.is_some() && header.opcode == opcode {
            self.print_message(false, writer, out);
            self.kept_back.clear();
            self.mode = writer.mode;
            let heading = Heading { conn: at.conn, direction, opcode, at: at.micros };
            self.content.begin(heading, opcode == OpCode::Data(Data::Text), self.mode);
            self.message_gate = FilterGate::new(writer.filter.as_ref(), at.conn, direction, opcode);
        }
        self.gate = FilterGate::new(writer.filter.as_ref(), at.conn, direction, opcode);
        self.preview.clear();
        self.undecided.clear();
        let mode = if message.is_some() { self.mode } else { writer.mode };
        self.frame = Some(HumanFrame::begin(at, direction, number, header, message, mode));
        if self.gate.is_open() {
            self.begin_dump(writer, out);
        }
    }

    #[inline]
    fn take_payload(&mut self, bytes: &[u8], writer: &mut LineWriter, out: &mut Vec<u8>) {
        let Some(frame) = &mut self.frame else { return };
        frame.wire += bytes.len() as u64;
        if frame.shows_wire() {
            self.preview.push(bytes, writer.preview_len(), &writer.excerpts);
        }
        if self.gate.is_undecided() {
            if frame.is_hex() {
                self.undecided.extend_from_slice(bytes);
                if self.undecided.len() >= filter::LOOKED_AT {
                    self.gate.decide(writer.filter.as_ref());
                }
            }
            if frame.message.is_none() {
                self.gate.push(bytes, writer.filter.as_ref());
            }
            self.dump_decided(writer, out);
        } else if frame.is_hex() && self.gate.is_open() {
            dump::go_on(frame, writer, out);
            self.rows.push(bytes, dump::INDENT, out);
        }
    }

    /// Prints the data that waited for the decision about the frame, if the frame is shown.
    fn dump_decided(&mut self, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if self.gate.is_open() {
            self.begin_dump(writer, out);
            self.rows.push(&self.undecided, dump::INDENT, out);
        }
        if !self.gate.is_undecided() {
            self.undecided = Vec::new();
        }
    }

    /// Prints the content of the open message, if the user wants that.
    fn print_message(&mut self, complete: bool, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if !self.content.is_open() {
            return;
        }
        if self.mode.view == View::Messages {
            self.message_gate.decide(writer.filter.as_ref());
            if self.message_gate.is_open() {
                let remark = match complete {
                    true => self.made.map(Made::name).map(|name| format!("({name})")),
                    false => Some("(incomplete)".to_owned()),
                };
                self.content.print(complete, &remark.unwrap_or_default(), writer, out);
            } else if complete && self.message_gate.is_shut_by_content() {
                self.content.print(complete, "", writer, &mut self.kept_back);
            }
        } else if complete && self.gate.is_open() {
            self.content.print_below(writer, out);
        }
        self.content.clear();
    }

    /// Notes a violation, to be printed after the line of the frame.
    #[cold]
    fn blame(
        &mut self,
        conn: ConnId,
        violation: &Violation,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        if let Some(frame) = &mut self.frame {
            self.messages.blame(violation.kind, &mut frame.message);
        }
        let text = violation_text(violation);
        let ends_it = violation.kind == ViolationKind::CutInsideFrame;
        if ends_it {
            self.print_line(Why::Cut, writer, out);
        }
        if ends_it || self.frame.is_none() {
            writer.line(Ink::Violation, conn, text.as_bytes(), out);
        } else {
            let dumping = writer.dumping;
            writer.line(Ink::Violation, conn, text.as_bytes(), &mut self.held);
            writer.dumping = dumping;
        }
    }

    /// Appends the line of the frame, unless it has been printed, and the lines that wait for it.
    fn print_line(&mut self, why: Why, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if self.frame.is_none() {
            return;
        }
        if why != Why::SoFar && self.gate.is_undecided() {
            self.gate.decide(writer.filter.as_ref());
            self.dump_decided(writer, out);
        }
        if self.frame.as_ref().is_some_and(HumanFrame::is_in_message) {
            if matches!(why, Why::Cut | Why::Endless) {
                self.print_message(false, writer, out);
            }
        } else if self.gate.is_open() {
            let start = out.len();
            self.print_frame(why, writer, out);
            if start == 0 {
                // The earlier lines have been passed on.
                self.forget_passing();
            }
            self.note_passing(&out[start..], writer);
        } else if self.gate.is_shut_by_content()
            && self.frame.as_ref().is_some_and(|frame| frame.is_of_message() && !frame.is_hex())
            && self.kept_back.len() < HIDDEN.1
        {
            let mut lines = std::mem::take(&mut self.kept_back);
            self.print_frame(why, writer, &mut lines);
            self.kept_back = lines;
        }
        if !self.held.is_empty() {
            writer.dumping = None;
            out.append(&mut self.held);
        }
        if why != Why::SoFar {
            self.frame = None;
        }
    }

    /// Appends the line of a shown frame, or the rest of its dump.
    fn print_frame(&mut self, why: Why, writer: &mut LineWriter, out: &mut Vec<u8>) {
        let Some(frame) = &mut self.frame else { return };
        let rest = rest(frame, why, self.made);
        if frame.is_hex() {
            if why != Why::SoFar {
                dump::end(frame, &mut self.rows, &self.preview, rest, writer, out);
            }
        } else if !frame.printed {
            frame.printed = true;
            let inflated = frame.is_compressed().then_some(frame.content);
            let preview = frame.preview(&self.preview);
            frame.columns(inflated).write(&preview, &rest, writer, out);
        }
    }

    fn forget_passing(&mut self) {
        (self.passing, self.passing_bytes) = Default::default();
    }

    /// Keeps the line of a frame that a relay has received.
    fn note_passing(&mut self, line: &[u8], writer: &LineWriter) {
        if !writer.relays() || self.made.is_some() || line.len() > PASSING.1 {
            return;
        }
        let Some(frame) = self.frame.filter(|frame| frame.printed) else { return };
        self.passing_bytes += line.len();
        while self.passing.len() == PASSING.0 || self.passing_bytes > PASSING.1 {
            let Some(first) = self.passing.pop_front() else { break };
            self.passing_bytes -= first.line.len();
        }
        let (preview, line) = (self.preview.to_vec(), line.to_vec());
        self.passing.push_back(PassingLine { frame, preview, line });
    }

    /// Adds the decision about a message to the line of its frame, if that line has not been
    /// written yet. A relay decides after it has read all received data.
    pub(super) fn mark(
        &mut self,
        number: u64,
        fate: &str,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        let Some(at) = self.passing.iter().rposition(|one| one.frame.number == number) else {
            return;
        };
        let Some(PassingLine { frame, preview, line }) = self.passing.remove(at) else { return };
        self.passing_bytes -= line.len();
        let Some(start) = memchr::memmem::rfind(out, &line) else { return };
        let rest = format!("{} ({fate})", rest(&frame, Why::Complete, self.made));
        let inflated = frame.is_compressed().then_some(frame.content);
        let mut marked = Vec::new();
        let shown = frame.preview(&preview);
        frame.columns(inflated).write(&shown, rest.trim_start(), writer, &mut marked);
        out.splice(start..start + line.len(), marked);
    }

    /// Appends the line of a frame whose bytes will all be shown, and its header.
    fn begin_dump(&mut self, writer: &mut LineWriter, out: &mut Vec<u8>) {
        let Some(frame) = self.frame.as_ref().filter(|frame| frame.is_hex()) else { return };
        frame.columns(None).write_header(writer, out);
        dump::header(frame, writer, out);
        self.rows = Rows::default();
    }

    /// Prints the first bytes after a lost frame boundary, or all of them in hex mode.
    fn undecodable(
        &mut self,
        at: &Stamp,
        direction: Direction,
        bytes: &[u8],
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        if self.lost == 0 {
            let (ink, start) = (ink(direction, writer.sent), out.len());
            writer.stamp(ink, at.conn, at.micros, out);
            out.extend_from_slice(b" undecodable ");
            self.lost_in_hex = writer.mode.view == View::Hex;
            if !self.lost_in_hex {
                let used = out.len() - start - writer.palette.invisible(ink);
                let room = writer.width.saturating_sub(used);
                preview::first_bytes(bytes, room, out);
            }
            out.push(b'\n');
            self.rows = Rows::default();
        }
        self.lost += bytes.len() as u64;
        if self.lost_in_hex {
            self.rows.push(bytes, dump::INDENT, out);
        }
    }
}

/// A broken rule, and its position.
pub(super) fn violation_text(violation: &Violation) -> String {
    let Violation { kind, frame, offset, detail } = violation;
    let rule = kind.rule();
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    format!(
        "{} {}: {}{detail} (frame #{frame}, byte {offset})",
        rule.code, rule.section, rule.explanation
    )
}

/// The addition to the line of an incomplete frame, and of a frame that a relay made.
pub(super) fn rest(frame: &HumanFrame, why: Why, made: Option<Made>) -> String {
    let wire = frame.wire;
    let rest = match why {
        Why::Complete => String::new(),
        Why::Cut => format!("(cut after {wire} B)"),
        Why::SoFar => format!("({wire} B so far)"),
        Why::Endless => "(no end)".to_owned(),
    };
    match made {
        Some(made) => format!("({}) {rest}", made.name()).trim_end().to_owned(),
        None => rest,
    }
}
