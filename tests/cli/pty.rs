//! The program on a terminal: a pseudoterminal whose other side the test holds.
//!
//! The terminal echoes nothing and translates nothing, so what is read is what the program wrote.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, OutputModes, Winsize};
use rustix::termios::{tcgetattr, tcsetattr, tcsetwinsize};

use crate::harness::{arguments, wscope};
use crate::peer::Peer;
use crate::server::{Server, scripted, serve_on};
use crate::waiting::{DEADLINE, Watchdog, gate};

/// A run on a terminal of 100 columns.
pub struct Session {
    child: Child,
    watchdog: Watchdog,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: Vec<u8>,
    peer: Server,
}

impl Session {
    /// Starts the binary against a scripted peer. Its colours depend on `env` alone.
    pub fn start(
        args: &[&str],
        env: &[(&str, &str)],
        script: impl FnOnce(&mut Peer) + Send + 'static,
    ) -> Self {
        let peer = serve_on("127.0.0.1:0", scripted(script));
        let (keyboard, terminal) = terminal();
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let stdio = || Stdio::from(terminal.try_clone().expect("a descriptor"));
        let child = wscope()
            .args(arguments(&args, Some(peer.port)))
            .envs(env.iter().copied())
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .expect("the binary starts");
        let mut master = keyboard.try_clone().expect("a descriptor");
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end of a terminal is an error of its other side.
            while let Ok(n @ 1..) = master.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let watchdog = Watchdog::watch(Pid::from_child(&child));
        Self { child, watchdog, keyboard, screen, shown: Vec::new(), peer }
    }

    /// Waits until the screen has shown this.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.shown).contains(text) {
            match self.screen.recv_timeout(DEADLINE) {
                Ok(more) => self.shown.extend(more),
                Err(_) => panic!("{text:?} was not shown:\n{}", self.shown.escape_ascii()),
            }
        }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("a keyboard");
    }

    /// Waits for the end of a run that connects to nobody, with status 2.
    #[track_caller]
    fn refused(mut self) -> String {
        self.shown.extend(self.screen.iter().flatten());
        let ended = self.child.wait().expect("our child");
        assert!(!self.watchdog.dismiss(), "the run did not end");
        assert_eq!(ended.code(), Some(2));
        // Its peer waits for a connection.
        drop(std::net::TcpStream::connect(("127.0.0.1", self.peer.port)));
        let _ = self.peer.end();
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Waits for the end; gives all that was shown.
    #[track_caller]
    pub fn end(mut self, status: i32) -> Vec<u8> {
        self.shown.extend(self.screen.iter().flatten());
        let ended = self.child.wait().expect("our child");
        let late = self.watchdog.dismiss();
        let shown = self.shown.escape_ascii();
        assert!(!late, "the run did not end:\n{shown}");
        if let Err(panic) = self.peer.end() {
            eprintln!("the peer failed; shown was {shown}");
            std::panic::resume_unwind(panic);
        }
        assert_eq!(ended.code(), Some(status), "status; shown was:\n{shown}");
        self.shown
    }
}

/// Runs the binary on a terminal with nobody typing; gives what was shown.
#[track_caller]
pub fn run(args: &[&str], script: impl FnOnce(&mut Peer) + Send + 'static, status: i32) -> Vec<u8> {
    Session::start(args, &[], script).end(status)
}

/// Both sides of a new terminal.
fn terminal() -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("ours");
    unlockpt(&master).expect("ours");
    let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("ASCII");
    let terminal = File::options().read(true).write(true).open(name).expect("the other side");
    let mut modes = tcgetattr(&terminal).expect("a terminal");
    modes.local_modes -= LocalModes::ECHO;
    modes.output_modes -= OutputModes::OPOST;
    tcsetattr(&terminal, OptionalActions::Now, &modes).expect("a terminal");
    let size = Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).expect("a terminal");
    (master.into(), terminal)
}

/// Answers one line and the Close.
fn answering(p: &mut Peer) {
    p.open();
    p.receive_text("hello");
    p.text("and hello to you");
    p.answer_close(1000);
}

#[test]
fn typed_lines_are_sent_and_the_transcript_is_shown() {
    let mut session =
        Session::start(&["--color", "never", "-w", "0", "--input", "lines"], &[], answering);
    session.expect("< HTTP/1.1 101 Switching Protocols\n");
    session.expect("* open: ");
    session.press("hello\n");
    session.expect(" F-M 5 hello\n");
    session.expect(" F-- 16 and hello to you\n");
    session.press("\x04");
    session.expect("closed with 1000");
    let shown = session.end(0);
    let shown = String::from_utf8(shown).expect("UTF-8");
    assert!(shown.contains("\n> ") && shown.contains("\n< "), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 120), "{shown}");
}

#[test]
fn a_terminal_has_colour_unless_no_color() {
    for (env, coloured) in
        [(&[][..], true), (&[("NO_COLOR", "1")], false), (&[("NO_COLOR", "")], true)]
    {
        // Without an editor, which writes escape sequences of its own.
        let mut session = Session::start(&["-w", "0", "--input", "lines"], env, answering);
        session.expect("open: ");
        session.press("hello\n");
        session.expect("hello to you");
        session.press("\x04");
        assert_eq!(session.end(0).contains(&0x1b), coloured, "{env:?}");
    }
}

#[test]
fn the_peers_close_ends_the_run_if_asked() {
    let shown = run(
        &["--color", "never", "--exit-on-close"],
        |p| {
            p.open();
            p.close_first(1001, "restart");
        },
        0,
    );
    assert!(String::from_utf8_lossy(&shown).contains("1001 going away \"restart\""));
}

#[test]
fn a_one_shot_prints_the_answer_alone() {
    for option in [["--exit-after", "1"], ["--until", "hello"], ["-w", "1"], ["--for", "1"]] {
        let args = ["-x", "hello", option[0], option[1]];
        assert_eq!(run(&args, answering, 0), b"and hello to you\n", "{option:?}");
    }
    let shown = run(&["-v", "-x", "hello", "--exit-after", "1"], answering, 0);
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("\nand hello to you\n") && shown.contains("101 Switching"), "{shown}");
}

#[test]
fn raw_output_on_a_terminal_has_to_be_forced() {
    let refused = |args: &[&str]| {
        let args: Vec<_> = args.iter().copied().chain(["--output", "raw"]).collect();
        let shown = Session::start(&args, &[], |_| ()).refused();
        assert!(shown.contains("--force"), "{shown}");
    };
    refused(&["ws://127.0.0.1:{port}"]);
    refused(&["listen", "{port}"]);
    refused(&["decode", "--hex", "810161{port}"]);
    let args = ["--output", "raw", "--force", "-x", "hello", "--exit-after", "1"];
    assert_eq!(run(&args, answering, 0), b"and hello to you");
}

#[test]
fn a_typed_line_that_the_kernel_may_have_cut_is_noted() {
    let args = ["--input", "lines", "--output", "none", "-w", "0"];
    for (typed, noted) in [(4094, false), (4095, true), (5000, true)] {
        let (kept, gate) = (typed.min(4095), gate());
        let (opened, is_open) = gate;
        let mut session = Session::start(&args, &[], move |p| {
            p.open();
            opened.open();
            p.receive_text(&"x".repeat(kept));
            p.answer_close(1000);
        });
        is_open.wait();
        session.press(&format!("{}\n", "x".repeat(typed)));
        session.press("\x04");
        let shown = session.end(0);
        let shown = String::from_utf8_lossy(&shown);
        assert_eq!(shown.contains("a typed line had 4095 bytes"), noted, "{shown}");
    }
}
