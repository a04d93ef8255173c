//! The facts about a connection that a session remembers besides its frames, for `/show`, `/last`
//! and `/status`.

use crate::event::{Direction, Event, FrameEvent, Stamp, TlsFacts};
use crate::session::Assembler;
use crate::session::stats::Stats;
use crate::wire::OpCode;
use crate::wire::handshake::rules::Report;
use crate::wire::head::Head;

/// A received message.
#[derive(Debug, Default)]
pub struct LastMessage {
    /// Text or binary.
    pub opcode: Option<OpCode>,
    /// Its content, or the kept beginning of it.
    pub content: Vec<u8>,
    /// The size of its content in bytes.
    pub len: u64,
}

/// The remembered facts of a connection.
pub struct ConnectionHistory {
    /// Counts and times.
    pub stats: Stats,
    /// The request as it was sent.
    pub request: Option<Head>,
    /// The response as received.
    pub response: Option<Head>,
    /// The verdicts on the rules.
    pub report: Option<Report>,
    /// The agreement of TLS.
    pub tls: Option<TlsFacts>,
    /// Our address and the peer's.
    pub addresses: Option<(String, String)>,
    /// The last whole message.
    pub last: Option<LastMessage>,
    /// The message that is arriving.
    coming: Assembler,
    sent: Direction,
    most: usize,
}

impl ConnectionHistory {
    /// An empty history. `sent` is the direction of sent data. The first `most` bytes of the last
    /// message are kept.
    pub fn new(sent: Direction, most: usize) -> Self {
        Self {
            stats: Stats::default(),
            request: None,
            response: None,
            report: None,
            tls: None,
            addresses: None,
            last: None,
            coming: Assembler::new(most),
            sent,
            most,
        }
    }

    /// Takes one event.
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) {
        self.stats.observe(at, event);
        match event {
            Event::Connected { local, peer } => {
                // For another connection, the old facts do not apply.
                *self = Self::new(self.sent, self.most);
                self.addresses = Some(((*local).to_owned(), (*peer).to_owned()));
            }
            Event::Tls(facts) => self.tls = Some((*facts).clone()),
            Event::Head(Direction::ToServer, head) => self.request = Some((*head).clone()),
            Event::Head(Direction::ToClient, head) => self.response = Some((*head).clone()),
            Event::Judged(report) => self.report = Some((*report).clone()),
            Event::Frame(direction, event) if *direction != self.sent => self.read(event),
            _ => {}
        }
    }

    /// How many bytes of the last message are kept.
    pub fn last_len(&self) -> usize {
        self.last.as_ref().map_or(0, |last| last.content.len())
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
