//! `--timing`: the phases of opening a connection as bars on one scale of time.

use std::time::Duration;

/// One phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningPhase {
    /// The name of the phase: `dns`, `tcp`, `proxy`, `tls`, `upgrade`, `first frame`.
    pub name: &'static str,
    /// The time from the first phase to the beginning of this one.
    pub start: Duration,
    /// How long it took.
    pub took: Duration,
}

/// Columns of `  first frame     0.1 ms  ` before the bars.
const LABELS: usize = 28;

/// The smallest width of the bars; on narrower terminals, lines wrap.
const LEAST: usize = 10;

/// Draws the phases, each on a line with its time and a bar, and the total below them. `width` is
/// that of the terminal in columns. Without phases, the drawing is empty.
pub fn draw(phases: &[OpeningPhase], width: usize) -> String {
    let end = |phase: &OpeningPhase| phase.start.saturating_add(phase.took);
    let Some(total) = phases.iter().map(end).max() else { return String::new() };
    let columns = width.saturating_sub(LABELS + 1).clamp(LEAST, 100);
    let column = |time: Duration| {
        let share = time.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
        ((share * columns as f64).round() as usize).min(columns)
    };
    let mut text = String::new();
    for phase in phases {
        // A phase that took almost no time still gets a bar.
        let from = column(phase.start).min(columns - 1);
        let to = column(end(phase)).max(from + 1);
        let bar = format!("{}{}", " ".repeat(from), "█".repeat(to - from));
        text.push_str(&line(phase.name, phase.took, &bar));
    }
    text.push_str(&line("total", total, ""));
    text
}

fn line(name: &str, time: Duration, bar: &str) -> String {
    let line = format!("  {name:<12}{:>10}  {bar}", millis(time));
    format!("{}\n", line.trim_end())
}

/// `0.1 ms`, `12.3 ms`, `1.50 s`.
fn millis(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(name: &'static str, start: u64, took: u64) -> OpeningPhase {
        OpeningPhase {
            name,
            start: Duration::from_micros(start),
            took: Duration::from_micros(took),
        }
    }

    #[test]
    fn bars_share_one_scale() {
        let phases = [
            phase("dns", 0, 2_000),
            phase("tcp", 2_000, 3_000),
            phase("tls", 5_000, 10_000),
            phase("upgrade", 15_000, 5_000),
        ];
        let drawn = draw(&phases, LABELS + 21);
        assert_eq!(
            drawn,
            "  dns             2.0 ms  ██\n  \
               tcp             3.0 ms    ███\n  \
               tls            10.0 ms       ██████████\n  \
               upgrade         5.0 ms                 █████\n  \
               total          20.0 ms\n"
        );
    }

    #[test]
    fn what_took_no_time_is_seen_and_nothing_leaves_its_width() {
        let phases = [phase("dns", 0, 0), phase("tcp", 0, 2_500_000), phase("tls", 2_500_000, 0)];
        for width in [0, 40, 80, 1000] {
            let drawn = draw(&phases, width);
            assert!(drawn.matches('█').count() >= 3, "{drawn}");
            let widest = drawn.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width.max(LABELS + LEAST)), "{width}\n{drawn}");
            assert!(drawn.ends_with("total           2.50 s\n"), "{drawn}");
        }
        let instant = draw(&[phase("dns", 0, 0)], 80);
        assert_eq!(instant, "  dns             0.0 ms  █\n  total           0.0 ms\n");
        assert_eq!(draw(&[], 80), "");
    }
}
