//! Microseconds since the Unix epoch as times of day: local for people, UTC for machines.
//!
//! It reads no clock; the time is an argument. The system's time zone is read when the first local
//! time is written, and its offset once per minute of event time, because offsets change only on
//! full minutes.

use std::time::Duration;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::number::{self, pair, triple};
use crate::ui::view::Timestamps;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// The seconds that RFC 3339 can express: years 0000 to 9999.
const RFC_3339_SECONDS: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// The time zone of printed times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// The system's time zone.
    #[default]
    Local,
    /// UTC.
    Utc,
}

/// The width of a relative time in columns: the text after it stays aligned for a quarter of an
/// hour.
const RELATIVE_WIDTH: usize = 8;

/// Writes times as `07:00:00.123` or as `+3.204`, or writes nothing.
#[derive(Debug, Default)]
pub struct LocalClock {
    zone: Option<TimeZone>,
    timestamps: Timestamps,
    /// The minute, counted from the epoch, to which `offset` applies.
    minute: Option<i64>,
    /// Seconds east of Greenwich.
    offset: i64,
    second: Option<i64>,
    /// `HH:MM:SS.` of the last written second.
    prefix: [u8; 9],
}

impl LocalClock {
    /// A clock for this zone.
    pub fn new(zone: Zone, timestamps: Timestamps) -> Self {
        let zone = (zone == Zone::Utc).then_some(TimeZone::UTC);
        Self { zone, timestamps, ..Self::default() }
    }

    /// Sets which time is written from now on.
    pub fn set_timestamps(&mut self, timestamps: Timestamps) {
        self.timestamps = timestamps;
    }

    /// Whether narrow lines leave out the time.
    #[inline]
    pub fn gives_way(&self) -> bool {
        self.timestamps == Timestamps::Auto
    }

    /// Appends a space and the time, if times are shown: the time of day (thirteen bytes with the
    /// space), or the time since `opened`. `opened` and `micros` are microseconds since the epoch.
    #[inline]
    pub fn write(&mut self, micros: i64, opened: i64, out: &mut Vec<u8>) {
        match self.timestamps {
            Timestamps::Auto | Timestamps::On => {}
            Timestamps::Relative => return relative(micros, opened, out),
            Timestamps::Off => return,
        }
        let second = micros.div_euclid(MICROS_PER_SECOND);
        if self.second != Some(second) {
            self.turn_to(second);
        }
        let millis = micros.rem_euclid(MICROS_PER_SECOND) / 1000;
        out.push(b' ');
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(&triple(millis as usize));
    }

    fn turn_to(&mut self, second: i64) {
        let minute = second.div_euclid(60);
        if self.minute != Some(minute) {
            let zone = self.zone.get_or_insert_with(TimeZone::system);
            // A time outside the calendar is shown as UTC.
            self.offset = Timestamp::from_second(second)
                .map_or(0, |at| i64::from(zone.to_offset(at).seconds()));
            self.minute = Some(minute);
        }
        self.second = Some(second);
        self.prefix = time_of_day(second.saturating_add(self.offset), b'.');
    }
}

/// Writes times as `2026-11-21T07:00:00.123456Z`.
#[derive(Debug, Default)]
pub struct UtcClock {
    second: Option<i64>,
    /// `YYYY-MM-DDTHH:MM:SS.` of the last written second.
    prefix: [u8; 20],
}

impl UtcClock {
    /// Appends the time in the format of RFC 3339, 27 bytes. Years outside 0000 to 9999 are limited
    /// to that range.
    #[inline]
    pub fn write(&mut self, micros: i64, out: &mut Vec<u8>) {
        let second = micros.div_euclid(MICROS_PER_SECOND);
        if self.second != Some(second) {
            self.second = Some(second);
            self.prefix = date_and_time(second);
        }
        let rest = micros.rem_euclid(MICROS_PER_SECOND) as usize;
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(&triple(rest / 1000));
        out.extend_from_slice(&triple(rest % 1000));
        out.push(b'Z');
    }
}

/// A duration in seconds to the millisecond, as in `3.204 s`.
pub fn seconds(duration: Duration) -> String {
    format!("{}.{:03} s", duration.as_secs(), duration.subsec_millis())
}

/// A duration in milliseconds to the microsecond, as in `0.123 ms`.
pub fn millis(duration: Duration) -> String {
    let micros = duration.as_micros();
    format!("{}.{:03} ms", micros / 1000, micros % 1000)
}

/// A duration for a sentence: `8.123 ms`, or `3.001 s` from one second on.
pub fn brief(duration: Duration) -> String {
    if duration < Duration::from_secs(1) { millis(duration) } else { seconds(duration) }
}

/// As in ` +3.204`: seconds to the millisecond.
fn relative(micros: i64, opened: i64, out: &mut Vec<u8>) {
    let since = micros.saturating_sub(opened);
    let (sign, millis) = (if since < 0 { '-' } else { '+' }, since.unsigned_abs() / 1000);
    let text = format!("{sign}{}.{:03}", millis / 1000, millis % 1000);
    number::spaces(1 + RELATIVE_WIDTH.saturating_sub(text.len()), out);
    out.extend_from_slice(text.as_bytes());
}

fn time_of_day(second: i64, end: u8) -> [u8; 9] {
    let second = second.rem_euclid(SECONDS_PER_DAY) as usize;
    let ([a, b], [c, d], [e, f]) = (pair(second / 3600), pair(second / 60 % 60), pair(second % 60));
    [a, b, b':', c, d, b':', e, f, end]
}

fn date_and_time(second: i64) -> [u8; 20] {
    let second = second.clamp(*RFC_3339_SECONDS.start(), *RFC_3339_SECONDS.end());
    let days = SignedDuration::from_secs(second - second.rem_euclid(SECONDS_PER_DAY));
    let date = date(1970, 1, 1).saturating_add(days);
    let (year, month, day) = (date.year() as usize, date.month() as usize, date.day() as usize);
    let mut text = *b"YYYY-MM-DDTHH:MM:SS.";
    text[0..2].copy_from_slice(&pair(year / 100));
    text[2..4].copy_from_slice(&pair(year % 100));
    text[5..7].copy_from_slice(&pair(month));
    text[8..10].copy_from_slice(&pair(day));
    text[11..20].copy_from_slice(&time_of_day(second, b'.'));
    text
}

/// The microseconds since 1970 of a time in RFC 3339, as JSON lines have it.
pub fn micros(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(micros: i64) -> String {
        let mut out = Vec::new();
        UtcClock::default().write(micros, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn rfc_3339_of_known_moments() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_795_244_400_123_456, "2026-11-21T07:00:00.123456Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(utc(micros), text);
        }
    }

    #[test]
    fn agrees_with_jiff_on_every_tenth_day_of_a_thousand_years() {
        for day in (-182_000..182_000i64).step_by(10) {
            let second = day * SECONDS_PER_DAY + 4321;
            let expected = Timestamp::from_second(second).expect("in range").to_string();
            assert_eq!(utc(second * MICROS_PER_SECOND), expected.replace('Z', ".000000Z"));
        }
    }

    #[test]
    fn no_number_is_out_of_reach() {
        for micros in [i64::MIN, i64::MAX] {
            assert_eq!(utc(micros).len(), 27);
            for timestamps in [Timestamps::On, Timestamps::Relative] {
                let mut clock = LocalClock::new(Zone::Utc, timestamps);
                clock.write(micros, micros.wrapping_neg(), &mut Vec::new());
            }
        }
    }

    #[test]
    fn durations_have_three_decimals() {
        assert_eq!(seconds(Duration::from_micros(3_204_999)), "3.204 s");
        assert_eq!(millis(Duration::from_nanos(1_234_056_789)), "1234.056 ms");
        assert_eq!(brief(Duration::from_micros(999_999)), "999.999 ms");
        assert_eq!(brief(Duration::from_micros(3_001_045)), "3.001 s");
    }

    #[test]
    fn the_time_of_day_follows_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let mut clock = LocalClock { zone: Some(zone), ..LocalClock::default() };
        let mut out = Vec::new();
        for micros in [1_795_244_400_123_999, 1_795_244_459_999_999, 1_795_244_460_000_000] {
            clock.write(micros, 0, &mut out);
        }
        assert_eq!(String::from_utf8_lossy(&out), " 09:00:00.123 09:00:59.999 09:01:00.000");
    }

    #[test]
    fn relative_times_count_from_the_opening() {
        let mut clock = LocalClock::new(Zone::Utc, Timestamps::Relative);
        for (micros, text) in [
            (0, "   +0.000"),
            (3_204_999, "   +3.204"),
            (999_999_000, " +999.999"),
            (1_000_000_000, " +1000.000"),
            (-1_500, "   -0.001"),
        ] {
            let mut out = Vec::new();
            clock.write(7 + micros, 7, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
        let mut out = Vec::new();
        clock.set_timestamps(Timestamps::Off);
        clock.write(1, 0, &mut out);
        clock.set_timestamps(Timestamps::On);
        clock.write(1, 0, &mut out);
        assert_eq!(out, b" 00:00:00.000");
    }
}
