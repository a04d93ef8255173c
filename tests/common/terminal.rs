//! A terminal with a program on it: keys in, a screen out.
//!
//! Knows no program; whatever a [`Command`] starts runs on it as its controlling terminal. Nothing
//! waits for a fixed time: the screen is looked at whenever something has been written to it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Termios, Winsize};
use rustix::termios::{tcgetattr, tcsetattr, tcsetwinsize};

use crate::waiting::{DEADLINE, Watchdog};

/// A title that no program gives.
const END: &[u8] = b"\x1b]0;the program has ended\x07";

/// A running program and its terminal.
pub struct Terminal {
    child: Option<Child>,
    keyboard: File,
    /// The program's side, kept open: the terminal stays when the program has ended.
    line: File,
    found: Modes,
    shown: Arc<Shown>,
}

/// What has been written to the terminal.
struct Shown {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

/// The screen of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// From the top, without the blanks at their ends.
    pub rows: Vec<String>,
    /// Which rows the terminal has broken, to go on in the next one.
    pub broken: Vec<bool>,
    /// Row and column, from 0.
    pub cursor: (usize, usize),
    /// Whether pastes are announced.
    pub bracketed_paste: bool,
}

/// What `stty -a` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modes(String, bool);

impl Modes {
    /// Whether lines are edited by the terminal, and Ctrl-C is a signal.
    pub fn is_cooked(&self) -> bool {
        self.1
    }
}

impl Screen {
    /// The row that the cursor is in.
    pub fn line(&self) -> &str {
        &self.rows[self.cursor.0]
    }

    /// Whether the cursor stands after this, and this is all that its row holds.
    pub fn ends_with_line(&self, line: &str) -> bool {
        self.line() == line.trim_end() && self.cursor.1 == line.chars().count()
    }

    pub fn has(&self, row: &str) -> bool {
        self.rows.iter().any(|other| other == row)
    }

    /// How many rows from the top have text.
    pub fn text(&self) -> &[String] {
        let last = self.rows.iter().rposition(|row| !row.is_empty());
        &self.rows[..last.map_or(0, |last| last + 1)]
    }
}

impl Terminal {
    /// Runs a program on a new terminal.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Self {
        Self::run(command, None, columns, rows)
    }

    /// The same with stdout elsewhere.
    pub fn start_with_stdout(command: &Command, stdout: File, columns: u16, rows: u16) -> Self {
        Self::run(command, Some(stdout), columns, rows)
    }

    fn run(command: &Command, stdout: Option<File>, columns: u16, rows: u16) -> Self {
        let (keyboard, line) = open(columns, rows);
        let found = modes(&line);
        let mut run = Self::with_controlling_terminal(command);
        let stdio = || Stdio::from(line.try_clone().expect("a descriptor"));
        run.stdin(stdio()).stdout(stdout.map_or_else(stdio, Stdio::from)).stderr(stdio());
        Self::spawn(run, keyboard, line, found, columns, rows)
    }

    /// The command run by `setsid`, which makes its stdin the controlling terminal and becomes it.
    fn with_controlling_terminal(command: &Command) -> Command {
        let mut run = Command::new("setsid");
        run.arg("-c").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => run.env(name, value),
                None => run.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            run.current_dir(folder);
        }
        run
    }

    fn spawn(
        mut command: Command,
        keyboard: File,
        line: File,
        found: Modes,
        columns: u16,
        rows: u16,
    ) -> Self {
        let child = command.spawn().expect("the program starts");
        let parser = vt100::Parser::new(size(rows), size(columns), 0);
        let state = Mutex::new(State { parser, bytes: Vec::new() });
        let shown = Arc::new(Shown { state, changed: Condvar::new() });
        let (mut master, writer) = (keyboard.try_clone().expect("a descriptor"), shown.clone());
        thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(n @ 1..) = master.read(&mut buffer) {
                let mut state = writer.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.parser.process(&buffer[..n]);
                state.bytes.extend_from_slice(&buffer[..n]);
                writer.changed.notify_all();
            }
        });
        Self { child: Some(child), keyboard, line, found, shown }
    }

    /// Types.
    pub fn keys(&mut self, keys: impl AsRef<[u8]>) {
        self.keyboard.write_all(keys.as_ref()).expect("a keyboard");
    }

    /// Pastes, as a terminal does that has been asked to announce it.
    pub fn paste(&mut self, text: &str) {
        let text = text.replace('\n', "\r");
        self.keys(format!("\x1b[200~{text}\x1b[201~"));
    }

    /// The screen of this moment.
    pub fn screen(&self) -> Screen {
        screen(&self.shown.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything that was ever written.
    pub fn bytes(&self) -> Vec<u8> {
        self.shown.state.lock().unwrap_or_else(PoisonError::into_inner).bytes.clone()
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub fn wait_for_screen(&self, expected: impl Fn(&Screen) -> bool) -> Screen {
        self.wait(|state| {
            let screen = screen(state);
            expected(&screen).then_some(screen)
        })
    }

    /// Waits until this has been written, wherever and however long ago.
    #[track_caller]
    pub fn wait_for_bytes(&self, expected: &str) {
        self.wait(|state| memchr::memmem::find(&state.bytes, expected.as_bytes()));
    }

    #[track_caller]
    fn wait<T>(&self, mut look: impl FnMut(&State) -> Option<T>) -> T {
        let mut found = None;
        let state = self.shown.state.lock().unwrap_or_else(PoisonError::into_inner);
        let searching = |state: &mut State| {
            found = look(state);
            found.is_none()
        };
        let (state, _) = self
            .shown
            .changed
            .wait_timeout_while(state, DEADLINE, searching)
            .unwrap_or_else(PoisonError::into_inner);
        let screen = screen(&state);
        drop(state);
        found.unwrap_or_else(|| panic!("this is not what was waited for:\n{screen:#?}"))
    }

    /// Changes the size; the program gets a signal.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let mut state = self.shown.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.parser.screen_mut().set_size(size(rows), size(columns));
        drop(state);
        tcsetwinsize(&self.line, winsize(columns, rows)).expect("a terminal");
    }

    /// The modes of this moment.
    pub fn modes(&self) -> Modes {
        modes(&self.line)
    }

    /// Whether the modes are those that the program found.
    pub fn is_as_found(&self) -> bool {
        self.modes() == self.found
    }

    /// The number of the program's process.
    #[allow(dead_code)] // not in every suite
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a program").id()
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("a program");
        kill_process(Pid::from_child(child), signal).expect("the program is there");
    }

    /// Sets the modes that a shell sets when its job has been stopped.
    #[allow(dead_code)] // not in every suite
    pub fn cook(&self) {
        let mut modes = tcgetattr(&self.line).expect("a terminal");
        modes.local_modes |= LocalModes::ICANON | LocalModes::ISIG | LocalModes::ECHO;
        tcsetattr(&self.line, OptionalActions::Now, &modes).expect("a terminal");
    }

    /// Waits for the end of the program and of what it wrote. The terminal must then be as it was found.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a program");
        let watchdog = Watchdog::watch(Pid::from_child(&child));
        let status = child.wait().expect("our child");
        assert!(!watchdog.dismiss(), "it did not end: {:#?}", self.screen());
        // What was written before this has been read when this has; a screen does not show it.
        self.line.write_all(END).expect("a terminal");
        self.wait(|state| memchr::memmem::find(&state.bytes, END));
        assert_eq!(self.modes(), self.found, "the terminal is left as it was found");
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn screen(state: &State) -> Screen {
    let screen = state.parser.screen();
    let (size, columns) = screen.size();
    let (row, column) = screen.cursor_position();
    Screen {
        rows: screen.rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect(),
        broken: (0..size.get()).map(|row| screen.row_wrapped(row)).collect(),
        cursor: (row.into(), column.into()),
        bracketed_paste: screen.bracketed_paste(),
    }
}

/// Both sides of a new terminal.
fn open(columns: u16, rows: u16) -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("ours");
    unlockpt(&master).expect("ours");
    let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("ASCII");
    let line = File::options().read(true).write(true).open(name).expect("the other side");
    tcsetwinsize(&line, winsize(columns, rows)).expect("a terminal");
    (master.into(), line)
}

fn winsize(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn size(n: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(n).expect("a size")
}

fn modes(line: &File) -> Modes {
    let modes: Termios = tcgetattr(line).expect("a terminal");
    let cooked = modes.local_modes.contains(LocalModes::ICANON | LocalModes::ISIG);
    Modes(format!("{modes:?}"), cooked)
}
