//! The queue of lines to be shown: whole lines, up to a limit.
//!
//! A terminal may be slower than the network, or the user may be in a search, a list or an editor
//! while frames arrive. Then the queue drops the oldest lines of traffic, and one line reports how
//! many are missing. It uses no terminal and no thread.

use std::collections::VecDeque;

use crate::ui::number::grouped;
use crate::ui::style::{Ink, Palette};

/// The largest number of waiting lines of traffic.
pub const MAX_LINES: usize = 4_000;
/// The largest number of waiting bytes of traffic.
pub const MAX_BYTES: usize = 1 << 20;

/// The waiting lines, the oldest first.
#[derive(Debug, Default)]
pub struct LineQueue {
    chunks: VecDeque<Chunk>,
    /// Lines and bytes of traffic in `chunks`.
    lines: usize,
    bytes: usize,
    /// The bytes of lines that are never dropped.
    kept_bytes: usize,
}

/// Adjacent lines of one kind.
#[derive(Debug)]
enum Chunk {
    /// Lines that may be dropped. Lines before `start` have been dropped.
    Traffic { text: Vec<u8>, start: usize },
    /// Lines that are always shown.
    Said(Vec<u8>),
    /// The number of dropped lines of traffic.
    Gap(u64),
}

impl LineQueue {
    /// Appends lines that may be dropped. Adds a missing line end.
    pub fn print_traffic(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        let added = match self.chunks.back_mut() {
            Some(Chunk::Traffic { text, .. }) => append(lines, text),
            _ => {
                let mut text = Vec::new();
                let added = append(lines, &mut text);
                self.chunks.push_back(Chunk::Traffic { text, start: 0 });
                added
            }
        };
        self.bytes += added;
        self.lines += memchr::memchr_iter(b'\n', lines).count() + (added - lines.len());
        while self.lines > MAX_LINES || self.bytes > MAX_BYTES {
            self.thin();
        }
    }

    /// Appends lines that are never dropped. Adds a missing line end.
    pub fn print(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        self.kept_bytes += match self.chunks.back_mut() {
            Some(Chunk::Said(text)) => append(lines, text),
            _ => {
                let mut text = Vec::new();
                let added = append(lines, &mut text);
                self.chunks.push_back(Chunk::Said(text));
                added
            }
        };
    }

    /// Whether a printer of lines that are never dropped should wait.
    pub fn is_full(&self) -> bool {
        self.kept_bytes >= MAX_BYTES
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Moves the oldest lines to `out`: about `limit` bytes of them, at least one line.
    pub fn take(&mut self, limit: usize, palette: Palette, out: &mut Vec<u8>) {
        let end = out.len() + limit;
        while out.len() < end
            && let Some(chunk) = self.chunks.front_mut()
        {
            let room = end - out.len();
            let empty = match chunk {
                Chunk::Gap(count) => {
                    write_gap(*count, palette, out);
                    true
                }
                Chunk::Said(text) => {
                    let taken = whole_lines(text, room);
                    self.kept_bytes -= taken;
                    out.extend(text.drain(..taken));
                    text.is_empty()
                }
                Chunk::Traffic { text, start } => {
                    let taken = whole_lines(&text[*start..], room);
                    let lines = &text[*start..*start + taken];
                    self.lines -= memchr::memchr_iter(b'\n', lines).count();
                    self.bytes -= taken;
                    out.extend_from_slice(lines);
                    *start += taken;
                    *start == text.len()
                }
            };
            if empty {
                self.chunks.pop_front();
            }
        }
    }

    /// Drops the oldest line of traffic and counts it in the gap before it.
    fn thin(&mut self) {
        let is_traffic = |chunk: &Chunk| matches!(chunk, Chunk::Traffic { .. });
        let Some(at) = self.chunks.iter().position(is_traffic) else {
            (self.lines, self.bytes) = (0, 0);
            return;
        };
        if let Some(Chunk::Traffic { text, start }) = self.chunks.get_mut(at) {
            let dropped = whole_lines(&text[*start..], 1);
            *start += dropped;
            self.bytes -= dropped;
            self.lines -= 1;
            // Moving the rest costs no more than the dropped lines did.
            if *start * 2 >= text.len() {
                text.drain(..*start);
                *start = 0;
            }
            if text.is_empty() {
                self.chunks.remove(at);
            }
        }
        match at.checked_sub(1).and_then(|before| self.chunks.get_mut(before)) {
            Some(Chunk::Gap(count)) => *count += 1,
            _ => self.chunks.insert(at, Chunk::Gap(1)),
        }
    }
}

/// Appends lines, and a line end if it is missing; returns the number of bytes.
fn append(lines: &[u8], text: &mut Vec<u8>) -> usize {
    let before = text.len();
    text.extend_from_slice(lines);
    if text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    text.len() - before
}

/// The length of the first lines of `text` that together have at least `room` bytes.
fn whole_lines(text: &[u8], room: usize) -> usize {
    if text.len() <= room {
        return text.len();
    }
    let from = room.saturating_sub(1);
    memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |at| from + at + 1)
}

fn write_gap(count: u64, palette: Palette, out: &mut Vec<u8>) {
    palette.paint(Ink::Info, "*", out);
    out.push(b' ');
    out.extend_from_slice(grouped(count).as_bytes());
    out.extend_from_slice(if count == 1 { b" line was" } else { b" lines were" });
    out.extend_from_slice(b" not shown\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All queued data, in pieces of `limit` bytes.
    fn all(queue: &mut LineQueue, limit: usize) -> String {
        let mut out = Vec::new();
        while !queue.is_empty() {
            let before = out.len();
            queue.take(limit, Palette::default(), &mut out);
            assert!(out.len() > before && out.ends_with(b"\n"), "a piece is whole lines");
        }
        assert_eq!((queue.lines, queue.bytes, queue.kept_bytes), (0, 0, 0));
        String::from_utf8(out).expect("UTF-8")
    }

    fn numbered(range: std::ops::Range<usize>) -> String {
        range.map(|n| format!("line {n}\n")).collect()
    }

    #[test]
    fn lines_that_are_never_dropped_are_waited_for() {
        let mut queue = LineQueue::default();
        queue.print_traffic(&vec![b'x'; 2 * MAX_BYTES]);
        assert!(!queue.is_full(), "traffic gives way by itself");
        queue.print(&vec![b'x'; MAX_BYTES]);
        assert!(queue.is_full());
        all(&mut queue, 1000);
        assert!(!queue.is_full());
    }

    #[test]
    fn lines_come_out_as_they_went_in() {
        for limit in [1, 7, 8, 9, 1000] {
            let mut queue = LineQueue::default();
            queue.print_traffic(b"one\ntwo\n");
            queue.print(b"three\n");
            queue.print(b"four");
            queue.print_traffic(b"five");
            queue.print_traffic(b"");
            queue.print(b"");
            assert_eq!(all(&mut queue, limit), "one\ntwo\nthree\nfour\nfive\n", "{limit}");
        }
    }

    #[test]
    fn the_oldest_traffic_makes_room_and_is_counted() {
        let mut queue = LineQueue::default();
        for n in 0..MAX_LINES + 12_345 {
            queue.print_traffic(format!("line {n}\n").as_bytes());
        }
        let expected = numbered(12_345..MAX_LINES + 12_345);
        assert_eq!(all(&mut queue, 1 << 16), format!("* 12,345 lines were not shown\n{expected}"));
    }

    #[test]
    fn a_burst_in_one_call_is_thinned_too() {
        let mut queue = LineQueue::default();
        queue.print_traffic(numbered(0..MAX_LINES + 1).as_bytes());
        let expected = numbered(1..MAX_LINES + 1);
        assert_eq!(all(&mut queue, 100), format!("* 1 line was not shown\n{expected}"));
    }

    #[test]
    fn bytes_are_bounded_as_well() {
        let mut queue = LineQueue::default();
        let line = format!("{}\n", "x".repeat(MAX_BYTES / 4));
        for _ in 0..10 {
            queue.print_traffic(line.as_bytes());
            assert!(queue.bytes <= MAX_BYTES);
        }
        let shown = all(&mut queue, 1);
        assert!(shown.starts_with("* 7 lines were not shown\nxx"));
        assert_eq!(shown.lines().count(), 4);
        // A single line that is too long.
        queue.print_traffic(&vec![b'x'; MAX_BYTES + 1]);
        assert_eq!(all(&mut queue, 1), "* 1 line was not shown\n");
    }

    #[test]
    fn lines_that_are_kept_stay_in_their_place() {
        let mut queue = LineQueue::default();
        queue.print_traffic(b"first\n");
        queue.print(b"answer\n");
        queue.print_traffic(numbered(0..MAX_LINES).as_bytes());
        queue.print(b"the end\n");
        queue.print_traffic(numbered(0..2).as_bytes());
        let expected = numbered(2..MAX_LINES);
        assert_eq!(
            all(&mut queue, 4096),
            format!(
                "* 1 line was not shown\nanswer\n* 2 lines were not shown\n{expected}the end\n{}",
                numbered(0..2)
            )
        );
    }

    #[test]
    fn taking_goes_on_after_thinning() {
        let mut queue = LineQueue::default();
        queue.print_traffic(numbered(0..MAX_LINES + 1).as_bytes());
        let mut out = Vec::new();
        queue.take(1, Palette { on: true }, &mut out);
        assert_eq!(out, b"\x1b[34m*\x1b[0m 1 line was not shown\n");
        out.clear();
        queue.take(1, Palette::default(), &mut out);
        assert_eq!(out, b"line 1\n");
        queue.print_traffic(b"another\n");
        assert_eq!(all(&mut queue, 77), format!("{}another\n", numbered(2..MAX_LINES + 1)));
    }
}
