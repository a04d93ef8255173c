//! The readers of the event stream.

use std::io;

use crate::diagnostics::Diagnostic;
use crate::event::{Event, Stamp};
use crate::net::stdio::Stdout;
use crate::ui::meaning::Meaning;

/// A reader of the event stream: it stores or writes the events.
///
/// Sinks that write stdout append to its buffer; they never wait for it.
pub trait Sink {
    /// Takes one event. The events of one direction of a connection come in order.
    fn event(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()>;

    /// Takes the meaning of the last message of its direction.
    fn meaning(&mut self, _: &Stamp, _: &Meaning, _: &mut Stdout) -> io::Result<()> {
        Ok(())
    }

    /// Takes the diagnostics of a connection, the verdict first.
    fn diagnostics(
        &mut self,
        at: &Stamp,
        found: &[Diagnostic],
        stdout: &mut Stdout,
    ) -> io::Result<()>;

    /// Writes its buffer, as far as possible without waiting.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
