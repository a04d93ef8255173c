//! `--log` and `/log`: every event as a line of JSON in a file, secrets left out.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::diagnostics::Diagnostic;
use crate::event::{Event, Stamp};
use crate::net::plain_io::plain_io;
use crate::ui::JsonPrinter;
use crate::ui::sanitize::escaped;
use crate::wire::Role;

/// Lines are written when there are so many bytes of them, or nothing else to do.
const BATCH: usize = 256 * 1024;

/// A log that is being written.
pub struct Log {
    path: PathBuf,
    file: File,
    printer: JsonPrinter,
    lines: Vec<u8>,
}

impl Log {
    /// Opens a file to append to; a new one is for its owner alone, for it holds what was said.
    ///
    /// # Errors
    ///
    /// It can't be opened; in words.
    pub fn open(path: &Path, role: Role) -> Result<Self, String> {
        let file = File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| failed(path, &error))?;
        let printer = JsonPrinter::new(Some(role)).redacting();
        Ok(Self { path: path.to_owned(), file, printer, lines: Vec::new() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes one event.
    ///
    /// # Errors
    ///
    /// The file can't be written: what is lost is said by the error.
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) -> io::Result<()> {
        self.printer.print(at, event, &mut self.lines);
        if self.lines.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Takes what was found on a connection.
    ///
    /// # Errors
    ///
    /// The file can't be written.
    pub fn diagnostics(&mut self, at: &Stamp, found: &[Diagnostic]) -> io::Result<()> {
        self.printer.diagnostics(at, found, &mut self.lines);
        self.flush()
    }

    /// Writes what was taken.
    ///
    /// # Errors
    ///
    /// The file can't be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.lines);
        self.lines.clear();
        written.map_err(|error| io::Error::new(error.kind(), failed(&self.path, &error)))
    }

    /// Writes the rest and ends it.
    ///
    /// # Errors
    ///
    /// The file can't be written; in words.
    pub fn close(mut self) -> Result<(), String> {
        self.flush().map_err(|error| error.to_string())
    }
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("the log {}: {}", escaped(path.as_os_str().as_encoded_bytes()), plain_io(error))
}
