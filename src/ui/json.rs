//! Events as JSON: one object on each line, with every byte.
//!
//! The same lines are the recording format; `docs/json.md` describes them. It appends to a buffer.
//! Its memory for each direction is limited to [`INLINE`], even for longer frames and messages.

mod direction_printer;
mod facts;
mod meaning;
mod object;
mod ping;
mod replay;

use direction_printer::JsonDirectionPrinter;
use object::ObjectWriter;
pub use object::{INLINE, PIECE};
pub use replay::{Difference, MemberDifference};

use super::connections::PerConnection;
use super::doctor::{DoctorStep, Examination};
use crate::diagnostics::{Diagnostic, Place, Span};
use crate::event::{Direction, Event, MessageInfo, Stamp};
use crate::ui::clock::UtcClock;
use crate::ui::meaning::Meaning;
use crate::wire::{Role, role_name};

/// The version of the schema, in the first object.
pub const VERSION: u64 = 1;

/// Prints events for programs. See the [module](self).
#[derive(Debug)]
pub struct JsonPrinter {
    role: Option<Role>,
    shows_secrets: bool,
    started: bool,
    clock: UtcClock,
    connections: PerConnection<[JsonDirectionPrinter; 2]>,
    /// The printers of frames that a relay made.
    made: PerConnection<[JsonDirectionPrinter; 2]>,
}

impl JsonPrinter {
    /// A printer without state. `role` is our role; `None` for a program that is neither end.
    pub fn new(role: Option<Role>) -> Self {
        Self {
            role,
            shows_secrets: false,
            started: false,
            clock: UtcClock::default(),
            connections: PerConnection::default(),
            made: PerConnection::default(),
        }
    }

    /// States in the first object whether secrets are shown or left out.
    pub fn with_secrets(self, shows_secrets: bool) -> Self {
        Self { shows_secrets, ..self }
    }

    /// Takes one event and appends the objects it completes, each with its `\n`.
    ///
    /// Events of one direction must come in order; directions and connections may interleave. The
    /// first event may come in the middle of a frame; of such a frame, only violations are printed.
    pub fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        if !self.started {
            self.start(at, out);
        }
        let Self { clock, connections, made, .. } = self;
        match event {
            Event::Frame(direction, event) => {
                let printer = &mut connections.of(at.conn)[*direction as usize];
                printer.take(at, *direction, event, clock, out);
            }
            Event::Automatic(direction) => connections.of(at.conn)[*direction as usize].automatic(),
            Event::Made(why, direction, event) => {
                let printer = &mut made.of(at.conn)[*direction as usize];
                printer.made = Some(*why);
                printer.take(at, *direction, event, clock, out);
            }
            Event::End(end) => {
                for printer in connections.of(at.conn) {
                    printer.flush(clock, out);
                }
                connections.forget(at.conn);
                made.forget(at.conn);
                facts::end(at, end, clock, out);
            }
            Event::Failed(_) | Event::Passed(_) => {
                connections.forget(at.conn);
                facts::print(at, event, clock, out);
            }
            other => facts::print(at, other, clock, out),
        }
    }

    /// Appends the object with the meaning of a message.
    pub fn meaning(&mut self, at: &Stamp, meaning: &Meaning, out: &mut Vec<u8>) {
        if !self.started {
            self.start(at, out);
        }
        meaning::print(at, meaning, &mut self.clock, out);
    }

    /// Appends an object of a mode.
    fn object(
        &mut self,
        event: &str,
        at: &Stamp,
        out: &mut Vec<u8>,
        fields: impl FnOnce(&mut ObjectWriter<'_>),
    ) {
        if !self.started {
            self.start(at, out);
        }
        let mut object = ObjectWriter::begin(event, at, None, &mut self.clock, out);
        fields(&mut object);
        object.end();
    }

    /// Appends an object for each diagnostic of a connection, the verdict first.
    pub fn diagnostics(&mut self, at: &Stamp, found: &[Diagnostic], out: &mut Vec<u8>) {
        if !self.started {
            self.start(at, out);
        }
        for (index, found) in found.iter().enumerate() {
            diagnostic(at, found, index == 0, &mut self.clock, out);
        }
    }

    /// Appends the report of an examination: the verdict, the diagnostics, the steps.
    pub fn report(&mut self, at: &Stamp, report: &Examination, out: &mut Vec<u8>) {
        if !self.started {
            self.start(at, out);
        }
        verdict(at, report, &mut self.clock, out);
        self.diagnostics(at, &report.found, out);
        for step in &report.steps {
            self::step(at, step, &mut self.clock, out);
        }
    }

    /// Prints the received parts of incomplete frames, after the last event.
    pub fn flush_partial(&mut self, out: &mut Vec<u8>) {
        for conn in self.connections.ids() {
            for printer in self.connections.of(conn) {
                printer.flush(&mut self.clock, out);
            }
        }
    }

    fn start(&mut self, at: &Stamp, out: &mut Vec<u8>) {
        self.started = true;
        out.extend_from_slice(b"{\"event\":\"start\",\"v\":");
        super::number::decimal(VERSION, out);
        let mut object = ObjectWriter::go_on(at, None, &mut self.clock, out);
        object.string("program", env!("CARGO_PKG_NAME"));
        object.string("version", env!("CARGO_PKG_VERSION"));
        object.optional("role", self.role.map(role_name));
        object.word("secrets", if self.shows_secrets { "shown" } else { "left-out" });
        object.end();
    }
}

/// The object of a message as a line, for a command.
pub fn message(at: &Stamp, direction: Direction, info: &MessageInfo, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let clock = &mut UtcClock::default();
    direction_printer::write_message(at, direction, None, info, Some(content), clock, &mut out);
    out
}

/// Prints the verdict of an examination.
fn verdict(at: &Stamp, report: &Examination, clock: &mut UtcClock, out: &mut Vec<u8>) {
    let mut object = ObjectWriter::begin("verdict", at, None, clock, out);
    object.flag("opened", report.opened);
    object.string("text", &report.verdict);
    object.end();
}

/// Prints a step of an examination.
fn step(at: &Stamp, step: &DoctorStep, clock: &mut UtcClock, out: &mut Vec<u8>) {
    let DoctorStep { name, outcome, text, elapsed } = step;
    let mut object = ObjectWriter::begin("step", at, None, clock, out);
    object.word("name", name);
    object.word("outcome", outcome.name());
    object.string("text", text);
    object.micros("elapsed_us", *elapsed);
    object.end();
}

/// Prints one diagnostic. `verdict` means that it explains the end.
fn diagnostic(
    at: &Stamp,
    diagnostic: &Diagnostic,
    verdict: bool,
    clock: &mut UtcClock,
    out: &mut Vec<u8>,
) {
    let Diagnostic { entry, severity, title, span, notes, causes, help } = diagnostic;
    let mut object = ObjectWriter::begin("diagnostic", at, None, clock, out);
    object.word("code", entry.code);
    object.word("severity", severity.name());
    object.flag("verdict", verdict);
    object.string("title", title);
    object.nested_if("span", span.as_ref(), self::span);
    object.string("explanation", entry.explanation);
    object.string("source", entry.source);
    object.strings("notes", notes);
    object.array("causes", causes, |cause, out| {
        ObjectWriter::inline(out, |object| {
            object.word("confidence", cause.confidence.name());
            object.string("text", &cause.text);
            object.optional("because", cause.because.as_deref());
        });
    });
    object.string("help", help);
    object.end();
}

fn span(span: &Span, object: &mut ObjectWriter<'_>) {
    let Span { place, offset, bytes, marked, label, form: _ } = span;
    let (name, line, frame, after) = match place {
        Place::Url => ("url", None, None, None),
        Place::Request { line } => ("request", Some(*line as u64), None, None),
        Place::Response { line } => ("response", Some(*line as u64), None, None),
        Place::Body => ("body", None, None, None),
        Place::FirstBytes => ("first-bytes", None, None, None),
        Place::Stream => ("stream", None, None, None),
        Place::Message => ("message", None, None, None),
        Place::Frame { number, after } => ("frame", None, Some(*number), *after),
    };
    object.word("place", name);
    object.optional_number("line", line);
    object.optional_number("frame", frame);
    object.micros("after_us", after);
    object.number("offset", *offset);
    object.number("mark_start", marked.start as u64);
    object.number("mark_end", marked.end as u64);
    object.string("label", label);
    object.text_or_base64(true, bytes);
}
