//! The remembered frames of a run, for `/show frames` and `/find`. The memory for all connections
//! is limited: the oldest frames are dropped first, and counted.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::event::{ConnId, Direction, Event, FrameEvent, Stamp};
use crate::ui::excerpt::ExcerptRoom;
use crate::ui::filter::ClientSet;
use crate::ui::human::{FrameRecord, FrameRecorder};
use crate::ui::meaning::Meaning;
use crate::ui::pattern::Pattern;
use crate::ui::view::Timestamps;
use crate::ui::{HumanOptions, HumanPrinter, number};

/// A frame may take at most this fraction of the memory.
const SHARE: usize = 4;

/// How many frames are searched when a meaning arrives late.
const RECENT: usize = 10_000;

/// Remembered frames.
pub struct FrameStore {
    options: HumanOptions,
    /// The limit in bytes.
    bound: usize,
    frames: VecDeque<FrameRecord>,
    bytes: usize,
    /// The memory for frames that are arriving.
    room: ExcerptRoom,
    /// The number of dropped frames.
    left: u64,
    connections: BTreeMap<ConnId, ArrivingFrames>,
}

/// A connection whose frames are arriving.
#[derive(Default)]
struct ArrivingFrames {
    opened: Option<i64>,
    recorders: [FrameRecorder; 2],
    /// The recorders of frames that a relay made.
    made: [FrameRecorder; 2],
}

/// A remembered message.
pub struct KeptMessage {
    /// Its connection.
    pub conn: ConnId,
    /// Its content, as far as it is remembered.
    pub content: Vec<u8>,
    /// Whether it is a text.
    pub is_text: bool,
    /// What is missing, in words.
    pub missing: Option<String>,
}

/// The width in columns, and the timestamps.
pub type Look = (usize, Timestamps);

/// A message: one frame or several, as indices.
type MessageFrames = Vec<usize>;

impl FrameStore {
    /// An empty store with this limit in bytes. `options`: how frames look.
    pub fn new(options: HumanOptions, bound: usize) -> Self {
        Self {
            options,
            bound,
            frames: VecDeque::new(),
            bytes: 0,
            room: ExcerptRoom::new(bound / 2),
            left: 0,
            connections: BTreeMap::new(),
        }
    }

    /// Takes one event.
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) {
        match event {
            Event::Made(made, direction, event) => {
                if let Some(mut record) = self.record(at, true, *direction, event) {
                    record.mark(*made);
                    self.push(record);
                }
            }
            Event::Frame(direction, event) => {
                if let Some(record) = self.record(at, false, *direction, event) {
                    self.push(record);
                }
                if let FrameEvent::Message(info) = event
                    && let Some(last) = self.frames.back_mut()
                    && (last.conn(), last.direction()) == (at.conn, *direction)
                    && !last.is_made()
                {
                    last.ends_message(info.number);
                }
            }
            Event::RoundTrip(time) => {
                for recorder in self.connections.entry(at.conn).or_default().recorders.iter_mut() {
                    recorder.take_round_trip(*time);
                }
            }
            Event::Open(_) => {
                self.connections.entry(at.conn).or_default().opened = Some(at.micros);
            }
            Event::End(_) | Event::Failed(_) | Event::Passed(_) => {
                self.connections.remove(&at.conn);
            }
            _ => {}
        }
    }

    /// Takes the meaning of a message.
    pub fn mean(&mut self, conn: ConnId, meaning: &Meaning) {
        let of = (conn, meaning.direction, meaning.number);
        let last = self.frames.iter_mut().rev().take(RECENT);
        let found =
            |record: &&mut FrameRecord| (record.conn(), record.direction(), record.message()) == of;
        if let Some(record) = last.into_iter().find(found) {
            let before = record.memory();
            record.add_meaning(meaning);
            self.bytes += record.memory() - before;
        }
    }

    /// The frame that an event ends.
    fn record(
        &mut self,
        at: &Stamp,
        is_made: bool,
        direction: Direction,
        event: &FrameEvent<'_>,
    ) -> Option<FrameRecord> {
        let most = self.bound / SHARE;
        let ArrivingFrames { opened, recorders, made } =
            self.connections.entry(at.conn).or_default();
        let opened = *opened.get_or_insert(at.micros);
        let recorders = if is_made { made } else { recorders };
        recorders[direction as usize].take(at, direction, event, opened, most, &self.room)
    }

    fn push(&mut self, record: FrameRecord) {
        self.bytes += record.memory();
        self.frames.push_back(record);
        while self.bytes > self.bound
            && let Some(oldest) = self.frames.pop_front()
        {
            self.bytes -= oldest.memory();
            self.left += 1;
        }
    }

    /// The lines of the last `most` frames of these clients, oldest first, with the current look.
    pub fn last(&self, most: usize, of: &ClientSet, look: Look) -> Vec<u8> {
        let (mut out, mut printer) = (Vec::new(), self.printer(look));
        let wanted = |record: &&FrameRecord| of.includes(record.conn());
        let records: Vec<&FrameRecord> =
            self.frames.iter().rev().filter(wanted).take(most).collect();
        if records.len() < most {
            self.write_left(&mut out);
        }
        for record in records.into_iter().rev() {
            printer.print_record(record, None, &mut out);
        }
        out
    }

    /// The last `most` messages and control frames of these clients that match the pattern, oldest
    /// first, followed by their number.
    pub fn find(&self, pattern: &Pattern, most: usize, of: &ClientSet, look: Look) -> Vec<u8> {
        let (mut lines, mut printer) = (Vec::new(), self.printer(look));
        let messages = self.messages(of);
        let (mut found, mut shortened) = (Vec::new(), false);
        let mut count = 0u64;
        for message in messages.iter().rev() {
            shortened |= message.iter().any(|at| self.frames[*at].is_shortened());
            let means = || message.iter().any(|at| self.frames[*at].means(pattern));
            // A match in the meaning has no position in the content.
            if let Some(place) = self.look(message, pattern).or_else(|| means().then_some(0..0)) {
                count += 1;
                if found.len() < most {
                    found.push((message, place));
                }
            }
        }
        self.write_left(&mut lines);
        for (message, place) in found.iter().rev() {
            match message.as_slice() {
                [one] => printer.print_record(&self.frames[*one], Some(place.clone()), &mut lines),
                several => {
                    let frames: Vec<&FrameRecord> =
                        several.iter().map(|at| &self.frames[*at]).collect();
                    printer.print_message(&frames, Some(place.clone()), &mut lines);
                }
            }
        }
        let mut summary = format!(
            "{pattern} is in {} of {} in memory",
            number::grouped(count),
            number::counted(messages.len() as u64, "message")
        );
        if count > found.len() as u64 {
            summary += &format!("; the last {} are shown", found.len());
        }
        if shortened {
            summary += "; for some, only the beginning is in memory";
        }
        lines.extend_from_slice(summary.as_bytes());
        lines.push(b'\n');
        lines
    }

    /// The latest message of these clients, in one direction, that has a frame with this number.
    ///
    /// # Errors
    ///
    /// The message never existed, or has been dropped.
    pub fn message(
        &self,
        number: u64,
        direction: Direction,
        of: &ClientSet,
    ) -> Result<KeptMessage, String> {
        let is_it = |at: &usize| {
            let frame = &self.frames[*at];
            frame.number() == number && frame.direction() == direction && !frame.is_made()
        };
        let messages = self.messages(of);
        let found = messages.iter().rev().find(|message| message.iter().any(is_it));
        let Some(frames) = found.filter(|message| !message.is_empty()) else {
            let mut left = Vec::new();
            self.write_left(&mut left);
            return Err(match left.is_empty() {
                true => format!("there is no frame #{number}; /show frames lists the last ones"),
                false => {
                    let left = String::from_utf8_lossy(&left);
                    format!("frame #{number} is not in memory: {}", left.trim_end())
                }
            });
        };
        let frames: Vec<&FrameRecord> = frames.iter().map(|at| &self.frames[*at]).collect();
        let (first, last) = (frames[0], frames[frames.len() - 1]);
        let content: Vec<u8> = frames.iter().flat_map(|frame| frame.content()).copied().collect();
        let total: u64 = frames.iter().map(|frame| frame.total()).sum();
        let kept = content.len() as u64;
        let missing = match (first.continues(), kept < total, last.is_continued()) {
            (true, ..) => Some("the beginning of the message is no longer in memory".to_owned()),
            (_, true, _) => Some(format!("{kept} of {total} bytes are in memory")),
            (.., true) => Some("the message is not complete".to_owned()),
            _ => None,
        };
        let is_text = first.is_text() && std::str::from_utf8(&content).is_ok();
        Ok(KeptMessage { conn: first.conn(), content, is_text, missing })
    }

    /// The position of the pattern in the content of a message.
    fn look(&self, message: &[usize], pattern: &Pattern) -> Option<Range<usize>> {
        match message {
            [one] => pattern.find(self.frames[*one].content()),
            several => {
                let contents = several.iter().map(|at| self.frames[*at].content());
                pattern.find(&contents.collect::<Vec<_>>().concat())
            }
        }
    }

    /// The frames of these clients, grouped by messages, in the order of their beginnings.
    fn messages(&self, of: &ClientSet) -> Vec<MessageFrames> {
        let mut messages: Vec<MessageFrames> = Vec::new();
        // The incomplete message of each direction.
        let mut open: BTreeMap<(ConnId, bool, bool), usize> = BTreeMap::new();
        for (at, record) in self.frames.iter().enumerate() {
            if !of.includes(record.conn()) {
                continue;
            }
            let to_client = record.direction() == Direction::ToClient;
            let key = (record.conn(), to_client, record.is_made());
            let index = match open.remove(&key) {
                Some(index) if record.continues() => {
                    messages[index].push(at);
                    index
                }
                before => {
                    messages.push(vec![at]);
                    // A control frame between two fragments does not end the message.
                    match before.filter(|_| record.is_control()) {
                        Some(before) => before,
                        None => messages.len() - 1,
                    }
                }
            };
            if record.is_continued() || messages[index].last() != Some(&at) {
                open.insert(key, index);
            }
        }
        messages
    }

    fn printer(&self, (width, timestamps): Look) -> HumanPrinter {
        HumanPrinter::new(HumanOptions { width, timestamps, ..self.options })
    }

    /// Writes that older frames were dropped.
    fn write_left(&self, out: &mut Vec<u8>) {
        if self.left > 0 {
            let text = format!(
                "{} older {} left memory, which holds {} (--max-kept); --log keeps everything\n",
                number::grouped(self.left),
                if self.left == 1 { "frame has" } else { "frames have" },
                number::size(self.bound as u64)
            );
            out.extend_from_slice(text.as_bytes());
        }
    }
}
