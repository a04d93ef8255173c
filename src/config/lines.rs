//! The choices of a session with lines, a client's or a server's: where lines come from, and what is
//! shown beside the one being typed.

use std::path::{Path, PathBuf};

use super::{Display, UsageError, home};
use crate::cli::{InputFormat, OutputFormat};
use crate::ui::terminal::Terminal;
use crate::ui::view::{Timestamps, View};

/// Where the lines of a session come from, beside stdin, and what they mean.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// A script.
    pub script: Option<PathBuf>,
    /// Lines of `-x`.
    pub execute: Vec<String>,
    /// Lines that start with `/` are messages too.
    pub no_commands: bool,
    /// Leave the prompt when the connection ends.
    pub exit_on_close: bool,
    /// How long to stay after the last line was said, not left to the script.
    pub lingers: bool,
    /// Where the prompt's history is kept.
    pub history: Option<PathBuf>,
}

/// The way of stdin that was asked for, if there can be one.
///
/// # Errors
///
/// A prompt needs a terminal.
pub(super) fn check_input(
    input: InputFormat,
    terminal: Terminal,
) -> Result<InputFormat, UsageError> {
    match input {
        InputFormat::Prompt if !terminal.stdin => Err(UsageError::new(
            "--input prompt: stdin is no terminal; --input commands reads commands from it"
                .to_owned(),
        )),
        input => Ok(input),
    }
}

/// Whether a script is stdin.
pub(super) fn is_stdin(script: Option<&Path>) -> bool {
    script.is_some_and(|path| path.as_os_str() == "-")
}

/// Chooses how traffic is shown; what is written to a terminal that lines are typed on becomes a
/// transcript of that view.
pub(super) fn share_screen(
    input: InputFormat,
    output: OutputFormat,
    view: Option<View>,
    timestamps: Timestamps,
    display: &mut Display,
) -> OutputFormat {
    display.timestamps = timestamps;
    display.view = view.unwrap_or_default();
    if input != InputFormat::Prompt || !display.terminal.stdout {
        return output;
    }
    let shown = match output {
        OutputFormat::Frames | OutputFormat::None => return output,
        OutputFormat::Json => View::Json,
        OutputFormat::Hex => View::Hex,
        OutputFormat::Lines | OutputFormat::Null | OutputFormat::Raw => View::Messages,
    };
    display.view = view.unwrap_or(shown);
    OutputFormat::Frames
}

/// A message as a line that means it.
pub(super) fn as_line(text: &str, no_commands: bool) -> String {
    let slash = if text.starts_with('/') && !no_commands { "/" } else { "" };
    format!("{slash}{text}")
}

/// "$XDG_STATE_HOME defines the base directory relative to which user-specific state files should
/// be stored" (XDG Base Directory Specification); its default is `~/.local/state`.
pub(super) fn history_path() -> Option<PathBuf> {
    let state =
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| home().map(|home| home.join(".local/state")))?;
    Some(state.join("wscope").join("history"))
}
