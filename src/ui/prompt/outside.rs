//! Other programs on the same terminal: an editor for a message, a pager for a long answer, and the
//! shell when wscope is suspended.
//!
//! The variables of the user name them (`$VISUAL`, `$EDITOR`, `$PAGER`). They may contain
//! arguments, so a shell splits them, as for git. The edited or shown text is passed as an argument
//! or as input, never as part of a command.

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

/// The status of a shell if a program does not exist.
const NOT_FOUND: i32 = 127;

/// How long the system may take to stop this process.
const STOPPING: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Lets the user edit `text`; returns the saved text.
///
/// # Errors
///
/// A sentence for the user: the editor could not be run, failed, or saved text that is not UTF-8.
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
    // Editors add a newline at the end of a file.
    if edited.ends_with('\n') && !text.ends_with('\n') {
        edited.pop();
    }
    Ok(edited)
}

/// Shows `text`, in a pager if it needs more rows than the screen has.
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

/// The rows of a text, with long lines wrapped. Colour codes count as visible characters.
fn rows_of(text: &[u8], columns: usize) -> usize {
    let line_rows = |line: &[u8]| String::from_utf8_lossy(line).width().div_ceil(columns).max(1);
    text.split_inclusive(|byte| *byte == b'\n').map(|line| line_rows(line.trim_ascii_end())).sum()
}

/// Stops this process and the others of its job, as Ctrl-Z does; returns when it continues.
///
/// If no shell could continue the process, the system does not stop it, and this returns soon.
pub fn suspend(tty: &Tty) {
    let Ok((continued, hook)) = io::pipe() else { return };
    let Ok(id) = low_level::pipe::register(SIGCONT, hook) else { return };
    tty.restore();
    if kill_current_process_group(Signal::TSTP).is_ok() {
        // The stop may reach this thread a moment later; until then, the thread must not use the
        // terminal. Any result comes after that.
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

/// A pager reads keys from the controlling terminal.
fn pager(tty: &Tty) -> io::Result<Command> {
    let mut command = Command::new("sh");
    command.args(["-c", PAGER]).stdin(Stdio::piped());
    command.stdout(tty.stdio()?).stderr(tty.stdio()?);
    Ok(command)
}

/// Runs a program to its end, with the terminal settings from before the prompt.
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
        // The user may leave a pager before the end of the text.
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

/// A file that only its owner can read; dropping this removes it.
struct Temporary(PathBuf);

impl Temporary {
    fn create(text: &str) -> io::Result<Self> {
        let folder = std::env::temp_dir();
        let process = std::process::id();
        let mut number = 0;
        loop {
            let path = folder.join(format!("wscope-{process}-{number}.txt"));
            // Never opens an existing file, which may be a trap.
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
        // An editor may have removed it. In a folder without write permission, it stays.
        let _ = fs::remove_file(&self.0);
    }
}
