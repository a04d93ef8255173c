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

/// Columns of the state in the prompt.
pub const STATE_WIDTH: usize = 11;

/// Bytes shown at once. Keys are read between two such pieces, which a slow terminal needs.
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

    /// Shows whole lines, made harmless for a terminal. If the terminal does not keep up, the oldest
    /// of those that wait are dropped and counted.
    pub fn print_traffic(&self, lines: &[u8]) {
        self.put(lines, LineQueue::print_traffic);
    }

    /// Shows whole lines, made harmless for a terminal, whatever happens.
    pub fn print(&self, lines: &[u8]) {
        self.put(lines, LineQueue::print);
    }

    /// Whether so much is queued for the terminal that nothing more should be printed for now.
    pub fn is_full(&self) -> bool {
        self.shared.lock().queue.is_full()
    }

    /// Columns of the terminal at this moment.
    pub fn columns(&self) -> usize {
        self.shared.tty.size().0
    }

    /// Whether Ctrl-C was pressed on an empty line, and has not been read yet.
    pub fn is_interrupted(&self) -> bool {
        self.shared.lock().interrupted
    }

    fn put(&self, lines: &[u8], put: fn(&mut LineQueue, &[u8])) {
        let mut inner = self.shared.lock();
        put(&mut inner.queue, lines);
        if inner.phase == PromptPhase::Left {
            // Nobody else writes any more.
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
    /// Something for the editor thread while it reads no line; its end.
    pub changed: Condvar,
    /// Something for the line editor: see `super::tick`.
    pub ticks: Condvar,
    /// The terminal.
    pub tty: Arc<Tty>,
    /// The colours.
    pub palette: Palette,
}

/// See [`SharedScreen`].
#[derive(Debug)]
pub struct Inner {
    /// What waits to be shown.
    pub queue: LineQueue,
    /// The state as the prompt shows it, always [`STATE_WIDTH`] columns.
    pub state: String,
    /// Its colour.
    pub ink: Ink,
    /// What the editor thread does.
    pub phase: PromptPhase,
    /// What it shall do when it has nothing to do.
    pub next: Option<PromptAction>,
    /// It shall end, whatever it does.
    pub leave: bool,
    /// The last input is [`super::PromptInput::Interrupted`], and waits to be read.
    pub interrupted: bool,
    /// A line was entered, and waits to be read.
    pub entered: bool,
    /// The line editor shall draw itself again.
    pub tick: bool,
    /// The prompt is in the first row.
    pub at_top: bool,
    /// The editor or pager that has the terminal.
    pub child: Option<Pid>,
}

/// What the editor thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptPhase {
    /// Waits for what is next; shows queued lines.
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

    /// Wakes the thread that shows what is new.
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

    /// The program continues after it was stopped: the modes of the terminal are another's.
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

    /// The next piece of what waits, at most.
    pub fn piece(&self, inner: &mut Inner, out: &mut Vec<u8>) {
        inner.queue.take(PIECE, self.palette, out);
    }
}

impl Inner {
    /// All that waits.
    pub fn rest(&mut self, palette: Palette) -> Vec<u8> {
        let mut rest = Vec::new();
        self.queue.take(usize::MAX / 2, palette, &mut rest);
        rest
    }
}

/// A state cut or filled to [`STATE_WIDTH`] columns; characters that take another number of columns
/// than one have no place in it.
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
