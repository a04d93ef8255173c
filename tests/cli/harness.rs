//! One run of the binary, written as a sentence: what it is given, what it prints, how it ends.
//!
//! `Test::new().args(["-x", "hi"]).peer(|p| …).stdout("hi\n").status(0)`. What is not mentioned is
//! checked to be empty. Nothing waits for a fixed time: readers and writers are threads, and a
//! child that is still there at the deadline is killed by its id.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use crate::lines::Lines;
use crate::peer::Peer;
use crate::server::{Server, scripted, serve_on};
use crate::waiting::{Gate, Key, Watchdog, join};

/// A run that has not begun.
pub struct Test {
    args: Vec<OsString>,
    command: Command,
    stdin: Input,
    peer: Option<Server>,
    stdout: Expected,
    stderr: Expected,
    read_after: Option<Gate>,
    read_at_most: Option<(u64, Key)>,
    signal: Option<(Gate, Signal)>,
}

/// What the child reads.
enum Input {
    /// Nothing, and no end.
    Open,
    /// This, then the end.
    Bytes(Vec<u8>),
    /// This, and no end.
    BytesThenOpen(Vec<u8>),
    /// This, then the end; the key is turned once so many bytes are written.
    Telling(Vec<u8>, usize, Key),
    /// A file.
    File(File),
    /// This once the gate is open, then the end.
    After(Gate, Vec<u8>),
}

/// What the child must have written.
enum Expected {
    Exactly(Vec<u8>),
    Lines(String),
    Anything,
}

/// What is left of a run to look at.
#[derive(Debug)]
pub struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// stdout as text.
    #[track_caller]
    pub fn stdout(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("stdout is UTF-8")
    }

    /// stderr as text.
    #[track_caller]
    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.stderr).expect("stderr is UTF-8")
    }
}

/// The binary in a clean environment.
pub fn wscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wscope"));
    command.env_clear().env("TZ", "UTC");
    command
}

impl Test {
    pub fn new() -> Self {
        Self {
            args: Vec::new(),
            command: wscope(),
            stdin: Input::Open,
            peer: None,
            stdout: Expected::Exactly(Vec::new()),
            stderr: Expected::Exactly(Vec::new()),
            read_after: None,
            read_at_most: None,
            signal: None,
        }
    }

    /// Adds arguments. `{port}` in them is the peer's port; if none has it, `ws://127.0.0.1:{port}`
    /// comes last.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Lets the child have so many MiB of address space: what reads without a bound fails.
    pub fn memory(mut self, mebibytes: usize) -> Self {
        let limited = format!("ulimit -v {}; exec \"$0\" \"$@\"", mebibytes << 10);
        self.command = Command::new("/bin/sh");
        self.command.env_clear().env("TZ", "UTC");
        self.command.args(["-c", &limited, env!("CARGO_BIN_EXE_wscope")]);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes this to stdin and closes it. Without it stdin stays open and gives nothing.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = Input::Bytes(bytes.as_ref().to_vec());
        self
    }

    /// Writes this to stdin and leaves it open.
    pub fn stdin_left_open(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = Input::BytesThenOpen(bytes.as_ref().to_vec());
        self
    }

    /// Writes this to stdin, and turns the key when the child has taken more than `n` bytes of it.
    pub fn stdin_reporting(mut self, bytes: Vec<u8>, n: usize, key: Key) -> Self {
        self.stdin = Input::Telling(bytes, n, key);
        self
    }

    /// Gives an open file as stdin.
    pub fn stdin_file(mut self, file: File) -> Self {
        self.stdin = Input::File(file);
        self
    }

    /// Writes this to stdin once the gate is open, then closes it.
    pub fn stdin_after(mut self, gate: Gate, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = Input::After(gate, bytes.as_ref().to_vec());
        self
    }

    /// Runs a scripted peer in a thread, from the first connection on.
    pub fn peer(self, script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        self.peer_on("127.0.0.1:0", script)
    }

    /// The same on an address of choice.
    pub fn peer_on(self, address: &str, script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        self.server_on(address, scripted(script))
    }

    /// Runs any server in a thread.
    pub fn server(self, serve: impl FnOnce(TcpListener) + Send + 'static) -> Self {
        self.server_on("127.0.0.1:0", serve)
    }

    fn server_on(
        mut self,
        address: &str,
        serve: impl FnOnce(TcpListener) + Send + 'static,
    ) -> Self {
        self.peer = Some(serve_on(address, serve));
        self
    }

    /// Reads stdout only once the gate is open.
    pub fn read_stdout_after(mut self, gate: Gate) -> Self {
        self.read_after = Some(gate);
        self
    }

    /// Reads so many bytes of stdout, closes it, and turns the key.
    pub fn close_stdout_after(mut self, bytes: u64, key: Key) -> Self {
        self.read_at_most = Some((bytes, key));
        self
    }

    /// Sends the child a signal once the gate is open.
    pub fn signal_after(mut self, gate: Gate, signal: Signal) -> Self {
        self.signal = Some((gate, signal));
        self
    }

    /// What stdout must be, byte for byte.
    pub fn stdout(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdout = Expected::Exactly(bytes.as_ref().to_vec());
        self
    }

    /// What stdout must be, as [`Lines`]; `{port}` is the peer's.
    pub fn stdout_like(mut self, lines: impl Into<String>) -> Self {
        self.stdout = Expected::Lines(lines.into());
        self
    }

    /// stdout is looked at afterwards.
    pub fn stdout_any(mut self) -> Self {
        self.stdout = Expected::Anything;
        self
    }

    /// What stderr must be, as [`Lines`]; `{port}` is the peer's.
    pub fn stderr(mut self, lines: impl Into<String>) -> Self {
        self.stderr = Expected::Lines(lines.into());
        self
    }

    /// stderr is looked at afterwards.
    pub fn stderr_any(mut self) -> Self {
        self.stderr = Expected::Anything;
        self
    }

    /// Runs it, and checks all that was printed and that it ends with this status.
    #[track_caller]
    pub fn status(mut self, status: i32) -> Output {
        let port = self.peer.as_ref().map(|peer| peer.port);
        self.command.args(arguments(&self.args, port));
        let stdin = match &self.stdin {
            Input::File(file) => file.try_clone().expect("a descriptor").into(),
            _ => Stdio::piped(),
        };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let pid = Pid::from_child(&child);
        let watchdog = Watchdog::watch(pid);
        let (gate, at_most) = (self.read_after.take(), self.read_at_most.take());
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        let stdout = thread::spawn(move || {
            gate.iter().for_each(Gate::wait);
            match at_most {
                Some((bytes, key)) => {
                    let bytes = read(stdout.take(bytes));
                    key.open();
                    bytes
                }
                None => read(stdout),
            }
        });
        let stderr = thread::spawn(move || read(stderr));
        let signaller = self.signal.take().map(|(gate, signal)| {
            thread::spawn(move || {
                gate.wait();
                kill_process(pid, signal).expect("the child is there");
            })
        });
        let writer = feed(&mut child, self.stdin);

        let stdout = join(stdout);
        let stderr = join(stderr);
        let ended = child.wait().expect("our child");
        drop(child.stdin.take());
        let late = watchdog.dismiss();
        let output = Output { stdout, stderr };
        assert!(!late, "the run did not end: {}", Shown(&output));
        writer.into_iter().chain(signaller).for_each(join);
        if let Some(peer) = self.peer.take()
            && let Err(panic) = peer.end()
        {
            eprintln!("the peer failed; the child said {}", Shown(&output));
            std::panic::resume_unwind(panic);
        }
        self.stdout.check(&output.stdout, "stdout", port);
        self.stderr.check(&output.stderr, "stderr", port);
        assert_eq!(ended.code(), Some(status), "status; {}", Shown(&output));
        output
    }
}

/// The arguments with the peer's port in its places.
pub fn arguments(args: &[OsString], port: Option<u16>) -> Vec<OsString> {
    let Some(port) = port else { return args.to_vec() };
    let mut named = false;
    let mut args: Vec<OsString> = args
        .iter()
        .map(|arg| match arg.to_str() {
            Some(text) if text.contains("{port}") => {
                named = true;
                text.replace("{port}", &port.to_string()).into()
            }
            _ => arg.clone(),
        })
        .collect();
    if !named {
        args.push(format!("ws://127.0.0.1:{port}").into());
    }
    args
}

impl Expected {
    #[track_caller]
    fn check(&self, actual: &[u8], what: &str, port: Option<u16>) {
        match self {
            Self::Anything => {}
            Self::Lines(text) => {
                let port = port.map(|port| port.to_string()).unwrap_or_default();
                Lines::new(text.replace("{port}", &port)).check(actual, what);
            }
            Self::Exactly(bytes) if bytes.len() > 4096 => {
                let differs = bytes.iter().zip(actual).position(|(a, b)| a != b);
                let (n, m) = (bytes.len(), actual.len());
                assert!(
                    n == m && differs.is_none(),
                    "{what}: {m} of {n} bytes, differs at {differs:?}"
                );
            }
            Self::Exactly(bytes) => {
                let [bytes, actual] = [&bytes[..], actual].map(|b| b.escape_ascii().to_string());
                assert_eq!(actual, bytes, "{what}");
            }
        }
    }
}

/// Output in a message of a failed test, cut where it is long.
struct Shown<'a>(&'a Output);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut =
            |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
        write!(f, "stdout:\n{}\nstderr:\n{}", cut(&self.0.stdout), cut(&self.0.stderr))
    }
}

/// Writes the child's stdin in a thread, or holds it open.
fn feed(child: &mut Child, input: Input) -> Option<JoinHandle<()>> {
    // A child that ends early closes its stdin; that is no error of the test.
    let (gate, bytes, told) = match input {
        Input::Open | Input::File(_) => return None,
        Input::BytesThenOpen(bytes) => {
            let _ = child.stdin.as_mut().expect("piped").write_all(&bytes);
            return None;
        }
        Input::Bytes(bytes) => (None, bytes, None),
        Input::After(gate, bytes) => (Some(gate), bytes, None),
        Input::Telling(bytes, n, key) => (None, bytes, Some((n, key))),
    };
    let mut stdin = child.stdin.take().expect("piped");
    Some(thread::spawn(move || {
        gate.iter().for_each(Gate::wait);
        let told_at = told.as_ref().map_or(0, |(n, _)| *n);
        let _ = stdin.write_all(&bytes[..told_at]);
        if let Some((_, key)) = told {
            key.open();
        }
        let _ = stdin.write_all(&bytes[told_at..]);
    }))
}

fn read(mut source: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).expect("a pipe");
    bytes
}
