//! The commands of the prompt and of scripts: what a line means.
//!
//! One table has each command's name, arguments and help; the parser, the completion, the hints,
//! `/help`, `docs/commands.md` and the man page all read it. Uses no connection: a [`Command`] is
//! the meaning of a line, and the runner carries it out.
//!
//! A line of a server may name its clients: [`target`].
//!
//! [`table`] is that table. [`parse()`] goes through it to `parse.rs` and [`frame`], which read
//! [`payload`]s and the notations of single values; `words.rs` splits the line. [`completion`] and
//! `hint` ask `cursor.rs` for the position in the line. [`help`] prints the table, [`illegal`]
//! judges outgoing frames.

pub mod completion;
mod entry;
pub mod error;
mod expected;
pub mod frame;
pub mod help;
pub mod illegal;
mod parse;
pub mod payload;

pub mod table;
pub mod target;
pub mod variables;
mod words;

use std::path::PathBuf;
use std::time::Duration;

pub use crate::cli::lens::LensChoice;
use crate::config::rule::ProxyRule;
use crate::event::Direction;
pub use crate::session::endpoint::AutoPong;
use crate::ui::filter::{ClientSet, Filter};
use crate::ui::pattern::Pattern;
use crate::ui::pretty::Pretty;
use crate::ui::view::{Timestamps, View};
use crate::wire::mask::MaskKey;
use crate::wire::{Data, LengthForm, OpCode};

pub use error::ParseError;
pub use expected::{Expected, FieldTest};
pub use parse::{filter_for, parse, parse_for, parse_with};

/// The meaning of a line.
#[derive(Clone, Debug)]
pub enum Command {
    /// `/text PAYLOAD`, and every line that is not a command: a text message.
    Text(Payload),
    /// `/binary PAYLOAD`: a binary message.
    Binary(Payload),
    /// A text or binary message that continues in the next command: `"fin":false` of a JSON
    /// command.
    Unfinished {
        /// The opcode. The first part decides it.
        opcode: Data,
        /// This part of the message.
        payload: Payload,
    },
    /// `/file PATH [text|binary]`: a file as one message; binary unless text is given.
    File {
        /// The file.
        path: PathBuf,
        /// Send it as text.
        text: bool,
    },
    /// `/ping [PAYLOAD]`.
    Ping(Payload),
    /// `/pong [PAYLOAD]`: a pong without a ping.
    Pong(Payload),
    /// `/close [CODE [REASON]]`. Any code is allowed, even an illegal one.
    Close {
        /// The code; `None` sends an empty Close.
        code: Option<u16>,
        /// The reason; escapes have been resolved.
        reason: Vec<u8>,
    },
    /// `/frame …`: one frame with every bit chosen.
    Frame(FrameSpec),
    /// `/fragment …`: a message in fragments of chosen sizes.
    Fragment(FragmentSpec),
    /// `/bytes PAYLOAD`: sends bytes without a frame around them.
    Bytes(Payload),
    /// `/abort`: ends TCP with a reset.
    Abort,
    /// `/half-close`: ends our direction of the stream, and continues to receive.
    HalfClose,
    /// `/autopong [on|off|delay SECONDS]`.
    AutoPong(Option<AutoPong>),
    /// `/autoclose [on|off]`: whether wscope answers the peer's Close.
    AutoClose(Option<bool>),
    /// `/compress [on|off]`: whether wscope compresses messages, if both sides agreed to
    /// compression.
    Compress(Option<bool>),
    /// `/every INTERVAL COMMAND`.
    Every {
        /// The time between two runs; more than zero.
        interval: Duration,
        /// The command that is repeated.
        command: Box<Command>,
        /// The line as typed, for lists and messages.
        line: String,
    },
    /// `/stop [N]`: ends one `/every`, or all of them.
    Stop(Option<u64>),
    /// `/repeat N COMMAND`.
    Repeat {
        /// The number of repetitions.
        count: u64,
        /// The command that is repeated.
        command: Box<Command>,
    },
    /// `/wait SECONDS`: the following lines wait.
    Wait(Duration),
    /// `/expect REGEX [TIMEOUT]`: the following lines wait for a message that matches.
    Expect {
        /// What a message must match.
        expected: Expected,
        /// How long to wait, if that was given.
        timeout: Option<Duration>,
    },
    /// `/expect-not REGEX [TIMEOUT]`: the following lines wait, and no message may match during
    /// that time.
    ExpectNot {
        /// What no message may match.
        expected: Expected,
        /// How long to wait.
        timeout: Duration,
    },
    /// `/expect-close CODE [TIMEOUT]`: the following lines wait for the end of the connection.
    ExpectClose {
        /// The code that an application sees: 1005 for a Close without a code, 1006 for an end
        /// without a Close.
        code: u16,
        /// How long to wait, if that was given.
        timeout: Option<Duration>,
    },
    /// `/set [NAME [VALUE]]`: sets a variable. Without a value, shows the variable; without a name,
    /// shows all.
    Set {
        /// The variable.
        name: Option<String>,
        /// Its value.
        value: Option<String>,
    },
    /// `/on [REGEX COMMAND]`: answers each message that matches; without arguments, lists the rules.
    On(Option<OnRule>),
    /// `/off [N]`: ends one `/on`, or all of them.
    OffRule(Option<u64>),
    /// `/await [N] [TIMEOUT]`: the following lines wait until N clients are connected.
    Await {
        /// How many clients at the same time; more than zero.
        count: usize,
        /// How long to wait.
        timeout: Duration,
    },
    /// `@TARGET LINE`, `/to TARGET [LINE]`: a line for these clients. Without a line, all following
    /// lines are for them.
    To {
        /// The clients.
        target: ClientSet,
        /// The line for them.
        command: Option<Box<Command>>,
    },
    /// `/rule`, `/hold`: what a proxy does with passing messages.
    Rule(RuleChange),
    /// `/next`, `/drop`, `/pass`: releases held messages.
    Release(ReleaseWhat),
    /// `/clients`: lists the connected clients.
    Clients,
    /// `/source FILE`: runs the lines of a file, as if typed.
    Source(PathBuf),
    /// `/edit [PAYLOAD]`: opens an editor with the payload, and sends the saved text.
    Edit(Payload),
    /// `/last`: shows the last received message in full.
    Last,
    /// `/show …`.
    Show(Show),
    /// `/find REGEX`, `/show frames N /REGEX/`: shows the last messages that match.
    Find {
        /// The pattern for their content.
        pattern: Pattern,
        /// How many.
        most: usize,
    },
    /// `/view frames|messages|json|hex`; without an argument, shows the current setting.
    View(Option<View>),
    /// `/filter …`.
    Filter(FilterChange),
    /// `/pretty auto|always|never`; without an argument, shows the current setting.
    Pretty(Option<Pretty>),
    /// `/timestamps auto|on|off|relative`; without an argument, shows the current setting.
    Timestamps(Option<Timestamps>),
    /// `/log FILE|off`; without an argument, shows where the log goes.
    Log(LogChange),
    /// `/lens NAME`; without a name, shows the current setting.
    Lens(Option<LensChoice>),
    /// `/stomp COMMAND …` and the like: messages of a protocol that a lens reads.
    Speak {
        /// The protocol's word.
        word: &'static str,
        /// Its command and the arguments.
        line: String,
    },
    /// `/keepalive [on|off]`: whether wscope sends the heartbeats and answers that the protocol of
    /// the lens requires.
    KeepAlive(Option<bool>),
    /// `/headers [NAME: VALUE]`: shows what the next `/reconnect` sends, or changes it as `-H` does.
    Headers(Option<String>),
    /// `/reconnect`.
    Reconnect,
    /// `/open URL`.
    Open(String),
    /// `/status`.
    Status,
    /// `/clear`: an empty screen.
    Clear,
    /// `/help [COMMAND]`; the name has been found in the table.
    Help(Option<&'static str>),
    /// `/quit`: Close 1000, then the end.
    Quit,
    /// `/# …`, an empty line: nothing.
    Nothing,
}

impl Command {
    /// The message that the command sends, if the line contains it.
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Text(payload)
            | Self::Binary(payload)
            | Self::Unfinished { payload, .. }
            | Self::Ping(payload)
            | Self::Pong(payload)
            | Self::Bytes(payload) => Some(payload),
            Self::Frame(spec) => Some(&spec.payload),
            Self::Fragment(spec) => Some(&spec.message),
            _ => None,
        }
    }

    /// Whether the command runs even if earlier data can't be sent yet. Such a command sends no
    /// data, or ends the connection.
    pub fn waits_for_no_room(&self) -> bool {
        match self {
            Self::To { command: Some(command), .. } => command.waits_for_no_room(),
            Self::Close { .. }
            | Self::Abort
            | Self::HalfClose
            | Self::Stop(_)
            | Self::To { .. }
            | Self::Clients
            | Self::Last
            | Self::Show(_)
            | Self::Find { .. }
            | Self::View(_)
            | Self::Pretty(_)
            | Self::Filter(_)
            | Self::Timestamps(_)
            | Self::Log(_)
            | Self::Status
            | Self::Clear
            | Self::Help(_)
            | Self::Quit => true,
            _ => false,
        }
    }

    /// Whether the command acts on or describes single connections, so that a server's line can
    /// name clients for it.
    pub fn takes_target(&self) -> bool {
        match self {
            Self::Text(_)
            | Self::Binary(_)
            | Self::Unfinished { .. }
            | Self::File { .. }
            | Self::Ping(_)
            | Self::Pong(_)
            | Self::Close { .. }
            | Self::Frame(_)
            | Self::Fragment(_)
            | Self::Bytes(_)
            | Self::Speak { .. }
            | Self::Abort
            | Self::HalfClose
            | Self::AutoPong(_)
            | Self::AutoClose(_)
            | Self::Compress(_)
            | Self::Every { .. }
            | Self::Repeat { .. }
            | Self::Expect { .. }
            | Self::ExpectNot { .. }
            | Self::ExpectClose { .. }
            | Self::On(Some(_))
            | Self::Last
            | Self::Show(_)
            | Self::Find { .. }
            | Self::Status
            | Self::Release(_)
            | Self::Edit(_)
            | Self::Nothing => true,
            Self::Rule(_)
            | Self::Await { .. }
            | Self::On(None)
            | Self::OffRule(_)
            | Self::Set { .. }
            | Self::To { .. }
            | Self::Clients
            | Self::Stop(_)
            | Self::Wait(_)
            | Self::Source(_)
            | Self::View(_)
            | Self::Pretty(_)
            | Self::Filter(_)
            | Self::Timestamps(_)
            | Self::Log(_)
            | Self::Lens(_)
            | Self::KeepAlive(_)
            | Self::Headers(_)
            | Self::Reconnect
            | Self::Open(_)
            | Self::Clear
            | Self::Help(_)
            | Self::Quit => false,
        }
    }
}

/// `REGEX COMMAND` of `/on`.
#[derive(Clone, Debug)]
pub struct OnRule {
    /// What a message must match.
    pub pattern: Pattern,
    /// The answer as written; it has been checked.
    pub line: String,
    /// The parsed answer; `None` if it has variables, because then it is parsed again for each
    /// message.
    pub command: Option<Box<Command>>,
}

/// A payload as written. A file is read when the command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// These bytes.
    Bytes(Vec<u8>),
    /// `@PATH`: the bytes of a file.
    File(PathBuf),
}

/// `/frame [OPCODE] [OPTION…] [PAYLOAD]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameSpec {
    /// Any of the sixteen; text by default.
    pub opcode: OpCode,
    /// The FIN bit; set by default.
    pub fin: bool,
    /// RSV1 to RSV3.
    pub rsv: [bool; 3],
    /// The mask.
    pub mask: MaskChoice,
    /// The form of the length; `None` takes the shortest.
    pub form: Option<LengthForm>,
    /// The length to announce; `None` announces the true one.
    pub announced: Option<u64>,
    /// The payload before masking.
    pub payload: Payload,
}

/// `mask=on|off|KEY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaskChoice {
    /// As the role requires: a client masks, a server does not.
    #[default]
    Role,
    /// With a fresh key, whatever the role.
    On,
    /// Without a mask.
    Off,
    /// With this key.
    Key(MaskKey),
}

/// `/fragment N|SIZES [binary] [ping] MESSAGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentSpec {
    /// How the message is cut.
    pub cut: Fragmentation,
    /// Binary instead of text.
    pub binary: bool,
    /// Sends a ping between the fragments.
    pub ping: bool,
    /// The message.
    pub message: Payload,
}

/// How a message is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fragmentation {
    /// `3`: into this many fragments of about the same size; more than zero.
    Count(usize),
    /// `2,0,5`: into fragments of these sizes; the rest is one more fragment.
    Sizes(Vec<usize>),
}

/// What `/show` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Both heads and the verdicts on the handshake rules.
    Handshake,
    /// Version, cipher, certificate.
    Tls,
    /// Counts, sizes, ratios, round trips.
    Stats,
    /// The settings of the endpoint and of the session.
    State,
    /// The state of the lens.
    Lens,
    /// The last frames of both directions.
    Frames(usize),
    /// The message that contains the frame with this number. Without a direction, prefers the
    /// received one.
    Message(u64, Option<Direction>),
}

/// What `/filter` changes.
#[derive(Clone, Debug)]
pub enum FilterChange {
    /// Shows the current filter.
    Ask,
    /// `off`: everything is shown.
    Off,
    /// `in|out|both` `text,ping,…` `/REGEX/` `!/REGEX/`: shows only frames that match all given
    /// parts. Replaces the previous filter.
    Only(Filter),
}

/// What `/rule` and `/hold` change.
#[derive(Clone, Debug)]
pub enum RuleChange {
    /// Lists the rules.
    Ask,
    /// Adds a rule.
    Add(Box<ProxyRule>),
    /// Removes a rule, or all rules.
    Remove(Option<u64>),
    /// Ends holding.
    EndHolding,
}

/// Which held messages are released, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseWhat {
    /// Forwards the first one.
    Next,
    /// Drops the first one.
    Drop,
    /// Forwards all of them, and ends holding.
    All,
}

/// What `/log` changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogChange {
    /// Shows where the log goes.
    Ask,
    /// Ends the log.
    Off,
    /// Appends to this file from now on.
    File(PathBuf),
}
