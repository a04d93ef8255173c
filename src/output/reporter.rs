//! Passes each event to all sinks, and answers questions about the output.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::cli::OutputFormat;
use crate::config::{Display, LensConfig};
use crate::diagnostics::{Diagnostic, Family, Severity};
use crate::event::{ConnId, Direction, Ending, Event, Side, Stamp};
use crate::net::stdio::Stdout;
use crate::output::connection_history::ConnectionHistory;
use crate::output::decode_with::{Answers, DecodeWith};
use crate::output::frame_store::KeptMessage;
use crate::output::history::History;
use crate::output::lenses::{Lenses, Reading};
use crate::output::log::Log;
use crate::output::redaction::Redaction;
use crate::output::sink::Sink;
use crate::output::transcript::TranscriptTarget;
pub use crate::output::transcript::{EventFilter, Transcript};
use crate::output::{secrets, stderr};
use crate::ui::filter::{ClientSet, Filter};
use crate::ui::meaning::Meaning;
use crate::ui::pattern::Pattern;
use crate::ui::pretty::Pretty;
use crate::ui::prompt::Screen;
use crate::ui::redact::Redactor;
use crate::ui::style::Palette;
use crate::ui::view::{Timestamps, View};

use crate::ui::{HumanOptions, JsonPrinter, diagnostic};
use crate::wire::Role;

/// How a connection ended; this decides which diagnostics are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSeverity {
    /// It failed: print everything that explains it.
    Failed,
    /// It succeeded: print only what is unusual.
    Fine,
}

/// The sinks of a run.
pub struct Reporter {
    json: Option<JsonPrinter>,
    log: Option<Log>,
    history: Option<Box<History>>,
    transcript: Option<Transcript>,
    /// The events that a transcript shows.
    events: EventFilter,
    redaction: Redaction,
    lenses: Lenses,
    /// The command of `--decode-with`, and its missing answers.
    command: Option<String>,
    decode_with: Option<DecodeWith>,
    quiet: bool,
    verbose: u8,
    palette: Palette,
    /// The colours of stderr.
    stderr_palette: Palette,
    pretty: Pretty,
    /// The width of the screen, and of text on stderr.
    width: usize,
    text_width: usize,
    conn: ConnId,
    /// Our role; `None` for a proxy.
    role: Option<Role>,
}

impl Reporter {
    /// Creates the sinks: a transcript on stdout for `--output frames`, on stderr for `-v`; JSON on
    /// stdout for `--output json`.
    pub fn new(output: OutputFormat, display: &Display) -> Self {
        Self::of(Role::Client, output, display)
    }

    /// Like [`Self::new`], for a role; `None` if connections are relayed. Except for a client,
    /// lines have the number of their connection.
    pub fn of(role: impl Into<Option<Role>>, output: OutputFormat, display: &Display) -> Self {
        let events = if display.quiet { EventFilter::Frames } else { EventFilter::All };
        Self::with_events(events, role.into(), output, display)
    }

    /// Collects a transcript of some events for stdout; [`Reporter::take_held`] returns it.
    pub fn holding(events: EventFilter, display: &Display) -> Self {
        let mut reporter =
            Self::with_events(events, Some(Role::Client), OutputFormat::Frames, display);
        reporter.transcript.iter_mut().for_each(|held| held.target = TranscriptTarget::Held);
        reporter
    }

    /// Takes the collected lines.
    pub fn take_held(&mut self) -> Vec<u8> {
        self.transcript.as_mut().map_or_else(Vec::new, Transcript::take_held)
    }

    fn with_events(
        events: EventFilter,
        role: Option<Role>,
        output: OutputFormat,
        display: &Display,
    ) -> Self {
        let target = match (output, display.verbose) {
            (OutputFormat::Frames, _) => Some(TranscriptTarget::Stdout),
            (_, 1..) => Some(TranscriptTarget::Stderr),
            _ => None,
        };
        let transcript = target.map(|target| Transcript::new(target, events, role, display));
        let redactor = secrets::redactor();
        let shows_all = redactor.shows_all();
        let json = || JsonPrinter::new(role).with_secrets(shows_all);
        let json = (output == OutputFormat::Json).then(json);
        Self {
            json,
            log: None,
            history: None,
            transcript,
            events,
            redaction: Redaction::new(redactor),
            lenses: Lenses::new(LensConfig::off()),
            command: None,
            decode_with: None,
            quiet: display.quiet,
            verbose: display.verbose,
            palette: display.palette(display.terminal.stdout),
            stderr_palette: display.palette(display.terminal.stderr),
            pretty: display.pretty,
            width: display.text_columns(true),
            text_width: display.text_columns(display.terminal.stderr),
            conn: ConnId(1),
            role,
        }
    }

    /// Remembers data for the session, with frames up to `bound` bytes.
    pub fn with_history(mut self, display: &Display, bound: usize) -> Self {
        // The lines of the history are for a screen.
        let width = display.text_columns(true);
        let options = HumanOptions { width, ..display.human(self.role, display.terminal.stdout) };
        self.history = Some(Box::new(History::new(self.role, options, bound)));
        self.lenses.serve(self.role);
        self
    }

    /// Reads the meaning of messages.
    pub fn with_lenses(mut self, mut config: LensConfig) -> Self {
        self.command = config.command.take();
        self.lenses = Lenses::new(config);
        self
    }

    /// Starts the command that decodes messages, if there is one; `waker` wakes the loop when the
    /// command has answered.
    ///
    /// # Errors
    ///
    /// The system gives no process or thread.
    pub fn start_command(&mut self, waker: &Arc<mio::Waker>) -> io::Result<()> {
        if let Some(command) = self.command.take() {
            let waker = Arc::clone(waker);
            // The loop may have ended.
            let wake = move || drop(waker.wake());
            self.decode_with = Some(DecodeWith::new(&command, wake)?);
        }
        Ok(())
    }

    /// The lenses.
    pub fn lenses(&mut self) -> &mut Lenses {
        &mut self.lenses
    }

    /// The lines of the last `most` remembered frames of these clients, oldest first.
    pub fn last_frames(&self, most: usize, of: &ClientSet) -> Vec<u8> {
        let look = (self.columns(), self.timestamps());
        self.history.as_ref().map_or_else(Vec::new, |history| history.frames.last(most, of, look))
    }

    /// The last `most` messages of these clients that match a pattern, oldest first, and their
    /// number.
    pub fn find(&self, pattern: &Pattern, most: usize, of: &ClientSet) -> Vec<u8> {
        let look = (self.columns(), self.timestamps());
        let history = self.history.as_ref();
        history.map_or_else(Vec::new, |history| history.frames.find(pattern, most, of, look))
    }

    /// The message of these clients that has a frame with this number: see [`FrameStore::message`].
    ///
    /// # Errors
    ///
    /// It is not remembered.
    pub fn message(
        &self,
        number: u64,
        direction: Option<Direction>,
        of: &ClientSet,
    ) -> Result<KeptMessage, String> {
        let history = self.history.as_ref().ok_or("nothing is remembered")?;
        let first = direction.unwrap_or(self.sent().opposite());
        let found = history.frames.message(number, first, of);
        match direction {
            None => found.or_else(|error| {
                history.frames.message(number, first.opposite(), of).map_err(|_| error)
            }),
            Some(_) => found,
        }
    }

    /// Shortens the handshake to one line, if it would otherwise not be shown.
    pub fn folded(mut self) -> Self {
        if self.events == EventFilter::Frames {
            self.events = EventFilter::FoldedHandshake;
            self.transcript.iter_mut().for_each(|transcript| transcript.events = self.events);
        }
        self
    }

    /// All sinks.
    fn sinks(&mut self) -> impl Iterator<Item = &mut dyn Sink> {
        let Self { json, log, history, transcript, .. } = self;
        let json = json.as_mut().map(|sink| sink as &mut dyn Sink);
        let log = log.as_mut().map(|sink| sink as &mut dyn Sink);
        let history = history.as_mut().map(|sink| &mut **sink as &mut dyn Sink);
        let transcript = transcript.as_mut().map(|sink| sink as &mut dyn Sink);
        [json, log, history, transcript].into_iter().flatten()
    }

    /// From now on, the part of a transcript that a terminal would get appears above the typed
    /// line.
    pub fn move_transcript_to(&mut self, screen: &Screen, display: &Display) {
        if let Some(transcript) = &mut self.transcript {
            let on_terminal = match transcript.target {
                TranscriptTarget::Stdout => display.terminal.stdout,
                TranscriptTarget::Stderr => display.terminal.stderr,
                TranscriptTarget::Screen(_) => true,
                TranscriptTarget::Held => false,
            };
            if on_terminal {
                transcript.target = TranscriptTarget::Screen(screen.clone());
            }
        }
    }

    /// After the end of the prompt, the rest of the transcript goes to its previous target.
    pub fn move_transcript_back(&mut self, display: &Display) {
        if let Some(transcript) = &mut self.transcript
            && matches!(transcript.target, TranscriptTarget::Screen(_))
        {
            transcript.target = match display.terminal.stdout {
                true => TranscriptTarget::Stdout,
                false => TranscriptTarget::Stderr,
            };
        }
    }

    /// Whether any sink takes frames; if not, sent data need not be decoded.
    pub fn looks_at_frames(&self) -> bool {
        self.transcript.is_some()
            || self.json.is_some()
            || self.log.is_some()
            || self.history.is_some()
            || self.lenses.are_named()
    }

    /// Whether users see the events of connections.
    pub fn has_transcript(&self) -> bool {
        self.transcript.is_some()
    }

    /// Whether to wait for the reader of the transcript before producing more events; stdout has
    /// its own check.
    pub fn is_full(&self) -> bool {
        self.transcript.as_ref().is_some_and(Transcript::is_full)
    }

    /// When that wait ends, even if the reader accepts nothing.
    pub fn resumes_at(&self) -> Option<Instant> {
        self.transcript.as_ref().and_then(Transcript::resumes_at)
    }

    /// The current time, with the current connection.
    pub fn stamp(&self) -> Stamp {
        self.stamp_of(self.conn)
    }

    /// The current time, with a connection.
    pub fn stamp_of(&self, conn: ConnId) -> Stamp {
        Stamp { micros: crate::net::clock::wall_micros(), conn }
    }

    /// Begins the next connection of the run.
    pub fn next_connection(&mut self) {
        self.conn.0 += 1;
    }

    /// The connection of events that name no other.
    pub fn connection(&self) -> ConnId {
        self.conn
    }

    /// Continues with an earlier connection.
    pub fn return_to(&mut self, conn: ConnId) {
        self.conn = conn;
    }

    /// The remembered facts of a connection. For a client, those of the last opened one, whatever
    /// its number.
    pub fn connection_history(&self, id: ConnId) -> Option<&ConnectionHistory> {
        self.history.as_ref()?.of(id)
    }

    /// The connection that sent the last message.
    pub fn last_received(&self) -> Option<ConnId> {
        self.history.as_ref()?.last_received()
    }

    /// Our role; `None` for a proxy.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The direction of sent data.
    pub fn sent(&self) -> Direction {
        Direction::sent_by(self.role.unwrap_or(Role::Client))
    }

    /// The colours of answers.
    pub fn palette(&self) -> Palette {
        self.palette
    }

    /// Whether JSON is shown on several lines.
    pub fn pretty(&self) -> Pretty {
        self.pretty
    }

    /// Changes whether JSON is shown on several lines.
    pub fn set_pretty(&mut self, pretty: Pretty) {
        self.pretty = pretty;
        self.transcript.iter_mut().for_each(|transcript| transcript.set_pretty(pretty));
    }

    /// Columns of the terminal.
    pub fn columns(&self) -> usize {
        self.screen_columns().unwrap_or(self.width)
    }

    /// Columns of text for people: without a terminal its lines are not broken.
    fn text_columns(&self) -> usize {
        self.screen_columns().unwrap_or(self.text_width)
    }

    /// The width of the screen of a prompt.
    fn screen_columns(&self) -> Option<usize> {
        self.transcript.as_ref().and_then(Transcript::screen_columns)
    }

    /// The transcript, to change how it shows traffic.
    pub fn transcript_mut(&mut self) -> Result<&mut Transcript, String> {
        self.transcript
            .as_mut()
            .ok_or_else(|| "no transcript is shown; run with --output frames or -v".to_owned())
    }

    /// The current view.
    pub fn view(&self) -> View {
        self.transcript.as_ref().map_or(View::Frames, Transcript::view)
    }

    /// The current timestamps.
    pub fn timestamps(&self) -> Timestamps {
        self.transcript.as_ref().map_or(Timestamps::Auto, Transcript::timestamps)
    }

    /// The filter, if there is one.
    pub fn filter(&self) -> Option<&Filter> {
        self.transcript.as_ref().and_then(Transcript::filter)
    }

    /// Appends every event to a file from now on.
    ///
    /// # Errors
    ///
    /// It can't be opened, or the previous log is incomplete.
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
    /// It is incomplete; the error has the number of missing events.
    pub fn end_log(&mut self) -> Result<(), String> {
        self.log.take().map_or(Ok(()), Log::close)
    }

    /// The path of the log.
    pub fn log_path(&self) -> Option<&Path> {
        self.log.as_ref().map(Log::path)
    }

    /// Passes an event with the current time to the sinks, and flushes. A message's line has the
    /// action of a relay, so lines of a relay may wait.
    pub fn emit_for(
        &mut self,
        conn: ConnId,
        event: &Event<'_>,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        if let (Some(Role::Client), Event::Head(Direction::ToServer, head)) = (self.role, event) {
            self.learn_secrets(|redactor| redactor.learn_head(head));
        }
        if self.looks_at_frames() {
            let stamp = self.stamp_of(conn);
            self.event(&stamp, event, stdout)?;
            if !matches!(event, Event::Intervened(_)) {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Passes an event to all sinks. Flush before waiting.
    #[inline]
    pub fn event(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        if let Event::End(ending) = event {
            self.before_end(at, ending, stdout)?;
        }
        if self.redaction.concerns(event) {
            self.redacted_event(at, event, stdout)?;
        } else {
            self.sinks().try_for_each(|sink| sink.event(at, event, stdout))?;
        }
        if let Some(reading) = self.lenses.take(at, event) {
            self.read(at, reading, stdout)?;
        }
        if let Some(meaning) = self.decode_with.as_mut().and_then(|command| command.take(at, event))
        {
            self.mean(at, meaning, stdout)?;
        }
        match self.log.as_mut().and_then(Log::take_failure) {
            Some(text) => self.report_log_failure(at, &text, stdout),
            None => Ok(()),
        }
    }

    /// Passes what explains an end, or belongs before it, to all sinks.
    #[cold]
    fn before_end(&mut self, at: &Stamp, ending: &Ending, stdout: &mut Stdout) -> io::Result<()> {
        if self.role == Some(Role::Client) {
            self.take_answers(true, stdout)?;
        }
        let ended = self.ended_by(ending.by);
        match ended.and_then(|ended| self.lenses.awaited_by(at.conn, ended)) {
            Some(text) => self.event(at, &Event::Note(&text), stdout),
            None => Ok(()),
        }
    }

    /// The end that stopped the conversation, unless it is ours.
    fn ended_by(&self, side: Side) -> Option<Role> {
        match (side, self.role) {
            (Side::End(role), _) => Some(role),
            (Side::Us, _) | (_, None) => None,
            (_, Some(Role::Client)) => Some(Role::Server),
            (_, Some(Role::Server)) => Some(Role::Client),
        }
    }

    /// Passes the meanings of messages to all sinks.
    #[inline(never)]
    fn read(&mut self, at: &Stamp, reading: Reading, stdout: &mut Stdout) -> io::Result<()> {
        for note in reading.notes {
            self.event(at, &Event::Note(&note), stdout)?;
        }
        reading.meanings.into_iter().try_for_each(|meaning| self.mean(at, meaning, stdout))
    }

    #[inline(never)]
    fn mean(&mut self, at: &Stamp, mut meaning: Meaning, stdout: &mut Stdout) -> io::Result<()> {
        let packets = &mut meaning.packets;
        packets.iter_mut().for_each(|packet| self.redaction.redactor.decoded(packet));
        self.sinks().try_for_each(|sink| sink.meaning(at, &meaning, stdout))
    }

    /// Passes the answers of the `--decode-with` command to the sinks; `wait` for all missing ones.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn take_answers(&mut self, wait: bool, stdout: &mut Stdout) -> io::Result<()> {
        let Some(command) = &mut self.decode_with else { return Ok(()) };
        let Answers { meanings, given_up } = command.answers(wait);
        for (conn, meaning) in meanings {
            self.mean(&self.stamp_of(conn), meaning, stdout)?;
        }
        if let Some(text) = given_up {
            self.decode_with = None;
            if !self.prints_notes() {
                stderr::error(&text);
            }
            self.event(&self.stamp(), &Event::Note(&text), stdout)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn redacted_event(
        &mut self,
        at: &Stamp,
        event: &Event<'_>,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        let mut redaction = std::mem::take(&mut self.redaction);
        let emit = &mut |event: &Event<'_>| {
            self.sinks().try_for_each(|sink| sink.event(at, event, stdout))
        };
        let result = redaction.emit(at, event, emit);
        self.redaction = redaction;
        result
    }

    #[cold]
    fn report_log_failure(
        &mut self,
        at: &Stamp,
        text: &str,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        if !self.prints_notes() {
            stderr::error(&text);
        }
        // The log has no object for it.
        let log = self.log.take();
        let result = self.event(at, &Event::Note(text), stdout);
        self.log = log;
        result
    }

    /// Writes the important diagnostics of the client's connection as JSON.
    pub fn diagnose(
        &mut self,
        found: &[Diagnostic],
        end: EndSeverity,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        self.diagnose_for(self.conn, &worth_printing(found, end, true), stdout)
    }

    /// Passes the diagnostics of one of many connections to all sinks.
    pub fn diagnose_for(
        &mut self,
        conn: ConnId,
        found: &[Diagnostic],
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let stamp = self.stamp_of(conn);
        let found = &self.redaction.diagnostics(found);
        self.sinks().try_for_each(|sink| sink.diagnostics(&stamp, found, stdout))?;
        self.flush()
    }

    /// Prints the received parts of lines whose end will not come, because no connection is open.
    pub fn finish_lines(&mut self, stdout: &mut Stdout) {
        if let Some(transcript) = &mut self.transcript {
            transcript.finish_lines(stdout);
        }
    }

    /// Diagnostics without secrets.
    pub fn without_secrets(&self, found: &[Diagnostic]) -> Vec<Diagnostic> {
        self.redaction.diagnostics(found)
    }

    /// Diagnostics as text. With `-q`, there is none. Without a transcript, there is text only if
    /// something failed, or if the peer's frames or messages were wrong in a session that ended
    /// well.
    pub fn advice(&self, found: &[Diagnostic], end: EndSeverity, at_prompt: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let shown = self.verbose > 0 || at_prompt;
        let odd = found.iter().any(|found| {
            let inside = matches!(found.entry.family, Family::Frames | Family::Application);
            inside && found.severity != Severity::Note
        });
        let wanted = end == EndSeverity::Failed || shown || odd;
        if wanted && !self.quiet {
            let worthy = worth_printing(found, end, self.verbose > 0);
            let worthy = self.redaction.diagnostics(&worthy);
            diagnostic::write_all(&worthy, self.text_columns(), self.stderr_palette, &mut out);
        }
        out
    }

    /// Writes the buffers of sinks and stderr as far as possible without waiting; call it in each
    /// round of a loop.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sinks().try_for_each(Sink::flush)?;
        let written = stderr::flush();
        if self.transcript.as_ref().is_some_and(Transcript::is_closed) {
            // The transcript has no reader any more; the payload continues.
            self.transcript = None;
            return written;
        }
        Ok(())
    }

    /// Whether notes and heads are shown as events.
    pub fn prints_notes(&self) -> bool {
        let transcript = self.transcript.is_some() && self.events.shows(&Event::Note(""));
        transcript || self.json.is_some()
    }

    /// Whether the end of a connection is shown where errors appear.
    pub fn shows_end_on_stderr(&self) -> bool {
        self.transcript.as_ref().is_some_and(Transcript::shows_end_on_stderr)
    }

    /// Whether the body of a refusal is a part of the transcript.
    pub fn shows_bodies(&self) -> bool {
        self.transcript.is_some() && self.events.shows(&Event::Body(b""))
    }

    /// Whether a broken rule is printed with its frame.
    pub fn prints_violations(&self) -> bool {
        self.transcript.is_some()
    }

    /// Whether warnings that are not events of a transcript may be printed on stderr.
    pub fn prints_warnings(&self) -> bool {
        !self.quiet
    }

    /// Removes secrets from output other than events.
    pub fn redactor(&self) -> &Redactor {
        &self.redaction.redactor
    }

    /// Adds secrets of the command line, which are then removed from all output.
    pub fn learn_secrets(&mut self, learn: impl FnOnce(&mut Redactor)) {
        learn(&mut self.redaction.redactor);
        secrets::publish(&self.redaction.redactor);
    }
}

/// The verdict on a failure, other errors, unusual frames, and the protocol inside. Other notes
/// only with `all`, and only after a failure.
fn worth_printing(found: &[Diagnostic], end: EndSeverity, all: bool) -> Vec<Diagnostic> {
    let failed = end == EndSeverity::Failed;
    let worthy = found.iter().enumerate().filter(|(at, diagnostic)| {
        let inside = diagnostic.entry.family == Family::Application;
        let frames = diagnostic.entry.family == Family::Frames;
        // What the 101 agreed on explains no failure.
        let verdict = *at == 0 && diagnostic.entry.family != Family::Agreement;
        let wanted = failed && (verdict || frames || all);
        diagnostic.severity != Severity::Note || inside || wanted
    });
    worthy.map(|(_, diagnostic)| diagnostic.clone()).collect()
}

/// `--output json`: one object on each line of stdout.
impl Sink for JsonPrinter {
    #[inline]
    fn event(&mut self, at: &Stamp, event: &Event<'_>, stdout: &mut Stdout) -> io::Result<()> {
        self.print(at, event, stdout.buffer());
        Ok(())
    }

    fn meaning(&mut self, at: &Stamp, meaning: &Meaning, stdout: &mut Stdout) -> io::Result<()> {
        JsonPrinter::meaning(self, at, meaning, stdout.buffer());
        Ok(())
    }

    fn diagnostics(
        &mut self,
        at: &Stamp,
        found: &[Diagnostic],
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        JsonPrinter::diagnostics(self, at, found, stdout.buffer());
        Ok(())
    }
}
