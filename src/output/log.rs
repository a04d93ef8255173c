//! `--log` and `/log`: every event as a line of JSON in a file.
//!
//! A log has only whole lines. If the file accepts no more data (the disk is full, or the pipe has
//! no reader), the log ends after its last whole line, and counts the missing events.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use crate::diagnostics::Diagnostic;
use crate::event::{Event, Stamp};
use crate::net::plain_io::plain_io;
use crate::net::stdio::Stdout;
use crate::output::secrets;
use crate::output::sink::Sink;
use crate::ui::JsonPrinter;
use crate::ui::meaning::Meaning;
use crate::ui::sanitize::escaped;
use crate::wire::Role;

/// Lines are written when this many bytes wait, or when there is nothing else to do.
const BATCH: usize = 256 * 1024;

/// How many bytes may wait for the reader of a pipe.
const MAX_BACKLOG: usize = 16 << 20;

/// How long the last events wait for the reader.
const LAST_EVENTS_TIMEOUT: Duration = Duration::from_secs(1);

/// An open log.
pub struct Log {
    path: PathBuf,
    file: File,
    printer: JsonPrinter,
    lines: Vec<u8>,
    failure: Option<LogFailure>,
}

/// Why a log is incomplete.
struct LogFailure {
    /// The reason, without the name of the file.
    reason: String,
    /// The number of missing events.
    lost: u64,
    /// The failure has been reported.
    reported: bool,
}

impl Log {
    /// Opens a file to append to. Only its owner can read a new file, because it contains the sent
    /// data.
    pub fn open(path: &Path, role: Option<Role>) -> Result<Self, String> {
        let file = File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            // A pipe without a reader must not stop the program.
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open(path)
            .and_then(|file| end_last_line(path, &file).map(|()| file))
            .map_err(|error| format!("{}: {}", name(path), plain_io(&error)))?;
        let printer = JsonPrinter::new(role).with_secrets(secrets::redactor().shows_all());
        Ok(Self { path: path.to_owned(), file, printer, lines: Vec::new(), failure: None })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new failure, in words; returns it once.
    pub fn take_failure(&mut self) -> Option<String> {
        let failure = self.failure.as_mut().filter(|failure| !failure.reported)?;
        failure.reported = true;
        Some(format!("{} is incomplete from here on: {}", name(&self.path), failure.reason))
    }

    /// Writes the rest, and ends the log.
    ///
    /// # Errors
    ///
    /// The log is incomplete; the text has the number of missing events.
    pub fn close(mut self) -> Result<(), String> {
        self.write();
        let end = Instant::now() + LAST_EVENTS_TIMEOUT;
        while !self.lines.is_empty() && self.is_writable_before(end) {
            self.write();
        }
        if !self.lines.is_empty() {
            self.fail("it has no reader".to_owned(), 0);
        }
        match self.failure {
            None => Ok(()),
            Some(LogFailure { reason, lost, .. }) => {
                let events = if lost == 1 { "event was" } else { "events were" };
                Err(format!("{}: {reason}: {lost} {events} not written", name(&self.path)))
            }
        }
    }

    fn is_writable_before(&self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or_default();
        poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], Some(&timeout)).is_ok_and(|n| n > 0)
    }

    /// Counts or writes the collected lines.
    fn gathered(&mut self) {
        match &mut self.failure {
            Some(failure) => {
                failure.lost += events(&self.lines);
                self.lines.clear();
            }
            None if self.lines.len() >= BATCH => self.write(),
            None => {}
        }
    }

    /// Writes as much as possible without waiting.
    fn write(&mut self) {
        let mut written = 0;
        while written < self.lines.len() {
            match self.file.write(&self.lines[written..]) {
                Ok(n) => written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.lines.len() - written > MAX_BACKLOG {
                        self.fail("it has no reader".to_owned(), written);
                        return;
                    }
                    break;
                }
                Err(error) => {
                    self.fail(plain_io(&error), written);
                    return;
                }
            }
        }
        self.lines.drain(..written);
    }

    /// Ends the log after its last whole line.
    fn fail(&mut self, reason: String, written: usize) {
        let whole = memchr::memrchr(b'\n', &self.lines[..written]).map_or(0, |at| at + 1);
        let cut = (written - whole) as u64;
        // Only if no other program has written after it. Only a plain file can be shortened.
        if cut > 0
            && let (Ok(at), Ok(facts)) = (self.file.stream_position(), self.file.metadata())
            && facts.is_file()
            && facts.len() == at
        {
            let _ = self.file.set_len(at - cut);
        }
        self.failure =
            Some(LogFailure { reason, lost: events(&self.lines[whole..]), reported: false });
        self.lines.clear();
    }
}

impl Sink for Log {
    #[inline]
    fn event(&mut self, at: &Stamp, event: &Event<'_>, _: &mut Stdout) -> io::Result<()> {
        self.printer.print(at, event, &mut self.lines);
        self.gathered();
        Ok(())
    }

    fn meaning(&mut self, at: &Stamp, meaning: &Meaning, _: &mut Stdout) -> io::Result<()> {
        self.printer.meaning(at, meaning, &mut self.lines);
        self.gathered();
        Ok(())
    }

    fn diagnostics(&mut self, at: &Stamp, found: &[Diagnostic], _: &mut Stdout) -> io::Result<()> {
        self.printer.diagnostics(at, found, &mut self.lines);
        self.gathered();
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.lines.is_empty() {
            self.write();
        }
        Ok(())
    }
}

/// Ends the last line of a log if its writer was killed in the middle of the line.
fn end_last_line(path: &Path, mut log: &File) -> io::Result<()> {
    let facts = log.metadata()?;
    if !facts.is_file() || facts.len() == 0 {
        return Ok(());
    }
    let mut last = [b'\n'];
    // A file without read permission is not changed.
    if let Ok(file) = File::open(path) {
        file.read_exact_at(&mut last, facts.len() - 1)?;
    }
    if last != *b"\n" {
        log.write_all(b"\n")?;
    }
    Ok(())
}

fn name(path: &Path) -> String {
    format!("the log {}", escaped(path.as_os_str().as_encoded_bytes()))
}

/// The number of events in these lines.
fn events(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}
