//! The transcript of a run: events as lines, on stdout, on stderr or above the prompt.

use std::io;

use crate::config::Display;
use crate::diagnostics::Diagnostic;
use crate::event::{Direction, Event, Stamp};
use crate::net::stdio::Stdout;
use crate::output::sink::Sink;
use crate::output::{secrets, stderr};
use crate::ui::filter::Filter;
use crate::ui::meaning::Meaning;
use crate::ui::pretty::Pretty;
use crate::ui::prompt::Screen;
use crate::ui::style::Palette;
use crate::ui::view::{Timestamps, View};
use crate::ui::{HumanOptions, HumanPrinter, JsonPrinter, diagnostic};
use crate::wire::Role;
use crate::wire::head::Head;

/// Lines for the screen are passed on when this many bytes wait, or when there is nothing else to
/// do.
const BATCH: usize = 64 * 1024;

/// The target of a transcript.
#[derive(Clone)]
pub(super) enum TranscriptTarget {
    Stdout,
    Stderr,
    /// Above the typed line.
    Screen(Screen),
    /// A buffer: see [`Transcript::take_held`].
    Held,
}

/// The events that a transcript shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFilter {
    /// Everything.
    All,
    /// Frames and broken rules.
    Frames,
    /// Frames and broken rules, and the handshake in one line.
    FoldedHandshake,
    /// How the connection was opened, but not the data sent on it.
    Opening,
}

impl EventFilter {
    pub(super) fn shows(self, event: &Event<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Frames => matches!(
                event,
                Event::Frame(..) | Event::Made(..) | Event::Intervened(_) | Event::RoundTrip(_)
            ),
            Self::FoldedHandshake => {
                let facts = matches!(event, Event::Connected { .. } | Event::Tls(_));
                let open = matches!(event, Event::Open(_) | Event::CommandEnded(_) | Event::End(_));
                let note = matches!(event, Event::Note(_));
                facts || open || note || Self::Frames.shows(event)
            }
            Self::Opening => matches!(
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

/// Prints events as lines, or as JSON in that view.
struct Printers {
    human: HumanPrinter,
    json: Option<JsonPrinter>,
}

impl Printers {
    fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        match &mut self.json {
            Some(json) => json.print(at, event, out),
            None => self.human.print(at, event, out),
        }
    }
}

/// The transcript: events as lines, with their target.
pub struct Transcript {
    pub(super) target: TranscriptTarget,
    pub(super) events: EventFilter,
    printers: Printers,
    timestamps: Timestamps,
    role: Option<Role>,
    /// Lines for the screen.
    lines: Vec<u8>,
    /// The request line of a shortened handshake.
    request_line: String,
    /// The colours of diagnostics.
    palette: Palette,
    width: usize,
    /// Whether both stdout and stderr are terminals.
    on_terminals: bool,
    /// The user has set the width, so it does not follow the window.
    fixed: bool,
}

impl Transcript {
    pub(super) fn new(
        target: TranscriptTarget,
        events: EventFilter,
        role: Option<Role>,
        display: &Display,
    ) -> Self {
        let is_terminal = match target {
            TranscriptTarget::Stdout | TranscriptTarget::Held => display.terminal.stdout,
            _ => display.terminal.stderr,
        };
        let options: HumanOptions = display.human(role, is_terminal);
        let mut transcript = Self {
            target,
            events,
            printers: Printers { human: HumanPrinter::new(options), json: None },
            timestamps: options.timestamps,
            role,
            lines: Vec::new(),
            request_line: String::new(),
            palette: display.palette(display.terminal.stderr),
            width: display.text_columns(is_terminal),
            fixed: display.width.is_some(),
            on_terminals: display.terminal.stdout && display.terminal.stderr,
        };
        transcript.set_view(options.view);
        transcript
    }

    /// Takes the collected lines.
    pub(super) fn take_held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }

    /// Changes the view.
    pub fn set_view(&mut self, view: View) {
        self.printers.json = (view == View::Json)
            .then(|| JsonPrinter::new(self.role).with_secrets(secrets::redactor().shows_all()));
        self.printers.human.set_view(view);
    }

    /// The view.
    pub fn view(&self) -> View {
        self.printers.human.view()
    }

    /// Changes whether JSON is shown on several lines.
    pub(super) fn set_pretty(&mut self, pretty: Pretty) {
        self.printers.human.set_pretty(pretty);
    }

    /// Changes the timestamps.
    pub fn set_timestamps(&mut self, timestamps: Timestamps) {
        self.timestamps = timestamps;
        self.printers.human.set_timestamps(timestamps);
    }

    /// The timestamps.
    pub fn timestamps(&self) -> Timestamps {
        self.timestamps
    }

    /// Shows only frames that match a filter, or all frames.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        self.printers.human.set_filter(filter);
    }

    /// The filter, if there is one.
    pub fn filter(&self) -> Option<&Filter> {
        self.printers.human.filter()
    }

    /// The current width of a prompt's screen, if the transcript appears there.
    pub(super) fn screen_columns(&self) -> Option<usize> {
        match &self.target {
            TranscriptTarget::Screen(screen) => Some(screen.columns()),
            _ => None,
        }
    }

    /// Whether to wait for its reader. A transcript is complete as long as it is read. A client
    /// waits forever, as for stdout. A server has other clients, and gives up a reader that accepts
    /// nothing: see [`Transcript::resumes_at`].
    pub(super) fn is_full(&self) -> bool {
        matches!(self.target, TranscriptTarget::Stderr)
            && stderr::is_full()
            && self.resumes_at().is_none_or(|at| at > std::time::Instant::now())
    }

    /// When a server continues without its reader.
    pub(super) fn resumes_at(&self) -> Option<std::time::Instant> {
        let waits =
            self.role != Some(Role::Client) && matches!(self.target, TranscriptTarget::Stderr);
        stderr::stuck_at().filter(|_| waits)
    }

    /// Whether the end of a connection is shown where errors appear.
    pub(super) fn shows_end_on_stderr(&self) -> bool {
        let same_place = match self.target {
            TranscriptTarget::Stdout => self.on_terminals,
            TranscriptTarget::Stderr | TranscriptTarget::Screen(_) => true,
            TranscriptTarget::Held => false,
        };
        same_place && matches!(self.events, EventFilter::All | EventFilter::FoldedHandshake)
    }

    /// Whether its reader has closed it.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.target, TranscriptTarget::Stderr) && stderr::is_closed()
    }

    /// Lets `print` append lines to the right target.
    fn append(&mut self, stdout: &mut Stdout, print: impl FnOnce(&mut Printers, &mut Vec<u8>)) {
        match &self.target {
            TranscriptTarget::Stdout => print(&mut self.printers, stdout.buffer()),
            TranscriptTarget::Stderr => stderr::append(|out| print(&mut self.printers, out)),
            TranscriptTarget::Held => print(&mut self.printers, &mut self.lines),
            TranscriptTarget::Screen(screen) => {
                if self.lines.is_empty() && !self.fixed {
                    // The user may have resized the window since the last line.
                    self.printers.human.set_width(screen.columns());
                    self.printers.human.set_wraps(true);
                }
                print(&mut self.printers, &mut self.lines);
                if self.lines.len() >= BATCH {
                    self.hand_over();
                }
            }
        }
    }

    /// Prints the received parts of lines whose end will not come.
    pub(super) fn finish_lines(&mut self, stdout: &mut Stdout) {
        self.append(stdout, |printers, out| printers.human.flush_partial(out));
        self.hand_over();
    }

    /// Shows the lines for the screen.
    fn hand_over(&mut self) {
        if let TranscriptTarget::Screen(screen) = &self.target
            && !self.lines.is_empty()
        {
            screen.print_traffic(&self.lines);
            self.lines.clear();
        }
    }

    /// Prints a handshake as one line: the request and the response.
    #[cold]
    fn fold(&mut self, at: &Stamp, direction: Direction, head: &Head, stdout: &mut Stdout) {
        let line = head.raw().split(|byte| *byte == b'\r' || *byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
        if direction == Direction::ToServer {
            self.request_line = line;
            return;
        }
        let folded = format!("{} → {line}", std::mem::take(&mut self.request_line));
        self.append(stdout, |printers, out| printers.print(at, &Event::Note(&folded), out));
    }
}

impl Sink for Transcript {
    fn event(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        match event {
            event if self.events.shows(event) => {
                self.append(stdout, |printers, out| printers.print(at, event, out));
            }
            Event::Head(direction, head) if self.events == EventFilter::FoldedHandshake => {
                self.fold(at, *direction, head, stdout);
            }
            // Relative times count from this event.
            Event::Open(_) => self.printers.human.opened(at),
            // Prints the received parts of frames whose end will not come.
            Event::End(_) => self.finish_lines(stdout),
            _ => {}
        }
        Ok(())
    }

    fn meaning(&mut self, at: &Stamp, meaning: &Meaning, stdout: &mut Stdout) -> io::Result<()> {
        // Meanings belong to the traffic.
        if self.events != EventFilter::Opening {
            self.append(stdout, |printers, out| match &mut printers.json {
                Some(json) => json.meaning(at, meaning, out),
                None => printers.human.print_meaning(at, meaning, out),
            });
        }
        Ok(())
    }

    /// The diagnostics of a client are printed after the run, together with the reason of its end.
    fn diagnostics(
        &mut self,
        at: &Stamp,
        found: &[Diagnostic],
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        if self.role == Some(Role::Client) {
            return Ok(());
        }
        let mut text = Vec::new();
        // Each line has the number of its connection, like the lines of the transcript.
        let prefix = format!("[{}] ", at.conn.0);
        let width = self.screen_columns().unwrap_or(self.width).saturating_sub(prefix.len());
        diagnostic::write_all(found, width, self.palette, &mut text);
        self.append(stdout, |_, out| {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            for line in lines {
                out.extend_from_slice(prefix.as_bytes());
                out.extend_from_slice(line);
                out.push(b'\n');
            }
        });
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over();
        Ok(())
    }
}
