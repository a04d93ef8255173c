//! The prompt of a server on a terminal: typed lines, who comes and leaves above them.

use std::net::TcpStream;

use tungstenite::Message;

use crate::harness::{Client, receive, receive_close, wscope};
use crate::terminal::Terminal;
use crate::waiting::DEADLINE;

/// A server with a prompt, and where it listens.
fn start(args: &[&str]) -> (Terminal, String) {
    let mut command = wscope();
    command.arg("listen").args(args).args(["--no-history", "0"]).env("TERM", "xterm-256color");
    command.env("NO_COLOR", "1");
    let terminal = Terminal::start(&command, 100, 250);
    let prompted = terminal.wait_for_screen(|screen| screen.ends_with_line("listening   > "));
    let row = prompted.rows.iter().find_map(|row| row.strip_prefix("listening on "));
    (terminal, row.expect("a URL").to_owned())
}

fn connect(url: &str) -> Client {
    let port = url.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
    let port: u16 = port.expect("a port");
    let tcp = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    tcp.set_read_timeout(Some(DEADLINE)).expect("a time");
    tungstenite::client(url, tcp).expect("a handshake").0
}

/// Answers a Close, whose code and reason it gives, and leaves.
#[track_caller]
fn leaves(mut client: Client) -> (u16, String) {
    let close = receive_close(&mut client);
    while client.read().is_ok() {}
    close
}

/// Waits until a row of the screen has all of this.
#[track_caller]
fn wait_for_row(terminal: &Terminal, parts: &[&str]) {
    let has = |row: &String| parts.iter().all(|part| row.contains(part));
    terminal.wait_for_screen(|screen| screen.rows.iter().any(has));
}

#[test]
fn two_clients_at_the_prompt() {
    let (mut terminal, url) = start(&[]);
    let mut one = connect(&url);
    terminal.wait_for_screen(|screen| screen.ends_with_line("1 client    > "));
    let mut two = connect(&url);
    terminal.wait_for_screen(|screen| screen.ends_with_line("2 clients   > "));

    terminal.keys("@2 hi\r");
    assert_eq!(receive(&mut two), "hi");
    wait_for_row(&terminal, &["> [2]", "TEXT", " 2 hi"]);
    terminal.keys("everybody\r");
    assert_eq!(
        (receive(&mut one), receive(&mut two)),
        ("everybody".to_owned(), "everybody".to_owned())
    );

    // What arrives while something is typed leaves it where it is.
    terminal.keys("half a li");
    terminal.wait_for_screen(|screen| screen.ends_with_line("2 clients   > half a li"));
    one.send(Message::text("from one")).expect("open");
    wait_for_row(&terminal, &["< [1]", " 8 from one"]);
    terminal.wait_for_screen(|screen| screen.ends_with_line("2 clients   > half a li"));
    let mut three = connect(&url);
    terminal.wait_for_screen(|screen| screen.ends_with_line("3 clients   > half a li"));
    terminal.keys("ne\r");
    for client in [&mut one, &mut two, &mut three] {
        assert_eq!(receive(client), "half a line");
    }

    terminal.keys("/clients\r");
    wait_for_row(&terminal, &["[3] 127.0.0.1:", " /"]);
    terminal.keys("/kick 1 4001 enough\r");
    assert_eq!(leaves(one), (4001, "enough".to_owned()));
    wait_for_row(&terminal, &["* [1]", "closed"]);
    terminal.wait_for_screen(|screen| screen.ends_with_line("2 clients   > "));

    terminal.keys("/to 3\r");
    terminal.wait_for_screen(|screen| screen.ends_with_line("to 3        > "));
    terminal.keys("only you\r");
    assert_eq!(receive(&mut three), "only you");
    terminal.keys("/to all\r");
    terminal.wait_for_screen(|screen| screen.ends_with_line("2 clients   > "));
    terminal.keys("@7 hello\r");
    wait_for_row(&terminal, &["error: client 7 is not connected"]);

    terminal.keys("\x03");
    assert_eq!(leaves(two).0, 1001);
    assert_eq!(leaves(three).0, 1001);
    assert_eq!(terminal.end().code(), Some(130));
}

#[test]
fn numbers_are_completed_and_ctrl_d_closes_all() {
    let (mut terminal, url) = start(&[]);
    let client = connect(&url);
    terminal.wait_for_screen(|screen| screen.ends_with_line("1 client    > "));
    terminal.keys("/kick \t");
    wait_for_row(&terminal, &["1    127.0.0.1:"]);
    terminal.keys("\x03");
    terminal.wait_for_screen(|screen| screen.ends_with_line("1 client    > "));
    terminal.keys("\x04");
    assert_eq!(leaves(client).0, 1001);
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn nobody_there_is_worth_a_note() {
    let (mut terminal, _url) = start(&[]);
    terminal.keys("hello?\r");
    wait_for_row(&terminal, &["* no client is connected"]);
    terminal.keys("/open ws://localhost\r");
    wait_for_row(
        &terminal,
        &["error: /open is not available here: a server does not open connections"],
    );
    terminal.keys("/quit\r");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn an_answering_server_has_no_prompt() {
    let mut command = wscope();
    command.args(["listen", "--echo", "0"]).env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut terminal = Terminal::start(&command, 100, 40);
    let screen = terminal
        .wait_for_screen(|screen| screen.rows.iter().any(|row| row.starts_with("listening on ")));
    assert!(!screen.rows.iter().any(|row| row.contains("> ")), "{screen:?}");
    terminal.signal(rustix::process::Signal::INT);
    assert_eq!(terminal.end().code(), Some(130));
}

#[test]
fn a_terminal_that_can_not_edit_gives_plain_lines() {
    let mut command = wscope();
    command.args(["listen", "--no-history", "0"]).env("TERM", "dumb").env("NO_COLOR", "1");
    let mut terminal = Terminal::start(&command, 100, 250);
    let screen = terminal
        .wait_for_screen(|screen| screen.rows.iter().any(|row| row.contains("A line goes to all")));
    let url = screen.rows.iter().find_map(|row| row.strip_prefix("listening on "));
    let mut client = connect(url.expect("a URL"));
    terminal.wait_for_bytes("[1] open");
    terminal.keys("hello\n@1 /kick\n@1 you\n");
    assert_eq!(
        (receive(&mut client), receive(&mut client)),
        ("hello".to_owned(), "you".to_owned())
    );
    terminal.wait_for_bytes("/kick needs TARGET");
    terminal.keys("\x04");
    assert_eq!(leaves(client).0, 1001);
    assert_eq!(terminal.end().code(), Some(0));
}
