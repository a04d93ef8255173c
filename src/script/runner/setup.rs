//! Sets up where lines come from: the prompt where the terminal can have one, plain lines
//! otherwise, or a script.

use anyhow::Context as _;

use crate::cli::InputFormat;
use crate::config::{Display, Lines, OpenConfig, UsageError};
use crate::engine::runtime::Runtime;
use crate::script::runner::completion::CommandAssist;
use crate::script::runner::{Notifier, ScriptRunner, Source};
use crate::ui::prompt::{HISTORY_SIZE, Prompt, PromptOptions};
use crate::wire::Role;

/// What a runner begins with.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Where lines come from, and what they mean.
    pub lines: &'a Lines,
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

impl Setup<'_> {
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
                runner.notifier.note("messages go to stdout; -v shows the frames here");
            }
        }
        runner.push_source(script);
        if !self.lines.execute.is_empty() {
            runner.push_source(Source::of_lines("-x", &self.lines.execute));
        }
        Ok(runner)
    }

    /// The editor, where the terminal can have one.
    fn start_prompt(
        &self,
        runner: &ScriptRunner,
        runtime: &mut Runtime,
    ) -> anyhow::Result<Option<Prompt>> {
        // What was printed so far must be there before the line to type in.
        runtime.drain_stdout(None).context("stdout failed")?;
        let waker = std::sync::Arc::clone(runtime.waker());
        let options = PromptOptions {
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

/// The script, read and checked before anything is opened.
///
/// # Errors
///
/// What is wrong with it is wrong usage.
pub fn script(lines: Option<&Lines>, role: Role) -> Result<Source, UsageError> {
    let Some(Lines { script: Some(path), no_commands, .. }) = lines else {
        return Ok(Source::default());
    };
    let script = Source::read(path, None).and_then(|script| match no_commands {
        true => Ok(script),
        false => script.checked(role),
    });
    script.map_err(|error| UsageError::new(format!("--script {error}")))
}
