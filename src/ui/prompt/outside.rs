//! Other programs on the same terminal: an editor for a message, a pager for a long answer, and the
//! shell when wscope is suspended.
//!
//! The user's own settings name them (`$VISUAL`, `$EDITOR`, `$PAGER`); they may hold arguments, so
//! a shell splits them, as it does for git. The edited or shown text is passed as an argument or as
//! input, never as part of a command.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_current_process_group};
use signal_hook::consts::SIGCONT;
use signal_hook::low_level;
use unicode_width::UnicodeWidthStr as _;

use super::screen::{PromptPhase, SharedScreen};
use super::tty::Tty;

const EDITOR: &str = r#"eval "${VISUAL:-${EDITOR:-vi}} \"\$1\"""#;
const PAGER: &str = r#"eval "${PAGER:-less -R}""#;

/// What a shell returns when there is no such program.
const NOT_FOUND: i32 = 127;

/// How long the system may take to stop this process.
const STOPPING: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Lets the user edit `text`; gives what the file then holds.
///
/// # Errors
///
/// As a sentence for the user: the editor could not be run or failed, or left no UTF-8.
pub fn edit(shared: &SharedScreen, text: &str) -> Result<String, String> {
    let file = Temporary::create(text).map_err(|e| format!("can't create a file to edit: {e}"))?;
    let status = editor(&shared.tty, &file.0)
        .and_then(|mut command| run(shared, &mut command, b""))
        .map_err(|error| format!("can't run an editor: {error}"))?;
    if !status.success() {
        return Err(format!("the editor failed: {status}"));
    }
    let bytes =
        fs::read(&file.0).map_err(|error| format!("can't read the edited file: {error}"))?;
    let mut edited = String::from_utf8(bytes).map_err(|error| {
        format!("the edited text is not UTF-8 at byte {}", error.utf8_error().valid_up_to())
    })?;
    // Editors end a file with a newline, asked or not.
    if edited.ends_with('\n') && !text.ends_with('\n') {
        edited.pop();
    }
    Ok(edited)
}

/// Shows `text`: in a pager if it takes more rows than the screen has, else as it is.
pub fn page(shared: &SharedScreen, text: &[u8]) -> io::Result<()> {
    let (columns, rows) = shared.tty.size();
    if rows_of(text, columns) < rows {
        return shared.tty.write(text);
    }
    match pager(&shared.tty).and_then(|mut command| run(shared, &mut command, text)) {
        Ok(status) if status.code() != Some(NOT_FOUND) => Ok(()),
        Ok(_) | Err(_) => shared.tty.write(text),
    }
}

/// The rows that a text takes, long lines wrapped; colours are counted as if they were seen.
fn rows_of(text: &[u8], columns: usize) -> usize {
    let line_rows = |line: &[u8]| String::from_utf8_lossy(line).width().div_ceil(columns).max(1);
    text.split_inclusive(|byte| *byte == b'\n').map(|line| line_rows(line.trim_ascii_end())).sum()
}

/// Stops this process and those it was started with, as Ctrl-Z does; returns when it continues.
///
/// Where no shell could let it go on the system does not stop it, and this returns soon.
pub fn suspend(tty: &Tty) {
    let Ok((continued, hook)) = io::pipe() else { return };
    let Ok(id) = low_level::pipe::register(SIGCONT, hook) else { return };
    tty.restore();
    if kill_current_process_group(Signal::TSTP).is_ok() {
        // The stop may take a moment to reach this thread: it must not touch the terminal till then.
        // Whatever this returns, it returns afterwards.
        let _ = poll(&mut [PollFd::new(&continued, PollFlags::IN)], Some(&STOPPING));
    }
    low_level::unregister(id);
    tty.take();
}

fn editor(tty: &Tty, path: &Path) -> io::Result<Command> {
    let mut command = Command::new("sh");
    command.args(["-c", EDITOR, "sh"]).arg(path).stdin(tty.stdio()?);
    command.stdout(tty.stdio()?).stderr(tty.stdio()?);
    Ok(command)
}

/// It reads keys from the controlling terminal, as pagers do.
fn pager(tty: &Tty) -> io::Result<Command> {
    let mut command = Command::new("sh");
    command.args(["-c", PAGER]).stdin(Stdio::piped());
    command.stdout(tty.stdio()?).stderr(tty.stdio()?);
    Ok(command)
}

/// Runs a program to its end, with the terminal as it was before the prompt.
fn run(shared: &SharedScreen, command: &mut Command, input: &[u8]) -> io::Result<ExitStatus> {
    let mut child = {
        let mut inner = shared.lock();
        if inner.leave {
            return Err(io::ErrorKind::Interrupted.into());
        }
        shared.tty.restore();
        let child = command.spawn().inspect_err(|_| shared.tty.take())?;
        inner.phase = PromptPhase::Away;
        inner.child = Some(Pid::from_child(&child));
        child
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A pager may be left before its end.
        let _ = stdin.write_all(input);
    }
    let status = child.wait();
    let mut inner = shared.lock();
    inner.child = None;
    if inner.phase == PromptPhase::Away {
        inner.phase = PromptPhase::Idle;
        shared.tty.take();
    }
    status
}

/// A file for its owner alone, that is gone when this is.
struct Temporary(PathBuf);

impl Temporary {
    fn create(text: &str) -> io::Result<Self> {
        let folder = std::env::temp_dir();
        let process = std::process::id();
        let mut number = 0;
        loop {
            let path = folder.join(format!("wscope-{process}-{number}.txt"));
            // Never one that is there already: it may be somebody's trap.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    let file_of_ours = Self(path);
                    file.write_all(text.as_bytes())?;
                    return Ok(file_of_ours);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                    number += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // An editor may have removed it; a folder that can't be written to keeps it.
        let _ = fs::remove_file(&self.0);
    }
}
