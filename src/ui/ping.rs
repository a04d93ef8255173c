//! The output of `wscope ping`: a line for each answer, and the summary.

use std::collections::VecDeque;
use std::time::Duration;

use super::clock;
use crate::session::stats::RoundTrips;

/// How many of the last round trips the drawing shows at most.
const RECENT: usize = 512;

/// Upper bounds of the histogram: 1, 2 and 5 times each power of ten, in microseconds, up to 50 s.
const BUCKETS: usize = 24;

/// Columns of `  500.000 ms  ` and of a count after a bar.
const LABELS: usize = 32;

/// The smallest width of a bar.
const LEAST: usize = 10;

/// The result of a ping, or a pong that belongs to no ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingEvent {
    /// It was answered in time.
    Answered {
        /// Its number, from 1.
        seq: u64,
        /// The size of the answer's payload in bytes.
        bytes: usize,
        /// The round trip.
        time: Duration,
    },
    /// It was answered after it counted as lost.
    Late {
        /// Its number.
        seq: u64,
        /// The size of the answer's payload in bytes.
        bytes: usize,
        /// The round trip.
        time: Duration,
    },
    /// It was not answered in time.
    Lost {
        /// Its number.
        seq: u64,
        /// How long wscope waited for its answer.
        after: Duration,
    },
    /// An answer whose payload belongs to no waiting ping.
    Stray {
        /// The size of its payload in bytes.
        bytes: usize,
    },
}

impl PingEvent {
    /// Its line; `host` is safe for a terminal.
    pub fn line(&self, host: &str, echo: bool) -> String {
        let answer = answer(echo);
        match self {
            Self::Answered { seq, bytes, time } => {
                format!("{bytes} bytes from {host}: seq={seq} time={}", clock::millis(*time))
            }
            Self::Late { seq, bytes, time } => {
                let time = clock::millis(*time);
                format!("{bytes} bytes from {host}: seq={seq} time={time}, too late")
            }
            Self::Lost { seq, after } => {
                format!("no {answer} for seq={seq} within {} s", after.as_secs_f64())
            }
            Self::Stray { bytes } => {
                format!("{bytes} bytes from {host}: a {answer} whose payload matches no ping")
            }
        }
    }
}

/// The word for the answer to a ping.
fn answer(echo: bool) -> &'static str {
    if echo { "echo" } else { "pong" }
}

/// The round trips of a run, in constant memory.
#[derive(Clone, Debug, Default)]
pub struct PingRoundTrips {
    /// Pings sent.
    pub sent: u64,
    /// Answered in time.
    pub answered: u64,
    /// Not answered in time.
    pub lost: u64,
    times: RoundTrips,
    buckets: [u64; BUCKETS],
    /// The last round trips; `None` is a lost ping.
    recent: VecDeque<Option<Duration>>,
}

/// The shortest, mean and longest round trip, and their deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTripFigures {
    /// The shortest.
    pub min: Duration,
    /// The mean.
    pub avg: Duration,
    /// The longest.
    pub max: Duration,
    /// The standard deviation, as ping(8) computes it.
    pub mdev: Duration,
}

impl PingRoundTrips {
    /// Counts the result of a ping.
    pub fn take(&mut self, event: &PingEvent) {
        let time = match event {
            PingEvent::Answered { time, .. } => *time,
            PingEvent::Lost { .. } => {
                self.lost += 1;
                return self.remember(None);
            }
            PingEvent::Late { .. } | PingEvent::Stray { .. } => return,
        };
        self.answered += 1;
        self.times.push(time);
        let bucket = (0..BUCKETS).find(|at| time <= bound(*at)).unwrap_or(BUCKETS - 1);
        self.buckets[bucket] += 1;
        self.remember(Some(time));
    }

    fn remember(&mut self, time: Option<Duration>) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(time);
    }

    /// The figures, if a ping was answered.
    pub fn figures(&self) -> Option<RoundTripFigures> {
        let times = &self.times;
        let (min, avg, max, mdev) = (times.min()?, times.mean()?, times.max()?, times.deviation()?);
        Some(RoundTripFigures { min, avg, max, mdev })
    }

    /// The percentage of lost pings among those with a result.
    pub fn loss(&self) -> f64 {
        match self.answered + self.lost {
            0 => 0.0,
            known => 100.0 * self.lost as f64 / known as f64,
        }
    }

    /// The number of pings without a result at the end.
    pub fn waiting(&self) -> u64 {
        self.sent.saturating_sub(self.answered + self.lost)
    }

    /// The summary: counts and figures.
    pub fn summary(&self, url: &str, time: Duration) -> String {
        let Self { sent, answered, .. } = self;
        let waiting = match self.waiting() {
            0 => String::new(),
            count => format!(", {count} not yet answered"),
        };
        // Without pings, there is no percentage.
        let loss = match sent {
            0 => String::new(),
            _ => format!(", {:.1} % lost", self.loss()),
        };
        let time = clock::seconds(time);
        let mut text = format!(
            "\n--- {url} ping statistics ---\n{sent} sent, {answered} answered{waiting}{loss}, in {time}\n"
        );
        if let Some(RoundTripFigures { min, avg, max, mdev }) = self.figures() {
            let millis = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
            let figures = [min, avg, max, mdev].map(millis).join("/");
            text += &format!("round trip min/avg/max/mdev = {figures} ms\n");
        }
        text
    }

    /// The round trips as a histogram, and the last ones in order, for a terminal of this width.
    /// Without round trips, the drawing is empty.
    pub fn drawing(&self, width: usize) -> String {
        let Some(RoundTripFigures { min: least, max: most, .. }) = self.figures() else {
            return String::new();
        };
        let columns = width.saturating_sub(LABELS).max(LEAST);
        let highest = self.buckets.iter().copied().max().unwrap_or_default().max(1);
        let mut text = "\n".to_owned();
        let first = self.buckets.iter().position(|count| *count > 0).unwrap_or_default();
        let last = self.buckets.iter().rposition(|count| *count > 0).unwrap_or_default();
        for (at, count) in self.buckets.iter().enumerate().take(last + 1).skip(first) {
            let share = *count as f64 / highest as f64 * columns as f64;
            let bar = "█".repeat(if *count == 0 { 0 } else { (share as usize).max(1) });
            let limit = clock::millis(bound(at));
            let space = if bar.is_empty() { "" } else { " " };
            text += &format!("  up to {limit:>13}  {bar}{space}{count}\n");
        }
        let shown = self.recent.len().min(width.saturating_sub(LABELS).max(LEAST));
        let range = (most - least).as_secs_f64().max(f64::MIN_POSITIVE);
        let sparks = self.recent.iter().skip(self.recent.len() - shown).map(|time| match time {
            None => 'x',
            Some(time) => {
                let share = time.saturating_sub(least).as_secs_f64() / range;
                SPARKS[((share * 7.0).round() as usize).min(7)]
            }
        });
        let sparks: String = sparks.collect();
        text += &format!(
            "  {:<20}  {sparks}{}\n",
            "one after the other",
            match self.lost {
                0 => "",
                _ => "  (x: lost)",
            }
        );
        text
    }
}

const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The upper bound of a bucket.
fn bound(at: usize) -> Duration {
    Duration::from_micros([1, 2, 5][at % 3] * 10_u64.pow((at / 3) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(seq: u64, millis: u64) -> PingEvent {
        PingEvent::Answered { seq, bytes: 16, time: Duration::from_millis(millis) }
    }

    fn lost(seq: u64) -> PingEvent {
        PingEvent::Lost { seq, after: Duration::from_secs(5) }
    }

    fn run(events: &[PingEvent]) -> PingRoundTrips {
        let mut trips = PingRoundTrips { sent: events.len() as u64, ..PingRoundTrips::default() };
        events.iter().for_each(|event| trips.take(event));
        trips
    }

    #[test]
    fn the_summary_is_that_of_ping() {
        let mut trips = run(&[answered(1, 10), answered(2, 20), lost(3), answered(4, 30)]);
        trips.sent += 1;
        assert_eq!(
            trips.summary("ws://h/", Duration::from_millis(4003)),
            "\n--- ws://h/ ping statistics ---\n\
             5 sent, 3 answered, 1 not yet answered, 25.0 % lost, in 4.003 s\n\
             round trip min/avg/max/mdev = 10.000/20.000/30.000/8.165 ms\n"
        );
        let unsent = PingRoundTrips::default().summary("ws://h/", Duration::from_secs(1));
        assert!(unsent.ends_with("\n0 sent, 0 answered, in 1.000 s\n"), "{unsent}");
        let nothing = run(&[lost(1)]).summary("ws://h/", Duration::from_secs(5));
        assert!(nothing.ends_with("1 sent, 0 answered, 100.0 % lost, in 5.000 s\n"), "{nothing}");
    }

    #[test]
    fn the_drawing_has_a_bar_for_each_size_and_a_mark_for_each_ping() {
        let trips = run(&[answered(1, 1), answered(2, 1), lost(3), answered(4, 4)]);
        assert_eq!(
            trips.drawing(LABELS + 10),
            "\n  up to      1.000 ms  ██████████ 2\n  \
               up to      2.000 ms  0\n  \
               up to      5.000 ms  █████ 1\n  \
               one after the other   ▁▁x█  (x: lost)\n"
        );
        assert_eq!(run(&[lost(1)]).drawing(80), "");
    }

    #[test]
    fn memory_and_width_are_bounded() {
        let mut trips = PingRoundTrips::default();
        (1..2000).for_each(|seq| trips.take(&answered(seq, 3_600_000)));
        assert_eq!(trips.recent.len(), RECENT);
        for width in [0, 40, 80, 10_000] {
            let widest = trips.drawing(width).lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width.max(LABELS + LEAST)), "{width}");
        }
    }
}
