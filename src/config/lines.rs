//! The configuration of a session with lines, of a client or a server: the sources of lines, and
//! the output at a prompt.

use std::path::{Path, PathBuf};

use super::display::Display;
use super::lens::LensConfig;
use super::usage::UsageError;
use crate::cli::prompt::TrafficOptions;
use crate::cli::{InputFormat, OutputFormat};
use crate::ui::notation::is_variable;
use crate::ui::terminal::Terminal;
use crate::ui::view::{Timestamps, View};

/// The sources of a session's lines, except stdin, and how to read them.
#[derive(Clone, Debug, Default)]
pub struct LineConfig {
    /// The script file.
    pub script: Option<PathBuf>,
    /// Lines of `-x`.
    pub execute: Vec<String>,
    /// The initial values of `${NAME}`.
    pub variables: Vec<(String, String)>,
    /// Lines that start with `/` are messages, too.
    pub no_commands: bool,
    /// Leave the prompt when the connection ends.
    pub exit_on_close: bool,
    /// The file of the prompt's history.
    pub history: Option<PathBuf>,
}

/// The settings of every session with traffic, of a client, a server or a proxy: the sources of
/// lines, the transcript, and the recording.
#[derive(Clone, Debug)]
pub struct TrafficConfig {
    /// How stdin becomes messages.
    pub input: InputFormat,
    /// What is written to stdout.
    pub output: OutputFormat,
    /// Messages are binary, not text.
    pub binary: bool,
    /// Messages from stdin are binary.
    pub binary_input: bool,
    /// For a session with a prompt or a script.
    pub lines: Option<LineConfig>,
    /// The file for all events.
    pub log: Option<PathBuf>,
    /// The filter of the transcript, as for `/filter`.
    pub filter: Option<String>,
    /// The lenses.
    pub lenses: LensConfig,
    /// The limit for remembered frames, in bytes.
    pub max_kept: usize,
    /// The additional output.
    pub display: Display,
}

impl TrafficConfig {
    /// Checks the typed options. `input` and `output` were chosen; `paths` have their own lenses.
    pub(super) fn resolve(
        options: TrafficOptions,
        (input, output): (InputFormat, OutputFormat),
        paths: &[String],
        max_kept: usize,
        mut display: Display,
    ) -> Result<Self, UsageError> {
        let TrafficOptions { log, view, timestamps, filter, lenses, typed } = options;
        let output = share_screen(input, output, view, timestamps, &mut display);
        check_transcript(&typed, output, &display)?;
        let lenses = LensConfig::resolve(&lenses, paths)?;
        Ok(Self { input, output, log, filter, lenses, max_kept, ..Self::silent(display) })
    }

    /// Reads nothing, and writes nothing.
    pub(super) fn silent(display: Display) -> Self {
        Self {
            input: InputFormat::None,
            output: OutputFormat::None,
            binary: false,
            binary_input: false,
            lines: None,
            log: None,
            filter: None,
            lenses: LensConfig::default(),
            max_kept: 0,
            display,
        }
    }

    /// Adds the effect of `--binary` and `--text`, and the lines.
    pub(super) fn with(self, binary: bool, text: bool, lines: Option<LineConfig>) -> Self {
        let binary_input = binary || self.input == InputFormat::Chunks && !text;
        Self { binary, binary_input, lines, ..self }
    }
}

/// The requested input format, if it is possible.
///
/// # Errors
///
/// A prompt needs a terminal. A script and an echo do not read stdin, so they allow only `none`.
pub(super) fn check_input(
    input: InputFormat,
    script: Option<&Path>,
    echo: bool,
    terminal: Terminal,
) -> Result<InputFormat, UsageError> {
    let refuse = |text: &str| Err(UsageError::new(text.to_owned()));
    match input {
        _ if is_stdin(script) => refuse("--script - reads stdin: leave --input out"),
        InputFormat::None => Ok(input),
        _ if script.is_some() => {
            refuse("--script does not read stdin; omit --input, or write --input none")
        }
        _ if echo => refuse("--echo does not read stdin; omit --input, or write --input none"),
        InputFormat::Prompt if !terminal.stdin => refuse(
            "--input prompt: stdin is not a terminal; --input commands reads commands from it",
        ),
        input => Ok(input),
    }
}

/// Whether a prompt is possible if nothing else is requested. It shares the terminal with a
/// transcript, but not with raw output or with output for another program.
pub(super) fn may_prompt(output: Option<OutputFormat>, terminal: Terminal) -> bool {
    terminal.is_interactive() && !terminal.background && output != Some(OutputFormat::Raw)
}

/// Whether the script comes from stdin.
pub(super) fn is_stdin(script: Option<&Path>) -> bool {
    script.is_some_and(|path| path.as_os_str() == "-")
}

/// Options that change a transcript, by their ids.
pub const OF_TRANSCRIPTS: [&str; 4] = ["view", "timestamps", "filter", "pretty"];

/// Refuses typed options of the transcript if no transcript is shown. Defaults do not count,
/// because they are for all runs.
///
/// # Errors
///
/// No transcript is shown.
fn check_transcript(
    typed: &[String],
    output: OutputFormat,
    display: &Display,
) -> Result<(), UsageError> {
    match typed.first() {
        Some(option) if output != OutputFormat::Frames && display.verbose == 0 => {
            let text = format!(
                "--{option} changes the transcript, but no transcript is shown; add -v or \
                 --output frames"
            );
            Err(UsageError::new(text))
        }
        _ => Ok(()),
    }
}

/// Chooses the view of traffic. On a terminal with a prompt, output becomes a transcript with that
/// view.
fn share_screen(
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

/// The line that sends a message.
pub(super) fn as_line(text: &str, no_commands: bool) -> String {
    if no_commands {
        return text.to_owned();
    }
    let slash = if text.starts_with('/') { "/" } else { "" };
    format!("{slash}{}", text.replace("${", "$${"))
}

/// `--set NAME=VALUE`, for a session with lines.
pub(super) fn variables(
    texts: &[String],
    by_lines: bool,
) -> Result<Vec<(String, String)>, UsageError> {
    if !by_lines && !texts.is_empty() {
        let text = "--set needs a script, the prompt, or -x with --commands";
        return Err(UsageError::new(text.to_owned()));
    }
    let read = |text: &String| match text.split_once('=') {
        Some((name, value)) if is_variable(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err(UsageError::new(format!(
            "--set: {text:?} is not NAME=VALUE; a name has letters, digits and _, no digit first"
        ))),
    };
    texts.iter().map(read).collect()
}
