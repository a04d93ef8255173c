//! The command line as typed: options and their help; nothing is resolved yet.
//!
//! Help is written once, here, in doc comments: a terse first sentence, then detail. The man page
//! and the completions are generated from it.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::bare_urls)] // help text has no links

mod ca;
mod check;
mod convert;
pub mod habits;
pub mod lens;
mod listen;
mod ping;
pub mod prompt;
mod proxy;
pub mod reach;
mod replay;
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
use crate::ui::view::{Timestamps, View};
pub use ca::{CaAction, CaArgs, CaShell, TrustTarget};
pub use check::{CheckArgs, CheckFormat, YesNo, is_group};
pub use convert::{ConvertArgs, ConvertFormat};
pub use listen::{AdmissionOptions, ListenArgs, ServerDeflateOptions, TlsServerOptions};
pub use ping::PingArgs;
pub use proxy::{ProxyArgs, ProxyFormat, ProxyInput};
pub use reach::{AccountOptions, DefaultsOptions, ReachOptions, RetryArguments};
pub use replay::{CompareChoice, MatchChoice, ReplayArgs, UnmatchedChoice};
pub use stay::StayOptions;
pub use transport::{IdentityOptions, RouteArguments, TransportOptions, UpstreamTlsOptions};
pub use values::{Wait, size};
use values::{bits, duration, memory, number, width};

/// Shows, sends and pipes WebSocket traffic: raw handshakes and every frame, legal or illegal
///
/// On a terminal, wscope shows the session as a transcript. In a pipe, it sends stdin as messages and
/// prints received messages on stdout. `wscope URL` is the same as `wscope connect URL`.
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
    /// Connects to a server: with a prompt on a terminal, with stdin and stdout in a pipe
    Connect(Box<ConnectArgs>),
    /// Runs a server: shows its clients, answers them, sends them messages
    ///
    /// On a terminal, it shows each client's handshake and frames, and sends each line you type to all
    /// clients; `@3 LINE` sends it to client 3 only. In a pipe, it sends the lines of stdin to all
    /// clients and prints their messages on stdout. `wscope -l PORT` is the same as `wscope listen
    /// PORT`.
    #[command(short_flag = 'l')]
    Listen(Box<ListenArgs>),
    /// Forwards connections to a server, byte for byte, and shows the traffic
    ///
    /// With --to, clients connect to PORT instead of the server. Without it, clients use PORT as their
    /// HTTP or SOCKS5 proxy, and wscope decrypts TLS with certificates of its own authority. The
    /// proxy shows the frames of both sides and the rules that either side breaks. It forwards ordinary
    /// HTTP on the same port, too.
    Proxy(Box<ProxyArgs>),
    /// Manages the certificate authority that `wscope proxy` uses to decrypt TLS
    ///
    /// The authority is made at its first use, for this user only. Clients of the proxy must trust it.
    /// Keep its key secret.
    Ca(CaArgs),
    /// Performs only the opening handshake and checks every rule
    ///
    /// Prints the verdict and the broken rules first (with -v every rule), then the time of each phase,
    /// both heads byte for byte, the accept value step by step, and the agreed subprotocol and
    /// extensions. The exit status is 0 only if no MUST is broken.
    Handshake(Box<HandshakeArgs>),
    /// Checks a server step by step and prints the verdict first
    ///
    /// Checks the name, each address, TLS, the request with and without Upgrade, with and without
    /// Origin, subprotocol and extensions, a ping, an idle connection and the close. It opens several
    /// connections. The exit status is 0 only if a WebSocket opened and stayed open, or if the server
    /// ended in order by itself: with 1000 behind its messages, or after it waited for connection_init.
    Doctor(Box<DoctorArgs>),
    /// Tests a server against the rules of RFC 6455 and RFC 7692, case by case
    ///
    /// Each case makes a connection, sends what a rule allows or forbids, and judges the answer. No
    /// echo server is needed. PATTERN names cases: `f/rsv1`, `f/`, `c/bad-*`, `!z/`, `@rfc7692`,
    /// `@should`. The exit status is 0 if no case failed, 13 if one did.
    Check(Box<CheckArgs>),
    /// Measures round trips with pings, or finds the idle timeout
    ///
    /// Prints one line per pong. At the end, or after Ctrl-C, it prints the loss and the minimum,
    /// average and maximum round trip. The exit status is 0 if a ping was answered, 12 if none was.
    /// `--idle-limit` finds how long a connection may be idle, and who closes it then.
    Ping(Box<PingArgs>),
    /// Decodes captured bytes into frames, without a network
    ///
    /// Reads hex digits (with spaces or `0x`, or the output of `xxd` and `hexdump -C`), raw bytes,
    /// recordings (--record, --output json), packet captures (pcap and pcapng, as tcpdump and Wireshark
    /// write them) and HTTP archives (HAR). A line may have up to 64 MiB. The exit status is 9 if a rule
    /// is broken.
    Decode(DecodeArgs),
    /// Shows a recording as a transcript, page by page on a terminal
    ///
    /// Reads files written by --record and --output json, packet captures (pcap, pcapng) and HTTP
    /// archives (HAR). On a terminal, the pager is WSCOPE_PAGER, PAGER or less, where `/` searches.
    /// The exit status is 9 if a rule is broken.
    Show(ShowArgs),
    /// Converts a recording: to HAR, pcapng, an HTML report, a script, a load test
    ///
    /// A line on stderr counts what the format of OUT can't hold.
    Convert(ConvertArgs),
    /// Plays the client's side of a recording against a server
    ///
    /// Sends the messages of the recorded client, each after as many answers as in the recording.
    /// --compare compares the answers; --parallel and --repeat make it a load test. `wscope listen
    /// --replay` plays the server's side. The exit status is 13 if something differs, 12 if an awaited
    /// message does not arrive.
    Replay(Box<ReplayArgs>),
    /// Explains a diagnostic, a close code, an HTTP status or an error message
    Explain(ExplainArgs),
    /// Shows an example session with a built-in echo server
    Demo(DemoArgs),
    /// Prints the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,

        /// A command line: prints what its last word can become, one proposal per line
        #[arg(last = true, hide = true)]
        words: Vec<OsString>,
    },
    /// Prints the manual page in roff; to read it: `wscope man | man -l -`
    Man,
    /// Prints this help, or the help of a command
    Help {
        /// A command of wscope or of its prompt
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
    /// A port alone means localhost. ws+unix:PATH:/RESOURCE connects to a Unix socket. http:// means
    /// ws://, https:// means wss://. wscope sends a user and password in the URL as Basic
    /// authorization.
    #[arg(value_name = "URL", required_unless_present_any = ["connect_to_url", "list_faults"])]
    pub url: Option<String>,

    /// Same as URL, as in wscat
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

    /// Send MESSAGE after connecting; may be repeated
    ///
    /// stdin is not read, unless --input is given too.
    #[arg(short = 'x', long = "execute", value_name = "MESSAGE", action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Input and output")]
    pub execute: Vec<String>,

    /// Send every received message back unchanged; stdin is not read
    #[arg(long, conflicts_with = "execute", help_heading = "Input and output")]
    pub echo: bool,

    /// How long to stay.
    #[command(flatten)]
    pub stay: StayOptions,

    /// Close after N received messages
    #[arg(long, value_name = "N", value_parser = number::<u64>(1..=u64::MAX), help_heading = "Ending")]
    pub exit_after: Option<u64>,

    /// Close after a received message that matches REGEX
    ///
    /// Only the first 1 MiB of each message is searched.
    #[arg(long, value_name = "REGEX", help_heading = "Ending")]
    pub until: Option<String>,

    /// End SECS after the start in any case, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Time limit for the peer's answer to our Close
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = duration, help_heading = "Ending")]
    pub close_timeout: Duration,

    /// Send a ping every SECS
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Protocol")]
    pub ping_interval: Option<Duration>,

    /// Close if nothing is received for SECS after a ping
    #[arg(long, value_name = "SECS", default_value = "20", value_parser = duration, help_heading = "Protocol")]
    pub pong_timeout: Duration,

    /// Do not answer pings
    #[arg(long, help_heading = "Protocol")]
    pub no_pong: bool,

    /// Report violations but continue, as long as frame boundaries can be found
    #[arg(long, help_heading = "Protocol")]
    pub lenient: bool,

    /// Faults.
    #[command(flatten)]
    pub faults: FaultOptions,

    /// If the connection can't be opened or ends at once, open a few more to find the cause
    ///
    /// They differ in one thing each: the other scheme on the same port, no Upgrade, the server's own
    /// Origin. A session that the server ends within 1.2 seconds, but not with 1000 or 1001, is repeated
    /// up to nine times, without messages, but with the same credentials. `wscope doctor` makes the same
    /// checks and more.
    #[arg(long, help_heading = "Connection")]
    pub diagnose: bool,

    /// Credentials, redirects, reports, defaults.
    #[command(flatten)]
    pub reach: ReachOptions,

    /// Trying again.
    #[command(flatten)]
    pub retry: RetryArguments,

    /// The prompt and scripts.
    #[command(flatten)]
    pub prompt: prompt::PromptOptions,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitOptions,

    /// Memory limit for queued output and incomplete messages
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
    /// Break a rule on purpose, to test the peer: NAME[:ARG][@open|@message:N]; may be repeated
    ///
    /// `rsv2` sends a frame with RSV2 right after the opening handshake; `rsv2@message:3` sends it after
    /// three messages were received and answered. `random` picks a fault for each connection and prints
    /// its seed; `random:SEED` picks the same again. --list-faults lists names and arguments.
    #[arg(long = "fault", value_name = "FAULT", action = ArgAction::Append)]
    pub faults: Vec<String>,

    /// List the faults, the rule each breaks, and what a correct peer does
    #[arg(long)]
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

    /// Fail on a broken SHOULD too, not only on a broken MUST
    #[arg(long, help_heading = "Protocol")]
    pub strict: bool,

    /// Credentials, redirects, reports, defaults.
    #[command(flatten)]
    pub reach: ReachOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// What shapes the opening handshake and the way to the server.
#[derive(Debug, Args)]
pub struct HandshakeOptions {
    /// Add a header, or replace a default one of the same name; may be repeated
    ///
    /// `Name:` removes a default header; `Name;` sends it with an empty value. `@FILE` reads headers from
    /// a file, one per line; `@-` reads them from stdin.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE", action = ArgAction::Append, help_heading = "Handshake")]
    pub headers: Vec<String>,

    /// Offer a subprotocol; may be repeated, preferred first
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
    /// The other headers follow in their usual order.
    #[arg(long, value_name = "given|NAMES", hide_short_help = true, help_heading = "Handshake")]
    pub http_header_order: Option<String>,

    /// Send the URL's path as typed; do not remove /./ and /../
    #[arg(long, hide_short_help = true, help_heading = "Handshake")]
    pub path_as_is: bool,

    /// Accept any TLS certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub insecure: bool,

    /// Also trust the CA certificates in a PEM file
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

    /// Ask the server to compress each message independently
    #[arg(long, hide_short_help = true)]
    pub server_no_context_takeover: bool,

    /// Compress each message we send independently
    #[arg(long, hide_short_help = true)]
    pub client_no_context_takeover: bool,

    /// Ask the server to compress with a window of 2^BITS bytes, 8 to 15
    #[arg(long, value_name = "BITS", value_parser = bits, hide_short_help = true)]
    pub server_max_window_bits: Option<u8>,

    /// Compress our messages with a window of 2^BITS bytes at most, 8 to 15
    #[arg(long, value_name = "BITS", value_parser = bits, hide_short_help = true)]
    pub client_max_window_bits: Option<u8>,
}

/// How much of a peer's data is accepted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Close with 1009 if a message is larger than SIZE on the wire
    #[arg(long, value_name = "SIZE", default_value = "1T", value_parser = size, hide_short_help = true)]
    pub max_message: u64,

    /// Close with 1009 if a compressed message is larger than SIZE after decompression
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

    /// Print only errors and the output; at the prompt, show the handshake in one line
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// When to pretty-print and colour JSON
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    pub pretty: Pretty,

    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,

    /// Width of the transcript's lines, or `full` to cut nothing [default: the terminal's; otherwise full]
    ///
    /// The variable COLUMNS sets it, too. With `full`, a line shows up to 16 MiB of payload.
    #[arg(long, value_name = "N|full", value_parser = width, hide_short_help = true)]
    pub width: Option<usize>,

    /// Show secrets instead of [redacted]
    ///
    /// Without this option, output and logs hide passwords, cookies, and the values of headers, query
    /// parameters and subprotocols whose names contain token, key, secret, auth, pass, session,
    /// signature or the like, wherever these values appear.
    #[arg(long, hide_short_help = true)]
    pub show_secrets: bool,

    /// Hide the values of headers and query parameters of this name; may be repeated
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), hide_short_help = true)]
    pub redact: Vec<String>,
}

/// `wscope explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code (W461), close code (1006, going-away), HTTP status, handshake rule, or error (ECONNRESET)
    ///
    /// An error may be a name of the system, or its words: `wscope explain connection reset by peer`.
    #[arg(value_name = "TOPIC", required_unless_present_any = ["browser", "list"])]
    pub topic: Vec<String>,

    /// Explain an error message of a browser's console or of Node.js
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

    /// Leave the connection idle for SECS, then check that it still answers a ping
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
    /// A file with the bytes; `-` or no FILE reads stdin
    #[arg(value_name = "FILE", conflicts_with = "hex")]
    pub file: Option<PathBuf>,

    /// Decode these hex digits instead of a file
    #[arg(long, value_name = "HEX")]
    pub hex: Option<String>,

    /// Read the input as raw bytes, not as hex
    #[arg(long, conflicts_with = "hex")]
    pub raw: bool,

    /// Who sent the bytes [default: detected]; for a log, show only this side
    #[arg(long, value_enum, value_name = "ROLE")]
    pub role: Option<SenderRole>,

    /// List the connections of a recording or a packet capture, instead of decoding them
    #[arg(long, conflicts_with = "hex")]
    pub list: bool,

    /// Decode only connection N, as --list numbers them
    ///
    /// In a packet capture, any stream except TLS: without a handshake, its bytes are read as frames.
    #[arg(long, value_name = "N", value_parser = number::<u64>(0..=u64::MAX), conflicts_with = "hex")]
    pub stream: Option<u64>,

    /// Decompress messages, in a capture that begins after the handshake
    #[arg(long)]
    pub deflate: bool,

    /// What is written to stdout
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "frames")]
    pub output: DecodeFormat,

    /// Let --output raw write to a terminal
    #[arg(long)]
    pub force: bool,

    /// Lenses.
    #[command(flatten)]
    pub lenses: lens::LensOptions,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// `wscope show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The recording; `-` is stdin; FILE#2 is connection 2
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// How the transcript shows traffic [default: frames]
    #[arg(long, value_enum, value_name = "VIEW", help_heading = "Display")]
    pub view: Option<View>,

    /// The timestamps of the transcript
    #[arg(long, value_enum, value_name = "TIME", default_value = "auto", help_heading = "Display")]
    pub timestamps: Timestamps,

    /// Show only frames that pass FILTER, as in /filter: 'in text /price/'
    #[arg(long, value_name = "FILTER", help_heading = "Display")]
    pub filter: Option<String>,

    /// Print everything at once, without a pager
    #[arg(long, help_heading = "Display")]
    pub no_pager: bool,

    /// Lenses.
    #[command(flatten)]
    pub lenses: lens::LensOptions,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

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
    /// Each read is a binary message; with --text a text message
    Chunks,
    /// All of stdin is one message
    Whole,
    /// Each line is a JSON command, which can describe any frame
    Json,
    /// Each line is a message or a /command, as at the prompt
    Commands,
    /// You type lines at the prompt; the default on a terminal
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
    /// The bytes of the messages, nothing added
    Raw,
    /// Each event as a line of JSON
    Json,
    /// The transcript: a line per frame, both directions
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

/// The definition with the options of one mode only, chosen by its name or its flag. Building the
/// options of all modes takes a third of a short run, and a megabyte.
pub fn command_of(mode: &str) -> clap::Command {
    defined(|command| {
        let flag = command.get_short_flag().is_some_and(|flag| mode == format!("-{flag}"));
        flag || command.get_name() == mode
    })
}

/// A negative number after an option that takes a number is its value, not an option, so the error is
/// about the number.
fn with_negative_numbers(arg: clap::Arg) -> clap::Arg {
    let numbers = ["N", "N|full", "SECS", "SIZE", "BYTES", "BITS", "MODE"];
    let names = arg.get_value_names().unwrap_or_default();
    let takes_number = names.iter().any(|name| numbers.contains(&name.as_str()));
    if takes_number && arg.get_long().is_some() { arg.allow_negative_numbers(true) } else { arg }
}

/// The definition with the options of the wanted modes.
fn defined(wanted: impl Fn(&clap::Command) -> bool) -> clap::Command {
    let program = <Cli as clap::CommandFactory>::command().mut_args(with_negative_numbers);
    program.mut_subcommands(|mut mode| {
        if !wanted(&mode) {
            return mode;
        }
        // The doc comment on the options is for readers of the source; the doc comment on the mode
        // is its help.
        let (about, long) = (mode.get_about().cloned(), mode.get_long_about().cloned());
        mode.build();
        mode = mode.mut_args(with_negative_numbers);
        let (about, long) = (about.map_or(Reset, Value), long.map_or(Reset, Value));
        mode.about(about).long_about(long)
    })
}
