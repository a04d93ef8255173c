//! Asks for a password at the terminal, without showing the typed keys.
//!
//! It reads from the terminal, not from stdin, which may be a pipe of messages. A destructor always
//! restores the terminal's settings. Keys that would end the program arrive as bytes, and signals
//! end the wait.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGTERM};
use thiserror::Error;

use crate::net::secret::Secret;

/// The longest input. A user types less, and a file that was redirected here might not end.
const MOST: usize = 4096;

/// Why there is no password.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// There is no terminal.
    #[error("no terminal to ask for the password; write -u USER:PASSWORD, or use --netrc")]
    NoTerminal(#[source] io::Error),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// SIGTERM or SIGHUP.
    #[error("ended while asking for the password")]
    Terminated,
    /// Ctrl-D on an empty line, or the terminal was closed.
    #[error("no password was typed")]
    Ended,
    /// Longer than any password.
    #[error("the password is longer than {MOST} bytes")]
    TooLong,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Io(#[from] io::Error),
}

/// Asks on the controlling terminal of this process.
///
/// # Errors
///
/// There is no terminal, or no answer.
pub fn password(question: &str) -> Result<Secret, PasswordError> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    ask(&terminal.map_err(PasswordError::NoTerminal)?, question)
}

/// Asks on this terminal.
fn ask(mut terminal: &File, question: &str) -> Result<Secret, PasswordError> {
    let _silence = SilentTerminal::begin(terminal)?;
    let ending = EndingSignals::watch()?;
    terminal.write_all(question.as_bytes())?;
    let answer = read_line(terminal, &ending);
    // The typed line end was not shown either.
    terminal.write_all(b"\n")?;
    answer
}

fn read_line(mut terminal: &File, ending: &EndingSignals) -> Result<Secret, PasswordError> {
    let mut line = TypedLine::default();
    loop {
        let mut waiting =
            [PollFd::new(terminal, PollFlags::IN), PollFd::new(&ending.pipe, PollFlags::IN)];
        match poll(&mut waiting, None) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result.map_err(io::Error::from)?,
        };
        if !waiting[1].revents().is_empty() {
            return Err(PasswordError::Terminated);
        }
        let mut byte = [0];
        match terminal.read(&mut byte) {
            Ok(0) => return Err(PasswordError::Ended),
            Ok(_) => match line.take(byte[0]) {
                Typed::More => {}
                Typed::Done => return Ok(Secret::new(String::from_utf8_lossy(&line.bytes))),
                Typed::Fail(error) => return Err(error),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A line that is being typed, with the usual editing keys of a terminal.
#[derive(Default)]
struct TypedLine {
    bytes: Vec<u8>,
}

enum Typed {
    More,
    Done,
    Fail(PasswordError),
}

impl TypedLine {
    fn take(&mut self, byte: u8) -> Typed {
        match byte {
            b'\r' | b'\n' => return Typed::Done,
            0x03 => return Typed::Fail(PasswordError::Interrupted),
            // Ctrl-D sends the typed text; on an empty line, it ends the input.
            0x04 if self.bytes.is_empty() => return Typed::Fail(PasswordError::Ended),
            0x04 => return Typed::Done,
            // Deletes a whole character, however many bytes it has.
            0x7f | 0x08 => while self.bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            0x15 => self.bytes.clear(),
            _ if self.bytes.len() == MOST => return Typed::Fail(PasswordError::TooLong),
            byte => self.bytes.push(byte),
        }
        Typed::More
    }
}

/// A terminal without echo, until this is dropped.
struct SilentTerminal<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> SilentTerminal<'t> {
    fn begin(terminal: &'t File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        // The terminal passes on each byte, and Ctrl-C is a byte: no key ends the program before
        // this is dropped.
        silent.local_modes -= LocalModes::ECHO
            | LocalModes::ECHONL
            | LocalModes::ICANON
            | LocalModes::ISIG
            | LocalModes::IEXTEN;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Text typed before the question was not an answer to it.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for SilentTerminal<'_> {
    fn drop(&mut self) {
        // A terminal that was closed needs no settings.
        let _ = tcsetattr(self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// SIGTERM and SIGHUP as bytes in a pipe, while this exists.
struct EndingSignals {
    pipe: UnixStream,
    ids: [SigId; 2],
}

impl EndingSignals {
    fn watch() -> io::Result<Self> {
        let (pipe, hook) = UnixStream::pair()?;
        let terminate = signal_hook::low_level::pipe::register(SIGTERM, hook.try_clone()?)?;
        let hang_up = signal_hook::low_level::pipe::register(SIGHUP, hook)?;
        Ok(Self { pipe, ids: [terminate, hang_up] })
    }
}

impl Drop for EndingSignals {
    fn drop(&mut self) {
        for id in self.ids {
            signal_hook::low_level::unregister(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// The two ends of a terminal: the user's, and the program's.
    fn terminal() -> (File, File) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&person).expect("granted");
        unlockpt(&person).expect("unlocked");
        let name = ptsname(&person, Vec::new()).expect("a name");
        let path = name.to_str().expect("text");
        let program = OpenOptions::new().read(true).write(true).open(path).expect("opened");
        (File::from(person), program)
    }

    /// Asks, types when the question appears, and returns the shown text.
    fn dialogue(typed: &[u8]) -> (Result<String, String>, String) {
        let (mut person, program) = terminal();
        let before = format!("{:?}", tcgetattr(&program).expect("settings"));
        let (answer, seen) = thread::scope(|scope| {
            let asking = scope.spawn(|| ask(&program, "password of me: "));
            let (mut seen, mut byte) = (Vec::new(), [0]);
            while !seen.ends_with(b": ") {
                person.read_exact(&mut byte).expect("the question");
                seen.push(byte[0]);
            }
            person.write_all(typed).expect("typed");
            while !seen.ends_with(b"\n") {
                person.read_exact(&mut byte).expect("the line's end");
                seen.push(byte[0]);
            }
            (asking.join().expect("no panic"), seen)
        });
        let after = format!("{:?}", tcgetattr(&program).expect("settings"));
        assert_eq!(after, before, "the terminal is as it was");
        let answer = answer.map(|secret| secret.reveal().to_owned());
        (answer.map_err(|error| error.to_string()), String::from_utf8_lossy(&seen).into_owned())
    }

    #[test]
    fn what_is_typed_is_the_answer_and_is_not_shown() {
        let (answer, seen) = dialogue(b"hunter2\r");
        assert_eq!(answer.as_deref(), Ok("hunter2"));
        assert_eq!(seen, "password of me: \r\n");
    }

    #[test]
    fn keys_that_end_leave_the_terminal_as_it_was() {
        assert_eq!(dialogue(b"abc\x03").0, Err("interrupted".to_owned()));
        assert_eq!(dialogue(b"\x04").0, Err("no password was typed".to_owned()));
        assert_eq!(dialogue("x\u{15}né\x7fo\x04".as_bytes()).0.as_deref(), Ok("no"));
    }

    #[test]
    fn nothing_is_taken_without_end() {
        let mut line = TypedLine::default();
        assert!((0..MOST).all(|_| matches!(line.take(b'x'), Typed::More)));
        assert!(matches!(line.take(b'x'), Typed::Fail(PasswordError::TooLong)));
        assert!(matches!(line.take(b'\n'), Typed::Done));
    }

    #[test]
    fn what_is_no_terminal_can_not_be_asked() {
        let file = tempfile::tempfile().expect("a file");
        assert!(matches!(ask(&file, "?"), Err(PasswordError::Io(_))));
    }
}
