//! `wscope listen` as typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::lens::LensMapOptions;
use super::prompt::LineOptions;
use super::transport::UpstreamTlsOptions;
use super::values::{duration, file_mode, memory, number, size};
use super::{
    DefaultsOptions, DisplayOptions, FaultOptions, InputFormat, MatchChoice, OutputFormat,
    StayOptions, UnmatchedChoice,
};

/// `wscope listen`.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Where to listen: PORT (this machine only), ADDR:PORT, or :PORT (all addresses)
    ///
    /// Port 0 lets the system choose a port. The URL is printed on stderr.
    #[arg(value_name = "[ADDR:]PORT", required_unless_present_any = ["unix_socket", "list_faults"], id = "place")]
    pub address: Option<String>,

    /// Listen on a Unix socket
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with = "place",
        help_heading = "Connection",
        hide_short_help = true
    )]
    pub unix_socket: Option<PathBuf>,

    /// Permissions of the Unix socket, in octal
    #[arg(long, value_name = "MODE", default_value = "600", value_parser = file_mode, help_heading = "Connection", hide_short_help = true)]
    pub unix_mode: u32,

    /// Send every message back to its sender
    #[arg(long, group = "answer", help_heading = "Answers")]
    pub echo: bool,

    /// Send every message to all other clients
    ///
    /// If more than --max-backlog is queued, the slowest client is closed with 1013.
    #[arg(long, group = "answer", help_heading = "Answers")]
    pub broadcast: bool,

    /// Answer every message with TEXT
    #[arg(
        long,
        value_name = "TEXT",
        group = "answer",
        allow_hyphen_values = true,
        help_heading = "Answers"
    )]
    pub reply: Option<String>,

    /// Run CMD for each client: messages are lines of its stdin, lines of its stdout are messages
    ///
    /// `sh -c CMD` runs with WSCOPE_CONN, WSCOPE_PEER, WSCOPE_PATH and WSCOPE_SUBPROTOCOL in its
    /// environment until the client disconnects. If other machines can connect, --origin, -u or
    /// --bearer is required.
    #[arg(long, value_name = "CMD", group = "answer", help_heading = "Answers")]
    pub exec: Option<String>,

    /// With --exec: pass bytes unchanged, without lines; send its output as binary messages
    #[arg(long, requires = "exec", help_heading = "Answers", hide_short_help = true)]
    pub exec_raw: bool,

    /// Play the server's side of a recording to each client: JSON lines, HAR, pcap or pcapng
    ///
    /// FILE#3 means its third connection. wscope answers each message of the client with the
    /// recorded answers; --match selects how it finds them. Without -s, it accepts the recorded subprotocol.
    #[arg(
        long,
        value_name = "FILE[#CONN]",
        group = "answer",
        help_heading = "Answers",
        value_hint = clap::ValueHint::AnyPath
    )]
    pub replay: Option<OsString>,

    /// With --replay: how a client's message is matched with a recorded one
    #[arg(
        long = "match",
        value_enum,
        value_name = "HOW",
        requires = "replay",
        default_value = "order",
        help_heading = "Answers"
    )]
    pub matching: MatchChoice,

    /// With --replay: what happens to a message that the recording does not have
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        requires = "replay",
        default_value = "close",
        help_heading = "Answers"
    )]
    pub on_unmatched: UnmatchedChoice,

    /// With --on-unmatched pass: the server for these messages
    ///
    /// Each such client gets its own connection to URL. The TLS options of clients, such as --cacert and
    /// -k, apply to these connections.
    #[arg(long, value_name = "URL", requires = "replay", help_heading = "Answers")]
    pub to: Option<String>,

    /// Send the lines of FILE to each client first; `-` reads stdin
    ///
    /// A pipe or device is read once, up to 64 MiB.
    #[arg(long, value_name = "FILE", help_heading = "Answers")]
    pub send: Option<PathBuf>,

    /// How stdin becomes messages to all clients
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

    /// The opening handshake.
    #[command(flatten)]
    pub handshake: AdmissionOptions,

    /// TLS.
    #[command(flatten)]
    pub tls: TlsServerOptions,

    /// TLS with the server of `--to`.
    #[command(flatten)]
    pub tls_client: UpstreamTlsOptions,

    /// Compression.
    #[command(flatten)]
    pub deflate: ServerDeflateOptions,

    /// Serve one session and end with its status
    #[arg(long, help_heading = "Ending")]
    pub once: bool,

    /// How long to stay after the end of a script, or with --once of the input.
    #[command(flatten)]
    pub stay: StayOptions,

    /// End after N received messages
    #[arg(long, value_name = "N", value_parser = number::<u64>(1..=u64::MAX), help_heading = "Ending")]
    pub exit_after: Option<u64>,

    /// End SECS after the start in any case, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Time limit for a client's answer to our Close
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = duration, help_heading = "Ending", hide_short_help = true)]
    pub close_timeout: Duration,

    /// Serve at most N clients at once; refuse others with 503 [default: the descriptor limit]
    #[arg(long, value_name = "N", value_parser = number::<u32>(1..=u64::MAX), help_heading = "Limits")]
    pub max_clients: Option<u32>,

    /// Close a client that has sent nothing for SECS
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Limits")]
    pub idle_timeout: Option<Duration>,

    /// Close with 1009 if a message is larger than SIZE on the wire
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size, help_heading = "Limits", hide_short_help = true)]
    pub max_message: u64,

    /// Close with 1009 if a compressed message is larger than SIZE after decompression
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size, help_heading = "Limits", hide_short_help = true)]
    pub max_inflated: u64,

    /// Memory limit for queued output and incomplete messages, of all clients together
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_memory: usize,

    /// Limit for output queued for all clients; beyond it, close the slowest with 1013
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_backlog: usize,

    /// Send each client a ping every SECS
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Protocol")]
    pub ping_interval: Option<Duration>,

    /// Close a client if nothing is received for SECS after a ping
    #[arg(long, value_name = "SECS", default_value = "20", value_parser = duration, help_heading = "Protocol", hide_short_help = true)]
    pub pong_timeout: Duration,

    /// Do not answer pings
    #[arg(long, help_heading = "Protocol")]
    pub no_pong: bool,

    /// Report violations but continue, as long as frame boundaries can be found
    #[arg(long, help_heading = "Protocol")]
    pub lenient: bool,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,
    /// Faults.
    #[command(flatten)]
    pub faults: FaultOptions,

    /// Lenses of paths.
    #[command(flatten)]
    pub lens_map: LensMapOptions,

    /// The prompt and scripts.
    #[command(flatten)]
    pub prompt: LineOptions,

    /// Run the script once for each client, for that client only
    ///
    /// When the script has ended and the client has been silent for --idle-exit, the client is closed
    /// with 1000. If the script fails, the client is closed with 1001 and the server continues; its exit
    /// status is then that of the first failure.
    #[arg(long, requires = "script", help_heading = "Prompt and scripts")]
    pub each: bool,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// Which clients are accepted, and the headers of the 101.
#[derive(Debug, Args)]
#[command(next_help_heading = "Handshake")]
pub struct AdmissionOptions {
    /// Accept a subprotocol; may be repeated, preferred first
    #[arg(short, long = "subprotocol", value_name = "NAME", action = ArgAction::Append)]
    pub subprotocols: Vec<String>,

    /// Refuse with 400 clients that offer none of the subprotocols of -s
    #[arg(long, requires = "subprotocols")]
    pub require_subprotocol: bool,

    /// Serve this path only, refuse others with 404; may be repeated
    #[arg(long = "path", value_name = "PATH", action = ArgAction::Append)]
    pub paths: Vec<String>,

    /// Accept pages of ORIGIN, such as `https://example.com`; `*` accepts all; may be repeated
    ///
    /// ORIGIN is compared with the whole header Origin, so `file://`, `app://` or
    /// `capacitor://localhost` accepts a program that sends it. `null` accepts pages from files, for
    /// which browsers send `null` or `file://`. Other pages are refused with 403. Without this option, a server on loopback or a Unix socket
    /// accepts only pages of this machine; a server that other machines can reach accepts all. Clients
    /// that send no Origin, as most programs do, are always accepted.
    #[arg(long = "origin", value_name = "ORIGIN", action = ArgAction::Append)]
    pub origins: Vec<String>,

    /// Add a header to the 101, or replace a default one; may be repeated
    ///
    /// `Name:` removes a default header; `Name;` sends it with an empty value. `@FILE` reads headers from
    /// a file, one per line; `@-` reads them from stdin.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE", action = ArgAction::Append)]
    pub headers: Vec<String>,

    /// Require a user and password (Basic authorization)
    #[arg(short, long, value_name = "USER:PASSWORD", conflicts_with = "bearer")]
    pub user: Option<String>,

    /// Require a token (Bearer authorization)
    #[arg(long, value_name = "TOKEN")]
    pub bearer: Option<String>,

    /// Refuse every handshake with this HTTP status and body
    #[arg(long, value_name = "STATUS[:BODY]")]
    pub reject: Option<String>,

    /// Time limit for TLS and a client's request
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = duration)]
    pub handshake_timeout: Duration,
}

/// The server's certificate.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsServerOptions {
    /// Use TLS with the certificate in FILE: PEM, or PKCS#12 with its key
    ///
    /// The passphrase of the key is read from WSCOPE_PASSPHRASE or --pass-file.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// The certificate's key in PEM, if it is not in the file of --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Read the key's passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", requires = "cert", hide_short_help = true)]
    pub pass_file: Option<PathBuf>,

    /// Use TLS with a temporary self-signed certificate for this machine
    #[arg(long, conflicts_with = "cert")]
    pub self_signed: bool,

    /// Like --self-signed, and write the certificate to FILE, for clients' --cacert FILE
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    pub self_signed_out: Option<PathBuf>,
}

/// permessage-deflate as a server agrees to it, RFC 7692 §7.1.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compression")]
pub struct ServerDeflateOptions {
    /// Decline permessage-deflate
    #[arg(long, conflicts_with_all = ["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits"])]
    pub no_compress: bool,

    /// Compress each message independently
    #[arg(long, hide_short_help = true)]
    pub server_no_context_takeover: bool,

    /// Ask clients to compress each message independently
    #[arg(long, hide_short_help = true)]
    pub client_no_context_takeover: bool,

    /// Compress with a window of at most 2^BITS bytes, 9 to 15
    #[arg(long, value_name = "BITS", value_parser = number::<u8>(9..=15), hide_short_help = true)]
    pub server_max_window_bits: Option<u8>,

    /// Ask clients that support it to use a window of at most 2^BITS bytes, 9 to 15
    #[arg(long, value_name = "BITS", value_parser = number::<u8>(9..=15), hide_short_help = true)]
    pub client_max_window_bits: Option<u8>,
}
