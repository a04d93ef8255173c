//! The options of `wscope ping`, as typed; `config/ping.rs` checks them.

use std::time::Duration;

use clap::Args;

use super::values::{duration, number};
use super::{DisplayOptions, HandshakeOptions, ReachOptions, ReportFormat};

/// `wscope ping`.
#[derive(Debug, Args)]
// `-s` is the size, as in ping(8); in the other modes it is a subprotocol.
#[command(mut_arg("subprotocols", |argument| argument.short(None)))]
pub struct PingArgs {
    /// Where to connect: ws://, wss://, or host[:port][/path]
    #[arg(value_name = "URL")]
    pub url: String,

    /// Send a ping every SECS; with --idle-limit, the first idle time to try
    #[arg(short, long, value_name = "SECS", default_value = "1", value_parser = duration, help_heading = "Pings")]
    pub interval: Duration,

    /// Close after N pings [default: continue until Ctrl-C]
    #[arg(short, long, value_name = "N", value_parser = number::<u64>(1..=u64::MAX), help_heading = "Pings")]
    pub count: Option<u64>,

    /// Payload size of each ping, 0 to 125
    #[arg(short, long, value_name = "BYTES", default_value = "16", value_parser = number::<u8>(0..=125), help_heading = "Pings")]
    pub size: u8,

    /// Count a ping as lost if its pong has not arrived after SECS
    #[arg(short = 'W', long, value_name = "SECS", default_value = "5", value_parser = duration, help_heading = "Pings")]
    pub pong_timeout: Duration,

    /// Send text messages and wait for their echo, for peers that do not answer pings
    #[arg(long, help_heading = "Pings")]
    pub echo: bool,

    /// Find the idle timeout, who closes the connection then, and which ping interval prevents it
    ///
    /// Leaves one connection after another idle, each twice as long as the one before, until one is
    /// closed. Then it narrows the time down, and tests the ping interval that it recommends.
    #[arg(long, conflicts_with = "count", help_heading = "Pings")]
    pub idle_limit: bool,

    /// End after SECS [default: none; 600 with --idle-limit]
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Ending")]
    pub max_time: Option<Duration>,

    /// What is written to stdout
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Input and output"
    )]
    pub output: ReportFormat,

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
