//! A small program with a prompt, and the test's hold on it.
//!
//! The test binary runs itself: [`program`] is a test that only does something when it is given where to
//! report. The test commands it through a socket and reads there what was typed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::ops::{Deref, DerefMut};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use wscope::ui::prompt::{Assist, Completion, Prompt, PromptAction, PromptInput, PromptSettings};
use wscope::ui::style::{Ink, Palette};

use crate::terminal::Terminal;
use crate::waiting::DEADLINE;

const SOCKET: &str = "WSCOPE_PROMPT_SOCKET";

/// The program on its terminal, as the test sees it.
pub struct Driven {
    pub terminal: Terminal,
    commands: UnixStream,
    reports: Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Driven {
    /// With these environment variables.
    pub fn start_with(env: &[(&str, &str)]) -> Self {
        Self::on(env, |command| Terminal::start(&command, 80, 24))
    }

    /// On a terminal of choice.
    pub fn on(env: &[(&str, &str)], start: impl FnOnce(Command) -> Terminal) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("socket");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["driver::program", "--exact", "--ignored", "--nocapture", "--quiet"]);
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR").env(SOCKET, &socket);
        command
            .env_remove("VISUAL")
            .env_remove("EDITOR")
            .env_remove("PAGER")
            .env("RUST_BACKTRACE", "0");
        command.envs(env.iter().copied());
        let terminal = start(command);
        let (commands, _) = listener.accept().expect("the program connects");
        let (sender, reports) = channel();
        let socket = commands.try_clone().expect("a descriptor");
        thread::spawn(move || {
            for report in BufReader::new(socket).lines() {
                if report.is_err() || sender.send(report.unwrap_or_default()).is_err() {
                    return;
                }
            }
        });
        Self { terminal, commands, reports, _folder: folder }
    }

    /// [`Driven::start_with`] without variables, and the first prompt is there.
    pub fn ready() -> Self {
        Self::ready_with(&[])
    }

    /// [`Driven::start_with`], and the first prompt is there.
    pub fn ready_with(env: &[(&str, &str)]) -> Self {
        let driven = Self::start_with(env);
        driven.wait_for_line("connected   > ");
        driven
    }

    /// Waits until the cursor stands after this, and nothing else is in its row.
    #[track_caller]
    pub fn wait_for_line(&self, line: &str) {
        self.terminal.wait_for_screen(|screen| screen.ends_with_line(line));
    }

    /// Sends the program a command.
    pub fn command(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("the program listens");
    }

    /// The same, and it is done: what is typed next comes later.
    #[track_caller]
    pub fn order(&mut self, command: &str) {
        self.command(command);
        assert_eq!(self.report(), "done");
    }

    /// The next thing that the program reports.
    #[track_caller]
    pub fn report(&self) -> String {
        match self.reports.recv_timeout(DEADLINE) {
            Ok(report) => report,
            Err(_) => panic!("nothing was reported; the screen:\n{:#?}", self.terminal.screen()),
        }
    }

    /// Ends it as a session does, and looks whether everything is left in order.
    #[track_caller]
    pub fn leave(mut self) {
        self.command("close");
        let status = self.terminal.end();
        assert_eq!(status.code(), Some(0));
        self.terminal.wait_for_screen(|screen| !screen.bracketed_paste);
    }
}

impl Deref for Driven {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl DerefMut for Driven {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }
}

/// What the program's loop receives.
enum LoopEvent {
    Typed,
    Command(String),
    Signal(&'static str),
}

/// Completes three fruits and a file; hints at what a ping may carry.
struct Fruits;

impl Assist for Fruits {
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Completion>) {
        let start = line[..pos].rfind(' ').map_or(0, |at| at + 1);
        let word = &line[start..pos];
        let words = ["apple", "apricot", "banana", "bad\x1bname"];
        let words = words.into_iter().filter(|candidate| candidate.starts_with(word));
        let completion = |word: &str| Completion {
            shown: word.to_owned(),
            replacement: word.to_owned(),
            description: String::new(),
        };
        (start, words.map(completion).collect())
    }

    fn hint(&self, line: &str, _: usize) -> Option<String> {
        (line == "/ping").then(|| " [PAYLOAD]".to_owned())
    }
}

/// The program. Does nothing when it is run as a test.
#[test]
#[ignore = "the program that the other tests of this binary start on a terminal"]
fn program() {
    let Some(socket) = std::env::var_os(SOCKET) else { return };
    let mut reports = UnixStream::connect(Path::new(&socket)).expect("the test listens");
    let commands = BufReader::new(reports.try_clone().expect("a descriptor"));
    let (sender, heard) = channel();
    signals(&sender);
    let commander = sender.clone();
    thread::spawn(move || {
        for command in commands.lines().map_while(Result::ok) {
            let _ = commander.send(LoopEvent::Command(command));
        }
    });
    let set = |name| std::env::var_os(name).is_some();
    let options = PromptSettings {
        history: std::env::var_os("PROMPT_HISTORY").map(Into::into),
        history_size: std::env::var("PROMPT_HISTORY_SIZE").map_or(1000, |n| n.parse().expect("n")),
        palette: Palette { on: set("PROMPT_COLOR") },
        keep_stdout_free: set("PROMPT_KEEP_STDOUT_FREE"),
    };
    let wake = move || drop(sender.send(LoopEvent::Typed));
    let prompt = match Prompt::start(options, Box::new(Fruits), wake) {
        Ok(prompt) => prompt,
        Err(error) => {
            writeln!(reports, "{error}").expect("the test listens");
            return;
        }
    };
    prompt.set_state("connected", Ink::Good);
    run(prompt, &mut reports, &heard);
}

/// The program's loop.
fn run(mut prompt: Prompt, reports: &mut UnixStream, heard: &Receiver<LoopEvent>) {
    let screen = prompt.screen();
    let mut replies = Vec::new();
    let mut held = false;
    for heard in heard {
        match heard {
            LoopEvent::Typed => {
                while let Some(typed) = prompt.take() {
                    report(reports, &typed);
                    if !held {
                        prompt.next(if replies.is_empty() {
                            PromptAction::Read
                        } else {
                            replies.remove(0)
                        });
                    }
                }
            }
            LoopEvent::Signal("SIGTERM") => {
                screen.print(b"* terminated\n");
                prompt.close();
                std::process::exit(143);
            }
            LoopEvent::Signal(name) => writeln!(reports, "{name}").expect("the test listens"),
            LoopEvent::Command(command) => {
                let (verb, rest) = command.split_once(' ').unwrap_or((&command, ""));
                match verb {
                    "traffic" => screen.print_traffic(format!("{rest}\n").as_bytes()),
                    "say" => screen.print(format!("{rest}\n").as_bytes()),
                    "state" => prompt.set_state(rest, Ink::Violation),
                    "flood" => {
                        for n in 0..rest.parse::<usize>().expect("a number") {
                            screen.print_traffic(format!("frame {n}\n").as_bytes());
                        }
                        screen.print(b"* flooded\n");
                        writeln!(reports, "flooded").expect("the test listens");
                    }
                    "columns" => {
                        writeln!(reports, "{}", screen.columns()).expect("the test listens");
                    }
                    "away" => {
                        writeln!(reports, "{}", prompt.is_away()).expect("the test listens");
                    }
                    "hold" => {
                        held = true;
                        writeln!(reports, "done").expect("the test listens");
                    }
                    "release" => {
                        held = false;
                        prompt.next(PromptAction::Read);
                    }
                    "reply" => {
                        replies.push(reply(rest));
                        writeln!(reports, "done").expect("the test listens");
                    }
                    "close" => {
                        prompt.close();
                        std::process::exit(0);
                    }
                    "panic" => panic!("a panic of the loop"),
                    "panic-elsewhere" => {
                        let other = thread::spawn(|| panic!("a panic elsewhere"));
                        let _ = other.join();
                        std::process::exit(101);
                    }
                    _ => panic!("unknown: {command}"),
                }
            }
        }
    }
}

fn reply(text: &str) -> PromptAction {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "clear" => PromptAction::Clear,
        "edit" => PromptAction::Edit(rest.to_owned()),
        "page" => {
            let lines = 0..rest.parse::<usize>().expect("a number");
            PromptAction::Page(
                lines.map(|n| format!("page line {n}\n")).collect::<String>().into_bytes(),
            )
        }
        _ => panic!("unknown: {text}"),
    }
}

fn report(reports: &mut UnixStream, typed: &PromptInput) {
    let report = match typed {
        PromptInput::Line(line) if line.len() > 10_000 => {
            let lines = line.split('\n').count();
            format!("line of {} bytes, {lines} lines, {:016x}", line.len(), checksum(line))
        }
        other => format!("{other:?}"),
    };
    writeln!(reports, "{report}").expect("the test listens");
}

/// Tells long texts apart.
pub fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// SIGINT and SIGTERM as messages, as the session's loop has them.
fn signals(heard: &Sender<LoopEvent>) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    for (signal, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] {
        let (mut ours, hook) = UnixStream::pair().expect("a pair");
        signal_hook::low_level::pipe::register(signal, hook).expect("a signal");
        let heard = heard.clone();
        thread::spawn(move || {
            while let Ok(1) = ours.read(&mut [0]) {
                let _ = heard.send(LoopEvent::Signal(name));
            }
        });
    }
}
