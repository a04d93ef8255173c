//! The transcripts of the README and the docs are what the program prints, the exit codes are the
//! program's. `UPDATE=1 cargo test --test readme` writes the transcripts anew.

use std::net::TcpListener;
use std::process::Command;

use tungstenite::Message;
use wscope::engine::exit::Exit;

#[path = "common/terminal.rs"]
#[allow(dead_code)]
mod terminal;
#[path = "common/waiting.rs"]
#[allow(dead_code)]
mod waiting;

#[path = "common/settled.rs"]
mod settled;

use settled::settled;

const README: &str = include_str!("../README.md");
const PROMPT: &str = include_str!("../docs/prompt.md");
const LEGEND: &str = include_str!("../docs/transcript.md");
const EXIT_CODES: &str = include_str!("../docs/exit-codes.md");

/// The transcript of a page below its mark; or writes down what is printed now.
fn promised(name: &str, page: &str, mark: &str, printed: &str) -> String {
    let begin = format!("<!-- transcript: {mark} -->\n```text\n");
    let (before, after) = page.split_once(&begin).expect("a transcript");
    let (promised, after) = after.split_once("```\n").expect("its end");
    if std::env::var_os("UPDATE").is_none() {
        return settled(promised);
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::write(path, format!("{before}{begin}{printed}```\n{after}")).expect("a disk");
    settled(printed)
}

/// The lines with this mark. Both ends write as fast as they can, so the two directions interleave
/// differently from run to run; each by itself does not.
fn marked<'a>(transcript: &'a str, mark: &'a str) -> Vec<&'a str> {
    transcript.lines().filter(|line| line.starts_with(mark)).collect()
}

#[test]
fn the_transcript_is_what_the_demo_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_wscope"))
        .args(["demo", "--width", "80"])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("text");
    let promised = promised("README.md", README, "wscope demo", &printed);
    let printed = settled(&printed);
    for mark in [">", "<", "*", "!"] {
        assert_eq!(marked(&printed, mark), marked(&promised, mark));
    }
}

/// What is typed in the session of docs/prompt.md, and what the screen shows before the next line is typed.
const TYPED: [(&str, &str); 6] = [
    ("hello", "< TIME #1 TEXT"),
    ("/ping are you there", "rtt"),
    ("/fragment 2 ping Hello", "< TIME #4 TEXT"),
    ("/show stats", "silence"),
    ("/frame rsv2=on oops", "closed 1006 >"),
    ("/reconnect", "connected   >"),
];

#[test]
fn the_session_at_the_prompt_is_what_the_screen_shows() {
    let shown = session();
    let promised = promised("docs/prompt.md", PROMPT, "the prompt", &shown);
    let shown = settled(&shown);
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

/// The line that the legend explains is one of the README.
#[test]
fn the_legend_explains_a_line_of_the_demo() {
    let (_, after) = LEGEND.split_once("```text\n").expect("a transcript");
    let (line, _) = after.split_once('\n').expect("its end");
    let demo = settled(README);
    assert!(
        demo.lines().any(|other| other == settled(line).trim_end()),
        "not in the README: {line}"
    );
}

#[test]
fn every_exit_code_is_listed() {
    for (exit, _) in Exit::TABLE {
        let code = exit.code();
        let told = EXIT_CODES.lines().any(|line| {
            let cell = line.strip_prefix("| ").and_then(|line| line.split(" |").next());
            cell.is_some_and(|cell| cell.split(", ").any(|number| number == code.to_string()))
        });
        assert!(told, "{code}");
    }
}
