//! The options of `wscope replay`, as typed; `config/replay.rs` checks them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::values::{duration, number};
use super::{DisplayOptions, HandshakeOptions, ReachOptions, ReportFormat};

/// `wscope replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording: JSON lines of --record, HAR, pcap or pcapng; `-` is stdin
    ///
    /// FILE#3 means its third connection, as `wscope decode --list FILE` numbers them.
    #[arg(value_name = "FILE[#CONN]", value_hint = clap::ValueHint::AnyPath)]
    pub file: OsString,

    /// Where to connect [default: the URL of the recording]
    ///
    /// If it has no path, the path and query of the recording are used.
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// When messages are sent: wait, original, fast, or a factor such as 2x or 0.5x
    ///
    /// `wait` sends each message when as many messages have arrived as in the recording. `original` keeps the recorded times, `2x` is twice as fast. `fast` sends all at once.
    /// The Close always waits for the messages before it.
    #[arg(long, value_name = "PACE", default_value = "wait", help_heading = "Pace")]
    pub pace: String,

    /// With --pace original or a factor, shorten pauses to SECS
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Pace")]
    pub max_gap: Option<Duration>,

    /// Give up if an awaited message has not arrived after SECS
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = duration, help_heading = "Pace")]
    pub step_timeout: Duration,

    /// Replace ${NAME} in sent messages and in the TEXT of --replace by VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, help_heading = "Messages")]
    pub set: Vec<String>,

    /// Take a value from a received message, and send it in place of the recorded one; may be repeated
    ///
    /// The value is the first group of RE, both in the recorded and in the received message. Later sent
    /// messages contain the received value instead of the recorded one. ${NAME} stands for the received value.
    #[arg(long, value_name = "NAME=/RE/", action = ArgAction::Append, help_heading = "Messages")]
    pub capture: Vec<String>,

    /// Replace what RE matches in sent messages by TEXT; may be repeated
    ///
    /// $1 and ${name} in TEXT are groups of RE.
    #[arg(long, value_name = "/RE/TEXT/", action = ArgAction::Append, help_heading = "Messages")]
    pub replace: Vec<String>,

    /// Compare the received messages with the recording; the status is 13 if they differ
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        default_value = "none",
        help_heading = "Comparison"
    )]
    pub compare: CompareChoice,

    /// Leave out what RE matches in messages when comparing; may be repeated
    #[arg(long, value_name = "/RE/", action = ArgAction::Append, help_heading = "Comparison")]
    pub ignore: Vec<String>,

    /// With --compare json, leave out a member, such as /data/time; `*` is any name; may be repeated
    #[arg(long, value_name = "POINTER", action = ArgAction::Append, help_heading = "Comparison")]
    pub ignore_json: Vec<String>,

    /// Replay on N connections at once
    #[arg(long, value_name = "N", default_value = "1", value_parser = number::<u32>(1..=100_000), help_heading = "Load")]
    pub parallel: u32,

    /// Replay M times on each, one after the other
    #[arg(long, value_name = "M", default_value = "1", value_parser = number::<u32>(1..=u32::MAX.into()), help_heading = "Load")]
    pub repeat: u32,

    /// End after SECS in any case, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Time limit for the peer's answer to our Close
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = duration, help_heading = "Ending")]
    pub close_timeout: Duration,

    /// What is written to stdout
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Input and output"
    )]
    pub output: ReportFormat,

    /// Append every event to FILE, as lines of JSON
    #[arg(long, visible_alias = "record", value_name = "FILE", help_heading = "Input and output")]
    pub log: Option<PathBuf>,

    /// The opening handshake.
    #[command(flatten)]
    pub handshake: HandshakeOptions,

    /// Credentials, redirects, reports, defaults.
    #[command(flatten)]
    pub reach: ReachOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// How received messages are compared with those of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompareChoice {
    /// Nothing is compared
    None,
    /// Their number
    Count,
    /// Also whether each is text or binary
    Kind,
    /// Also their content
    Text,
    /// Also their content; JSON by its values
    Json,
}

/// How a client's message is matched with a recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MatchChoice {
    /// In the recorded order, whatever the content
    Order,
    /// By its content; JSON by its values
    Content,
}

/// What happens to a client's message that the recording does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnmatchedChoice {
    /// Close the client with 1008 and the number of the message
    Close,
    /// Ignore the message
    Ignore,
    /// Forward the message to the server of --to, and the answers to the client
    Pass,
}
