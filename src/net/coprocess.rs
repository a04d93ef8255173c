//! A command that runs beside the program and answers each line with a line.
//!
//! It handles only bytes, and must not know messages. Two threads make the blocking calls, one for
//! each pipe, because a command may write before it has read a long line completely.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// The longest answer; the rest of its line is dropped.
const LONGEST: u64 = 64 * 1024;

/// How long a command has to end by itself after the end of its stdin.
const BEFORE_KILL: Duration = Duration::from_millis(250);

/// A running command.
pub struct Coprocess {
    process: Child,
    questions: Option<mpsc::Sender<Vec<u8>>>,
    answers: mpsc::Receiver<Vec<u8>>,
}

/// What [`Coprocess::answer`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoprocessAnswer {
    /// The line that answers the oldest question, without its line end.
    Line(Vec<u8>),
    /// The answer has not arrived.
    Pending,
    /// No more answers will come, because the command has closed its stdout.
    Ended,
}

impl Coprocess {
    /// Starts `sh -c command`; `wake` is called from another thread when an answer is there.
    ///
    /// # Errors
    ///
    /// The system gives no process or thread.
    pub fn spawn(command: &str, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let mut process = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (questions, asked) = mpsc::channel();
        let (answered, answers) = mpsc::channel();
        let new = Self { process, questions: Some(questions), answers };
        thread::Builder::new().spawn(move || write_lines(stdin, &asked))?;
        thread::Builder::new().spawn(move || read_lines(stdout, &answered, wake))?;
        Ok(new)
    }

    /// Passes a line to it. The line ends with `\n` and contains no other.
    pub fn ask(&self, line: Vec<u8>) {
        if let Some(questions) = &self.questions {
            // If the command reads no more, its answers are missing; that shows it.
            let _ = questions.send(line);
        }
    }

    /// The next answer; waits for it until `until`.
    pub fn answer(&self, until: Option<Instant>) -> CoprocessAnswer {
        let Some(until) = until else {
            return match self.answers.try_recv() {
                Ok(line) => CoprocessAnswer::Line(line),
                Err(TryRecvError::Empty) => CoprocessAnswer::Pending,
                Err(TryRecvError::Disconnected) => CoprocessAnswer::Ended,
            };
        };
        match self.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => CoprocessAnswer::Line(line),
            Err(RecvTimeoutError::Timeout) => CoprocessAnswer::Pending,
            Err(RecvTimeoutError::Disconnected) => CoprocessAnswer::Ended,
        }
    }
}

/// Ends the command and the processes that it has started.
impl Drop for Coprocess {
    fn drop(&mut self) {
        self.questions = None;
        let until = Instant::now() + BEFORE_KILL;
        while matches!(self.answer(Some(until)), CoprocessAnswer::Line(_)) && Instant::now() < until
        {
        }
        // It is not reaped yet, so its process number is not reused. It may have ended.
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}

fn write_lines(mut stdin: ChildStdin, asked: &mpsc::Receiver<Vec<u8>>) {
    while let Ok(line) = asked.recv() {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn read_lines(stdout: ChildStdout, answered: &mpsc::Sender<Vec<u8>>, wake: impl Fn()) {
    let mut stdout = BufReader::new(stdout);
    while let Ok(Some(line)) = read_line(&mut stdout) {
        if answered.send(line).is_err() {
            return;
        }
        wake();
    }
}

/// The next line, without its line end; only the beginning of a long line. `None` at the end of the
/// stream.
fn read_line(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if stream.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_none() {
        stream.skip_until(b'\n')?;
    }
    line.pop_if(|last| *last == b'\r');
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(30))
    }

    #[test]
    fn each_line_has_its_answer_however_long_it_is() {
        let command = Coprocess::spawn("cat", || ()).expect("sh");
        let long = [vec![b'x'; 1 << 20], vec![b'\n']].concat();
        command.ask(long);
        command.ask(b"second\r\n".to_vec());
        assert_eq!(command.answer(soon()), CoprocessAnswer::Line(vec![b'x'; LONGEST as usize]));
        assert_eq!(command.answer(soon()), CoprocessAnswer::Line(b"second".to_vec()));
        assert_eq!(command.answer(None), CoprocessAnswer::Pending);
    }

    #[test]
    fn a_command_that_ends_answers_no_more() {
        let command = Coprocess::spawn("read line; echo got $line", || ()).expect("sh");
        command.ask(b"one\n".to_vec());
        assert_eq!(command.answer(soon()), CoprocessAnswer::Line(b"got one".to_vec()));
        assert_eq!(command.answer(soon()), CoprocessAnswer::Ended);
        command.ask(b"two\n".to_vec());
        assert_eq!(command.answer(None), CoprocessAnswer::Ended);
    }
}
