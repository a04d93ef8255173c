//! The command line as typed: options, their help, and nothing resolved yet.
//!
//! Help is written once, here, in doc comments: a terse first sentence, then detail. The man page
//! and the completions are generated from it.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::bare_urls)] // help text has no links

mod check;
pub mod habits;
pub mod lens;
mod listen;
mod ping;
pub mod prompt;
mod proxy;
pub mod reach;
mod stay;
mod transport;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::builder::Resettable::{Reset, Value};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::ui::pretty::Pretty;
use crate::ui::terminal::ColorChoice;
pub use check::{CheckArgs, CheckFormat, YesNo};
pub use listen::{AdmissionOptions, ListenArgs, ServerDeflateOptions, TlsServerOptions};
pub use ping::PingArgs;
pub use proxy::{ProxyArgs, ProxyFormat, ProxyInput};
pub use reach::{AccountOptions, DefaultsOptions, LocationOptions, ReachOptions, ReportOptions};
pub use stay::StayOptions;
pub use transport::{IdentityOptions, TransportOptions};
pub use values::{Wait, size};
use values::{bits, duration, memory, width};

/// Shows, crafts and pipes WebSocket traffic: raw handshakes, every decoded frame, legal and
/// illegal.
///
/// On a terminal a session is shown as a transcript; in a pipe stdin becomes messages and messages
/// become stdout. `wscope URL` is the same as `wscope connect URL`.
#[derive(Debug, Parser)]
#[command(name = "wscope", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
#[command(args_override_self = true)] // so that what is typed outranks defaults put before it
pub struct Cli {
    /// What to do; nothing means to connect.
    #[command(subcommand)]
    pub mode: Option<Mode>,
    /// For a bare URL.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// The modes.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Mode {
    /// Connects to a server: a prompt on a terminal, a pipe otherwise
    Connect(Box<ConnectArgs>),
    /// Listens for clients: shows them, answers them, talks to them
    ///
    /// On a terminal every client's handshake and frames are shown, and a line typed goes to all
    /// of them, behind `@3` to one. In a pipe, lines of stdin go to all clients and their messages
    /// to stdout.
    /// `wscope -l PORT` is the same as `wscope listen PORT`.
    #[command(short_flag = 'l')]
    Listen(Box<ListenArgs>),
    /// Passes connections on to a server, byte for byte, and shows what crosses
    ///
    /// Clients connect to PORT instead of the server. Frames of both sides are shown, and rules that
    /// either of them breaks; ordinary HTTP on the same port passes, too. Pages, polling and refused
    /// handshakes are those of the server.
    Proxy(Box<ProxyArgs>),
    /// Performs only the opening handshake and judges it, rule by rule
    ///
    /// Prints the verdict first, with the rules that were broken (with -v every rule), then the time
    /// each phase took, both heads byte for byte, the accept value computed step by step, and what
    /// was agreed. Ends with status 0 only if no rule that matters was broken.
    Handshake(Box<HandshakeArgs>),
    /// Examines a server step by step, and says first what is wrong
    ///
    /// Looks up the name, tries each address, TLS, the request without and with an upgrade, with
    /// and without an Origin, what is agreed, a ping, a silence, the close. It makes a handful of
    /// connections. Ends with status 0 only if a WebSocket opened.
    Doctor(Box<DoctorArgs>),
    /// Tests a server against the rules of RFC 6455 and RFC 7692, case by case
    ///
    /// Each case makes a connection, sends what a rule allows or forbids, and judges what comes of
    /// it. No echo server is needed. PATTERN names cases: `f/rsv1`, `f/`, `c/bad-*`, `!z/`,
    /// `@rfc7692`, `@should`. Ends with status 0 if no case failed, with 13 if one did.
    Check(Box<CheckArgs>),
    /// Measures round trips with pings, or how long silence is allowed
    ///
    /// Prints a line for each pong, and at the end, or after Ctrl-C, how many were lost and the least,
    /// mean and greatest round trip. Ends with status 0 if anything was answered, with 12 if nothing
    /// was. `--idle-limit` finds after how much silence the connection is cut, and by whom.
    Ping(Box<PingArgs>),
    /// Decodes captured bytes into frames, without a network
    ///
    /// Reads hex as people paste it (spaces, `0x`, the output of `xxd` and `hexdump -C`), raw bytes, or
    /// what --log and --output json have written. A line has at most 64 MiB. Ends with status 9 if a rule was broken.
    Decode(DecodeArgs),
    /// Explains a diagnostic, a close code, or what a browser says of a failure
    Explain(ExplainArgs),
    /// Shows a session with an echo server inside the process
    Demo(DemoArgs),
    /// Prints the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,

        /// A command line: prints what its last word can become, one proposal per line
        #[arg(last = true, hide = true)]
        words: Vec<OsString>,
    },
    /// Prints the manual page, in roff: `wscope man | man -l -`
    Man,
    /// Prints this help, or that of a command
    Help {
        /// A command of the program, or one of the prompt
        #[arg(value_name = "COMMAND", allow_hyphen_values = true)]
        command: Option<String>,
    },
    /// Prints the version
    Version,
}

/// Shells that have completions.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
#[allow(missing_docs)] // the names are the docs
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    PowerShell,
    Elvish,
}

/// `wscope connect`, or no command.
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// Where to connect: ws://, wss://, or host[:port][/path]
    ///
    /// A port alone is one of localhost. ws+unix:PATH:/RESOURCE connects to a Unix socket. http://
    /// and https:// are taken as ws:// and wss://. A user and password in the URL are sent as Basic
    /// authorization.
    #[arg(value_name = "URL", required_unless_present_any = ["connect_to_url", "list_faults"])]
    pub url: Option<String>,

    /// Same as URL, for those used to wscat
    #[arg(
        short = 'c',
        long = "connect",
        value_name = "URL",
        conflicts_with = "url",
        hide_short_help = true,
        id = "connect_to_url"
    )]
    pub connect_url: Option<String>,

    /// The opening handshake.
    #[command(flatten)]
    pub handshake: HandshakeOptions,

    /// How stdin becomes messages
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Input and output")]
    pub input: Option<InputFormat>,

    /// What is written to stdout
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Input and output")]
    pub output: Option<OutputFormat>,

    /// Let --output raw write to a terminal
    #[arg(long, help_heading = "Input and output", hide_short_help = true)]
    pub force: bool,

    /// Send binary messages instead of text
    #[arg(short, long, help_heading = "Input and output")]
    pub binary: bool,

    /// Send text messages with --input chunks too
    #[arg(
        long,
        conflicts_with = "binary",
        help_heading = "Input and output",
        hide_short_help = true
    )]
    pub text: bool,

    /// Send MESSAGE after connecting; may be given more than once
    ///
    /// stdin is not read then, unless --input is given too.
    #[arg(short = 'x', long = "execute", value_name = "MESSAGE", action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Input and output")]
    pub execute: Vec<String>,

    /// Send every received message back unchanged; stdin is not read
    #[arg(long, conflicts_with = "execute", help_heading = "Input and output")]
    pub echo: bool,

    /// How long to stay.
    #[command(flatten)]
    pub stay: StayOptions,

    /// Close after N received messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Ending")]
    pub exit_after: Option<u64>,

    /// Close after a received message that matches REGEX
    ///
    /// The first mebibyte of each message is looked at.
    #[arg(long, value_name = "REGEX", help_heading = "Ending")]
    pub until: Option<String>,

    /// End after SECS, whatever happens, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Time limit for the answer to our Close
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = duration, help_heading = "Ending")]
    pub close_timeout: Duration,

    /// Send a ping every SECS
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Protocol")]
    pub ping_interval: Option<Duration>,

    /// Time limit for any byte after a ping
    #[arg(long, value_name = "SECS", default_value = "20", value_parser = duration, help_heading = "Protocol")]
    pub pong_timeout: Duration,

    /// Do not answer pings
    #[arg(long, help_heading = "Protocol")]
    pub no_pong: bool,

    /// Report violations but go on, as long as frame boundaries can be found
    #[arg(long, help_heading = "Protocol")]
    pub lenient: bool,

    /// Faults.
    #[command(flatten)]
    pub faults: FaultOptions,

    /// When no connection can be opened, make one or two more to find the cause
    ///
    /// The same port with the other scheme, the same request without an upgrade, and with the
    /// server's own Origin. `wscope doctor` does all of it, and more.
    #[arg(long, help_heading = "Connection")]
    pub diagnose: bool,

    /// Credentials, redirects, retries, reports, defaults.
    #[command(flatten)]
    pub reach: ReachOptions,

    /// The prompt and scripts.
    #[command(flatten)]
    pub prompt: prompt::PromptOptions,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitOptions,

    /// Hold at most SIZE in memory of all that waits to be sent, written or completed
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_memory: usize,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// What is done wrong on purpose.
#[derive(Debug, Args)]
#[command(next_help_heading = "Faults")]
pub struct FaultOptions {
    /// Do something wrong, to test the peer: NAME[:ARG][@open|@message:N]; may be repeated
    ///
    /// `rsv2` sends a frame with RSV2 right behind the opening handshake, `rsv2@message:3` once
    /// three messages have come and been answered. `random` draws a fault for each connection and
    /// prints a seed; `random:SEED` repeats the draw. --list-faults lists names and arguments.
    #[arg(long = "fault", value_name = "FAULT", action = ArgAction::Append)]
    pub faults: Vec<String>,

    /// List the faults, the rule each breaks, and what a correct peer does
    #[arg(long, exclusive = true)]
    pub list_faults: bool,
}

/// `wscope handshake`.
#[derive(Debug, Args)]
pub struct HandshakeArgs {
    /// Where to connect: ws://, wss://, or host[:port][/path]
    #[arg(value_name = "URL")]
    pub url: String,

    /// The opening handshake.
    #[command(flatten)]
    pub handshake: HandshakeOptions,

    /// What is written to stdout
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Input and output"
    )]
    pub output: ReportFormat,

    /// Let a broken SHOULD, and not only a broken MUST, decide the exit status
    #[arg(long, help_heading = "Protocol")]
    pub strict: bool,

    /// Who the user is.
    #[command(flatten)]
    pub account: AccountOptions,

    /// Redirects.
    #[command(flatten)]
    pub location: LocationOptions,

    /// Reports.
    #[command(flatten)]
    pub report: ReportOptions,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// What shapes the opening handshake and the way to the server.
#[derive(Debug, Args)]
pub struct HandshakeOptions {
    /// Add a header, or replace a default one of the same name; may be repeated
    ///
    /// `Name:` removes a default header, `Name;` sends it empty. `@FILE` reads headers from a file, one
    /// in each line, `@-` from stdin.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE", action = ArgAction::Append, help_heading = "Handshake")]
    pub headers: Vec<String>,

    /// Offer a subprotocol; may be repeated, best first
    #[arg(short, long = "subprotocol", value_name = "NAME", action = ArgAction::Append, help_heading = "Handshake")]
    pub subprotocols: Vec<String>,

    /// Send an Origin header, as a browser does
    #[arg(short, long, value_name = "ORIGIN", help_heading = "Handshake")]
    pub origin: Option<String>,

    /// Time limit for TLS and the server's response
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = duration, help_heading = "Handshake")]
    pub handshake_timeout: Duration,

    /// Time limit for DNS lookup and TCP connect
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = duration, help_heading = "Connection")]
    pub connect_timeout: Duration,

    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Connection")]
    pub ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long, help_heading = "Connection")]
    pub ipv6: bool,

    /// Send this Host header instead of the URL's; see also --sni and --connect-to
    #[arg(long, value_name = "HOST[:PORT]", hide_short_help = true, help_heading = "Handshake")]
    pub host: Option<String>,

    /// Send headers in this order: comma-separated names, or `given` for the order of -H
    ///
    /// Those not named follow in their usual order.
    #[arg(long, value_name = "given|NAMES", hide_short_help = true, help_heading = "Handshake")]
    pub http_header_order: Option<String>,

    /// Send the URL's path as it was typed, with /../ and all
    #[arg(long, hide_short_help = true, help_heading = "Handshake")]
    pub path_as_is: bool,

    /// Accept any TLS certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub insecure: bool,

    /// Trust the certificates in a PEM file too
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub cacert: Option<PathBuf>,

    /// The way to the server.
    #[command(flatten)]
    pub transport: TransportOptions,

    /// Compression.
    #[command(flatten)]
    pub deflate: DeflateOptions,
}

/// permessage-deflate, RFC 7692 §7.1.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compression")]
pub struct DeflateOptions {
    /// Do not offer permessage-deflate
    #[arg(long, conflicts_with_all = ["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits"])]
    pub no_compress: bool,

    /// Ask the server to compress each message by itself
    #[arg(long, hide_short_help = true)]
    pub server_no_context_takeover: bool,

    /// Say that this side compresses each message by itself
    #[arg(long, hide_short_help = true)]
    pub client_no_context_takeover: bool,

    /// Ask the server to compress with a window of 2^BITS bytes, 8 to 15
    #[arg(long, value_name = "BITS", value_parser = bits, hide_short_help = true)]
    pub server_max_window_bits: Option<u8>,

    /// Hint that this side will use a window of 2^BITS bytes, 8 to 15
    #[arg(long, value_name = "BITS", value_parser = bits, hide_short_help = true)]
    pub client_max_window_bits: Option<u8>,
}

/// How much of a peer's data is taken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Fail with 1009 when a message has more bytes on the wire
    #[arg(long, value_name = "SIZE", default_value = "1T", value_parser = size, hide_short_help = true)]
    pub max_message: u64,

    /// Fail with 1009 when a compressed message inflates to more bytes
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size, hide_short_help = true)]
    pub max_inflated: u64,
}

/// How much is shown, and in which colours.
#[derive(Debug, Args)]
#[command(next_help_heading = "Display")]
pub struct DisplayOptions {
    /// Show handshake and frames on stderr; -vv adds hex of every header and payload
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,

    /// Print only errors, besides the output; at the prompt, the handshake in one line
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// When to show JSON pretty and coloured
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    pub pretty: Pretty,

    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,

    /// Columns of a transcript's lines, or `full` [default: those of the terminal; elsewhere full]
    ///
    /// The variable COLUMNS stands for it. A line that is not cut has at most 16 MiB of payload.
    #[arg(long, value_name = "N|full", value_parser = width, hide_short_help = true)]
    pub width: Option<usize>,

    /// Show secrets as they are
    ///
    /// Passwords, cookies, and headers, query parameters and subprotocols whose names contain token,
    /// key, secret, auth, pass, session, signature or the like are shown as [redacted] otherwise, in
    /// logs too, and so are their values wherever they turn up.
    #[arg(long, hide_short_help = true)]
    pub show_secrets: bool,

    /// Take a header or query parameter of this name for a secret; may be given several times
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), hide_short_help = true)]
    pub redact: Vec<String>,
}

/// `wscope explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code (W461), a close code or its name (1006, going-away), an HTTP status, a handshake rule
    #[arg(value_name = "TOPIC", required_unless_present_any = ["browser", "list"])]
    pub topic: Option<String>,

    /// Explain what a browser's console or Node.js says of a failure
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["topic", "list"])]
    pub browser: Option<String>,

    /// List all diagnostics
    #[arg(long, conflicts_with = "topic")]
    pub list: bool,

    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", help_heading = "Display")]
    pub color: ColorChoice,
}

/// `wscope demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// `wscope doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Where to connect: ws://, wss://, or host[:port][/path]
    #[arg(value_name = "URL")]
    pub url: String,

    /// The opening handshake.
    #[command(flatten)]
    pub handshake: HandshakeOptions,

    /// Who the user is.
    #[command(flatten)]
    pub account: AccountOptions,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// Leave the connection idle for SECS, then see whether it still answers
    #[arg(long, value_name = "SECS", default_value = "3", value_parser = duration, help_heading = "Protocol")]
    pub idle: Duration,

    /// What is written to stdout
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Input and output"
    )]
    pub output: ReportFormat,

    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", help_heading = "Display")]
    pub color: ColorChoice,
}

/// `wscope decode`.
#[derive(Debug, Args)]
pub struct DecodeArgs {
    /// A file with the bytes; `-` or nothing reads stdin
    #[arg(value_name = "FILE", conflicts_with = "hex")]
    pub file: Option<PathBuf>,

    /// Decode these hex digits instead of a file
    #[arg(long, value_name = "HEX")]
    pub hex: Option<String>,

    /// Take the input as bytes, not as hex
    #[arg(long, conflicts_with = "hex")]
    pub raw: bool,

    /// Who sent the bytes [default: found from the handshake or the first frame's mask]; of a log, show
    /// this side only
    #[arg(long, value_enum, value_name = "ROLE")]
    pub role: Option<SenderRole>,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// Lenses.
    #[command(flatten)]
    pub lenses: lens::LensOptions,

    /// Inflate compressed messages: the capture begins after a handshake that agreed on it
    #[arg(long)]
    pub deflate: bool,

    /// What is written to stdout
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "frames")]
    pub output: DecodeFormat,

    /// Let --output raw write to a terminal
    #[arg(long)]
    pub force: bool,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// How stdin becomes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// Each line is a message, without its newline
    Lines,
    /// Each NUL-terminated piece is a message
    Null,
    /// Bytes are sent as they are read, as binary messages; as text with --text
    Chunks,
    /// All of stdin is one message
    Whole,
    /// Each line is a JSON command: any frame can be expressed
    Json,
    /// Each line is one of the prompt's: a message, or a command after `/`
    Commands,
    /// Lines are typed at the prompt: the default on a terminal
    Prompt,
    /// stdin is not read
    None,
}

/// What is written to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Each message, then a newline
    Lines,
    /// Each message, then a NUL
    Null,
    /// The bytes of messages, nothing added
    Raw,
    /// Each event as a line of JSON
    Json,
    /// The transcript: a line per frame, both ways
    Frames,
    /// Each message as a line of hex digits
    Hex,
    /// Nothing
    None,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// Each event as a line of JSON
    Json,
}

/// How decoded bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DecodeFormat {
    /// The transcript: a line per frame
    Frames,
    /// Each event as a line of JSON
    Json,
    /// The bytes of messages, nothing added
    Raw,
    /// Each message, then a newline
    Lines,
}

/// Who sent the bytes of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SenderRole {
    /// A client sent them: frames must be masked
    Client,
    /// A server sent them: frames must not be masked
    Server,
}

/// What `wscope version` prints.
pub const VERSION: &str = concat!("wscope ", env!("CARGO_PKG_VERSION"), "\n");

/// The command line's definition, from which the man page and the completions are made.
pub fn command() -> clap::Command {
    defined(|_| true)
}

/// The same with the options of one mode alone, by its name or its flag: those of all take a third of
/// the time of a short run, and a megabyte.
pub fn command_of(mode: &str) -> clap::Command {
    defined(|command| {
        let flag = command.get_short_flag().is_some_and(|flag| mode == format!("-{flag}"));
        flag || command.get_name() == mode
    })
}

/// The definition with the options of the modes that are wanted.
fn defined(wanted: impl Fn(&clap::Command) -> bool) -> clap::Command {
    <Cli as clap::CommandFactory>::command().mut_subcommands(|mut mode| {
        if !wanted(&mode) {
            return mode;
        }
        // The comment on the options is for who reads the source: that on the mode is its help.
        let (about, long) = (mode.get_about().cloned(), mode.get_long_about().cloned());
        mode.build();
        let (about, long) = (about.map_or(Reset, Value), long.map_or(Reset, Value));
        mode.about(about).long_about(long)
    })
}
