//! A stderr that nobody reads: deadlines and signals still end the run, a server goes on serving,
//! and a transcript is whole once it is read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::wscope;
use crate::peer::Peer;
use crate::server::{Server, scripted, serve_on};
use crate::waiting::{Watchdog, gate};

/// More clients than lines about them fit into a pipe.
const CLIENTS: usize = 1500;

struct Run {
    child: Child,
    watchdog: Watchdog,
    stderr: BufReader<ChildStderr>,
}

impl Run {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let watchdog = Watchdog::watch(Pid::from_child(&child));
        let stderr = BufReader::with_capacity(64, child.stderr.take().expect("piped"));
        Self { child, watchdog, stderr }
    }

    fn client(peer: &Server, args: &[&str]) -> Self {
        let url = format!("ws://127.0.0.1:{}", peer.port);
        Self::start(wscope().args(args).arg(url))
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the child is there");
    }

    /// The time it has had on a CPU, which Linux counts in hundredths of a second.
    #[cfg(target_os = "linux")]
    fn cpu(&self) -> std::time::Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("the process");
        let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|n| n.parse::<u64>().expect("a number")).sum();
        std::time::Duration::from_millis(ticks * 10)
    }

    /// The status it ends with; stderr stays open and unread until then.
    fn status(mut self) -> Option<i32> {
        let status = self.child.wait().expect("our child");
        assert!(!self.watchdog.dismiss(), "the run did not end");
        status.code()
    }
}

/// Sends small messages for as long as they are taken.
fn flood(p: &mut Peer) {
    p.open();
    while p.try_send(b"\x81\x01x".repeat(1000)).is_ok() {}
}

#[test]
fn max_time_ends_a_client_whose_stderr_is_full() {
    let peer = serve_on("127.0.0.1:0", scripted(flood));
    assert_eq!(Run::client(&peer, &["-v", "--max-time", "1"]).status(), Some(12));
}

#[test]
fn signals_end_a_client_whose_stderr_is_full() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let (key, full) = gate();
        let peer = serve_on(
            "127.0.0.1:0",
            scripted(move |p| {
                p.open();
                // So much is more than the sockets hold: the client has stopped reading.
                for _ in 0..10_000 {
                    if p.try_send(b"\x81\x01x".repeat(100)).is_err() {
                        return;
                    }
                }
                key.open();
                while p.try_send(b"\x81\x01x".repeat(1000)).is_ok() {}
            }),
        );
        let run = Run::client(&peer, &["-v"]);
        full.wait();
        run.signal(signal);
        assert_eq!(run.status(), Some(status));
    }
}

#[test]
fn a_transcript_is_whole_once_stderr_is_read() {
    const MESSAGES: usize = 20_000;
    let peer = serve_on(
        "127.0.0.1:0",
        scripted(|p| {
            p.open();
            p.send(b"\x81\x01x".repeat(MESSAGES));
            p.close_first(1000, "done");
        }),
    );
    let mut run = Run::client(&peer, &["-v", "--input", "none"]);
    let mut told = String::new();
    run.stderr.read_to_string(&mut told).expect("UTF-8");
    assert_eq!(told.lines().filter(|line| line.contains(" TEXT ")).count(), MESSAGES);
    assert_eq!(run.status(), Some(0));
}

#[test]
fn a_server_whose_stderr_is_full_goes_on_serving() {
    for verbose in [&[][..], &["-v"][..]] {
        let mut run = Run::start(wscope().arg("listen").args(verbose).arg("0"));
        let mut line = String::new();
        run.stderr.read_line(&mut line).expect("UTF-8");
        let authority = line.split('/').nth(2).expect("a URL").to_owned();
        for _ in 0..CLIENTS {
            let mut client = TcpStream::connect(&authority).expect("it listens");
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it reads");
            let mut answer = String::new();
            client.read_to_string(&mut answer).expect("it answers");
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        }
        run.signal(Signal::TERM);
        assert_eq!(run.status(), Some(143));
    }
}

#[test]
fn a_servers_transcript_is_whole_once_stderr_is_read() {
    const MESSAGES: usize = 8000;
    let mut run = Run::start(wscope().args(["listen", "-v", "--once", "0"]));
    let mut line = String::new();
    run.stderr.read_line(&mut line).expect("UTF-8");
    let mut client =
        TcpStream::connect(line.split('/').nth(2).expect("a URL")).expect("it listens");
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    client.write_all(request.as_bytes()).expect("it reads");
    client.write_all(&b"\x81\x81\0\0\0\0x".repeat(MESSAGES)).expect("it reads");
    client.write_all(b"\x88\x82\0\0\0\0\x03\xe8").expect("it reads");
    let mut told = String::new();
    run.stderr.read_to_string(&mut told).expect("UTF-8");
    assert_eq!(told.lines().filter(|line| line.contains(" TEXT ")).count(), MESSAGES);
    assert_eq!(run.status(), Some(0));
}

/// Runs the client with a log in a directory of its own, in a shell that limits what files may hold.
fn log_within(blocks: u32, log: &str) -> (Option<i32>, String, String) {
    let peer = serve_on(
        "127.0.0.1:0",
        scripted(|p| {
            p.open();
            p.send(b"\x81\x01x".repeat(500));
            p.close_first(1000, "done");
        }),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new("sh")
        .args(["-c", r#"trap '' XFSZ; ulimit -f "$1"; shift; exec "$@""#, "sh"])
        .arg(blocks.to_string())
        .arg(wscope().get_program())
        .args(["--input", "none", "--output", "none", "--log", log])
        .arg(format!("ws://127.0.0.1:{}", peer.port))
        .env_clear()
        .current_dir(folder.path())
        .output()
        .expect("a shell");
    let logged = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code(), told, logged)
}

#[test]
fn a_log_that_can_take_no_more_ends_with_a_whole_line() {
    let (status, told, logged) = log_within(31, "log");
    assert_eq!(status, Some(1), "{told}");
    assert!(logged.len() > 8000 && logged.ends_with("}\n"), "{logged}");
    let why = "file too large";
    let first = format!("wscope: the log log is incomplete from here on: {why}\n");
    let lost =
        told.strip_prefix(&first).and_then(|rest| rest.strip_prefix("wscope: the log log: "));
    let lost = lost.and_then(|rest| rest.strip_suffix(" events were not written\n"));
    let lost = lost.and_then(|rest| rest.strip_prefix(&format!("{why}: ")));
    let lost: usize = lost.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{told}"));
    let (_, _, whole) = log_within(1 << 20, "log");
    assert_eq!(logged.lines().count() + lost, whole.lines().count());
}

#[test]
fn a_log_on_a_full_device_is_an_error() {
    let (status, told, _) = log_within(1 << 20, "/dev/full");
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("the log /dev/full: ") && told.contains(" events were not"), "{told}");
}

/// The pings of the client are the clock: by then its stderr is full, and nothing else is due.
#[test]
#[cfg(target_os = "linux")]
fn a_script_waits_for_room_on_stderr() {
    let ((first, filled), (second, later)) = (gate(), gate());
    let peer = serve_on(
        "127.0.0.1:0",
        scripted(move |p| {
            p.open();
            (0..5).for_each(|_| drop(p.receive_frame()));
            first.open();
            (0..10).for_each(|_| drop(p.receive_frame()));
            second.open();
            while p.try_send(b"\x8a\x00").is_ok() && p.write(b"").is_ok() {
                p.receive_frame();
            }
        }),
    );
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"/repeat 1000000000 /status\n").expect("a disk");
    let path = file.path().display().to_string();
    let options = ["--script", &path, "--ping-interval", "0.1", "--pong-timeout", "60"];
    let run = Run::client(&peer, &options);
    filled.wait();
    let before = run.cpu();
    later.wait();
    let used = run.cpu() - before;
    assert!(used < std::time::Duration::from_millis(350), "{used:?} of CPU in a second");
    run.signal(Signal::KILL);
    run.status();
}
