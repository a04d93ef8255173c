//! The options of the prompt and of scripts of commands.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::lens::LensOptions;
use super::values::memory;
use crate::ui::view::{Timestamps, View};

/// The options of a client's session in addition to [`LineOptions`].
#[derive(Debug, Args)]
pub struct PromptOptions {
    /// What every session with lines has.
    #[command(flatten)]
    pub lines: LineOptions,

    /// Run each MESSAGE of -x as a line of the prompt, with /commands
    #[arg(
        long,
        requires = "execute",
        conflicts_with = "no_commands",
        help_heading = "Prompt and scripts"
    )]
    pub commands: bool,

    /// Leave the prompt when the connection ends
    #[arg(long, help_heading = "Prompt and scripts")]
    pub exit_on_close: bool,
}

/// The prompt, scripts, and how traffic is shown.
#[derive(Debug, Args)]
pub struct LineOptions {
    /// Run the lines and commands of FILE, as if typed at the prompt; `-` is stdin
    ///
    /// Stops at the first command that fails. The exit status is 13 if an /expect is not met.
    #[arg(long, value_name = "FILE", conflicts_with = "echo", help_heading = "Prompt and scripts")]
    pub script: Option<PathBuf>,

    /// Set a variable: ${NAME} in a line is replaced by VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, help_heading = "Prompt and scripts")]
    pub set: Vec<String>,

    /// At the prompt and in scripts, send lines that start with `/` as messages
    #[arg(long, help_heading = "Prompt and scripts")]
    pub no_commands: bool,

    /// Do not read or write the prompt's history
    #[arg(long, help_heading = "Prompt and scripts")]
    pub no_history: bool,

    /// How traffic is shown and logged.
    #[command(flatten)]
    pub traffic: TrafficOptions,

    /// Memory limit for the frames kept for /find and /show frames
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_kept: usize,
}

/// How traffic is shown and logged.
#[derive(Debug, Args)]
pub struct TrafficOptions {
    /// Append every event to FILE, as lines of JSON
    ///
    /// The lines hold every byte: heads, frame headers with their mask keys, payloads as sent. `wscope
    /// show` and `wscope decode` read them. Credentials in headers and URLs, and wherever they reappear,
    /// are hidden unless --show-secrets is given; other payload is recorded unchanged.
    #[arg(long, visible_alias = "record", value_name = "FILE", help_heading = "Input and output")]
    pub log: Option<PathBuf>,

    /// How the transcript shows traffic [default: frames]
    #[arg(long, value_enum, value_name = "VIEW", help_heading = "Display")]
    pub view: Option<View>,

    /// The timestamps of the transcript
    #[arg(long, value_enum, value_name = "TIME", default_value = "auto", help_heading = "Display")]
    pub timestamps: Timestamps,

    /// Show only frames that pass FILTER, as in /filter: 'in text /price/'
    #[arg(long, value_name = "FILTER", help_heading = "Display")]
    pub filter: Option<String>,

    /// Lenses.
    #[command(flatten)]
    pub lenses: LensOptions,

    /// The options of a transcript that were typed, by their ids.
    #[arg(skip)]
    pub typed: Vec<String>,
}
