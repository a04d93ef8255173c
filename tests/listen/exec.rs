//! `--exec`: a process for each client, which ends with it.

use std::time::Instant;

use tempfile::TempDir;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest as _;

use crate::frames::{self, BINARY, TEXT};
use crate::harness::{close, listen, receive, receive_close};
use crate::waiting::DEADLINE;

#[test]
fn lines_go_in_and_out() {
    let server = listen(["--exec", "while read -r line; do echo \"got $line\"; done"]);
    let (mut one, mut two) = (server.client(), server.client());
    one.send(Message::text("1")).expect("open");
    two.send(Message::text("2")).expect("open");
    assert_eq!((receive(&mut one), receive(&mut two)), ("got 1".to_owned(), "got 2".to_owned()));
    close(one);
    close(two);
    server.interrupt();
}

#[test]
fn the_process_knows_its_client() {
    let server = listen([
        "-s",
        "chat",
        "--exec",
        "echo \"$WSCOPE_CONN $WSCOPE_PATH $WSCOPE_SUBPROTOCOL $WSCOPE_PEER\"",
    ]);
    let mut request = format!("{}a/b?query", server.url()).into_client_request().expect("a URL");
    let protocol = "chat".parse().expect("a value");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let mut client = server.client_of(request);
    let address = client.get_ref().local_addr().expect("an address");
    assert_eq!(receive(&mut client), format!("1 /a/b chat {address}"));
    // Its end closes the connection.
    assert_eq!(receive_close(&mut client).0, 1000);
    server.interrupt();
}

#[test]
fn a_process_that_fails_closes_with_1011_and_its_end_is_reported() {
    for (command, how) in [
        ("echo last; exit 3", "the command ended with status 3"),
        ("echo last; kill -9 $$", "the command was ended by signal 9"),
        ("echo last; no-such-command", "the command ended with status 127"),
    ] {
        let server = listen(["--exec", command]);
        let mut client = server.client();
        assert_eq!(receive(&mut client), "last");
        assert_eq!(receive_close(&mut client), (1011, how.to_owned()), "{command}");
        server.stderr.wait_for(&format!("; {how}\n"));
        server.interrupt();
    }
}

#[test]
fn the_end_of_a_process_is_an_object_of_json() {
    let server = listen(["--output", "json", "--exec", "exit 3"]);
    assert_eq!(receive_close(&mut server.client()).0, 1011);
    let objects = server.stdout.wait_for("\"event\":\"end\"");
    let command = objects.lines().find(|line| line.contains("\"event\":\"command\""));
    let command = command.expect("an object");
    assert!(command.ends_with("\"conn\":1,\"status\":3,\"signal\":null}"), "{command}");
    server.interrupt();
}

#[test]
fn a_process_that_closes_its_stdout_and_goes_on_has_said_all() {
    let server = listen(["--exec", "exec >&-; sleep 1000"]);
    assert_eq!(receive_close(&mut server.client()).0, 1000);
    server.interrupt();
}

#[test]
fn raw_is_bytes_without_lines() {
    let server = listen(["--exec-raw", "--exec", "cat"]);
    let mut raw = server.open();
    raw.frame(frames::frame(TEXT, "no newline"));
    assert_eq!(raw.receive_frame(), (BINARY, b"no newline".to_vec()));
    server.interrupt();
}

#[test]
fn the_whole_group_ends_with_the_client() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("pids");
    // One that ignores the end of stdin and SIGTERM, and one more in its background.
    let command = format!(
        "trap '' TERM; sleep 1000 & echo $$ $! >'{}'; echo started; while :; do wait; done",
        file.display()
    );
    let server = listen(["--exec", command.as_str()]);
    let mut client = server.client();
    assert_eq!(receive(&mut client), "started");
    let pids = std::fs::read_to_string(&file).expect("the pids");
    close(client);
    server.stderr.wait_for("left: ");
    // The run waits for those that are dying.
    server.interrupt();
    let deadline = Instant::now() + DEADLINE;
    for pid in pids.split_whitespace() {
        // A killed process takes a moment; one that nobody has waited for is a zombie.
        let lives = || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            status.is_ok_and(|status| !status.contains(") Z "))
        };
        while lives() {
            assert!(Instant::now() < deadline, "{pid} lives");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_process_that_reads_nothing_stalls_only_its_own_client() {
    let server = listen(["--exec", "sleep 1000"]);
    let stuck = server.open();
    stuck.tcp().set_nonblocking(true).expect("a flag");
    // More than pipe, buffers and sockets hold.
    let frame = frames::towards(
        wscope::event::Direction::ToServer,
        frames::frame(BINARY, vec![b'x'; 1 << 16]),
    );
    let bytes = frames::bytes([frame]);
    let mut taken = 0;
    while taken < 64 << 20 {
        match std::io::Write::write(&mut stuck.tcp(), &bytes) {
            Ok(n) => taken += n,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                break;
            }
        }
    }
    assert!(taken < 64 << 20, "it was never told to wait");
    let mut other = server.open();
    other.frame(frames::frame(frames::PING, "there?"));
    assert_eq!(other.receive_frame(), (frames::PONG, b"there?".to_vec()));
    server.interrupt();
}

#[test]
fn the_last_words_of_a_client_reach_its_process() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("heard");
    // More than a pipe holds.
    let words = vec![b'x'; 1 << 20];
    let command = format!("cat >'{0}.part'; mv '{0}.part' '{0}'", file.display());
    let server = listen(["--exec-raw", "--exec", command.as_str()]);
    let mut raw = server.open();
    raw.frame(frames::frame(frames::BINARY, words.clone()));
    raw.frame(frames::frame(frames::CLOSE, 1000_u16.to_be_bytes()));
    assert_eq!(raw.receive_frame().0, frames::CLOSE);
    server.stderr.wait_for("left: ");
    // The run waits for those that are dying.
    server.interrupt();
    assert!(std::fs::read(&file).expect("the process has ended in order") == words);
}

#[test]
fn what_a_process_never_reads_is_reported() {
    let server = listen(["--exec-raw", "--exec", "sleep 1000"]);
    let mut raw = server.open();
    raw.frame(frames::frame(frames::BINARY, vec![b'x'; 200_000]));
    raw.frame(frames::frame(frames::CLOSE, 1000_u16.to_be_bytes()));
    assert_eq!(raw.receive_frame().0, frames::CLOSE);
    server.stderr.wait_for("[1] the command did not read ");
    server.interrupt();
}
