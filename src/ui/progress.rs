//! The progress of sending a file, as one line of a given width. It does not print.

use std::time::Duration;

use super::number;

/// The width of the bar between its brackets: a shorter bar shows nothing, a longer one is not
/// clearer.
const BAR: std::ops::RangeInclusive<usize> = 8..=40;

/// The progress of a task of known size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressBar {
    /// Bytes done.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// The time since the beginning.
    pub elapsed: Duration,
}

impl ProgressBar {
    /// The line, as in `[====> ] 45 % 12.3 MiB of 27.0 MiB 85.1 MiB/s eta 0:12`, in at most `width`
    /// columns. If there is not enough room, the parts at the right are left out.
    pub fn render(&self, width: usize) -> String {
        let parts = [
            format!(" {:>3} %", self.percent()),
            format!("  {} of {}", number::size(self.done), number::size(self.total)),
            self.rate().map_or_else(String::new, |rate| format!("  {}/s", number::size(rate))),
            self.eta(),
        ];
        let mut text = String::new();
        for part in parts {
            if text.len() + part.len() > width {
                break;
            }
            text += &part;
        }
        // Two columns for the brackets.
        let bar = width.saturating_sub(text.len() + 2).min(*BAR.end());
        if bar < *BAR.start() {
            return text.trim_start().to_owned();
        }
        format!("{}{text}", self.bar(bar))
    }

    /// The percentage, rounded down; 100 only at the end.
    fn percent(&self) -> u64 {
        let percent = u128::from(self.done) * 100 / u128::from(self.total.max(1));
        if self.done >= self.total { 100 } else { percent as u64 }
    }

    fn bar(&self, columns: usize) -> String {
        let filled = self.percent() as usize * columns / 100;
        let head = if filled < columns { ">" } else { "" };
        let rest = columns - filled - head.len();
        format!("[{}{head}{}]", "=".repeat(filled), " ".repeat(rest))
    }

    /// The bytes per second so far.
    fn rate(&self) -> Option<u64> {
        let micros = self.elapsed.as_micros();
        let rate = (u128::from(self.done) * 1_000_000).checked_div(micros)?;
        Some(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    fn eta(&self) -> String {
        let left = self.total.saturating_sub(self.done);
        let Some(rate) = self.rate().filter(|rate| *rate > 0 && left > 0) else {
            return String::new();
        };
        let seconds = left.div_ceil(rate);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match hours {
            0 => format!("  eta {minutes}:{seconds:02}"),
            1..100 => format!("  eta {hours}:{minutes:02}:{seconds:02}"),
            // No one waits that long.
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1 << 20;

    fn progress(done: u64, total: u64, millis: u64) -> ProgressBar {
        ProgressBar { done, total, elapsed: Duration::from_millis(millis) }
    }

    #[test]
    fn the_line_as_long_as_there_is_room() {
        let line = progress(12 * MIB, 27 * MIB, 1500);
        let bar = format!("[{}>{}]", "=".repeat(17), " ".repeat(22));
        for (width, expected) in [
            (200, format!("{bar}  44 %  12.0 MiB of 27.0 MiB  8.0 MiB/s  eta 0:02")),
            (59, "[===>    ]  44 %  12.0 MiB of 27.0 MiB  8.0 MiB/s  eta 0:02".to_owned()),
            (50, "44 %  12.0 MiB of 27.0 MiB  8.0 MiB/s  eta 0:02".to_owned()),
            (40, "44 %  12.0 MiB of 27.0 MiB  8.0 MiB/s".to_owned()),
            (20, "[=====>      ]  44 %".to_owned()),
            (6, "44 %".to_owned()),
            (5, String::new()),
        ] {
            assert_eq!(line.render(width), expected, "{width} columns");
        }
    }

    #[test]
    fn the_beginning_and_the_end() {
        assert_eq!(progress(0, 100, 0).render(31), "[>        ]   0 %  0 B of 100 B");
        assert_eq!(progress(100, 100, 2000).render(40), "[========] 100 %  100 B of 100 B  50 B/s");
        assert_eq!(progress(0, 0, 0).render(12), "100 %");
        assert!(progress(999, 1000, 1).render(80).contains(" 99 %"), "not all is done");
        assert!(progress(1, 10_000, 1000).render(80).ends_with("eta 2:46:39"));
        assert!(!progress(1, u64::MAX, 1000).render(80).contains("eta"));
    }

    proptest! {
        #[test]
        fn never_wider_than_asked(done: u64, total: u64, millis: u64, width in 0usize..200) {
            let line = progress(done, total, millis).render(width);
            prop_assert!(line.is_ascii() && line.len() <= width, "{line:?}");
        }
    }
}
