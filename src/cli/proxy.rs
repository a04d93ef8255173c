//! `wscope proxy` as typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::lens::LensMapOptions;
use super::prompt::TrafficOptions;
use super::transport::{RouteArguments, UpstreamTlsOptions};
use super::values::{duration, memory, number, rate};
use super::{DefaultsOptions, DisplayOptions, TlsServerOptions};

/// `wscope proxy`.
#[derive(Debug, Args)]
pub struct ProxyArgs {
    /// Where to listen: PORT (this machine only), ADDR:PORT, or :PORT (all addresses)
    ///
    /// Port 0 lets the system choose a port. The URL is printed on stderr.
    #[arg(value_name = "[ADDR:]PORT", required_unless_present = "command")]
    pub address: Option<String>,

    /// The server to forward to, as with --to
    #[arg(value_name = "URL", conflicts_with = "to")]
    pub server: Option<String>,

    /// The server to forward to: ws://, wss://, or host[:port][/base]
    ///
    /// The path of URL precedes the path of each request. If the option is repeated, the last one
    /// counts. Without it, clients use wscope as their HTTP or SOCKS5 proxy and name the server
    /// themselves.
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub to: Option<String>,

    /// Run CMD with the proxy and trust variables set, and end with its status
    ///
    /// Without a port, the system chooses one. The transcript goes to stderr: stdin and stdout are
    /// those of CMD. With --to, CMD gets the URL of this proxy instead: in WSCOPE_URL, with its port in
    /// WSCOPE_PORT, and in the place of {url} in its arguments.
    #[arg(last = true, value_name = "CMD", conflicts_with = "input")]
    pub command: Vec<OsString>,

    /// Accept only clients that send this user and password; required on a public address
    #[arg(
        short,
        long,
        value_name = "USER:PASS",
        conflicts_with_all = ["to", "server"],
        help_heading = "Forward proxy"
    )]
    pub user: Option<String>,

    /// Decrypt TLS with these hosts only: a name, host:port, or a pattern with *; may be repeated
    ///
    /// The certificates come from wscope's own authority, which clients must trust: see `wscope ca`.
    #[arg(long, value_name = "GLOB", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["to", "server"], help_heading = "Forward proxy")]
    pub intercept: Vec<String>,

    /// Forward tunnels to these hosts without decrypting them; may be repeated
    #[arg(long, value_name = "GLOB", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["to", "server"], help_heading = "Forward proxy")]
    pub tunnel: Vec<String>,

    /// The folder of wscope's certificate authority [default: $XDG_DATA_HOME/wscope/ca]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["to", "server"], help_heading = "Forward proxy")]
    pub ca_dir: Option<PathBuf>,

    /// Accept connections that a Linux firewall redirects here; forward each to its original address
    ///
    /// For programs without proxy support: `nft … redirect to :PORT`, or iptables' REDIRECT. The
    /// firewall's rule must exclude wscope's own connections, for example by its user.
    #[arg(long, conflicts_with_all = ["to", "server", "command", "user", "unix_socket"], help_heading = "Forward proxy")]
    pub transparent: bool,

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

    /// TLS with the server.
    #[command(flatten)]
    pub tls_client: UpstreamTlsOptions,

    /// Change, delay, hold or drop messages: 'DIR [OPCODES] [/RE/] -> ACTION'; may be repeated, the first match counts
    ///
    /// DIR is > to the server, < to the client, or <>; ACTION is drop, delay 2s, replace /RE/TEXT/,
    /// dup, close 1011, hold or reject STATUS.
    #[arg(long = "rule", value_name = "RULE", action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Intervening")]
    pub rules: Vec<String>,

    /// Read rules from FILE, one per line; lines that begin with # are comments
    #[arg(long = "rules", value_name = "FILE", action = ArgAction::Append, help_heading = "Intervening")]
    pub rule_files: Vec<PathBuf>,

    /// Break a rule on purpose: FAULT towards the client, '> FAULT' towards the server; may be repeated
    ///
    /// FAULT is written as for wscope listen, whose --list-faults lists them: NAME[:ARG][@open|@message:N].
    /// Faults that replace or delay the 101 are not available.
    #[arg(long = "fault", value_name = "FAULT", action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Intervening")]
    pub faults: Vec<String>,

    /// Delay the data of each direction by MS milliseconds, plus or minus up to J
    #[arg(long, value_name = "MS[±J]", help_heading = "Intervening")]
    pub latency: Option<String>,

    /// Limit each direction to SIZE bytes per second
    #[arg(long, value_name = "SIZE", value_parser = rate, help_heading = "Intervening")]
    pub throttle: Option<u64>,

    /// Run the lines and commands of FILE, as if typed at the prompt; `-` is stdin
    ///
    /// Stops at the first command that fails; the exit status is 13 if an /expect is not met. After the
    /// script, the proxy continues; /quit ends it.
    #[arg(long, value_name = "FILE", help_heading = "Prompt and scripts")]
    pub script: Option<PathBuf>,

    /// Set a variable: ${NAME} in a line is replaced by VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, help_heading = "Prompt and scripts")]
    pub set: Vec<String>,

    /// How stdin is read [default: prompt on a terminal, none elsewhere]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Input and output")]
    pub input: Option<ProxyInput>,

    /// Do not read or write the prompt's history
    #[arg(long, help_heading = "Prompt and scripts")]
    pub no_history: bool,

    /// Memory limit for the frames kept for /find and /show frames
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_kept: usize,

    /// What is written to stdout [default: frames; with CMD, or -q and no prompt, none]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Input and output")]
    pub output: Option<ProxyFormat>,

    /// End SECS after the start in any case, with status 12
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// Forward at most N connections at once; refuse others with 503 [default: the descriptor limit]
    #[arg(long, value_name = "N", value_parser = number::<u32>(1..=u64::MAX), help_heading = "Limits")]
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
    /// You type lines at the prompt
    Prompt,
    /// Each line is a message or a /command, as at the prompt
    Commands,
    /// stdin is not read
    None,
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
