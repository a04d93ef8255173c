//! How slowly a faulty side sends and reads. It handles numbers of bytes and times, not the bytes.

use std::time::{Duration, Instant};

/// How often a slow reader reads.
const SIP: Duration = Duration::from_millis(100);

/// The pace of sending.
#[derive(Debug, Default)]
pub struct FaultPace {
    /// Bytes after this position wait until this time.
    hold: Option<(u64, Instant)>,
    drip: Option<Drip>,
    /// Data waits to be sent.
    waits: bool,
    /// How many bytes had been sent when more were allowed.
    tried: Option<u64>,
    /// The transport did not accept more: it will report when there is room.
    refused: bool,
}

#[derive(Debug)]
struct Drip {
    interval: Duration,
    next: Instant,
    /// Up to this byte; `None`: all bytes.
    until: Option<u64>,
    /// How many bytes had been sent at the last interval.
    flushed: u64,
}

impl FaultPace {
    /// Sends no byte after this position of the stream before this time.
    pub fn hold(&mut self, at: u64, until: Instant) {
        self.hold = Some((at, until));
    }

    /// Sends one byte in each interval, up to byte `until` of the stream.
    pub fn drip(&mut self, interval: Duration, until: Option<u64>, now: Instant) {
        self.drip = Some(Drip { interval, next: now, until, flushed: 0 });
    }

    /// How many bytes may be sent now, after `flushed`; `None`: all.
    pub fn allowed(&mut self, flushed: u64, now: Instant) -> Option<usize> {
        if self.hold.is_some_and(|(_, until)| until <= now) {
            self.hold = None;
        }
        let held = self.hold.map(|(at, _)| at.saturating_sub(flushed) as usize);
        if self.drip.as_ref().and_then(|drip| drip.until).is_some_and(|until| until <= flushed) {
            self.drip = None;
        }
        let dripped = self.drip.as_ref().map(|drip| usize::from(drip.next <= now));
        let allowed = [held, dripped].into_iter().flatten().min();
        self.tried = (allowed != Some(0)).then_some(flushed);
        allowed
    }

    /// Notes how many bytes have been sent, and whether others wait.
    pub fn flushed(&mut self, flushed: u64, waits: bool, now: Instant) {
        self.waits = waits;
        self.refused = self.tried == Some(flushed);
        if let Some(drip) = &mut self.drip
            && drip.flushed != flushed
        {
            drip.flushed = flushed;
            drip.next = now + drip.interval;
        }
    }

    /// When more bytes may be sent, if any wait.
    pub fn deadline(&self) -> Option<Instant> {
        let hold = self.hold.map(|(_, until)| until);
        let drip = self.drip.as_ref().map(|drip| drip.next);
        // Both delays must have passed.
        hold.max(drip).filter(|_| self.waits && !self.refused)
    }
}

/// The pace of reading from the peer.
#[derive(Debug, Default)]
pub enum ReadPace {
    /// Normal.
    #[default]
    Always,
    /// At this many bytes per second.
    Slow {
        /// Bytes per second.
        rate: u64,
        /// The time of the next read.
        next: Option<Instant>,
    },
    /// Never.
    Never,
}

impl ReadPace {
    /// At this many bytes per second, at least one.
    pub fn slow(rate: u64) -> Self {
        Self::Slow { rate: rate.max(1), next: None }
    }

    /// Takes the current time.
    pub fn tick(&mut self, now: Instant) {
        if let Self::Slow { next, .. } = self {
            *next = next.filter(|at| *at > now);
        }
    }

    /// Whether something may be read now.
    pub fn may_read(&self) -> bool {
        match self {
            Self::Always => true,
            Self::Slow { next, .. } => next.is_none(),
            Self::Never => false,
        }
    }

    /// How many bytes may be read at once.
    pub fn most_at_once(&self) -> usize {
        match self {
            Self::Slow { rate, .. } => {
                let sip = u128::from(*rate) * SIP.as_millis() / 1000;
                usize::try_from(sip.max(1)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        }
    }

    /// Notes the number of bytes read.
    pub fn has_read(&mut self, n: usize, now: Instant) {
        if let Self::Slow { rate, next } = self {
            *next = Some(now + Duration::from_secs_f64(n as f64 / *rate as f64));
        }
    }

    /// When more bytes may be read.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Slow { next, .. } => *next,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_held_leaves_at_its_moment() {
        let now = Instant::now();
        let mut sending = FaultPace::default();
        assert_eq!(sending.allowed(0, now), None);
        sending.hold(60, now + SECOND);
        assert_eq!(sending.allowed(0, now), Some(60));
        sending.flushed(60, true, now);
        assert_eq!(sending.allowed(60, now), Some(0));
        assert_eq!(sending.deadline(), Some(now + SECOND));
        assert_eq!(sending.allowed(60, now + SECOND), None);
        assert_eq!(sending.deadline(), None);
    }

    #[test]
    fn what_drips_leaves_byte_by_byte() {
        let now = Instant::now();
        let mut sending = FaultPace::default();
        sending.drip(SECOND, Some(2), now);
        assert_eq!(sending.allowed(0, now), Some(1));
        sending.flushed(1, true, now);
        assert_eq!(sending.allowed(1, now), Some(0));
        assert_eq!(sending.deadline(), Some(now + SECOND));
        assert_eq!(sending.allowed(1, now + SECOND), Some(1));
        sending.flushed(2, true, now + SECOND);
        assert_eq!(sending.allowed(2, now + SECOND), None, "the rest at once");
    }

    #[test]
    fn what_the_transport_refuses_waits_for_the_transport() {
        let now = Instant::now();
        let mut sending = FaultPace::default();
        sending.drip(SECOND, None, now);
        assert_eq!(sending.allowed(0, now), Some(1));
        sending.flushed(0, true, now);
        assert_eq!(sending.deadline(), None, "or it would be due for ever");
        assert_eq!(sending.allowed(0, now + SECOND), Some(1));
        sending.flushed(1, true, now + SECOND);
        assert_eq!(sending.deadline(), Some(now + 2 * SECOND));
    }

    #[test]
    fn a_slow_reader_sips() {
        let now = Instant::now();
        let mut reading = ReadPace::slow(1000);
        assert!(reading.may_read());
        assert_eq!(reading.most_at_once(), 100);
        reading.has_read(100, now);
        assert!(!reading.may_read());
        assert_eq!(reading.deadline(), Some(now + SIP));
        reading.tick(now + SIP);
        assert!(reading.may_read());
        assert_eq!(ReadPace::slow(0).most_at_once(), 1);
        assert!(!ReadPace::Never.may_read());
    }
}
