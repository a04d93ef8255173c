//! The README keeps its word: its transcript is what the program prints, its exit codes are the
//! program's.

use std::net::TcpListener;
use std::process::Command;

use regex::Regex;
use tungstenite::Message;
use wscope::engine::exit::Exit;

#[path = "common/terminal.rs"]
#[allow(dead_code)]
mod terminal;
#[path = "common/waiting.rs"]
#[allow(dead_code)]
mod waiting;

const README: &str = include_str!("../README.md");

/// What differs from run to run, put out of the way.
fn settled(transcript: &str) -> String {
    let changing = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d\d:\d\d:\d\d\.\d{3}", "TIME"),
        (r"mask [0-9a-f]{8}", "mask KEY"),
        (r"(Sec-WebSocket-(?:Key|Accept)): \S+", "$1: VALUE"),
        (r"\d+\.\d{3} m?s", "DURATION"),
    ];
    changing.iter().fold(transcript.to_owned(), |text, (pattern, word)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *word).into_owned()
    })
}

/// The lines with this mark. Both ends write as fast as they can, so the two directions interleave
/// differently from run to run; each by itself does not.
fn marked<'a>(transcript: &'a str, mark: &'a str) -> Vec<&'a str> {
    transcript.lines().filter(|line| line.starts_with(mark)).collect()
}

#[test]
fn the_transcript_is_what_the_demo_prints() {
    let (_, after) =
        README.split_once("<!-- transcript: wscope demo -->\n```text\n").expect("there");
    let (promised, _) = after.split_once("```").expect("ended");
    let output = Command::new(env!("CARGO_BIN_EXE_wscope")).arg("demo").output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("text");
    let (promised, printed) = (settled(promised), settled(&printed));
    for mark in [">", "<", "*", "!"] {
        assert_eq!(marked(&printed, mark), marked(&promised, mark));
    }
}

/// What is typed in the README's session, and what the screen shows before the next line is typed.
const TYPED: [(&str, &str); 6] = [
    ("hello", "< TIME #1 TEXT"),
    ("/ping are you there", "rtt"),
    ("/fragment 2 ping Hello", "< TIME #4 TEXT"),
    ("/show stats", "silence"),
    ("/frame rsv2=on oops", "closed 1006 >"),
    ("/reconnect", "connected   >"),
];

/// The session of the README, typed anew: `UPDATE=1 cargo test --test readme` writes it down.
#[test]
fn the_session_at_the_prompt_is_what_the_screen_shows() {
    let (before, after) =
        README.split_once("<!-- transcript: the prompt -->\n```text\n").expect("there");
    let (promised, after) = after.split_once("```\n").expect("ended");
    let shown = session();
    if std::env::var_os("UPDATE").is_some() {
        let readme =
            format!("{before}<!-- transcript: the prompt -->\n```text\n{shown}```\n{after}");
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), readme).expect("a disk");
        return;
    }
    let (promised, shown) = (settled(promised), settled(&shown));
    for mark in [">", "<", "*", "!", "connected", "closed"] {
        assert_eq!(marked(&shown, mark), marked(&promised, mark));
    }
}

/// Types it against tungstenite's server, which answers and drops those who break the rules.
fn session() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let Ok(mut peer) = tungstenite::accept(tcp.expect("a client")) else { continue };
            while let Ok(message) = peer.read() {
                if let Message::Text(_) | Message::Binary(_) = message {
                    let _ = peer.send(message);
                }
            }
        }
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_wscope"));
    command.env_clear().env("TERM", "xterm").env("TZ", "UTC").env("PATH", "/usr/bin:/bin");
    command.args([
        "--color",
        "never",
        "-q",
        "--no-history",
        &format!("ws://127.0.0.1:{port}/chat"),
    ]);
    let mut terminal = terminal::Terminal::start(&command, 100, 60);
    let shows = |text: &str, expected: &str| settled(text).contains(expected);
    let waiting = |screen: &terminal::Screen| screen.line().ends_with(" >");
    terminal.wait_for_screen(waiting);
    for (line, expected) in TYPED {
        terminal.keys(format!("{line}\r"));
        terminal.wait_for_screen(|screen| {
            let text = screen.text().join("\n");
            let (_, answer) = text.rsplit_once(&format!(" > {line}")).unwrap_or_default();
            shows(answer, expected) && waiting(screen)
        });
    }
    terminal.keys("\x04");
    assert!(terminal.end().success());
    let screen = terminal.screen();
    screen.text().iter().map(|row| format!("{row}\n")).collect()
}

#[test]
fn every_exit_code_is_listed() {
    for (exit, _) in Exit::TABLE {
        let code = exit.code();
        let told = README.lines().any(|line| {
            let cell = line.strip_prefix("| ").and_then(|line| line.split(" |").next());
            cell.is_some_and(|cell| cell.split(", ").any(|number| number == code.to_string()))
        });
        assert!(told, "{code}");
    }
}
