//! `wscope proxy` as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::lens::LensMapOptions;
use super::prompt::TrafficOptions;
use super::transport::{RouteArguments, TlsClientOptions};
use super::values::{duration, memory};
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
