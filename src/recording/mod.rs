//! Recordings: the data of connections, read from a file.
//!
//! One model for every format. A file is a sequence of [`Record`]s: bytes of a direction, and facts
//! that are not bytes, each with its time and its connection. A [`Player`] turns them into the
//! events that a live session has, so that all readers of events can read a recording of any
//! format. Any bytes give records, or an error with its position. The memory of readers is limited.

mod acts;
mod capture;
mod comparison;
mod error;
mod har;
mod log;
mod packet;
mod pcap;
mod plan;
mod player;
mod reader;
mod session;
mod tcp;
mod values;
pub mod write;

pub use acts::{Act, ActKind, Acts, Piece};
pub use capture::{Capture, CapturedStream, StreamKind};
pub use comparison::{Compare, Comparison, Difference, canonical};
pub use error::RecordingError;
pub use log::LogReader;
pub use pcap::PacketFile;
pub use plan::{PlanStep, RecordedMessage, RecordedRequest, ReplayPlan};
pub use player::{Player, agreed};
pub use reader::{Reader, RecordingFormat, Sniffed};
pub use session::{LeftOut, RecordedSession, SessionMessage, Sessions};
pub use tcp::TcpDirection;
pub use values::{ValueRules, Values};

use std::net::SocketAddr;
use std::time::Duration;

use crate::event::{CommandEnd, Direction, Ending, Intervened, Made, Phases, Stamp, TlsFacts};
use crate::wire::Role;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::rules::Report;

/// A record of a recording.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its time and its connection.
    pub at: Stamp,
    /// Its content.
    pub fact: Fact,
}

/// The content of a record.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // those without a text are the events of the same name
pub enum Fact {
    /// A program begins to record; later records belong to new connections.
    Start {
        /// Its role, if it was one of the ends.
        role: Option<Role>,
        /// Whether the recording contains secrets.
        secrets: bool,
        /// Whether the recording states the agreement and the ends of connections; otherwise, the
        /// bytes show them.
        complete: bool,
    },
    /// A whole head: a stream begins, or begins again.
    Head(Direction, Vec<u8>),
    /// The next bytes of a direction.
    Bytes(Direction, Vec<u8>),
    /// The next bytes that a relay injected into a direction.
    Made(Made, Direction, Vec<u8>),
    /// The endpoint itself made the next frame in this direction.
    Automatic(Direction),
    /// Bytes of a direction are missing, so later bytes can't be decoded; the text says how many.
    Missing(Direction, String),
    /// The connection has ended: who ended it, if that is known, and whether by a reset.
    Closed {
        by: Option<Role>,
        reset: bool,
    },
    Resolved {
        host: String,
        addresses: Vec<SocketAddr>,
    },
    AddressFailed {
        address: SocketAddr,
        error: String,
    },
    Connected {
        local: String,
        peer: String,
    },
    Listening(String),
    Tls(Box<TlsFacts>),
    Timing(Phases),
    Judged(Box<Report>),
    Open(Agreed),
    RoundTrip(Duration),
    CommandEnded(CommandEnd),
    Intervened(Intervened),
    Note(String),
    Failed(String),
    Passed(String),
    End(Box<Ending>),
    /// A diagnostic: the object of the JSON lines.
    Diagnostic(Box<serde_json::Value>),
}
