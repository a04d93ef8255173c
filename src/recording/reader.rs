//! Reads a recording of any format; the first bytes show which.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::har::HarReader;
use super::{Capture, LogReader, PacketFile, Record, RecordingError};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingFormat {
    /// JSON lines of this program.
    Log,
    /// An HTTP archive.
    Har,
    /// A capture of packets, pcap or pcapng.
    Packets,
}

/// How many bytes decide the format.
const BEGINNING: u64 = 256;

impl RecordingFormat {
    /// The format of a file with this beginning, if it is a recording.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        if PacketFile::<&[u8]>::is_one(beginning) {
            return Some(Self::Packets);
        }
        let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
        let inside = text.strip_prefix(b"{")?.trim_ascii_start();
        Some(if inside.starts_with(b"\"log\"") { Self::Har } else { Self::Log })
    }
}

/// Reads a recording.
pub struct Reader<'r> {
    kind: ReaderFormat<'r>,
}

enum ReaderFormat<'r> {
    Log(Box<LogReader<ReaderInput<'r>>>),
    Har(HarReader),
    Packets(Box<Capture<ReaderInput<'r>>>),
}

type ReaderInput<'r> = BufReader<io::Chain<Cursor<Vec<u8>>, Box<dyn Read + 'r>>>;

/// An input whose beginning has been read.
pub struct Sniffed<'r> {
    /// Its format.
    pub format: Option<RecordingFormat>,
    /// The whole input.
    pub input: ReaderInput<'r>,
}

impl<'r> Reader<'r> {
    /// Reads the beginning of an input.
    ///
    /// # Errors
    ///
    /// It can't be read.
    pub fn sniff(mut input: Box<dyn Read + 'r>) -> io::Result<Sniffed<'r>> {
        let mut beginning = Vec::new();
        (&mut input).take(BEGINNING).read_to_end(&mut beginning)?;
        let format = RecordingFormat::of(&beginning);
        let input = BufReader::with_capacity(256 * 1024, Cursor::new(beginning).chain(input));
        Ok(Sniffed { format, input })
    }

    /// Reads an input of this format.
    ///
    /// # Errors
    ///
    /// The input does not have this format.
    pub fn of(format: RecordingFormat, input: ReaderInput<'r>) -> Result<Self, RecordingError> {
        let kind = match format {
            RecordingFormat::Log => ReaderFormat::Log(Box::new(LogReader::new(input))),
            RecordingFormat::Har => ReaderFormat::Har(HarReader::read(input)?),
            RecordingFormat::Packets => {
                ReaderFormat::Packets(Box::new(Capture::new(PacketFile::new(input)?)))
            }
        };
        Ok(Self { kind })
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    ///
    /// The rest can't be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, RecordingError> {
        match &mut self.kind {
            ReaderFormat::Log(log) => log.next_record(),
            ReaderFormat::Har(har) => Ok(har.next_record()),
            ReaderFormat::Packets(capture) => capture.next_record(),
        }
    }

    /// The capture, if the input is a packet capture.
    pub fn capture(&mut self) -> Option<&mut dyn CaptureFacts> {
        match &mut self.kind {
            ReaderFormat::Packets(capture) => Some(&mut **capture),
            _ => None,
        }
    }

    /// What is missing in the recording, in a sentence; known at its end.
    pub fn remark(&self) -> Option<String> {
        match &self.kind {
            ReaderFormat::Log(log) => log.remark(),
            ReaderFormat::Har(_) => None,
            ReaderFormat::Packets(capture) => capture.remark(),
        }
    }
}

/// The facts of a capture besides its records.
pub trait CaptureFacts {
    /// Decodes only this stream, even if its handshake was not captured.
    fn only(&mut self, stream: u64);
    /// The streams so far.
    fn streams(&self) -> &[super::CapturedStream];
}

impl<R: BufRead> CaptureFacts for Capture<R> {
    fn only(&mut self, stream: u64) {
        self.only(stream);
    }

    fn streams(&self) -> &[super::CapturedStream] {
        self.streams()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Stamp};
    use crate::recording::{Player, RecordedRequest, ReplayPlan, Sessions};
    use crate::session::Limits;
    use crate::wire::Role;
    use proptest::prelude::*;

    /// Reads and plays all records, and makes plans of its clients; returns the number of events.
    fn played(bytes: &[u8]) -> usize {
        let Sniffed { format, input } = Reader::sniff(Box::new(bytes)).expect("memory");
        let Some(Ok(mut reader)) = format.map(|format| Reader::of(format, input)) else { return 0 };
        let (mut player, mut events) = (Player::new(Limits::default(), None), 0);
        let mut sessions = Sessions::of_acts(None);
        let mut take = |at: &Stamp, event: &Event<'_>| {
            events += 1;
            sessions.take(at, event);
            Ok::<(), ()>(())
        };
        while let Ok(Some(record)) = reader.next_record() {
            player.play(record, &mut take).expect("nothing is refused");
        }
        player.end(0, &mut take).expect("nothing is refused");
        for mut session in sessions.finish().0 {
            RecordedRequest::of(&session);
            let plan = ReplayPlan::of(&mut session, Role::Client);
            assert!(plan.steps.iter().all(|step| step.after <= plan.awaited.len()));
        }
        events
    }

    const SEEDS: [&[u8]; 4] = [
        include_bytes!("../../fuzz/seeds/recording/session.pcap"),
        include_bytes!("../../fuzz/seeds/recording/session.pcapng"),
        include_bytes!("../../fuzz/seeds/recording/session.har"),
        include_bytes!("../../fuzz/seeds/recording/session.jsonl"),
    ];

    #[test]
    fn every_format_is_played() {
        for seed in SEEDS {
            assert!(played(seed) > 10);
        }
    }

    proptest! {
        #[test]
        fn damaged_files_are_read_without_a_panic(
            seed in 0..SEEDS.len(),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = SEEDS[seed].to_vec();
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes.truncate(end.index(bytes.len()) + 1);
            played(&bytes);
        }

        #[test]
        fn any_bytes_behind_a_magic_number_are_read_without_a_panic(
            seed in 0..SEEDS.len(),
            rest in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            played(&[&SEEDS[seed][..24], &rest].concat());
        }
    }
}
