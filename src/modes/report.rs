//! Who is told what: events to the printers, and each printer's lines to where they belong.

use std::io;

use super::say;

use crate::cli::OutputFormat;
use crate::config::Display;
use crate::event::{ConnId, Direction, Event, Stamp};
use crate::net::stdio::Stdout;
use crate::ui::{HumanOptions, HumanPrinter, JsonPrinter, Verbosity};
use crate::wire::Role;

/// Where a transcript goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Stdout,
    Stderr,
}

/// Which events a transcript tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Everything.
    All,
    /// Frames and broken rules.
    Frames,
    /// How the connection came about, but not what was said on it.
    Facts,
}

impl Shown {
    fn tells(self, event: &Event<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Frames => matches!(event, Event::Frame(..) | Event::RoundTrip(_)),
            Self::Facts => matches!(
                event,
                Event::Resolved { .. }
                    | Event::AddressFailed { .. }
                    | Event::Connected { .. }
                    | Event::Listening { .. }
                    | Event::Accepted { .. }
                    | Event::Tls(_)
                    | Event::Timing(_)
                    | Event::Note(_)
                    | Event::Failed(_)
            ),
        }
    }
}

/// Hands events to the printers of a run.
pub struct Reporter {
    human: Option<(HumanPrinter, Place)>,
    json: Option<JsonPrinter>,
    shown: Shown,
    quiet: bool,
    conn: ConnId,
    lines: Vec<u8>,
}

impl Reporter {
    /// Chooses the printers: a transcript on stdout for `--output frames`, on stderr for `-v`;
    /// JSON on stdout for `--output json`.
    pub fn new(output: OutputFormat, display: &Display) -> Self {
        Self::of(Role::Client, output, display)
    }

    /// The same for a role; a server's lines carry the number of their connection.
    pub fn of(role: Role, output: OutputFormat, display: &Display) -> Self {
        let place = match (output, display.verbose) {
            (OutputFormat::Frames, _) => Some(Place::Stdout),
            (_, 1..) => Some(Place::Stderr),
            _ => None,
        };
        let human = place.map(|place| {
            let (is_terminal, width) = match place {
                Place::Stdout => (display.terminal.stdout, display.terminal.width),
                Place::Stderr => (display.terminal.stderr, display.terminal.width),
            };
            let sent = match role {
                Role::Client => Direction::ToServer,
                Role::Server => Direction::ToClient,
            };
            let options = HumanOptions {
                show_connection: role == Role::Server,
                width,
                palette: display.palette(is_terminal),
                verbosity: if display.verbose > 1 { Verbosity::Hex } else { Verbosity::Frames },
                ..HumanOptions::new(sent)
            };
            (HumanPrinter::new(options), place)
        });
        let shown = if display.quiet { Shown::Frames } else { Shown::All };
        let json = (output == OutputFormat::Json).then(|| JsonPrinter::new(Some(role)));
        Self { human, json, shown, quiet: display.quiet, conn: ConnId(1), lines: Vec::new() }
    }

    /// A transcript of some of the events on stdout.
    pub fn showing(shown: Shown, display: &Display) -> Self {
        Self { shown, ..Self::new(OutputFormat::Frames, display) }
    }

    /// Whether anybody looks at frames: if not, what is sent need not be decoded.
    pub fn looks_at_frames(&self) -> bool {
        self.human.is_some() || self.json.is_some()
    }

    /// Whether people see what happens to connections.
    pub fn has_transcript(&self) -> bool {
        self.human.is_some()
    }

    /// The time and place of an event now.
    pub fn stamp(&self) -> Stamp {
        Stamp { micros: crate::net::clock::wall_micros(), conn: self.conn }
    }

    /// The time now, and a connection.
    pub fn stamp_of(&self, conn: ConnId) -> Stamp {
        Stamp { conn, ..self.stamp() }
    }

    /// Tells an event of a connection that happens now.
    ///
    /// # Errors
    ///
    /// stderr failed.
    pub fn tell_of(
        &mut self,
        conn: ConnId,
        event: &Event<'_>,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        if self.looks_at_frames() {
            let stamp = self.stamp_of(conn);
            self.event(&stamp, event, stdout)?;
        }
        Ok(())
    }

    /// Tells an event that happens now.
    ///
    /// # Errors
    ///
    /// stderr failed.
    pub fn tell(&mut self, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        if self.looks_at_frames() {
            let stamp = self.stamp();
            self.event(&stamp, event, stdout)?;
        }
        Ok(())
    }

    /// Tells an event.
    ///
    /// # Errors
    ///
    /// stderr failed.
    #[inline]
    pub fn event(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        if let Some(json) = &mut self.json {
            json.print(at, event, stdout.buffer());
        }
        let Some((human, place)) = &mut self.human else { return Ok(()) };
        if !self.shown.tells(event) {
            // Frames that will not be finished are told even so.
            if matches!(event, Event::End(_)) {
                human.flush_partial(stdout.buffer());
            }
            return Ok(());
        }
        match place {
            Place::Stdout => human.print(at, event, stdout.buffer()),
            Place::Stderr => {
                human.print(at, event, &mut self.lines);
                if !self.lines.is_empty() {
                    let told = say::write(&self.lines);
                    self.lines.clear();
                    match told {
                        // Nobody reads the transcript any more: the payload goes on.
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                            self.human = None
                        }
                        other => other?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether warnings that are no events of a transcript may be said on stderr.
    pub fn may_warn(&self) -> bool {
        !self.quiet
    }
}
