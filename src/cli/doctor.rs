//! The arguments of `wscope doctor`.

use std::time::Duration;

use clap::Args;

use super::values::duration;
use super::{DefaultsOptions, HandshakeOptions, ReportFormat};
use crate::ui::terminal::ColorChoice;

/// `wscope doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Where to connect: ws://, wss://, or host[:port][/path]
    #[arg(value_name = "URL")]
    pub url: String,

    /// The opening handshake.
    #[command(flatten)]
    pub handshake: HandshakeOptions,

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
