//! The shared state of the prompt's threads, and the handle through which other threads show lines.
//!
//! Only the editor thread writes to the terminal: through the line editor while a line is read,
//! directly otherwise. Other threads put lines into the queue and wake it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustix::process::Pid;

use super::exchange::PromptAction;
use super::queue::LineQueue;
use super::tty::Tty;
use crate::ui::style::{Ink, Palette};

/// The width of the state in the prompt, in columns.
pub const STATE_WIDTH: usize = 11;

/// How many bytes are shown at once. Keys are read between two pieces, which is important for a
/// slow terminal.
const PIECE: usize = 64 * 1024;

/// Shows lines above the prompt, from any thread. Never blocks while the prompt is open.
#[derive(Clone, Debug)]
pub struct Screen {
    shared: Arc<SharedScreen>,
}

impl Screen {
    pub(super) fn new(shared: Arc<SharedScreen>) -> Self {
        Self { shared }
    }

    /// Shows whole lines, safe for a terminal. If the terminal is too slow, the oldest waiting
    /// lines are dropped and counted.
    pub fn print_traffic(&self, lines: &[u8]) {
        self.put(lines, LineQueue::print_traffic);
    }

    /// Shows whole lines, safe for a terminal; they are never dropped.
    pub fn print(&self, lines: &[u8]) {
        self.put(lines, LineQueue::print);
    }

    /// Whether so much output is queued for the terminal that callers should print nothing more for
    /// now.
    pub fn is_full(&self) -> bool {
        self.shared.lock().queue.is_full()
    }

    /// The current width of the terminal in columns.
    pub fn columns(&self) -> usize {
        self.shared.tty.size().0
    }

    /// Whether Ctrl-C was pressed on an empty line and has not been read yet.
    pub fn is_interrupted(&self) -> bool {
        self.shared.lock().interrupted
    }

    fn put(&self, lines: &[u8], put: fn(&mut LineQueue, &[u8])) {
        let mut inner = self.shared.lock();
        put(&mut inner.queue, lines);
        if inner.phase == PromptPhase::Left {
            // No other thread writes any more.
            let rest = inner.rest(self.shared.palette);
            drop(inner);
            let _ = self.shared.tty.write(&rest);
        } else {
            self.shared.announce(&mut inner);
        }
    }
}

/// The state of all threads of one prompt.
#[derive(Debug)]
pub struct SharedScreen {
    inner: Mutex<Inner>,
    /// Signals the editor thread while it reads no line, and signals its end.
    pub changed: Condvar,
    /// Signals that the line editor has something to draw: see `super::tick`.
    pub ticks: Condvar,
    /// The terminal.
    pub tty: Arc<Tty>,
    /// The colours.
    pub palette: Palette,
}

/// See [`SharedScreen`].
#[derive(Debug)]
pub struct Inner {
    /// The lines that wait to be shown.
    pub queue: LineQueue,
    /// The state in the prompt, always [`STATE_WIDTH`] columns.
    pub state: String,
    /// Its colour.
    pub ink: Ink,
    /// What the editor thread is doing.
    pub phase: PromptPhase,
    /// What it must do next.
    pub next: Option<PromptAction>,
    /// It must end, whatever it is doing.
    pub leave: bool,
    /// The last input is [`super::PromptInput::Interrupted`], and waits to be read.
    pub interrupted: bool,
    /// A line was entered, and waits to be read.
    pub entered: bool,
    /// The line editor must draw itself again.
    pub tick: bool,
    /// The prompt is in the first row.
    pub at_top: bool,
    /// The editor or pager that uses the terminal.
    pub child: Option<Pid>,
}

/// What the editor thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptPhase {
    /// Waits for the next action; shows queued lines.
    Idle,
    /// Reads a line.
    Reading,
    /// Has lent the terminal to another program.
    Away,
    /// Has ended, or was given up.
    Left,
}

impl SharedScreen {
    pub fn new(tty: Arc<Tty>, palette: Palette) -> Self {
        let inner = Inner {
            queue: LineQueue::default(),
            state: state(""),
            ink: Ink::Info,
            phase: PromptPhase::Idle,
            next: None,
            leave: false,
            interrupted: false,
            entered: false,
            tick: false,
            at_top: false,
            child: None,
        };
        let (changed, ticks) = (Condvar::new(), Condvar::new());
        Self { inner: Mutex::new(inner), changed, ticks, tty, palette }
    }

    /// No operation under this lock can be interrupted halfway.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread that shows new output.
    pub fn announce(&self, inner: &mut Inner) {
        match inner.phase {
            PromptPhase::Idle => self.changed.notify_all(),
            PromptPhase::Reading => {
                inner.tick = true;
                self.ticks.notify_all();
            }
            PromptPhase::Away | PromptPhase::Left => {}
        }
    }

    /// The program continues after a stop: another program has changed the modes of the terminal.
    pub fn resume(&self) {
        let mut inner = self.lock();
        match inner.phase {
            PromptPhase::Idle => self.tty.take(),
            PromptPhase::Reading => {
                self.tty.take_for_reading();
                self.announce(&mut inner);
            }
            PromptPhase::Away | PromptPhase::Left => {}
        }
    }

    /// The next piece of the waiting output.
    pub fn piece(&self, inner: &mut Inner, out: &mut Vec<u8>) {
        inner.queue.take(PIECE, self.palette, out);
    }
}

impl Inner {
    /// All waiting output.
    pub fn rest(&mut self, palette: Palette) -> Vec<u8> {
        let mut rest = Vec::new();
        self.queue.take(usize::MAX / 2, palette, &mut rest);
        rest
    }
}

/// A state, cut or filled to [`STATE_WIDTH`] columns. Drops characters that do not have a width of
/// one column.
pub fn state(text: &str) -> String {
    let narrow = text.chars().filter(|c| c.is_ascii() && !c.is_ascii_control());
    let mut state: String = narrow.take(STATE_WIDTH).collect();
    while state.len() < STATE_WIDTH {
        state.push(' ');
    }
    state
}

#[cfg(test)]
mod tests {
    use super::state;

    #[test]
    fn a_state_has_its_width() {
        for (text, expected) in [
            ("", "           "),
            ("connected", "connected  "),
            ("closed 1006", "closed 1006"),
            ("closed 10060", "closed 1006"),
            ("a\x1b\u{301}b", "ab         "),
        ] {
            assert_eq!(state(text), expected);
        }
    }
}
