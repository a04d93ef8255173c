//! stderr: notes, errors and a transcript, in one buffer that is written without waiting.
//!
//! It belongs to the process, as [`std::io::stderr`] does: a note may be printed before there is a
//! poll, and by any layer above this one. Code that prints a transcript calls [`is_full`] first, so
//! it loses nothing as long as stderr has a reader, even a slow one. Without a reader, output
//! beyond a limit is dropped and counted.

use std::fmt::Display;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mio::{Registry, Token};
use rustix::event::Timespec;

use crate::net::stdio::StdioWriter;
use crate::output::secrets;
use crate::ui::sanitize::escaped;
use crate::ui::terminal::Terminal;
use crate::ui::wrap;

/// A reader that accepts nothing for this time counts as stopped.
const READER_TIMEOUT: Duration = Duration::from_secs(1);

/// How many bytes may wait for a reader that has stopped.
const BACKLOG: usize = 1 << 20;

/// How many bytes may wait for any reader.
const MAX_BACKLOG: usize = 64 << 20;

static STDERR: Mutex<Stderr> =
    Mutex::new(Stderr { writer: None, stalled: None, dropped: 0, failure: None, given_up: false });

/// See the [module](self).
struct Stderr {
    /// Opened when it is first needed.
    writer: Option<StdioWriter>,
    /// Since when stderr has accepted no queued data.
    stalled: Option<Instant>,
    /// The number of lines dropped since the last printed line.
    dropped: u64,
    /// The error that ended it, until it is reported.
    failure: Option<io::Error>,
    /// The time for queued data is over.
    given_up: bool,
}

/// Appends whole lines; drops them if too much data waits.
pub fn append(print: impl FnOnce(&mut Vec<u8>)) {
    let mut stderr = lock();
    let stuck = stderr.is_stuck();
    let Stderr { writer, dropped, .. } = &mut *stderr;
    let Some(writer) = open(writer) else { return print(&mut Vec::new()) };
    let limit = if stuck { BACKLOG } else { MAX_BACKLOG };
    let mut start = writer.buffer().len();
    if *dropped > 0 && writer.pending() < limit / 2 {
        report_dropped(dropped, writer);
        start = writer.buffer().len();
    }
    print(writer.buffer());
    if writer.pending() > limit || *dropped > 0 {
        *dropped += memchr::memchr_iter(b'\n', &writer.buffer()[start..]).count() as u64;
        writer.buffer().truncate(start);
    }
}

/// Writes as much as stderr accepts now.
///
/// # Errors
///
/// stderr failed. The error is returned once; after it, nothing is written.
pub fn flush() -> io::Result<()> {
    let mut stderr = lock();
    stderr.flush();
    stderr.failure.take().map_or(Ok(()), Err)
}

/// Whether the printer of a transcript should wait before it prints more.
pub fn is_full() -> bool {
    lock().writer.as_ref().is_some_and(StdioWriter::is_full)
}

/// When a reader that accepts nothing counts as gone; from then on, lines may be dropped.
pub fn stuck_at() -> Option<Instant> {
    lock().stalled.map(|since| since + READER_TIMEOUT)
}

/// The number of bytes that wait to be written.
pub fn pending() -> usize {
    lock().writer.as_ref().map_or(0, StdioWriter::pending)
}

/// Whether the reader has closed it.
pub fn is_closed() -> bool {
    lock().writer.as_ref().is_some_and(StdioWriter::is_closed)
}

/// Lets the poll wake the loop when there is room again. The loop calls [`flush`] in each round,
/// before it checks for room.
pub fn register(registry: &Registry, token: Token) -> io::Result<()> {
    open(&mut lock().writer).map_or(Ok(()), |writer| writer.register(registry, token))
}

/// Ends the time for queued data: [`finish`] will not wait for it.
pub fn give_up() {
    lock().given_up = true;
}

/// Writes the queued data at the end. With a `timeout`, it waits as long as the reader accepts data
/// from time to time; without one, it waits until a signal arrives.
pub fn finish(timeout: Option<Duration>) {
    let mut stderr = lock();
    loop {
        stderr.flush();
        let is_stuck = timeout.is_some() && stderr.is_stuck();
        let Stderr { writer: Some(writer), given_up, dropped, .. } = &mut *stderr else { return };
        if writer.pending() == 0 && *dropped > 0 {
            report_dropped(dropped, writer);
            continue;
        }
        if writer.pending() == 0 || *given_up || is_stuck {
            return;
        }
        let timeout = timeout.map(|time| Timespec::try_from(time).unwrap_or_default());
        if !writer.wait(timeout.as_ref()).unwrap_or(false) {
            return;
        }
    }
}

/// Prints an error.
pub fn error(text: &dyn Display) {
    line(&format!("wscope: {text}"));
}

/// Prints a note.
pub fn note(text: &str) {
    line(&format!("wscope: note: {text}"));
}

/// Prints a line about one of many connections.
pub fn of(conn: u64, text: &str) {
    line(&format!("wscope: [{conn}] {text}"));
}

/// Prints a line without the program's name before it, because scripts wait for this line.
///
/// The text may quote typed text and text from outside. So it prints no control characters except
/// our own line ends, and no secrets.
pub fn line(text: &str) {
    let text = secrets::redact_sentence(text);
    let lines: Vec<String> = text.split('\n').map(|line| escaped(line.as_bytes())).collect();
    let mut lines = (lines.join("\n") + "\n").into_bytes();
    if let Some(columns) = columns() {
        wrap::fold_from(0, columns, &mut lines);
    }
    write(&lines);
}

/// The width of stderr, if it is a terminal.
pub fn columns() -> Option<usize> {
    let terminal = Terminal::look();
    terminal.stderr.then_some(terminal.width)
}

/// Prints text that is ready for a terminal, and consists of whole lines.
pub fn write(text: &[u8]) {
    append(|out| out.extend_from_slice(text));
    // A failure of stderr can't be reported.
    lock().flush();
}

impl Stderr {
    fn is_stuck(&self) -> bool {
        self.stalled.is_some_and(|since| since.elapsed() >= READER_TIMEOUT)
    }

    fn flush(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        let before = writer.pending();
        if before == 0 {
            return;
        }
        // Another loop may have taken its event.
        writer.set_ready(false);
        if let Err(error) = writer.flush() {
            self.failure = Some(error);
            writer.set_ready(true);
            let _ = writer.flush();
        }
        self.stalled = match writer.pending() {
            0 => None,
            pending if pending < before => Some(Instant::now()),
            _ => self.stalled.or_else(|| Some(Instant::now())),
        };
    }
}

fn lock() -> MutexGuard<'static, Stderr> {
    STDERR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The writer, unless stderr is closed.
fn open(writer: &mut Option<StdioWriter>) -> Option<&mut StdioWriter> {
    if writer.is_none() {
        *writer = StdioWriter::stderr().ok();
    }
    writer.as_mut()
}

fn report_dropped(dropped: &mut u64, writer: &mut StdioWriter) {
    let lines = std::mem::take(dropped);
    let text = format!("wscope: note: stderr was not read: {lines} lines were dropped here\n");
    writer.buffer().extend_from_slice(text.as_bytes());
}
