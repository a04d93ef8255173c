//! A remembered frame with all data of its line, for printing on request.

use std::mem::size_of;
use std::ops::Range;
use std::time::Duration;

use super::direction_printer::{Why, rest, violation_text};
use super::frame::HumanFrame;
use super::line::LineColumns;
use super::line_writer::{DisplayMode, LineWriter};
use super::meaning::{self, MeaningLine};
use super::preview::{PayloadPreview, PreviewKind};
use crate::event::{ConnId, Direction, FrameEvent, Made, Stamp};
use crate::ui::excerpt::{Excerpt, ExcerptRoom};
use crate::ui::meaning::Meaning;
use crate::ui::messages::Messages;
use crate::ui::pattern::Pattern;
use crate::ui::style::Ink;
use crate::wire::{Control, Data, OpCode, Violation, ViolationKind};

/// A remembered frame.
#[derive(Debug)]
pub struct FrameRecord {
    frame: HumanFrame,
    /// The content; inflated if it was compressed.
    content: Box<[u8]>,
    violations: Vec<Violation>,
    why: Why,
    /// When its connection was opened, in microseconds since the epoch.
    opened: i64,
    /// Why a relay made it, if one did.
    made: Option<Made>,
    /// The number of the message that ends with it, or 0.
    message: u64,
    /// The meaning of that message.
    meaning: Vec<MeaningLine>,
}

impl FrameRecord {
    /// Its connection.
    pub fn conn(&self) -> ConnId {
        self.frame.conn
    }

    /// Its direction.
    pub fn direction(&self) -> Direction {
        self.frame.direction
    }

    /// Its number in its direction.
    pub fn number(&self) -> u64 {
        self.frame.number
    }

    /// Whether it is a text or part of one.
    pub fn is_text(&self) -> bool {
        matches!(self.frame.kind, PreviewKind::Text | PreviewKind::Note)
    }

    /// The size of its content, inflated.
    pub fn total(&self) -> u64 {
        self.frame.preview(&self.content).total
    }

    /// Its content, or the beginning of it.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Whether only a part of its content is remembered.
    pub fn is_shortened(&self) -> bool {
        (self.content.len() as u64) < self.total()
    }

    /// Notes that a relay made it.
    pub fn mark(&mut self, made: Made) {
        self.made = Some(made);
    }

    /// Whether a relay made it.
    pub fn is_made(&self) -> bool {
        self.made.is_some()
    }

    /// Whether it is a control frame.
    pub fn is_control(&self) -> bool {
        matches!(self.frame.header.opcode, OpCode::Control(_))
    }

    /// Whether it continues a message.
    pub fn continues(&self) -> bool {
        self.frame.header.opcode == OpCode::Data(Data::Continue) && self.frame.is_of_message()
    }

    /// Whether its message continues after it.
    pub fn is_continued(&self) -> bool {
        self.frame.is_of_message() && !self.frame.header.fin && self.why == Why::Complete
    }

    /// Notes the number of the message that ends with it.
    pub fn ends_message(&mut self, number: u64) {
        self.message = number;
    }

    /// The number of the message that ends with it, or 0.
    pub fn message(&self) -> u64 {
        self.message
    }

    /// Adds the meaning of that message.
    pub fn add_meaning(&mut self, meaning: &Meaning) {
        self.meaning.extend(meaning::lines(meaning));
    }

    /// Whether the meaning of its message matches a pattern.
    pub fn means(&self, pattern: &Pattern) -> bool {
        self.meaning.iter().any(|line| pattern.is_match(line.text().as_bytes()))
    }

    /// Its memory in bytes.
    pub fn memory(&self) -> usize {
        let lines = self.meaning.iter().map(|line| size_of::<MeaningLine>() + line.text().len());
        size_of::<Self>()
            + self.content.len()
            + self.violations.len() * size_of::<Violation>()
            + lines.sum::<usize>()
    }

    /// Appends its line, lines for the rules that it broke, and the meaning of its message. Of
    /// content that does not fit, it shows the part around `shown`.
    pub(super) fn print(
        &self,
        shown: Option<Range<usize>>,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        writer.opened = self.opened;
        let inflated = self.frame.is_compressed().then_some(self.frame.content);
        let mut preview = self.frame.preview(&self.content);
        preview.shown = shown.unwrap_or_default();
        let rest = rest(&self.frame, self.why, self.made);
        let found = Some((self.frame.number, self.frame.number));
        let columns = LineColumns { found, ..self.frame.columns(inflated) };
        columns.write(&preview, &rest, writer, out);
        for violation in &self.violations {
            let text = violation_text(violation);
            writer.line(Ink::Violation, self.frame.conn, text.as_bytes(), out);
        }
        self.print_meaning(writer, out);
    }

    fn print_meaning(&self, writer: &mut LineWriter, out: &mut Vec<u8>) {
        let HumanFrame { conn, direction, .. } = self.frame;
        meaning::print(&self.meaning, conn, direction, false, writer, out);
    }

    /// Appends the line of the message that consists of these frames.
    pub(super) fn print_message(
        frames: &[&Self],
        shown: Option<Range<usize>>,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return };
        writer.opened = last.opened;
        let content: Vec<u8> = frames.iter().flat_map(|frame| &frame.content).copied().collect();
        let len = frames.iter().map(|frame| frame.frame.preview(&frame.content).total).sum();
        let HumanFrame { conn, direction, kind, header, .. } = first.frame;
        let (frame, inflated, dim) = (None, None, false);
        let found = Some((first.frame.number, last.frame.number));
        let (at, opcode) = (last.frame.at, header.opcode);
        let columns = LineColumns { conn, direction, at, opcode, frame, len, inflated, dim, found };
        let start = &content;
        let shown = shown.unwrap_or_default();
        let preview = PayloadPreview { kind, start, total: len, shown, round_trip: None };
        let rest = first.made.map(|made| format!("({})", made.name())).unwrap_or_default();
        columns.write(&preview, &rest, writer, out);
        last.print_meaning(writer, out);
    }
}

/// Records the frames of one direction of a connection.
#[derive(Debug, Default)]
pub struct FrameRecorder {
    frame: Option<HumanFrame>,
    messages: Messages,
    content: Excerpt,
    violations: Vec<Violation>,
}

impl FrameRecorder {
    /// Takes the next event; returns the frame that it ends. Remembers the first `most` bytes of
    /// the content, as far as there is `room`. `opened`: when the connection was opened, in
    /// microseconds since the epoch.
    pub fn take(
        &mut self,
        at: &Stamp,
        direction: Direction,
        event: &FrameEvent<'_>,
        opened: i64,
        most: usize,
        room: &ExcerptRoom,
    ) -> Option<FrameRecord> {
        if let Some(frame) = &mut self.frame {
            frame.at = at.micros;
        }
        match event {
            FrameEvent::Start { number, header } => {
                let cut = self.end(Why::Cut, opened);
                let message = self.messages.begin(header);
                let mode = DisplayMode::default();
                self.frame = Some(HumanFrame::begin(at, direction, *number, header, message, mode));
                let expected = usize::try_from(header.len).unwrap_or(usize::MAX);
                if !message.is_some_and(|message| message.compressed) {
                    // The announced data may never come.
                    self.content.expect(expected.min(most).min(1 << 16));
                }
                return cut;
            }
            FrameEvent::Payload(bytes) => {
                let frame = self.frame.as_mut()?;
                frame.wire += bytes.len() as u64;
                if frame.shows_wire() {
                    self.content.push(bytes, most, room);
                }
            }
            FrameEvent::Data(bytes) => {
                let frame = self.frame.as_mut()?;
                if frame.is_compressed() && frame.content == 0 {
                    self.content.clear();
                }
                frame.content += bytes.len() as u64;
                self.content.push(bytes, most, room);
            }
            FrameEvent::Violation(violation) => {
                let frame = self.frame.as_mut()?;
                self.messages.blame(violation.kind, &mut frame.message);
                self.violations.push((*violation).clone());
                if violation.kind == ViolationKind::CutInsideFrame {
                    return self.end(Why::Cut, opened);
                }
            }
            FrameEvent::Undecodable(_) => return self.end(Why::Endless, opened),
            FrameEvent::End { header, .. } => {
                let record = self.end(Why::Complete, opened);
                self.messages.end(header);
                return record;
            }
            FrameEvent::Message(_) | FrameEvent::Control { .. } => {}
        }
        None
    }

    /// Adds the time of a round trip to the pong that is arriving.
    pub fn take_round_trip(&mut self, time: Duration) {
        let pong = OpCode::Control(Control::Pong);
        if let Some(frame) = self.frame.as_mut().filter(|frame| frame.header.opcode == pong) {
            frame.round_trip = Some(time);
        }
    }

    fn end(&mut self, why: Why, opened: i64) -> Option<FrameRecord> {
        let frame = self.frame.take()?;
        let content = self.content.finish().into_boxed_slice();
        let violations = std::mem::take(&mut self.violations);
        let (made, message, meaning) = (None, 0, Vec::new());
        Some(FrameRecord { frame, content, violations, why, opened, made, message, meaning })
    }
}
