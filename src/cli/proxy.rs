//! `wscope proxy` as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::lens::LensMapOptions;
use super::prompt::TrafficOptions;
use super::transport::{RouteArguments, TlsClientOptions};
use super::values::{duration, memory, rate};
use super::{DefaultsOptions, DisplayOptions, TlsServerOptions};

/// `wscope proxy`.
#[derive(Debug, Args)]
pub struct ProxyArgs {
    /// Where to listen: PORT for this machine alone, ADDR:PORT, or :PORT for all addresses
    ///
    /// Port 0 lets the system choose; the URL is printed on stderr.
    #[arg(value_name = "[ADDR:]PORT")]
    pub address: String,

    /// The server that connections are passed on to: ws://, wss://, or host[:port][/base]
    ///
    /// A path in it stands before the path of each request.
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub to: String,

    /// Pass the client's Host on as it is, instead of the server's own name
    #[arg(long, help_heading = "Handshake")]
    pub keep_host: bool,

    /// Time limit for a client's TLS and request, and for the server's TLS
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = duration, help_heading = "Handshake")]
    pub handshake_timeout: Duration,

    /// Time limit for the server's DNS lookup and TCP connect
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = duration, help_heading = "Connection")]
    pub connect_timeout: Duration,

    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Connection")]
    pub ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long, help_heading = "Connection")]
    pub ipv6: bool,

    /// The way to the server.
    #[command(flatten)]
    pub route: RouteArguments,

    /// TLS with clients.
    #[command(flatten)]
    pub tls_server: TlsServerOptions,

    /// Accept any certificate of the server
    #[arg(short = 'k', long, help_heading = "TLS")]
    pub insecure: bool,

    /// Trust the certificates in a PEM file too
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub cacert: Option<PathBuf>,

    /// Show this certificate to a server that asks for one: PEM, or PKCS#12 with its key
    ///
    /// The passphrase of a key is taken from WSCOPE_PASSPHRASE.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub client_cert: Option<PathBuf>,

    /// The key of that certificate, in PEM, if it is not in the same file
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "TLS")]
    pub client_key: Option<PathBuf>,

    /// TLS with the server.
    #[command(flatten)]
    pub tls_client: TlsClientOptions,

    /// Change what passes: 'DIR [OPCODES] [/RE/] -> ACTION'; may be repeated, the first match counts
    ///
    /// DIR is > to the server, < to the client, or <>; ACTION is drop, delay 2s, replace /RE/TEXT/,
    /// dup, close 1011, hold or reject STATUS.
    #[arg(long = "rule", value_name = "RULE", action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Intervening")]
    pub rules: Vec<String>,

    /// Read rules from FILE, one a line; a line that begins with # is a comment
    #[arg(long = "rules", value_name = "FILE", action = ArgAction::Append, help_heading = "Intervening")]
    pub rule_files: Vec<PathBuf>,

    /// Do something wrong: FAULT towards the client, '> FAULT' towards the server; may be repeated
    ///
    /// FAULT is written as for wscope listen, whose --list-faults lists them: NAME[:ARG][@open|@message:N].
    /// Those that replace the 101 or make it late are left out.
    #[arg(long = "fault", value_name = "FAULT", action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Intervening")]
    pub faults: Vec<String>,

    /// Delay what travels, each way, by MS milliseconds, by up to J more or less
    #[arg(long, value_name = "MS[±J]", help_heading = "Intervening")]
    pub latency: Option<String>,

    /// Let at most SIZE bytes a second travel, each way
    #[arg(long, value_name = "SIZE", value_parser = rate, help_heading = "Intervening")]
    pub throttle: Option<u64>,

    /// Run the lines and commands of FILE, as if typed at the prompt; `-` is stdin
    ///
    /// Stops at the first command that fails: with status 13 at an /expect that was not met. At its end
    /// the proxy goes on; /quit ends it.
    #[arg(long, value_name = "FILE", help_heading = "Prompt and scripts")]
    pub script: Option<PathBuf>,

    /// Set a variable: ${NAME} in a line stands for VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, help_heading = "Prompt and scripts")]
    pub set: Vec<String>,

    /// How stdin is read [default: prompt on a terminal, none elsewhere]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Input and output")]
    pub input: Option<ProxyInput>,

    /// Neither read nor write the prompt's history
    #[arg(long, help_heading = "Prompt and scripts")]
    pub no_history: bool,

    /// Remember frames for /find and /show frames in at most SIZE of memory
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_kept: usize,

    /// What is written to stdout
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "frames",
        help_heading = "Input and output"
    )]
    pub output: ProxyFormat,

    /// End after SECS, whatever happens, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Relay at most N connections at once; further ones get 503 [default: as descriptors allow]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub max_clients: Option<u32>,

    /// Hold at most SIZE in memory of all that waits; beyond it the slowest connection is reset
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_memory: usize,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// How traffic is shown and logged.
    #[command(flatten)]
    pub traffic: TrafficOptions,

    /// Lenses of paths.
    #[command(flatten)]
    pub lens_map: LensMapOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// How a proxy reads stdin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyInput {
    /// Lines that are typed, at a prompt
    Prompt,
    /// Each line as at the prompt, without one
    Commands,
    /// Not
    None,
}

/// What a proxy writes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyFormat {
    /// The transcript: a line per frame, both ways
    Frames,
    /// Each event as a line of JSON
    Json,
    /// Nothing
    None,
}
