//! Sets up whoever gives the lines: the prompt where the terminal can have one, plain lines
//! otherwise, or a script.

use anyhow::Context as _;

use super::assist::CommandAssist;
use super::{Conductor, Source, Voice};
use crate::cli::InputFormat;
use crate::config::{Display, Lines, OpenConfig, UsageError};
use crate::modes::client::desk::Desk;
use crate::net::reactor::STDIN;
use crate::net::stdio::Stdin;
use crate::ui::prompt::{HISTORY_SIZE, Prompt, PromptOptions};
use crate::wire::Role;

/// What a conductor begins with.
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
    /// What somebody who types is told first.
    pub greeting: &'a str,
}

impl Setup<'_> {
    /// Opens the prompt or stdin. From then on the transcript goes above the prompt.
    ///
    /// # Errors
    ///
    /// stdin can't be read, or stdout failed.
    pub fn conductor(&self, script: Source, desk: &mut Desk) -> anyhow::Result<Conductor> {
        let typed = self.input == InputFormat::Prompt;
        let quiet = Voice::Stderr { quiet: self.display.quiet };
        let mut conductor = Conductor::new(!typed, quiet, self);
        if typed && let Some(prompt) = self.start_prompt(&conductor, desk)? {
            let screen = prompt.screen();
            desk.reporter.turn_to(&screen, self.display);
            desk.screen = Some(screen.clone());
            conductor.voice = Voice::Screen(screen, desk.reporter.palette());
            conductor.prompt = Some(prompt);
        }
        if conductor.prompt.is_none()
            && matches!(self.input, InputFormat::Prompt | InputFormat::Commands)
        {
            let (registry, waker) = (desk.reactor.registry(), desk.reactor.waker());
            let stdin = Stdin::open(registry, STDIN, waker).context("can't read stdin")?;
            conductor.read_from(stdin);
        }
        if typed {
            conductor.voice.note(self.greeting);
            if !self.display.terminal.stdout && self.display.verbose == 0 {
                conductor.voice.note("messages go to stdout; -v shows the frames here");
            }
        }
        conductor.push_source(script);
        if !self.lines.execute.is_empty() {
            conductor.push_source(Source::of_lines("-x", &self.lines.execute));
        }
        Ok(conductor)
    }

    /// The editor, where the terminal can have one.
    fn start_prompt(
        &self,
        conductor: &Conductor,
        desk: &mut Desk,
    ) -> anyhow::Result<Option<Prompt>> {
        // What was told so far must be there before the line to type in.
        desk.drain_stdout(None).context("stdout failed")?;
        let waker = std::sync::Arc::clone(desk.reactor.waker());
        let options = PromptOptions {
            history: self.lines.history.clone(),
            palette: desk.reporter.palette(),
            history_size: HISTORY_SIZE,
            keep_stdout_free: !self.display.terminal.stdout,
        };
        let wake = move || {
            // The loop is gone only when the program ends.
            let _ = waker.wake();
        };
        let assist = CommandAssist {
            commands: !self.lines.no_commands,
            role: conductor.role,
            roll: conductor.roll.clone(),
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
    let script = Source::read(path).and_then(|script| match no_commands {
        true => Ok(script),
        false => script.checked(role),
    });
    script.map_err(|error| UsageError::new(format!("--script {error}")))
}
