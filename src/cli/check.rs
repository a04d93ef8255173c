//! The options of `wscope check`, as typed; `config/check.rs` checks them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::values::{duration, number};
use super::{AccountOptions, DefaultsOptions, DisplayOptions, HandshakeOptions};

/// `wscope check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The server: ws://, wss://, or host[:port][/path]
    #[arg(value_name = "URL", required_unless_present_any = ["list", "show", "listen"])]
    pub url: Option<String>,

    /// Which cases run [default: all but those that --stress and --intrusive add]
    #[arg(value_name = "PATTERN")]
    pub patterns: Vec<String>,

    /// List the cases and what they cost, without connecting
    #[arg(long, help_heading = "Cases")]
    pub list: bool,

    /// Explain a case and show how to repeat it by hand, without connecting
    #[arg(long, value_name = "ID", conflicts_with = "list", help_heading = "Cases")]
    pub show: Option<String>,

    /// Run cases that take long or send much, too
    #[arg(long, help_heading = "Cases")]
    pub stress: bool,

    /// Run cases that may take much of the server's memory, too
    #[arg(long, help_heading = "Cases")]
    pub intrusive: bool,

    /// Send no messages: only handshakes and control frames
    #[arg(long, help_heading = "Cases")]
    pub no_data: bool,

    /// Whether the server sends messages back [default: wscope tests it]
    #[arg(long, value_enum, value_name = "WHETHER", help_heading = "Cases")]
    pub echo: Option<YesNo>,

    /// Confirm that you may test a server that is neither local nor on a private network
    #[arg(long, help_heading = "Cases")]
    pub i_own_this: bool,

    /// Run only the cases that did not pass in FILE, a JSON report or a baseline
    #[arg(long, value_name = "FILE", help_heading = "Cases")]
    pub rerun: Option<PathBuf>,

    /// Test clients: listen, and give each connection the case that its URL names
    ///
    /// PORT listens for this machine only; 0 lets the system choose. Without --exec and --feed, wscope
    /// waits for clients: open http://127.0.0.1:PORT/ in a browser, connect a client to
    /// ws://127.0.0.1:PORT/ID, or run a harness for Autobahn's fuzzing server unchanged.
    #[arg(long, value_name = "[ADDR:]PORT", num_args = 0..=1, default_missing_value = "9001", conflicts_with_all = ["headers", "subprotocols", "origin", "handshake_timeout", "connect_timeout", "ipv4", "ipv6", "host", "http_header_order", "path_as_is", "insecure", "cacert", "proxy", "proxy_user", "noproxy", "resolve", "connect_to", "interface", "local_port", "unix_socket", "capath", "pass_env", "tls_min", "tls_max", "alpn", "sni", "no_sni", "pinned_sha256", "tls_keylog", "user", "bearer", "netrc", "netrc_file", "cookie", "cookie_jar", "i_own_this"], help_heading = "Clients")]
    pub listen: Option<String>,

    /// With --listen: use TLS with a temporary self-signed certificate for this machine
    ///
    /// --cert and --key use TLS with your own certificate; its passphrase is read from
    /// WSCOPE_PASSPHRASE or --pass-file.
    #[arg(long, requires = "listen", conflicts_with = "cert", help_heading = "Clients")]
    pub self_signed: bool,

    /// Like --self-signed, and write the certificate to FILE, for clients that verify it
    #[arg(
        long,
        value_name = "FILE",
        requires = "listen",
        conflicts_with = "cert",
        help_heading = "Clients"
    )]
    pub self_signed_out: Option<PathBuf>,

    /// With --listen: run CMD for each case, with the case's URL instead of {url}
    ///
    /// `sh -c CMD` runs with WSCOPE_URL in its environment, and is ended when the case is over. Its
    /// status does not affect the verdict.
    #[arg(
        long,
        value_name = "CMD",
        requires = "listen",
        conflicts_with = "feed",
        help_heading = "Clients"
    )]
    pub exec: Option<String>,

    /// With --listen: run CMD once; each line of its stdin is the URL of a case
    #[arg(long, value_name = "CMD", requires = "listen", help_heading = "Clients")]
    pub feed: Option<String>,

    /// With --exec and --feed: how long a client has to connect [default: 5; the first has at least 30]
    #[arg(long, value_name = "SECS", requires = "listen", value_parser = duration, help_heading = "Clients")]
    pub connect_wait: Option<Duration>,

    /// Make up to N connections at the same time [default: 4 on loopback and with --exec, else 1; 1 for
    /// up to eight cases]
    #[arg(short, long, value_name = "N", value_parser = number::<u16>(1..=64), help_heading = "Running")]
    pub jobs: Option<u16>,

    /// Run each case N times; results that differ are FLAKY
    #[arg(long, value_name = "N", default_value = "1", value_parser = number::<u16>(1..=1000), help_heading = "Running")]
    pub repeat: u16,

    /// Stop at the first case that fails
    #[arg(long, help_heading = "Running")]
    pub fail_fast: bool,

    /// End after SECS; what has not run is INCONCLUSIVE [default: 60; 240 with --stress or
    /// --intrusive; 600 with --exec and --feed]
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Running")]
    pub max_time: Option<Duration>,

    /// Wait SECS between connections [default: 0 on loopback, 0.02 elsewhere]
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Running")]
    pub delay: Option<Duration>,

    /// Count a broken SHOULD, and an end without a Close, as failed
    #[arg(long, help_heading = "Results")]
    pub strict: bool,

    /// Fail only the cases that are worse than in FILE
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    pub baseline: Option<PathBuf>,

    /// Write the verdicts to FILE, for --baseline
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    pub write_baseline: Option<PathBuf>,

    /// Write a report to a file, besides that on stdout; may be repeated
    ///
    /// The formats are those of --output.
    #[arg(long, value_name = "FORMAT=FILE", action = ArgAction::Append, help_heading = "Results")]
    pub report: Vec<String>,

    /// Keep a recording in DIR for each case that did not pass; `wscope show` opens it
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    pub transcripts: Option<PathBuf>,

    /// What is written to stdout
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Results"
    )]
    pub output: CheckFormat,

    /// The opening handshake.
    #[command(flatten)]
    pub handshake: HandshakeOptions,

    /// Who the user is.
    #[command(flatten)]
    pub account: AccountOptions,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,

    /// What is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
}

/// Whether a word after `@` is a group of cases: `must`, `should`, `info`, `rfc7692`.
pub fn is_group(word: &str) -> bool {
    matches!(word, "must" | "should" | "info") || word.starts_with("rfc")
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // the names are the docs
pub enum YesNo {
    Yes,
    No,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    Text,
    /// A JSON object for each case, then one with the counts
    Json,
    /// JUnit XML
    Junit,
    /// The Test Anything Protocol, version 14
    Tap,
    /// Annotations of a GitHub workflow
    Github,
}
