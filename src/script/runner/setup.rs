//! Sets up the source of lines: the prompt if the terminal supports it, otherwise plain lines, or a
//! script.

use std::path::{MAIN_SEPARATOR, Path};

use anyhow::Context as _;

use crate::cli::InputFormat;
use crate::config::{Display, LineConfig, OpenConfig, UsageError};
use crate::engine::runtime::Runtime;
use crate::event::ConnId;
use crate::lens;
use crate::output::reporter::Reporter;
use crate::output::secrets;
use crate::script::command;
use crate::script::command::completion::{Candidate, Surroundings, complete_for, hint_for};
use crate::script::command::variables::Variables;
use crate::script::runner::client_directory::ClientDirectory;
use crate::script::runner::{Notifier, ScriptRunner, Source};
use crate::ui::filter::ClientSet;
use crate::ui::prompt::{Assist, Completion, HISTORY_SIZE, Prompt, PromptSettings};
use crate::wire::Role;

/// What a runner begins with.
#[derive(Clone, Copy)]
pub struct ScriptSetup<'a> {
    /// Where lines come from, and what they mean.
    pub lines: &'a LineConfig,
    /// How stdin is read.
    pub input: InputFormat,
    /// Plain lines are binary messages.
    pub binary: bool,
    /// What is shown.
    pub display: &'a Display,
    /// How a client opens its next connection; a server opens none.
    pub open: Option<&'a OpenConfig>,
    /// The first note at a prompt.
    pub greeting: &'a str,
}

impl ScriptSetup<'_> {
    /// Opens the prompt or stdin. From then on the transcript goes above the prompt.
    pub fn runner(&self, script: Source, runtime: &mut Runtime) -> anyhow::Result<ScriptRunner> {
        let typed = self.input == InputFormat::Prompt;
        let quiet = Notifier::Stderr { quiet: self.display.quiet };
        let mut runner = ScriptRunner::new(!typed, quiet, self);
        if typed && let Some(prompt) = self.start_prompt(&runner, runtime)? {
            let screen = prompt.screen();
            runtime.reporter.move_transcript_to(&screen, self.display);
            runtime.screen = Some(screen.clone());
            runner.notifier = Notifier::Screen(screen, runtime.reporter.palette());
            runtime.notifier = runner.notifier.clone();
            runner.prompt = Some(prompt);
        }
        if runner.prompt.is_none()
            && matches!(self.input, InputFormat::Prompt | InputFormat::Commands)
        {
            runner.read_from(runtime.open_stdin().context("can't read stdin")?);
        }
        if typed {
            runner.notifier.note(self.greeting);
            if !self.display.terminal.stdout && self.display.verbose == 0 {
                runner.notifier.note("messages are printed on stdout; -v shows the frames here");
            }
        }
        runner.filtered = runtime.reporter.filter().is_some();
        runner.push_source(script);
        if !self.lines.execute.is_empty() {
            runner.push_source(Source::of_lines("-x", &self.lines.execute));
        }
        Ok(runner)
    }

    /// Carries out a script on one client of a server.
    pub fn runner_of_client(&self, script: Source, client: ConnId) -> ScriptRunner {
        let notifier = Notifier::Stderr { quiet: self.display.quiet };
        let mut runner = ScriptRunner::new(true, notifier, self);
        runner.target = ClientSet::Only(vec![client]);
        runner.push_source(script);
        runner
    }

    /// The editor, where the terminal can have one.
    fn start_prompt(
        &self,
        runner: &ScriptRunner,
        runtime: &mut Runtime,
    ) -> anyhow::Result<Option<Prompt>> {
        // What was printed so far must be there before the line to type in.
        runtime.drain_stdout(None)?;
        let waker = std::sync::Arc::clone(runtime.waker());
        let options = PromptSettings {
            history: self.lines.history.clone(),
            palette: runtime.reporter.palette(),
            history_size: HISTORY_SIZE,
            keep_stdout_free: !self.display.terminal.stdout,
        };
        let wake = move || {
            // The loop is gone only when the program ends.
            let _ = waker.wake();
        };
        let assist = CommandAssist {
            commands: !self.lines.no_commands,
            role: runner.role,
            clients: runner.clients.clone(),
        };
        Ok(Prompt::start(options, Box::new(assist), wake).ok())
    }
}

/// Sets what the transcript shows, as `--filter` has it.
///
/// # Errors
///
/// It is not a filter.
pub fn set_filter(text: Option<&str>, reporter: &mut Reporter) -> Result<(), UsageError> {
    let role = reporter.role();
    if let (Some(text), Ok(transcript)) = (text, reporter.transcript_mut()) {
        let filter = command::filter_for(text, role.unwrap_or(Role::Client));
        let refused = |error| UsageError::new(format!("--filter {text:?}: {error}"));
        transcript.set_filter(filter.map_err(refused)?);
    }
    Ok(())
}

/// The script, read and checked before anything is opened.
///
/// # Errors
///
/// What is wrong with it is wrong usage.
pub fn script(lines: Option<&LineConfig>, role: Role) -> Result<Source, UsageError> {
    let Some(lines @ LineConfig { script: Some(path), no_commands, .. }) = lines else {
        return Ok(Source::default());
    };
    // Lines of -x come first, and may set variables.
    let variables = lines.execute.is_empty().then(|| Variables::of(&lines.variables));
    let script = Source::read(path, None).and_then(|script| match no_commands {
        true => Ok(script),
        false => script.checked(role, variables),
    });
    script.map_err(|error| UsageError::new(format!("--script {error}")))
}

/// The most files that are proposed: a longer list is not read.
const MAX_FILES: usize = 1000;

/// Completes commands and their arguments, or nothing if there are no commands.
pub struct CommandAssist {
    /// Lines that start with a slash are commands.
    pub commands: bool,
    /// Whose side the lines are for.
    pub role: Role,
    /// The clients of a server.
    pub clients: ClientDirectory,
}

impl Assist for CommandAssist {
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Completion>) {
        let is_command =
            line.starts_with('/') || (self.role == Role::Server && line.starts_with('@'));
        if !self.commands || !is_command {
            return (pos, Vec::new());
        }
        let clients = &self.clients.lock();
        let amid = Surroundings { role: self.role, files: &files, clients };
        let (start, candidates) = complete_for(line, pos, &amid);
        let completion = |Candidate { replacement, display, description }: Candidate| Completion {
            shown: display,
            replacement,
            description,
        };
        (start, candidates.into_iter().map(completion).collect())
    }

    fn hint(&self, line: &str, pos: usize) -> Option<String> {
        if self.commands { hint_for(line, pos, self.role) } else { None }
    }

    fn may_keep(&self, line: &str) -> bool {
        // Also where it stands inside another command.
        let gives_secret = line.match_indices('/').any(|(at, _)| {
            let (word, rest) = line[at + 1..].split_once(' ').unwrap_or_default();
            let commands = lens::find(word).map_or(&[][..], |protocol| protocol.commands);
            lens::gives_secret(commands, rest, &|name| secrets::redactor().hides(name))
        });
        !gives_secret && secrets::redact(line) == line
    }
}

/// The paths that begin with `typed`; a folder ends in a slash.
fn files(typed: &str) -> Vec<String> {
    let (folder, begun) = match typed.rfind(MAIN_SEPARATOR) {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let place = match folder {
        "" => Path::new(".").to_owned(),
        folder => crate::config::expand_home(Path::new(folder)),
    };
    // A folder that can't be read has nothing to propose.
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let mut paths: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begun.starts_with('.');
            if hidden || !name.starts_with(begun) {
                return None;
            }
            let is_folder = std::fs::metadata(entry.path()).is_ok_and(|entry| entry.is_dir());
            Some(format!("{folder}{name}{}", if is_folder { "/" } else { "" }))
        })
        .take(MAX_FILES)
        .collect();
    paths.sort_unstable();
    paths
}
