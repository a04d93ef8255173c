//! The prompt: the user edits a line while frames appear above it.
//!
//! Three threads: the caller's, which never waits for the terminal; the editor thread, the only one
//! that reads keys and writes to the terminal; and one that wakes the line editor when there is
//! something to show. The prompt does not know the commands: the caller interprets lines and
//! supplies completions.

mod editor;
mod exchange;
mod helper;
mod history;
mod outside;
mod paste_store;
mod queue;
mod screen;
mod tty;
mod typing;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use rustyline::config::{Behavior, BellStyle, ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::{Editor, Event, EventHandler, ExternalPrinter};

use super::style::{Ink, Palette};
use editor::EditorThread;
pub use exchange::{Assist, Completion, PromptAction, PromptInput};
use helper::Helper;
use history::Recall;
use screen::{PromptPhase, SharedScreen};
use tty::Tty;
use typing::{Keys, SharedTyping};

pub use history::holds_secret;
pub use screen::Screen;

/// The default number of history entries.
pub const HISTORY_SIZE: usize = 10_000;

/// How long a single Escape waits for the rest of a sequence, in milliseconds. Output waits, too.
const KEYSEQ_TIMEOUT: u16 = 50;

/// Makes the line editor draw itself again. The editor ends each message with a line end; one row
/// up before it, the message takes no room.
const TICK: &str = "\x1b[A\n";

/// The time between two redraws for output: short enough for the eye, and long enough to leave the
/// processor to the network during a flood of small messages.
const PACE: Duration = Duration::from_millis(8);

/// How long the editor thread may take to leave. It can't leave while it waits for a second key (as
/// in a search) or for the terminal.
const LEAVING: Duration = Duration::from_millis(250);

/// How long the terminal may take for the last lines if the editor thread can't show them.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The settings of a prompt.
#[derive(Clone, Debug)]
pub struct PromptSettings {
    /// The file that keeps lines for later sessions; created with its folders. Without it, lines
    /// are kept only for this session.
    pub history: Option<PathBuf>,
    /// The largest number of entries.
    pub history_size: usize,
    /// Colours or none. Without colours, there are no hints.
    pub palette: Palette,
    /// stdout has another use, so the prompt uses the controlling terminal.
    pub keep_stdout_free: bool,
}

/// Why there is no prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// It is not a terminal, or it can't move its cursor.
    #[error("lines can't be edited on this terminal: {0}")]
    Terminal(#[source] io::Error),
    /// No thread could be started.
    #[error("can't start a thread for the prompt: {0}")]
    Thread(#[source] io::Error),
}

/// An open prompt. Closes when dropped.
pub struct Prompt {
    shared: Arc<SharedScreen>,
    typed: Receiver<PromptInput>,
}

impl Prompt {
    /// Opens a prompt, and begins to read a line. It calls `wake` in another thread when
    /// [`Prompt::take`] has input.
    ///
    /// # Errors
    ///
    /// The terminal can't do it, as with `TERM=dumb`: plain lines may still be read.
    pub fn start(
        options: PromptSettings,
        assist: Box<dyn Assist>,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, PromptError> {
        let tty = Arc::new(Tty::open(options.keep_stdout_free).map_err(PromptError::Terminal)?);
        let shared = Arc::new(SharedScreen::new(tty, options.palette));
        let typing = SharedTyping::default();
        let no_terminal = |error: ReadlineError| PromptError::Terminal(history::into_io(error));
        let config = config(&options).map_err(no_terminal)?;
        let recall = Recall::new(&config, typing.clone());
        let mut editor = Editor::with_history(config, recall).map_err(no_terminal)?;
        let printer = editor.create_external_printer().map_err(no_terminal)?;
        let keys = Keys { typing: typing.clone(), shared: shared.clone() };
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(keys)));
        let helper = Helper { assist, typing: typing.clone(), shared: shared.clone() };
        editor.set_helper(Some(helper));

        let (sender, typed) = channel();
        let thread = EditorThread {
            editor,
            typing,
            shared: shared.clone(),
            history: options.history,
            typed: sender,
            wake: Box::new(wake),
        };
        shared.tty.restore_on_panic();
        let resumed = Arc::downgrade(&shared);
        let resume = move || resumed.upgrade().iter().for_each(|shared| shared.resume());
        shared.tty.attend_signals(resume).map_err(PromptError::Thread)?;
        shared.tty.take();
        let prompt = Self { shared: shared.clone(), typed };
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned());
        spawn("ticker").spawn(move || tick(&shared, printer)).map_err(PromptError::Thread)?;
        spawn("editor").spawn(move || thread.run()).map_err(PromptError::Thread)?;
        Ok(prompt)
    }

    /// The input since the last call. Never waits.
    pub fn take(&mut self) -> Option<PromptInput> {
        let typed = self.typed.try_recv().ok()?;
        let mut inner = self.shared.lock();
        (inner.interrupted, inner.entered) = (false, false);
        drop(inner);
        Some(typed)
    }

    /// Sets the next action. After each [`PromptInput`], the prompt waits for this call. Text typed
    /// in the meantime belongs to the next line, except for Ctrl-C, which is a signal.
    pub fn next(&self, next: PromptAction) {
        self.shared.lock().next = Some(next);
        self.shared.changed.notify_all();
    }

    /// Changes the state in the prompt, even while a line is being typed. The text is ASCII; the
    /// first 11 characters count.
    pub fn set_state(&self, text: &str, ink: Ink) {
        let mut inner = self.shared.lock();
        inner.state = screen::state(text);
        inner.ink = ink;
        self.shared.announce(&mut inner);
    }

    /// Where lines are shown.
    pub fn screen(&self) -> Screen {
        Screen::new(self.shared.clone())
    }

    /// Whether an editor or a pager uses the terminal: then a SIGINT is for that program.
    pub fn is_away(&self) -> bool {
        self.shared.lock().phase == PromptPhase::Away
    }

    /// Whether a line was entered that [`Prompt::take`] has not returned yet. A SIGINT that arrives
    /// now came after the line.
    pub fn is_handing_over(&self) -> bool {
        self.shared.lock().entered
    }

    /// Ends the current action, shows all queued lines, and restores the terminal, with the cursor
    /// on a new line.
    pub fn close(self) {}

    /// See [`Prompt::close`].
    fn leave(&self) {
        let mut inner = self.shared.lock();
        if inner.phase == PromptPhase::Left {
            return;
        }
        inner.leave = true;
        inner.tick = true;
        self.shared.ticks.notify_all();
        self.shared.changed.notify_all();
        if let Some(child) = inner.child {
            // It may just have ended.
            let _ = kill_process(child, Signal::TERM);
        }
        if !self.shared.tty.has_panicked() {
            let waiting = |inner: &mut screen::Inner| inner.phase != PromptPhase::Left;
            let waited = self.shared.changed.wait_timeout_while(inner, LEAVING, waiting);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if inner.phase != PromptPhase::Left {
            self.give_up_editor(inner);
        }
    }

    /// Abandons the blocked editor thread; it will not touch the terminal any more.
    fn give_up_editor(&self, mut inner: std::sync::MutexGuard<'_, screen::Inner>) {
        inner.phase = PromptPhase::Left;
        self.shared.ticks.notify_all();
        let rest = inner.rest(self.shared.palette);
        drop(inner);
        let tty = self.shared.tty.clone();
        tty.leave();
        // A stopped terminal (Ctrl-S) accepts no output, but must not keep the program from ending.
        let (done, wait) = channel();
        let last_lines = move || {
            if !tty.has_panicked() {
                tty.modes_off();
                let _ = tty.write(tty::FRESH_LINE);
            }
            let _ = tty.write(&rest);
            let _ = done.send(());
        };
        if thread::Builder::new().spawn(last_lines).is_ok() {
            let _ = wait.recv_timeout(LAST_LINES);
        }
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").finish_non_exhaustive()
    }
}

fn config(options: &PromptSettings) -> rustyline::Result<Config> {
    let behavior = if options.keep_stdout_free { Behavior::PreferTerm } else { Behavior::Stdio };
    Ok(Config::builder()
        .max_history_size(options.history_size)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .keyseq_timeout(Some(KEYSEQ_TIMEOUT))
        .bell_style(BellStyle::None)
        // Forces the editor to call the helper, which draws the prompt with or without colours.
        .color_mode(ColorMode::Forced)
        .behavior(behavior)
        .build())
}

/// Wakes the line editor when there is something new to draw. Sending a tick may wait until the
/// previous tick is read, for example during a search. Therefore it has its own thread.
fn tick(shared: &SharedScreen, mut printer: impl ExternalPrinter) {
    loop {
        let mut inner = shared.lock();
        while !inner.tick && inner.phase != PromptPhase::Left {
            inner = shared.ticks.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.phase == PromptPhase::Left {
            return;
        }
        inner.tick = false;
        let is_reading = inner.phase == PromptPhase::Reading;
        drop(inner);
        // An error means that the editor has ended.
        if is_reading && printer.print(TICK.to_owned()).is_err() {
            return;
        }
        let inner = shared.lock();
        let staying = |inner: &mut screen::Inner| !inner.leave && inner.phase != PromptPhase::Left;
        drop(shared.ticks.wait_timeout_while(inner, PACE, staying));
    }
}
