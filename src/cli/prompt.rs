//! The options of the prompt and of scripts of commands.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::lens::LensOptions;
use super::values::memory;
use crate::ui::view::{Timestamps, View};

/// What a client's session has beside [`LineOptions`].
#[derive(Debug, Args)]
pub struct PromptOptions {
    /// What every session with lines has.
    #[command(flatten)]
    pub lines: LineOptions,

    /// Take each MESSAGE of -x as a line of the prompt: /commands work
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
    /// Stops at the first command that fails: with status 13 at an /expect that was not met.
    #[arg(long, value_name = "FILE", conflicts_with = "echo", help_heading = "Prompt and scripts")]
    pub script: Option<PathBuf>,

    /// Set a variable: ${NAME} in a line stands for VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, help_heading = "Prompt and scripts")]
    pub set: Vec<String>,

    /// At the prompt and in scripts, send lines that start with `/` as they are
    #[arg(long, help_heading = "Prompt and scripts")]
    pub no_commands: bool,

    /// Neither read nor write the prompt's history
    #[arg(long, help_heading = "Prompt and scripts")]
    pub no_history: bool,

    /// How traffic is shown and logged.
    #[command(flatten)]
    pub traffic: TrafficOptions,

    /// Remember frames for /find and /show frames in at most SIZE of memory
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = memory, help_heading = "Limits", hide_short_help = true)]
    pub max_kept: usize,
}

/// How traffic is shown and logged.
#[derive(Debug, Args)]
pub struct TrafficOptions {
    /// Record every event in FILE, behind what it holds, as lines of JSON
    ///
    /// The lines have every byte: heads, headers of frames with their mask keys, payloads as they
    /// travelled. `wscope show` and `wscope decode` read them. Credentials in heads, and their values
    /// in payloads, are left out, unless --show-secrets is given.
    #[arg(long, visible_alias = "record", value_name = "FILE", help_heading = "Input and output")]
    pub log: Option<PathBuf>,

    /// How the transcript shows traffic [default: frames]
    #[arg(long, value_enum, value_name = "VIEW", help_heading = "Display")]
    pub view: Option<View>,

    /// Which time the transcript shows
    #[arg(long, value_enum, value_name = "TIME", default_value = "on", help_heading = "Display")]
    pub timestamps: Timestamps,

    /// Show only what passes FILTER, written as for /filter: 'in text /price/'
    #[arg(long, value_name = "FILTER", help_heading = "Display")]
    pub filter: Option<String>,

    /// Lenses.
    #[command(flatten)]
    pub lenses: LensOptions,

    /// The options of a transcript that were typed, by their ids.
    #[arg(skip)]
    pub typed: Vec<String>,
}
