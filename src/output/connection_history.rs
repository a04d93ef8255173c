//! What a session remembers of a connection, for `/show`, `/last` and `/status`.

use std::collections::VecDeque;

use crate::event::{Direction, Event, FrameEvent, Stamp, TlsFacts};
use crate::session::Assembler;
use crate::session::stats::Stats;
use crate::ui::{HumanOptions, HumanPrinter};
use crate::wire::OpCode;
use crate::wire::handshake::rules::Report;
use crate::wire::head::Head;

/// How much is remembered.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Frames, as lines.
    pub frames: usize,
    /// Bytes of the last message.
    pub last: usize,
}

impl Kept {
    /// Where there is one connection.
    pub const ALL: Self = Self { frames: 1000, last: 64 * 1024 * 1024 };
}

/// A message as it was received.
#[derive(Debug, Default)]
pub struct LastMessage {
    /// Text or binary.
    pub opcode: Option<OpCode>,
    /// Its content, as much of it as is kept.
    pub content: Vec<u8>,
    /// Bytes of content in all.
    pub len: u64,
}

/// What is remembered of a connection.
pub struct ConnectionHistory {
    /// Counts and times.
    pub stats: Stats,
    /// The request as it was sent.
    pub request: Option<Head>,
    /// The response as it came.
    pub response: Option<Head>,
    /// Every rule's verdict.
    pub report: Option<Report>,
    /// What was agreed under TLS.
    pub tls: Option<TlsFacts>,
    /// Our address and the peer's.
    pub addresses: Option<(String, String)>,
    /// The last whole message.
    pub last: Option<LastMessage>,
    /// The message that is coming in.
    coming: Assembler,
    frames: VecDeque<Vec<u8>>,
    printer: HumanPrinter,
    options: HumanOptions,
    kept: Kept,
    lines: Vec<u8>,
}

impl ConnectionHistory {
    /// An empty one; `options`: how remembered frames look.
    pub fn new(options: HumanOptions, kept: Kept) -> Self {
        Self {
            stats: Stats::default(),
            request: None,
            response: None,
            report: None,
            tls: None,
            addresses: None,
            last: None,
            coming: Assembler::new(kept.last),
            frames: VecDeque::new(),
            printer: HumanPrinter::new(options),
            options,
            kept,
            lines: Vec::new(),
        }
    }

    /// Takes one event.
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) {
        self.stats.observe(at, event);
        match event {
            Event::Connected { local, peer } => {
                // Another connection: what is known of the one before does not hold for it.
                *self = Self::new(self.options, self.kept);
                self.addresses = Some(((*local).to_owned(), (*peer).to_owned()));
            }
            Event::Tls(facts) => self.tls = Some((*facts).clone()),
            Event::Head(Direction::ToServer, head) => self.request = Some((*head).clone()),
            Event::Head(Direction::ToClient, head) => self.response = Some((*head).clone()),
            Event::Judged(report) => self.report = Some((*report).clone()),
            Event::Frame(direction, event) => {
                if *direction != self.options.sent {
                    self.read(event);
                }
                self.keep_line(at, &Event::Frame(*direction, event.clone()));
            }
            Event::RoundTrip(_) => self.keep_line(at, event),
            _ => {}
        }
    }

    /// Bytes of the last message that are kept.
    pub fn last_len(&self) -> usize {
        self.last.as_ref().map_or(0, |last| last.content.len())
    }

    /// The lines of the last `n` frames, oldest first.
    pub fn frames(&self, n: usize) -> impl Iterator<Item = &[u8]> {
        self.frames.iter().skip(self.frames.len().saturating_sub(n)).map(Vec::as_slice)
    }

    fn keep_line(&mut self, at: &Stamp, event: &Event<'_>) {
        self.printer.print(at, event, &mut self.lines);
        if !self.lines.is_empty() {
            if self.frames.len() >= self.kept.frames {
                self.frames.pop_front();
            }
            self.frames.push_back(std::mem::take(&mut self.lines));
        }
    }

    fn read(&mut self, event: &FrameEvent<'_>) {
        let last = self.coming.take(event, |message| LastMessage {
            opcode: Some(OpCode::Data(message.opcode)),
            len: message.len,
            content: message.into_content(),
        });
        self.last = last.or_else(|| self.last.take());
    }
}
