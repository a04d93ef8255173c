//! `wscope listen` as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::lens::LensMapOptions;
use super::prompt::LineOptions;
use super::values::{duration, file_mode, memory, size};
use super::{
    DefaultsOptions, DisplayOptions, FaultOptions, InputFormat, OutputFormat, StayOptions,
};

/// `wscope listen`.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Where to listen: PORT for this machine alone, ADDR:PORT, or :PORT for all addresses
    ///
    /// Port 0 lets the system choose; the URL is printed on stderr.
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
    /// When more than --max-backlog waits to be sent, the slowest client is closed with 1013.
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

    /// Run CMD for each client: messages become lines of its stdin, its lines become messages
    ///
    /// `sh -c CMD` gets WSCOPE_CONN, WSCOPE_PEER, WSCOPE_PATH and WSCOPE_SUBPROTOCOL in its
    /// environment, and is ended with its client. Where other machines can connect, --origin, -u or
    /// --bearer must say who may.
    #[arg(long, value_name = "CMD", group = "answer", help_heading = "Answers")]
    pub exec: Option<String>,

    /// With --exec: bytes as they are, without lines; what it writes becomes binary messages
    #[arg(long, requires = "exec", help_heading = "Answers", hide_short_help = true)]
    pub exec_raw: bool,

    /// Send the messages in FILE to each client first; `-` reads stdin
    ///
    /// What is not a regular file is read once and kept in memory: it may have up to 64 MiB.
    #[arg(long, value_name = "FILE", help_heading = "Answers")]
    pub send: Option<PathBuf>,

    /// How stdin becomes messages, which go to all clients
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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Ending")]
    pub exit_after: Option<u64>,

    /// End after SECS, whatever happens, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Time limit for the answer to our Close
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = duration, help_heading = "Ending", hide_short_help = true)]
    pub close_timeout: Duration,

    /// Serve at most N clients at once; further ones get 503 [default: as descriptors allow]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub max_clients: Option<u32>,

    /// Close a client that sends nothing for SECS
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Limits")]
    pub idle_timeout: Option<Duration>,

    /// Fail with 1009 when a message has more bytes on the wire
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size, help_heading = "Limits", hide_short_help = true)]
    pub max_message: u64,

    /// Fail with 1009 when a compressed message inflates to more bytes
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size, help_heading = "Limits", hide_short_help = true)]
    pub max_inflated: u64,

    /// Hold at most SIZE in memory of all that waits, of all clients together
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_memory: usize,

    /// Hold at most SIZE that clients have yet to read; beyond it the slowest is closed with 1013
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_backlog: usize,

    /// Send each client a ping every SECS
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Protocol")]
    pub ping_interval: Option<Duration>,

    /// Time limit for any byte after a ping
    #[arg(long, value_name = "SECS", default_value = "20", value_parser = duration, help_heading = "Protocol", hide_short_help = true)]
    pub pong_timeout: Duration,

    /// Do not answer pings
    #[arg(long, help_heading = "Protocol")]
    pub no_pong: bool,

    /// Report violations but go on, as long as frame boundaries can be found
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

    /// Run the script once for each client, with that client alone
    ///
    /// When it ends and the client is silent for --linger, the client is closed with 1000. When it
    /// fails, the client is closed with 1001, and the server goes on; its status is that of the
    /// failure in the end.
    #[arg(long, requires = "script", help_heading = "Prompt and scripts")]
    pub each: bool,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// Who is let in, and what the 101 has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Handshake")]
pub struct AdmissionOptions {
    /// Speak a subprotocol; may be repeated, preferred first
    #[arg(short, long = "subprotocol", value_name = "NAME", action = ArgAction::Append)]
    pub subprotocols: Vec<String>,

    /// Refuse clients that offer none of the subprotocols, with 400
    #[arg(long, requires = "subprotocols")]
    pub require_subprotocol: bool,

    /// Serve this path only, others get 404; may be repeated
    #[arg(long = "path", value_name = "PATH", action = ArgAction::Append)]
    pub paths: Vec<String>,

    /// Let pages of ORIGIN in, as in `https://example.com`; `*` lets all in; may be repeated
    ///
    /// Other pages get 403. Without this, what listens on loopback or a Unix socket lets in pages of
    /// this machine only, what other machines reach lets in all. Programs that are no browsers send
    /// no Origin and are let in.
    #[arg(long = "origin", value_name = "ORIGIN", action = ArgAction::Append)]
    pub origins: Vec<String>,

    /// Add a header to the 101, or replace a default one; may be repeated
    ///
    /// `Name:` removes a default header, `Name;` sends it empty. `@FILE` reads headers from a file, one
    /// in each line, `@-` from stdin.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE", action = ArgAction::Append)]
    pub headers: Vec<String>,

    /// Ask for a user and password (Basic authorization)
    #[arg(short, long, value_name = "USER:PASSWORD", conflicts_with = "bearer")]
    pub user: Option<String>,

    /// Ask for a token (Bearer authorization)
    #[arg(long, value_name = "TOKEN")]
    pub bearer: Option<String>,

    /// Refuse every handshake with an HTTP status, and a body
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
    /// Speak TLS with the certificate in FILE: PEM, or PKCS#12 with its key
    ///
    /// The passphrase of a key is taken from WSCOPE_PASSPHRASE or --pass-file.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// The key of the certificate, in PEM, if it is not in the same file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Read the key's passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", requires = "cert", hide_short_help = true)]
    pub pass_file: Option<PathBuf>,

    /// Speak TLS with a throw-away certificate for this machine
    #[arg(long, conflicts_with = "cert")]
    pub self_signed: bool,

    /// The same, and write the certificate to FILE: clients trust it with --cacert FILE
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

    /// Compress each message by itself
    #[arg(long, hide_short_help = true)]
    pub server_no_context_takeover: bool,

    /// Have clients compress each message by itself
    #[arg(long, hide_short_help = true)]
    pub client_no_context_takeover: bool,

    /// Compress with a window of at most 2^BITS bytes, 9 to 15
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u8).range(9..=15), hide_short_help = true)]
    pub server_max_window_bits: Option<u8>,

    /// Have clients that can do so use a window of at most 2^BITS bytes, 9 to 15
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u8).range(9..=15), hide_short_help = true)]
    pub client_max_window_bits: Option<u8>,
}
