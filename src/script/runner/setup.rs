//! Sets up the source of lines: the prompt if the terminal supports it, otherwise plain lines, or a
//! script.

use std::io;
use std::path::{MAIN_SEPARATOR, Path};

use anyhow::Context as _;

use crate::cli::InputFormat;
use crate::config::{Display, LineConfig, OpenConfig, TrafficConfig, UsageError};
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

/// The initial settings of a runner.
#[derive(Clone, Copy)]
pub struct ScriptSetup<'a> {
    /// Where lines come from, and what they mean.
    pub(super) lines: &'a LineConfig,
    /// How stdin is read, and what is shown.
    pub(super) traffic: &'a TrafficConfig,
    /// How a client opens its next connection; a server opens none.
    pub(super) open: Option<&'a OpenConfig>,
    /// The first note at a prompt.
    greeting: &'a str,
}

impl<'a> ScriptSetup<'a> {
    /// For a session with lines. A client opens connections with `open`, a server opens none. A
    /// prompt begins with `greeting`.
    pub fn of(
        traffic: &'a TrafficConfig,
        open: Option<&'a OpenConfig>,
        greeting: &'a str,
    ) -> Option<Self> {
        Some(Self { lines: traffic.lines.as_ref()?, traffic, open, greeting })
    }

    /// Opens the prompt or stdin. From then on, the transcript appears above the prompt.
    pub fn runner(&self, script: Source, runtime: &mut Runtime) -> anyhow::Result<ScriptRunner> {
        let typed = self.traffic.input == InputFormat::Prompt;
        let quiet = Notifier::Stderr { quiet: self.traffic.display.quiet };
        let mut runner = ScriptRunner::new(!typed, quiet, self);
        if typed && let Some(prompt) = self.start_prompt(&runner, runtime)? {
            let screen = prompt.screen();
            runtime.reporter.move_transcript_to(&screen, &self.traffic.display);
            runtime.screen = Some(screen.clone());
            runner.notifier = Notifier::Screen(screen, runtime.reporter.palette());
            runtime.notifier = runner.notifier.clone();
            runner.prompt = Some(prompt);
        }
        if runner.prompt.is_none()
            && matches!(self.traffic.input, InputFormat::Prompt | InputFormat::Commands)
        {
            runner.read_from(runtime.open_stdin().context("can't read stdin")?);
        }
        if typed {
            runner.notifier.note(self.greeting);
            if !self.traffic.display.terminal.stdout && self.traffic.display.verbose == 0 {
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

    /// A runner for a script on one client of a server.
    pub fn runner_of_client(&self, script: Source, client: ConnId) -> ScriptRunner {
        let notifier = Notifier::Stderr { quiet: self.traffic.display.quiet };
        let mut runner = ScriptRunner::new(true, notifier, self);
        runner.target = ClientSet::Only(vec![client]);
        runner.push_source(script);
        runner
    }

    /// Starts the editor, if the terminal supports it.
    fn start_prompt(
        &self,
        runner: &ScriptRunner,
        runtime: &mut Runtime,
    ) -> anyhow::Result<Option<Prompt>> {
        // All earlier output must be printed before the prompt appears.
        runtime.drain_stdout(None)?;
        let waker = std::sync::Arc::clone(runtime.waker());
        let options = PromptSettings {
            history: self.lines.history.clone(),
            palette: runtime.reporter.palette(),
            history_size: HISTORY_SIZE,
            keep_stdout_free: !self.traffic.display.terminal.stdout,
        };
        let wake = move || {
            // The event loop ends only when the program ends.
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

impl ScriptRunner {
    /// Gives the terminal back, at the end of a session.
    ///
    /// # Errors
    ///
    /// The transcript failed.
    pub fn leave(mut self, display: &Display, runtime: &mut Runtime) -> io::Result<()> {
        if let Some(prompt) = self.prompt.take() {
            runtime.reporter.flush()?;
            prompt.close();
            runtime.reporter.move_transcript_back(display);
        }
        Ok(())
    }
}

/// The reporter that shows and logs the traffic of a session. `role` is `None` if connections are
/// relayed.
///
/// # Errors
///
/// The filter or the log can't be used.
pub fn reporter(role: Option<Role>, config: &TrafficConfig) -> anyhow::Result<Reporter> {
    let TrafficConfig { output, ref display, ref filter, .. } = *config;
    let mut reporter = Reporter::of(role, output, display).with_lenses(config.lenses.clone());
    if config.lines.is_some() {
        reporter = reporter.with_history(display, config.max_kept);
    }
    if config.input == InputFormat::Prompt {
        reporter = reporter.folded();
    }
    if let (Some(text), Ok(transcript)) = (filter, reporter.transcript_mut()) {
        let filter = command::filter_for(text, role.unwrap_or(Role::Client));
        let refused = |error| UsageError::new(format!("--filter {text:?}: {error}"));
        transcript.set_filter(filter.map_err(refused)?);
    }
    if let Some(path) = &config.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    Ok(reporter)
}

/// The script, read and checked before anything is opened.
///
/// # Errors
///
/// The script can't be read or parsed; this is a usage error.
pub fn script(lines: Option<&LineConfig>, role: Role) -> Result<Source, UsageError> {
    let Some(lines @ LineConfig { script: Some(path), no_commands, .. }) = lines else {
        return Ok(Source::default());
    };
    // Lines of -x run first, and may set variables.
    let variables = lines.execute.is_empty().then(|| Variables::of(&lines.variables));
    let script = Source::read(path, None).and_then(|script| match no_commands {
        true => Ok(script),
        false => script.checked(role, variables),
    });
    script.map_err(|error| UsageError::new(format!("--script {error}")))
}

/// The largest number of files that completion reads.
const MAX_FILES: usize = 1000;

/// Completes commands and their arguments; completes nothing if commands are off.
pub struct CommandAssist {
    /// Lines that start with a slash are commands.
    pub commands: bool,
    /// The side that the lines are for.
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
        // A command inside another command counts, too.
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
    // An unreadable folder gives no candidates.
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
