//! The readers of the event stream.

use std::io;

use crate::diagnostics::Diagnostic;
use crate::event::{Event, Stamp};
use crate::net::stdio::Stdout;
use crate::ui::meaning::Meaning;

/// A reader of the one event stream: it turns events into something that is kept or written.
///
/// Sinks that write stdout append to its buffer; they never wait for it.
pub trait Sink {
    /// Takes one event. Those of one direction of a connection come in order.
    fn event(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()>;

    /// Takes what the message that arrived last in its direction means.
    fn meaning(&mut self, _: &Stamp, _: &Meaning, _: &mut Stdout) -> io::Result<()> {
        Ok(())
    }

    /// Takes what was found on a connection, the verdict first.
    fn diagnostics(
        &mut self,
        at: &Stamp,
        found: &[Diagnostic],
        stdout: &mut Stdout,
    ) -> io::Result<()>;

    /// Writes what it has buffered, as far as possible without waiting.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
