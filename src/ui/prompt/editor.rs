//! The editor thread: reads a line, passes it on, and waits for the next request.
//!
//! While it waits, it shows the queued lines; while it reads, the line editor shows them
//! ([`super::helper`]).

use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use rustyline::Editor;
use rustyline::error::ReadlineError;

use super::exchange::{PromptAction, PromptInput};
use super::helper::{Helper, Leaving};
use super::history::{self, Recall, into_io};
use super::outside;
use super::screen::{PromptPhase, STATE_WIDTH, SharedScreen};
use super::typing::{ReadlineEnd, SharedTyping};

/// A text of the prompt's width, for the line editor; the helper draws the real prompt.
const PROMPT: [u8; STATE_WIDTH + 3] = [b' '; STATE_WIDTH + 3];

/// See the module.
pub struct EditorThread {
    pub editor: Editor<Helper, Recall>,
    pub typing: SharedTyping,
    pub shared: Arc<SharedScreen>,
    pub history: Option<PathBuf>,
    pub typed: Sender<PromptInput>,
    pub wake: Box<dyn Fn() + Send>,
}

impl EditorThread {
    /// Runs until it is told to leave.
    pub fn run(mut self) {
        self.load_history();
        let mut next = PromptAction::Read;
        loop {
            next = match next {
                PromptAction::Read => match self.read() {
                    Some(typed) => self.hand_over(typed),
                    None => break,
                },
                PromptAction::Clear => {
                    self.show(b"\x1b[H\x1b[2J");
                    self.shared.lock().at_top = true;
                    PromptAction::Read
                }
                PromptAction::Page(text) => {
                    // If writing to the terminal fails, reading from it fails, too.
                    let _ = outside::page(&self.shared, &text);
                    PromptAction::Read
                }
                PromptAction::Edit(text) => {
                    let edited = outside::edit(&self.shared, &text);
                    self.hand_over(PromptInput::Edited(edited))
                }
                PromptAction::Leave => break,
            }
        }
        // Nothing reads the ticks any more. The thread that sends them ends with the editor.
        drop(self.editor);
        finish(&self.shared);
    }

    /// Reads until there is input to pass on; `None` if it must leave.
    fn read(&mut self) -> Option<PromptInput> {
        let (mut left, mut right) = (String::new(), String::new());
        loop {
            {
                let mut inner = self.shared.lock();
                if inner.leave {
                    return None;
                }
                inner.phase = PromptPhase::Reading;
            }
            self.typing.lock().begin(&left, &right);
            let prompt = String::from_utf8_lossy(&PROMPT);
            let editor = &mut self.editor;
            let read = catch_unwind(AssertUnwindSafe(|| {
                editor.readline_with_initial(prompt.as_ref(), (&left, &right))
            }));
            {
                let mut inner = self.shared.lock();
                if inner.phase == PromptPhase::Left {
                    // The line editor has restored the modes that it found at its start.
                    self.shared.tty.restore();
                    return None;
                }
                self.shared.tty.take();
                inner.phase = PromptPhase::Idle;
                inner.at_top = false;
            }
            match read {
                Ok(Err(ReadlineError::Io(error))) if error.kind() == io::ErrorKind::InvalidData => {
                    // A key that is not UTF-8 must not lose the line.
                    (left, right) = self.typing.lock().halves();
                }
                Err(thrown) if thrown.is::<Leaving>() => {
                    self.part();
                    return None;
                }
                Err(_) => {
                    return Some(PromptInput::Failed(io::Error::other("the line editor failed")));
                }
                Ok(read) => {
                    if let Some(typed) = self.outcome(read) {
                        return Some(typed);
                    }
                    // The line is empty if it was given up.
                    (left, right) = self.typing.lock().halves();
                }
            }
        }
    }

    /// The meaning of the end of a line; `None` if reading continues.
    fn outcome(&mut self, read: rustyline::Result<String>) -> Option<PromptInput> {
        let mut typing = self.typing.lock();
        let outcome = match (read, typing.ending) {
            (Ok(line), ReadlineEnd::Entered) => Some(PromptInput::Line(typing.pastes.unfold(line))),
            (Ok(_), ReadlineEnd::GivenUp) => None,
            (Ok(_), ReadlineEnd::Interrupted) => Some(PromptInput::Interrupted),
            (Ok(_), ReadlineEnd::Suspended(pos)) => {
                typing.pos = pos;
                drop(typing);
                outside::suspend(&self.shared.tty);
                return None;
            }
            // A key other than Ctrl-C, which `stty intr` or `stty quit` has set.
            (Err(ReadlineError::Interrupted), _) => {
                typing.draft.is_empty().then_some(PromptInput::Interrupted)
            }
            (Err(ReadlineError::Eof), _) => Some(PromptInput::End),
            (Err(error), _) => Some(PromptInput::Failed(into_io(error))),
        };
        typing.clear();
        drop(typing);
        if let Some(PromptInput::Line(line)) = &outcome {
            self.keep(line);
        }
        outcome
    }

    /// Passes on the typed line; shows queued lines until the answer arrives.
    fn hand_over(&self, typed: PromptInput) -> PromptAction {
        self.shared.lock().interrupted = matches!(typed, PromptInput::Interrupted);
        // If the receiver has gone, it has told this thread to leave, or is about to.
        let _ = self.typed.send(typed);
        (self.wake)();
        let mut inner = self.shared.lock();
        loop {
            if inner.leave {
                return PromptAction::Leave;
            }
            let mut piece = Vec::new();
            self.shared.piece(&mut inner, &mut piece);
            if !piece.is_empty() {
                drop(inner);
                self.show(&piece);
                inner = self.shared.lock();
            } else if let Some(next) = inner.next.take() {
                return next;
            } else {
                let woken = self.shared.changed.wait(inner);
                inner = woken.unwrap_or_else(std::sync::PoisonError::into_inner);
            }
        }
    }

    /// Leaves the half-typed line: the line editor has cleared its rows, and nothing is drawn.
    fn part(&self) {
        self.shared.tty.modes_off();
        let draft = mem::take(&mut self.typing.lock().draft);
        if draft.is_empty() {
            return;
        }
        let state = self.shared.lock().state.clone();
        self.show(format!("{state} > {draft}\n").as_bytes());
    }

    fn show(&self, bytes: &[u8]) {
        // If the terminal has gone, the reading of lines ends.
        let _ = self.shared.tty.write(bytes);
    }

    fn load_history(&mut self) {
        let Some(path) = &self.history else { return };
        let loaded =
            history::create(path).and_then(|()| self.editor.load_history(path).map_err(into_io));
        if let Err(error) = loaded {
            self.give_up_history("read", &error);
        }
    }

    fn keep(&mut self, line: &str) {
        let may_keep = self.editor.helper().is_none_or(|helper| helper.assist.may_keep(line));
        if !may_keep || !history::is_kept(line) {
            return;
        }
        let added = self.editor.add_history_entry(line);
        if let (Ok(true), Some(path)) = (added, &self.history)
            && let Err(error) = self.editor.append_history(path)
        {
            self.give_up_history("write", &into_io(error));
        }
    }

    /// Reports once that the history does not work, and continues without it.
    fn give_up_history(&mut self, verb: &str, error: &io::Error) {
        let Some(path) = self.history.take() else { return };
        let path = crate::ui::sanitize::escaped(path.as_os_str().as_encoded_bytes());
        let line = format!("* can't {verb} the history, lines are not kept: {path}: {error}\n");
        self.shared.lock().queue.print(line.as_bytes());
    }
}

/// Shows the rest of the output, and restores the terminal.
fn finish(shared: &SharedScreen) {
    let mut inner = shared.lock();
    while inner.phase != PromptPhase::Left && !inner.queue.is_empty() {
        let mut piece = Vec::new();
        shared.piece(&mut inner, &mut piece);
        drop(inner);
        let _ = shared.tty.write(&piece);
        inner = shared.lock();
    }
    if inner.phase != PromptPhase::Left {
        inner.phase = PromptPhase::Left;
        shared.tty.leave();
        shared.changed.notify_all();
        shared.ticks.notify_all();
    }
}
