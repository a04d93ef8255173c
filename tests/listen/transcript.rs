//! What is shown of clients: heads, the checklist, frames, with the number of the connection.

use crate::frames::{self, TEXT};
use crate::harness::listen;
use crate::lines::Lines;

#[test]
fn a_session_as_a_transcript() {
    let server = listen(["--reply", "yes", "--output", "frames"]);
    let mut raw = server.open();
    raw.frame(frames::frame(TEXT, "well?"));
    assert_eq!(raw.receive_frame().1, b"yes");
    raw.frame(frames::frame(frames::CLOSE, frames::close_payload(1000, "done")));
    raw.receive_close(1000);
    assert_eq!(raw.rest(), b"");
    let port = server.port();
    let output = server.interrupt();
    let text = format!(
        "* [1] connection from 127.0.0.1:[..] to 127.0.0.1:{port}\n\
         < [1] GET / HTTP/1.1\n< [1] Host: 127.0.0.1\n...\n\
         * [1] 33 rules: 19 passed, 1 FAILED, 0 warned, 13 not applicable\n\
         * [1]  ✗ FAIL  4.1-req-key-random [..]well-known sample\n\
         > [1] HTTP/1.1 101 Switching Protocols\n...\n\
         * [1] open: no subprotocol, no extensions\n\
         < [1] [..] #1 TEXT F-M 5 well?\n\
         > [1] [..] #1 TEXT F-- 3 yes\n\
         < [1] [..] #2 CLOSE F-M 6 1000 normal closure \"done\"\n\
         > [1] [..] #2 CLOSE F-- 2 1000 normal closure\n\
         * [1] the client closed with 1000 normal closure \"done\" after [..]\n\
         * [1] sent 2 frames, 1 message, 3 bytes ([..] on the wire); received 2 frames, 1 message, 5 bytes ([..] on the wire)\n"
    );
    Lines::new(text).check(output.stdout.as_bytes(), "stdout");
    assert!(!output.stderr.contains("joined"), "the transcript tells it: {}", output.stderr);
}

#[test]
fn a_refusal_as_a_transcript() {
    let server = listen(["--echo", "-v"]);
    assert_eq!(server.raw().ask("/", "").status(), 426);
    let said = server.stderr.wait_for("answered 426");
    for line in [
        "< [1] GET / HTTP/1.1\n",
        "✗ FAIL  4.1-req-upgrade ",
        "> [1] HTTP/1.1 426 Upgrade Required\n",
        "> [1] This is a WebSocket server; it has no pages. Connect to it with\n",
        "* [1] answered 426: Upgrade is missing (4.1-req-upgrade)\n",
    ] {
        assert!(said.contains(line), "{line:?} is not in\n{said}");
    }
    server.interrupt();
}

#[test]
fn json_names_the_role_of_a_server() {
    let server = listen(["-v", "--echo", "--output", "json"]);
    let said = server.stdout.wait_for("listening");
    let first = said.lines().next().expect("a line");
    let start: serde_json::Value = serde_json::from_str(first).expect("JSON");
    assert_eq!((start["event"].as_str(), start["role"].as_str()), (Some("start"), Some("server")));
    server.interrupt();
}
