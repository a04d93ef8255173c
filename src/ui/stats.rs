//! The statistics of a connection as a table, at most 60 columns wide, except for its last lines.

use std::fmt::Write as _;
use std::time::Duration;

use super::{clock, number};
use crate::event::Direction;
use crate::session::stats::{DirectionStats, OpcodeStats, Stats};
use crate::wire::{OpCode, frame};

/// Renders the table. `sent` is the direction of our data; `now` is in microseconds since the
/// epoch. The table contains no text from outside. Each line has its `\n`.
pub fn render(stats: &Stats, sent: Direction, now: i64) -> String {
    let ways = [("sent", sent), ("received", sent.opposite())];
    let mut out = row(["", "", "frames", "messages", "content", "wire"]);
    for (name, direction) in ways {
        out += &counts(name, stats.direction(direction));
    }
    out.push('\n');

    let each = |of: &dyn Fn(Direction) -> String| {
        ways.map(|(name, direction)| format!("{name} {}", of(direction))).join(", ")
    };
    let mut fact = |name: &str, text: String| {
        let _ = writeln!(out, "{name:<17}{text}"); // a String takes all
    };
    fact("open for", clock::seconds(stats.duration(now)));
    fact(
        "last frame",
        each(&|direction| match stats.idle(direction, now) {
            Some(idle) if stats.has_ended() => {
                format!("{} before the end", clock::seconds(idle))
            }
            Some(idle) => format!("{} ago", clock::seconds(idle)),
            None => "never".to_owned(),
        }),
    );
    let silence = |direction| clock::seconds(stats.longest_silence(direction, now));
    fact("longest silence", each(&silence));
    fact("round trips", round_trips(stats));
    fact("compressed to", each(&|direction| compression(stats.direction(direction))));
    let violations = |direction| number::grouped(stats.direction(direction).violations);
    fact("violations", each(&violations));
    let lost = |direction: Direction| stats.direction(direction).undecodable;
    if ways.iter().any(|(_, direction)| lost(*direction) > 0) {
        fact("not decoded", each(&|direction| number::size(lost(direction))));
    }
    out
}

/// A row for each opcode that occurred, and a row for the total if there are several.
fn counts(name: &str, stats: &DirectionStats) -> String {
    let mut out = String::new();
    let mut line = |opcode: &str, counts: &OpcodeStats| {
        let OpcodeStats { frames, messages, content, wire } = *counts;
        let messages = if messages > 0 { number::grouped(messages) } else { String::new() };
        let name = if out.is_empty() { name } else { "" };
        let (frames, content, wire) =
            (number::grouped(frames), number::size(content), number::size(wire));
        out += &row([name, opcode, &frames, &messages, &content, &wire]);
    };
    let rows = stats.opcodes().count();
    for (opcode, counts) in stats.opcodes() {
        line(&opcode_name(opcode), counts);
    }
    if rows != 1 {
        line("all", &stats.all());
    }
    out
}

fn row(cells: [&str; 6]) -> String {
    let [way, opcode, frames, messages, content, wire] = cells;
    let line = format!("{way:<9}{opcode:<12} {frames:>8} {messages:>9} {content:>9} {wire:>9}");
    format!("{}\n", line.trim_end())
}

fn opcode_name(opcode: OpCode) -> String {
    let number = u8::from(opcode);
    frame::opcode_name(opcode).map_or_else(|| format!("opcode {number}"), str::to_owned)
}

fn round_trips(stats: &Stats) -> String {
    let trips = &stats.round_trips;
    let (Some(min), Some(mean), Some(max), Some(deviation)) =
        (trips.min(), trips.mean(), trips.max(), trips.deviation())
    else {
        return "none".to_owned();
    };
    let millis = |time: Duration| match time.as_secs_f64() * 1000.0 {
        short @ ..100.0 => format!("{short:.3}"),
        long => format!("{long:.1}"),
    };
    format!(
        "{}: min/avg/max/stddev {}/{}/{}/{} ms",
        number::grouped(trips.count),
        millis(min),
        millis(mean),
        millis(max),
        millis(deviation)
    )
}

fn compression(stats: &DirectionStats) -> String {
    match stats.compression() {
        Some(part) => format!("{:.1} % of {}", part * 100.0, number::size(stats.inflated)),
        None => "nothing compressed".to_owned(),
    }
}
