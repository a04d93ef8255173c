//! `wscope proxy` as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::prompt::TrafficOptions;
use super::transport::{RouteArguments, TlsClientOptions};
use super::values::{duration, memory};
use super::{DefaultsOptions, DisplayOptions, TlsServerOptions};

/// `wscope proxy`.
#[derive(Debug, Args)]
pub struct ProxyArgs {
    /// Where to listen: PORT (this machine only), ADDR:PORT, or :PORT (all addresses)
    ///
    /// Port 0 lets the system choose a port. The URL is printed on stderr.
    #[arg(value_name = "[ADDR:]PORT")]
    pub address: String,

    /// The server to forward to: ws://, wss://, or host[:port][/base]
    ///
    /// Its path is put before the path of each request.
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub to: String,

    /// Forward the client's Host header unchanged, instead of the server's name
    #[arg(long, help_heading = "Handshake")]
    pub keep_host: bool,

    /// Time limit for TLS on either side and for the client's request
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

    /// Accept any TLS certificate of the server
    #[arg(short = 'k', long, help_heading = "TLS")]
    pub insecure: bool,

    /// Also trust the CA certificates in a PEM file
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub cacert: Option<PathBuf>,

    /// Client certificate for the server: PEM, or PKCS#12 with its key
    ///
    /// The passphrase of the key is read from WSCOPE_PASSPHRASE.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub client_cert: Option<PathBuf>,

    /// The key of --client-cert in PEM, if it is not in the same file
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "TLS")]
    pub client_key: Option<PathBuf>,

    /// TLS with the server.
    #[command(flatten)]
    pub tls_client: TlsClientOptions,

    /// What is written to stdout
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "frames",
        help_heading = "Input and output"
    )]
    pub output: ProxyFormat,

    /// End SECS after the start in any case, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Forward at most N connections at once; refuse others with 503 [default: the descriptor limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub max_clients: Option<u32>,

    /// Memory limit for queued data; beyond it, reset the slowest connection
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_memory: usize,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// How traffic is shown and logged.
    #[command(flatten)]
    pub traffic: TrafficOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// What a proxy writes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyFormat {
    /// The transcript: a line per frame, both directions
    Frames,
    /// Each event as a line of JSON
    Json,
    /// Nothing
    None,
}
