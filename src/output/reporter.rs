//! Who is told what: events to the printers, and each printer's lines to where they belong.

mod diagnosis;

use std::io;
use std::path::Path;

use crate::output::connection_history::ConnectionHistory;
use crate::output::history::History;
use crate::output::log::Log;
use crate::output::stderr;

use crate::cli::OutputFormat;
use crate::config::Display;
use crate::event::{ConnId, Direction, Event, Stamp};
use crate::net::stdio::Stdout;
use crate::ui::filter::Filter;
use crate::ui::pretty::Pretty;
use crate::ui::prompt::Screen;
use crate::ui::redact;
use crate::ui::style::Palette;
use crate::ui::view::{Timestamps, View};
use crate::ui::{HumanOptions, HumanPrinter, JsonPrinter};
use crate::wire::Role;
use crate::wire::head::Head;

pub use diagnosis::Mood;

/// Lines for the screen are handed over when there are so many bytes of them, or nothing else to
/// do.
const BATCH: usize = 64 * 1024;

/// Where a transcript goes.
#[derive(Clone)]
enum Place {
    Stdout,
    Stderr,
    /// Above the line being typed.
    Screen(Screen),
}

/// Which events a transcript tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Everything.
    All,
    /// Frames and broken rules.
    Frames,
    /// The same, with the handshake folded to a line.
    Folded,
    /// How the connection came about, but not what was said on it.
    Facts,
}

impl Shown {
    fn tells(self, event: &Event<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Frames => matches!(event, Event::Frame(..) | Event::RoundTrip(_)),
            Self::Folded => {
                let facts = matches!(event, Event::Connected { .. } | Event::Tls(_));
                let open = matches!(event, Event::Open(_) | Event::End(_));
                let note = matches!(event, Event::Note(_));
                facts || open || note || Self::Frames.tells(event)
            }
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

/// Events as lines for people, or as JSON where the view says so.
struct Transcript {
    place: Place,
    human: HumanPrinter,
    timestamps: Timestamps,
    json: Option<JsonPrinter>,
    role: Role,
    show_secrets: bool,
    lines: Vec<u8>,
}

/// What machines read; without credentials, unless they may be shown.
fn json_printer(role: Role, show_secrets: bool) -> JsonPrinter {
    let printer = JsonPrinter::new(Some(role));
    if show_secrets { printer } else { printer.redacting() }
}

impl Transcript {
    fn new(place: Place, options: HumanOptions, role: Role, show_secrets: bool) -> Self {
        let mut transcript = Self {
            place,
            human: HumanPrinter::new(options),
            timestamps: options.timestamps,
            json: None,
            role,
            show_secrets,
            lines: Vec::new(),
        };
        transcript.set_view(options.view);
        transcript
    }

    fn set_view(&mut self, view: View) {
        self.json = (view == View::Json).then(|| json_printer(self.role, self.show_secrets));
        self.human.set_view(view);
    }

    fn set_timestamps(&mut self, timestamps: Timestamps) {
        self.timestamps = timestamps;
        self.human.set_timestamps(timestamps);
    }

    fn write(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        match (&mut self.json, event) {
            (Some(json), event) => json.print(at, event, out),
            (None, Event::Head(direction, head)) if !self.show_secrets => {
                let head = redact::head(head);
                self.human.print(at, &Event::Head(*direction, &head), out);
            }
            (None, event) => self.human.print(at, event, out),
        }
    }
}

/// Hands events to the printers of a run.
pub struct Reporter {
    transcript: Option<Transcript>,
    json: Option<JsonPrinter>,
    log: Option<Log>,
    books: Option<Box<History>>,
    shown: Shown,
    show_secrets: bool,
    quiet: bool,
    verbose: u8,
    palette: Palette,
    /// Of what is said on stderr.
    advice: Palette,
    pretty: Pretty,
    width: usize,
    conn: ConnId,
    /// The request line of a handshake that is folded.
    asked: String,
    role: Role,
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
        let transcript = place.map(|place| {
            let is_terminal = match place {
                Place::Stdout => display.terminal.stdout,
                _ => display.terminal.stderr,
            };
            Transcript::new(place, display.human(role, is_terminal), role, display.show_secrets)
        });
        let shown = if display.quiet { Shown::Frames } else { Shown::All };
        let json = (output == OutputFormat::Json).then(|| json_printer(role, display.show_secrets));
        Self {
            transcript,
            json,
            log: None,
            books: None,
            shown,
            show_secrets: display.show_secrets,
            quiet: display.quiet,
            verbose: display.verbose,
            advice: display.palette(display.terminal.stderr),
            palette: display.palette(display.terminal.stdout),
            pretty: display.pretty,
            width: display.terminal.width,
            conn: ConnId(1),
            asked: String::new(),
            role,
        }
    }

    /// A transcript of some of the events on stdout.
    pub fn showing(shown: Shown, display: &Display) -> Self {
        Self { shown, ..Self::new(OutputFormat::Frames, display) }
    }

    /// Remembers what a session asks for later.
    pub fn with_books(mut self, display: &Display) -> Self {
        let options = display.human(self.role, display.terminal.stdout);
        self.books = Some(Box::new(History::new(self.role, options)));
        self
    }

    /// Folds the handshake to a line where it would not be told at all.
    pub fn folded(mut self) -> Self {
        if self.shown == Shown::Frames {
            self.shown = Shown::Folded;
        }
        self
    }

    /// From now on what a terminal would get goes above the line being typed there.
    pub fn turn_to(&mut self, screen: &Screen, display: &Display) {
        if let Some(transcript) = &mut self.transcript {
            let on_terminal = match transcript.place {
                Place::Stdout => display.terminal.stdout,
                Place::Stderr => display.terminal.stderr,
                Place::Screen(_) => true,
            };
            if on_terminal {
                transcript.place = Place::Screen(screen.clone());
            }
        }
    }

    /// The editor is gone: what is still to be told goes where it went before.
    pub fn turn_back(&mut self, display: &Display) {
        if let Some(transcript) = &mut self.transcript
            && matches!(transcript.place, Place::Screen(_))
        {
            transcript.place = if display.terminal.stdout { Place::Stdout } else { Place::Stderr };
        }
    }

    /// Whether anybody looks at frames: if not, what is sent need not be decoded.
    pub fn looks_at_frames(&self) -> bool {
        self.transcript.is_some()
            || self.json.is_some()
            || self.log.is_some()
            || self.books.is_some()
    }

    /// Whether people see what happens to connections.
    pub fn has_transcript(&self) -> bool {
        self.transcript.is_some()
    }

    /// The time and place of an event now.
    pub fn stamp(&self) -> Stamp {
        Stamp { micros: crate::net::clock::wall_micros(), conn: self.conn }
    }

    /// The next connection of the run begins.
    pub fn next_connection(&mut self) {
        self.conn.0 += 1;
    }

    /// The connection that is told of.
    pub fn connection(&self) -> ConnId {
        self.conn
    }

    /// Goes on with a connection of before.
    pub fn return_to(&mut self, conn: ConnId) {
        self.conn = conn;
    }

    /// What is remembered of a connection; a client's is that of the one opened last, whatever its
    /// number.
    pub fn book(&self, id: ConnId) -> Option<&ConnectionHistory> {
        self.books.as_ref()?.of(id)
    }

    /// The connection that was heard from last.
    pub fn last_heard(&self) -> Option<ConnId> {
        self.books.as_ref()?.last_heard()
    }

    /// Whose side is told of.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The direction of what is sent.
    pub fn sent(&self) -> Direction {
        match self.role {
            Role::Client => Direction::ToServer,
            Role::Server => Direction::ToClient,
        }
    }

    /// The colours of answers.
    pub fn palette(&self) -> Palette {
        self.palette
    }

    /// Whether JSON is shown pretty where it is asked for.
    pub fn pretty(&self) -> bool {
        self.pretty != Pretty::Never
    }

    /// Columns of the terminal.
    pub fn columns(&self) -> usize {
        self.width
    }

    /// Changes how traffic is shown.
    ///
    /// # Errors
    ///
    /// No transcript is shown; in words.
    pub fn set_view(&mut self, view: View) -> Result<(), String> {
        self.transcript()?.set_view(view);
        Ok(())
    }

    /// How traffic is shown.
    pub fn view(&self) -> View {
        self.transcript.as_ref().map_or(View::Frames, |transcript| transcript.human.view())
    }

    /// Changes which time is shown.
    ///
    /// # Errors
    ///
    /// No transcript is shown; in words.
    pub fn set_timestamps(&mut self, timestamps: Timestamps) -> Result<(), String> {
        self.transcript()?.set_timestamps(timestamps);
        Ok(())
    }

    /// Which time is shown.
    pub fn timestamps(&self) -> Timestamps {
        self.transcript.as_ref().map_or(Timestamps::On, |transcript| transcript.timestamps)
    }

    /// Shows only what passes a filter, or everything.
    ///
    /// # Errors
    ///
    /// No transcript is shown; in words.
    pub fn set_filter(&mut self, filter: Option<Filter>) -> Result<(), String> {
        self.transcript()?.human.set_filter(filter);
        Ok(())
    }

    /// Whether a broken rule of a frame is told with the frame.
    pub fn tells_violations(&self) -> bool {
        self.transcript.is_some()
    }

    /// The filter, if there is one.
    pub fn filter(&self) -> Option<&Filter> {
        self.transcript.as_ref().and_then(|transcript| transcript.human.filter())
    }

    fn transcript(&mut self) -> Result<&mut Transcript, String> {
        self.transcript
            .as_mut()
            .ok_or_else(|| "no transcript is shown; run with --output frames or -v".to_owned())
    }

    /// Writes every event to a file from now on, behind what it holds.
    ///
    /// # Errors
    ///
    /// It can't be opened; in words.
    pub fn log_to(&mut self, path: &Path) -> Result<(), String> {
        let log = Log::open(path, self.role)?;
        self.end_log()?;
        self.log = Some(log);
        Ok(())
    }

    /// Ends the log.
    ///
    /// # Errors
    ///
    /// Its last lines can't be written; in words.
    pub fn end_log(&mut self) -> Result<(), String> {
        self.log.take().map_or(Ok(()), Log::close)
    }

    /// Where the log goes.
    pub fn log_path(&self) -> Option<&Path> {
        self.log.as_ref().map(Log::path)
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
            self.flush()?;
        }
        Ok(())
    }

    /// Tells an event that happens now.
    ///
    /// # Errors
    ///
    /// stderr or the log failed.
    pub fn tell(&mut self, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        if self.looks_at_frames() {
            let stamp = self.stamp();
            self.event(&stamp, event, stdout)?;
            self.flush()?;
        }
        Ok(())
    }

    /// Tells an event.
    ///
    /// # Errors
    ///
    /// stderr or the log failed.
    #[inline]
    pub fn event(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        if let Some(json) = &mut self.json {
            json.print(at, event, stdout.buffer());
        }
        if let Some(log) = &mut self.log {
            log.take(at, event)?;
        }
        if let Some(books) = &mut self.books {
            match event {
                Event::Head(direction, head) if !self.show_secrets => {
                    books.take(at, &Event::Head(*direction, &redact::head(head)));
                }
                event => books.take(at, event),
            }
        }
        if let (Shown::Folded, Event::Head(direction, head)) = (self.shown, event) {
            return self.fold(at, *direction, head, stdout);
        }
        self.transcribe(at, event, stdout)
    }

    /// Tells an event to the transcript.
    fn transcribe(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        let Some(transcript) = &mut self.transcript else { return Ok(()) };
        if !self.shown.tells(event) {
            // Frames that will not be finished are told even so.
            if matches!(event, Event::End(_)) {
                let out = stdout.buffer();
                transcript.human.flush_partial(out);
            }
            return Ok(());
        }
        if let Place::Stdout = transcript.place {
            transcript.write(at, event, stdout.buffer());
            return Ok(());
        }
        if let (Place::Screen(screen), true) = (&transcript.place, transcript.lines.is_empty()) {
            // The window may have been resized since the last line.
            self.width = screen.columns();
            transcript.human.set_width(self.width);
        }
        let mut lines = std::mem::take(&mut transcript.lines);
        transcript.write(at, event, &mut lines);
        transcript.lines = lines;
        match transcript.place {
            Place::Stderr => self.flush(),
            _ if transcript.lines.len() >= BATCH => self.flush(),
            _ => Ok(()),
        }
    }

    /// Tells what the transcript holds back: nothing more will come.
    ///
    /// # Errors
    ///
    /// stderr failed.
    pub fn tell_rest(&mut self, stdout: &mut Stdout) -> io::Result<()> {
        let Some(transcript) = &mut self.transcript else { return Ok(()) };
        match transcript.place {
            Place::Stdout => transcript.human.flush_partial(stdout.buffer()),
            _ => transcript.human.flush_partial(&mut transcript.lines),
        }
        self.flush()
    }

    /// Tells a handshake in one line: what was asked and what was answered.
    fn fold(
        &mut self,
        at: &Stamp,
        direction: Direction,
        head: &Head,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        let line = head.raw().split(|byte| *byte == b'\r' || *byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
        if direction == Direction::ToServer {
            self.asked = line;
            return Ok(());
        }
        let folded = format!("{} → {line}", std::mem::take(&mut self.asked));
        let shown = std::mem::replace(&mut self.shown, Shown::All);
        // Only the transcript folds; everybody else has been told the heads.
        let result = self.transcribe(at, &Event::Note(&folded), stdout);
        self.shown = shown;
        result
    }

    /// Hands over what was told and writes what was logged: call it before waiting.
    ///
    /// # Errors
    ///
    /// stderr or the log failed.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            log.flush()?;
        }
        let Some(transcript) = &mut self.transcript else { return Ok(()) };
        if transcript.lines.is_empty() {
            return Ok(());
        }
        let told = match &transcript.place {
            Place::Screen(screen) => {
                screen.traffic(&transcript.lines);
                Ok(())
            }
            _ => stderr::write(&transcript.lines),
        };
        transcript.lines.clear();
        match told {
            // Nobody reads the transcript any more: the payload goes on.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.transcript = None;
                Ok(())
            }
            other => other,
        }
    }

    /// Whether what happens before the first frame is told as events: heads, notes.
    pub fn tells_notes(&self) -> bool {
        let transcript = self.transcript.is_some() && self.shown.tells(&Event::Note(""));
        transcript || self.json.is_some()
    }

    /// Whether credentials in heads may be shown.
    pub fn shows_secrets(&self) -> bool {
        self.show_secrets
    }

    /// Whether warnings that are no events of a transcript may be said on stderr.
    pub fn may_warn(&self) -> bool {
        !self.quiet
    }
}
