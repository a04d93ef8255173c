//! Statistics of one connection: the data of each direction, the peer's answer times, and the
//! silences. They come only from events and their times.

use std::time::Duration;

use crate::event::{Direction, Event, FrameEvent, MessageInfo, Stamp};
use crate::wire::{Data, OpCode};

/// The counts of one opcode in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpcodeStats {
    /// Frames whose header has arrived.
    pub frames: u64,
    /// Complete messages; only text and binary have any.
    pub messages: u64,
    /// The size of the content in bytes; inflated if it was compressed.
    pub content: u64,
    /// Payload and header bytes.
    pub wire: u64,
}

impl OpcodeStats {
    fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.messages += other.messages;
        self.content += other.content;
        self.wire += other.wire;
    }
}

/// The statistics of one direction.
#[derive(Clone, Debug, Default)]
pub struct DirectionStats {
    opcodes: [OpcodeStats; 16],
    /// The opcode of the last frame.
    current: u8,
    /// The size of compressed messages on the wire.
    pub compressed: u64,
    /// The size of the same messages after decompression.
    pub inflated: u64,
    /// The number of rules that the sender broke.
    pub violations: u64,
    /// The number of bytes after a lost frame boundary.
    pub undecodable: u64,
    /// When the last frame began or continued, in microseconds since the epoch.
    last: Option<i64>,
    longest_silence: u64,
}

impl DirectionStats {
    /// The counts of one opcode. Continuations have their own counts.
    pub fn opcode(&self, opcode: OpCode) -> &OpcodeStats {
        &self.opcodes[usize::from(u8::from(opcode) & 0xf)]
    }

    /// The opcodes that occurred, in ascending order, with their counts.
    pub fn opcodes(&self) -> impl Iterator<Item = (OpCode, &OpcodeStats)> {
        let numbered = (0..16u8).map(OpCode::from).zip(&self.opcodes);
        numbered.filter(|(_, counts)| counts.frames > 0)
    }

    /// The counts of all opcodes together.
    pub fn all(&self) -> OpcodeStats {
        let mut all = OpcodeStats::default();
        self.opcodes.iter().for_each(|counts| all.add(counts));
        all
    }

    /// The size of the content of messages, without control frames.
    pub fn message_bytes(&self) -> u64 {
        let is_data = |opcode: &OpCode| matches!(opcode, OpCode::Data(_));
        self.opcodes().filter(|(opcode, _)| is_data(opcode)).map(|(_, counts)| counts.content).sum()
    }

    /// The compressed size divided by the inflated size: 0.25 is a quarter. `None` if no compressed
    /// message had content.
    pub fn compression(&self) -> Option<f64> {
        (self.inflated > 0).then(|| self.compressed as f64 / self.inflated as f64)
    }

    fn count(&mut self, event: &FrameEvent<'_>) {
        let current = &mut self.opcodes[usize::from(self.current & 0xf)];
        match event {
            FrameEvent::Start { header, .. } => {
                self.current = header.opcode.into();
                let counts = &mut self.opcodes[usize::from(self.current & 0xf)];
                counts.frames += 1;
                counts.wire += header.wire_len() as u64;
            }
            FrameEvent::Payload(bytes) => {
                current.wire += bytes.len() as u64;
            }
            FrameEvent::Message(MessageInfo { opcode, compressed, wire_len, len, .. }) => {
                self.opcodes[usize::from(u8::from(*opcode) & 0xf)].messages += 1;
                if *compressed {
                    self.compressed += wire_len;
                    self.inflated += len;
                }
            }
            FrameEvent::Violation(_) => self.violations += 1,
            FrameEvent::Undecodable(bytes) => self.undecodable += bytes.len() as u64,
            FrameEvent::Data(bytes) | FrameEvent::Control { payload: bytes, .. } => {
                current.content += bytes.len() as u64;
            }
            FrameEvent::End { .. } => {}
        }
    }
}

/// The times in which the peer answered pings.
///
/// Each value updates the mean and the deviation (Welford's algorithm), so memory does not grow,
/// and rounding errors stay small for any number of values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoundTrips {
    /// The number of answered pings.
    pub count: u64,
    min: Duration,
    max: Duration,
    /// In seconds.
    mean: f64,
    /// The sum of the squared differences from the mean, seconds squared.
    squares: f64,
}

impl RoundTrips {
    /// Adds a time.
    pub fn push(&mut self, time: Duration) {
        self.min = if self.count == 0 { time } else { self.min.min(time) };
        self.max = self.max.max(time);
        self.count += 1;
        let seconds = time.as_secs_f64();
        let before = seconds - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (seconds - self.mean);
    }

    /// The shortest; `None` before the first.
    pub fn min(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.min)
    }

    /// The longest; `None` before the first.
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// The mean; `None` before the first.
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| duration(self.mean))
    }

    /// The standard deviation; `None` before the first time.
    pub fn deviation(&self) -> Option<Duration> {
        (self.count > 0).then(|| duration((self.squares / self.count as f64).sqrt()))
    }
}

/// Seconds as a duration; rounding may have made them slightly negative.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

/// Statistics of one connection.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    opened: Option<i64>,
    ended: Option<i64>,
    to_server: DirectionStats,
    to_client: DirectionStats,
    /// The round trips of our pings.
    pub round_trips: RoundTrips,
}

impl Stats {
    /// Counts any event of the connection.
    pub fn observe(&mut self, at: &Stamp, event: &Event<'_>) {
        match event {
            Event::Open(_) => self.opened = Some(at.micros),
            Event::Frame(direction, event) => {
                let opened = *self.opened.get_or_insert(at.micros);
                let stats = match direction {
                    Direction::ToServer => &mut self.to_server,
                    Direction::ToClient => &mut self.to_client,
                };
                stats.count(event);
                if matches!(event, FrameEvent::Start { .. } | FrameEvent::Payload(_)) {
                    let silence = since(at.micros, stats.last.unwrap_or(opened));
                    stats.longest_silence = stats.longest_silence.max(silence);
                    stats.last = Some(at.micros);
                }
            }
            Event::RoundTrip(time) => self.round_trips.push(*time),
            Event::End(_) => self.ended = Some(at.micros),
            _ => {}
        }
    }

    /// Whether the connection has ended, so that times count up to its end.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// The statistics of one direction.
    pub fn direction(&self, direction: Direction) -> &DirectionStats {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    /// The time from the opening to `now`, or to the end. Times are in microseconds since the
    /// epoch.
    pub fn duration(&self, now: i64) -> Duration {
        let now = self.ended.unwrap_or(now);
        Duration::from_micros(self.opened.map_or(0, |opened| since(now, opened)))
    }

    /// The time since the last frame of a direction; `None` if none has arrived.
    pub fn idle(&self, direction: Direction, now: i64) -> Option<Duration> {
        let now = self.ended.unwrap_or(now);
        self.direction(direction).last.map(|last| Duration::from_micros(since(now, last)))
    }

    /// The longest time without a frame in a direction, including the time since the last one.
    pub fn longest_silence(&self, direction: Direction, now: i64) -> Duration {
        let current = self.idle(direction, now).unwrap_or_else(|| self.duration(now));
        current.max(Duration::from_micros(self.direction(direction).longest_silence))
    }

    /// The number of complete messages in a direction.
    pub fn messages(&self, direction: Direction) -> u64 {
        let stats = self.direction(direction);
        let of = |data| stats.opcode(OpCode::Data(data)).messages;
        of(Data::Text) + of(Data::Binary)
    }
}

/// The microseconds from `before` to `now`; 0 if the clock was set back.
fn since(now: i64, before: i64) -> u64 {
    u64::try_from(now.saturating_sub(before)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ConnId, Observed};
    use crate::session::{Limits, Observer};
    use crate::wire::Control;
    use crate::wire::decoder::Input;
    use crate::wire::deflate::params::DeflateParams;
    use crate::wire::handshake::Agreed;

    const SECOND: i64 = 1_000_000;

    fn at(micros: i64) -> Stamp {
        Stamp { micros, conn: ConnId(1) }
    }

    /// Passes bytes of the server to the statistics, at this time.
    fn travel(stats: &mut Stats, observer: &mut Observer, bytes: &[u8], micros: i64) {
        let mut bytes = bytes.to_vec();
        let mut input = Input::new(&mut bytes);
        while let Some(Observed::Frame(event)) = observer.next(&mut input) {
            stats.observe(&at(micros), &Event::Frame(Direction::ToClient, event));
        }
    }

    #[test]
    fn counts_frames_messages_and_bytes_of_each_opcode() {
        let mut observer = Observer::of_frames(
            Direction::ToClient,
            Some(&DeflateParams::default()),
            Limits::default(),
        );
        let mut stats = Stats::default();
        stats.observe(&at(5 * SECOND), &Event::Open(&Agreed::default()));
        travel(&mut stats, &mut observer, b"\x01\x03Hel\x89\x02hi\x80\x02lo", 6 * SECOND);
        travel(&mut stats, &mut observer, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", 9 * SECOND);
        travel(&mut stats, &mut observer, b"\x84\x00", 9 * SECOND);

        let seen = stats.direction(Direction::ToClient);
        let text = OpcodeStats { frames: 2, messages: 2, content: 8, wire: 14 };
        assert_eq!(seen.opcode(OpCode::Data(Data::Text)), &text);
        let ping = OpcodeStats { frames: 1, messages: 0, content: 2, wire: 4 };
        assert_eq!(seen.opcode(OpCode::Control(Control::Ping)), &ping);
        let all = OpcodeStats { frames: 5, messages: 2, content: 12, wire: 24 };
        assert_eq!((seen.all(), seen.opcodes().count()), (all, 4));
        assert_eq!((seen.compressed, seen.inflated, seen.violations), (7, 5, 1));
        assert_eq!(seen.compression(), Some(1.4));
        assert_eq!(stats.messages(Direction::ToClient), 2);

        let now = 10 * SECOND;
        assert_eq!(stats.duration(now), Duration::from_secs(5));
        assert_eq!(stats.idle(Direction::ToClient, now), Some(Duration::from_secs(1)));
        assert_eq!(stats.longest_silence(Direction::ToClient, now), Duration::from_secs(3));
        assert_eq!(stats.longest_silence(Direction::ToClient, 60 * SECOND).as_secs(), 51);
        assert_eq!(stats.idle(Direction::ToServer, now), None);
        assert_eq!(stats.longest_silence(Direction::ToServer, now), Duration::from_secs(5));
        assert_eq!(stats.direction(Direction::ToServer).compression(), None);
    }

    #[test]
    fn bytes_behind_a_lost_boundary_are_counted_apart() {
        let mut observer = Observer::of_frames(Direction::ToClient, None, Limits::default());
        let mut stats = Stats::default();
        travel(&mut stats, &mut observer, b"\x82\x7f\x80\0\0\0\0\0\0\0lost", 0);
        assert_eq!(stats.direction(Direction::ToClient).undecodable, 4);
    }

    #[test]
    fn round_trips_have_their_mean_and_deviation() {
        let mut trips = RoundTrips::default();
        assert_eq!((trips.min(), trips.mean(), trips.deviation()), (None, None, None));
        for millis in [2, 4, 4, 4, 5, 5, 7, 9] {
            trips.push(Duration::from_millis(millis));
        }
        let millis = |time: Option<Duration>| time.map(|time| time.as_micros().div_ceil(10) / 100);
        assert_eq!((trips.count, millis(trips.min()), millis(trips.max())), (8, Some(2), Some(9)));
        assert_eq!((millis(trips.mean()), millis(trips.deviation())), (Some(5), Some(2)));
    }

    #[test]
    fn a_clock_set_back_or_an_endless_ping_breaks_nothing() {
        let mut stats = Stats::default();
        stats.observe(&at(i64::MAX), &Event::Open(&Agreed::default()));
        stats.observe(&at(i64::MIN), &Event::RoundTrip(Duration::MAX));
        stats.observe(&at(0), &Event::RoundTrip(Duration::ZERO));
        assert_eq!(stats.duration(i64::MIN), Duration::ZERO);
        assert!(stats.round_trips.deviation().is_some());
    }
}
