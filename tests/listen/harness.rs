//! One run of `wscope listen`: started, waited for, talked to, ended.
//!
//! Its URL is read from what it prints, so ports never collide. Nothing waits for a fixed time:
//! what must be printed is waited for, with a deadline after which the child is killed by its id.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::raw::Raw;
use crate::waiting::{DEADLINE, Watchdog, join};

/// An independent client.
pub type Client = WebSocket<TcpStream>;

/// A server that runs.
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    pub stdout: Printed,
    pub stderr: Printed,
    watchdog: Watchdog,
    url: String,
}

/// What is left to look at.
#[derive(Debug)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
}

/// The binary in an environment that is clean but for the path to programs.
pub fn wscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wscope"));
    command.env_clear().env("TZ", "UTC").env("PATH", "/usr/bin:/bin");
    command
}

/// A line of the shell, in which `$PROGRAM` is the binary.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("TZ", "UTC").env("PROGRAM", wscope().get_program()).args(["-c", line]);
    command
}

/// Starts a server on a port of the system's choice.
#[track_caller]
pub fn listen<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Server {
    let args = args.into_iter().map(Into::into);
    Server::start(wscope().arg("listen").args(args).arg("0"))
}

impl Server {
    /// Starts it and waits until it prints where it listens.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let watchdog = Watchdog::watch(Pid::from_child(&child));
        let stdout = Printed::receive(child.stdout.take().expect("piped"));
        let stderr = Printed::receive(child.stderr.take().expect("piped"));
        let stdin = child.stdin.take();
        let said = stderr.wait_for("listening on ");
        let url = said.split("listening on ").nth(1).and_then(|rest| rest.lines().next());
        let url = url.expect("a URL").to_owned();
        Self { child, stdin, stdout, stderr, watchdog, url }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn port(&self) -> u16 {
        let authority = self.url.split('/').nth(2).expect("an authority");
        authority.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A socket on which nothing has been sent.
    #[track_caller]
    pub fn raw(&self) -> Raw {
        Raw::connect(self.port())
    }

    /// A socket after a handshake by hand.
    #[track_caller]
    pub fn open(&self) -> Raw {
        let mut raw = self.raw();
        raw.open();
        raw
    }

    /// An independent client.
    #[track_caller]
    pub fn client(&self) -> Client {
        self.client_of(self.url.as_str())
    }

    /// The same with a request of its own.
    #[track_caller]
    pub fn client_of(&self, request: impl IntoClientRequest) -> Client {
        let tcp = TcpStream::connect(("127.0.0.1", self.port())).expect("it listens");
        tcp.set_read_timeout(Some(DEADLINE)).expect("a time");
        tcp.set_nodelay(true).expect("a TCP socket");
        let request = request.into_client_request().expect("a request");
        tungstenite::client(request, tcp).expect("a handshake").0
    }

    /// Writes to its stdin.
    pub fn write(&mut self, text: &str) {
        self.stdin.as_mut().expect("open").write_all(text.as_bytes()).expect("it reads");
    }

    /// Ends its stdin.
    pub fn end_stdin(&mut self) {
        self.stdin = None;
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the child is there");
    }

    /// Interrupts it; it must end with 130.
    #[track_caller]
    pub fn interrupt(self) -> Output {
        self.signal(Signal::INT);
        self.ends(130)
    }

    /// Waits for its end, with this status.
    #[track_caller]
    pub fn ends(mut self, status: i32) -> Output {
        let ended = self.child.wait().expect("our child");
        drop(self.stdin.take());
        let late = self.watchdog.dismiss();
        let output = Output { stdout: self.stdout.all(), stderr: self.stderr.all() };
        assert!(!late, "it did not end: {output:?}");
        assert_eq!(ended.code(), Some(status), "{output:?}");
        output
    }

    /// A client that echoes shows that the others are served still.
    #[track_caller]
    pub fn still_echoes(&self) {
        let mut client = self.client();
        echoes(&mut client, "still there?");
        close(client);
    }
}

/// Sends a text and receives it again.
#[track_caller]
pub fn echoes(client: &mut Client, text: &str) {
    client.send(Message::text(text)).expect("it is open");
    assert_eq!(receive(client), text);
}

/// The next text.
#[track_caller]
pub fn receive(client: &mut Client) -> String {
    match client.read().expect("a message") {
        Message::Text(text) => text.as_str().to_owned(),
        other => panic!("{other:?} is no text"),
    }
}

/// The code and reason of the Close that comes next.
#[track_caller]
pub fn receive_close(client: &mut Client) -> (u16, String) {
    match client.read().expect("a Close") {
        Message::Close(Some(frame)) => (frame.code.into(), frame.reason.as_str().to_owned()),
        other => panic!("{other:?} is no Close"),
    }
}

/// Closes in order.
#[track_caller]
pub fn close(mut client: Client) {
    client.close(None).expect("it is open");
    while client.read().is_ok() {}
}

/// What it printed on one of its streams so far, read by a thread.
#[derive(Clone)]
pub struct Printed {
    collected: Arc<Collected>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Bytes, whether that is all, and who waits for more.
type Collected = (Mutex<(Vec<u8>, bool)>, Condvar);

impl Printed {
    fn receive(mut source: impl Read + Send + 'static) -> Self {
        let collected = Arc::new((Mutex::new((Vec::new(), false)), Condvar::new()));
        let shared = Arc::clone(&collected);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                let n = source.read(&mut buffer).unwrap_or(0);
                let mut collected = shared.0.lock().expect("no panic");
                collected.0.extend_from_slice(&buffer[..n]);
                collected.1 |= n == 0;
                shared.1.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        Self { collected, thread: Arc::new(Mutex::new(Some(thread))) }
    }

    /// Waits until it has printed this, and returns all it has printed.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?}"), |said| said.contains(text))
    }

    /// Waits until what it has printed is as it should be.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let (lock, changed) = &*self.collected;
        let mut collected = lock.lock().expect("no panic");
        loop {
            let said = String::from_utf8_lossy(&collected.0).into_owned();
            if is(&said) {
                return said;
            }
            assert!(!collected.1, "it ended without {what}: {said}");
            let (next, late) = changed.wait_timeout(collected, DEADLINE).expect("no panic");
            assert!(!late.timed_out(), "it did not say {what}: {said}");
            collected = next;
        }
    }

    fn all(&self) -> String {
        self.thread.lock().expect("no panic").take().into_iter().for_each(join);
        String::from_utf8_lossy(&self.collected.0.lock().expect("no panic").0).into_owned()
    }
}
