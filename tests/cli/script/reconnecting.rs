//! `/reconnect`, `/open` and `/headers`.

use super::script_of;
use crate::harness::Test;
use crate::peer::Peer;

#[test]
fn a_script_reconnects_with_changed_headers() {
    let test = script_of("one\n/headers X-Try: 2\n/reconnect\ntwo\n").args(["-q"]);
    test.server(|listener| {
        let (tcp, _) = listener.accept().expect("a client");
        let mut p = Peer::new(tcp);
        let request = p.open();
        assert_eq!(request.get("x-try"), None);
        p.receive_text("one");
        p.answer_close(1000);
        drop(p);
        let (tcp, _) = listener.accept().expect("the client again");
        let mut p = Peer::new(tcp);
        let request = p.open();
        assert_eq!(request.get("x-try"), Some(&b"2"[..]));
        p.receive_text("two");
        p.answer_close(1000);
    })
    .status(0);
}

#[test]
fn a_script_opens_another_url_and_leaves_the_credentials_behind() {
    Test::new()
        .args(["-q", "-w", "0", "--commands", "-x", "/open ws://127.0.0.1:{port}/other"])
        .args(["ws://user:secret@127.0.0.1:{port}/first"])
        .server(|listener| {
            let (tcp, _) = listener.accept().expect("a client");
            let mut p = Peer::new(tcp);
            assert!(p.open().get("authorization").is_some());
            p.answer_close(1000);
            drop(p);
            let (tcp, _) = listener.accept().expect("the client again");
            let mut p = Peer::new(tcp);
            let request = p.open();
            assert_eq!(request.get("authorization"), None);
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
}

#[test]
fn lines_behind_the_end_of_the_connection_are_not_lost_silently() {
    script_of("/expect bye\n/expect-close 1000\nnobody hears this\n")
        .peer(|p| {
            p.open();
            p.text("bye");
            p.close_first(1000, "done");
        })
        .stdout("bye\n")
        .stderr("wscope: stdin: line 3: not connected; /reconnect connects again, /open URL connects elsewhere\n")
        .status(1);
}

/// Relative times of `>` and `<` lines, in milliseconds, of a session of three connections whose
/// commands wait for 40 ms before each message.
fn relative_times(quiet: bool) -> Vec<(char, u64)> {
    let lines = "/wait 40ms\none\n/expect one\n/reconnect\n/wait 40ms\ntwo\n/expect two\n\
        /open ws://127.0.0.1:{port}/\n/wait 40ms\nthree\n/expect three\n";
    let mut test = Test::new().args(["--commands", "-w", "0", "--output", "frames"]);
    for line in lines.lines() {
        test = test.args(["-x", line]);
    }
    let output = test
        .args(["--timestamps", "relative"])
        .args(quiet.then_some("-q"))
        .args(["ws://127.0.0.1:{port}/"])
        .server(|listener| {
            for text in ["one", "two", "three"] {
                let (tcp, _) = listener.accept().expect("a client");
                let mut p = Peer::new(tcp);
                p.open();
                p.receive_text(text);
                p.text(text);
                p.answer_close(1000);
            }
        })
        .stdout_any()
        .stderr_any()
        .status(0);
    let frames = output.stdout().lines().filter(|line| line.contains(" TEXT "));
    let time = |line: &str| {
        let time = line.split_whitespace().nth(1)?.strip_prefix('+')?.replace('.', "");
        Some((line.chars().next()?, time.parse().ok()?))
    };
    frames.map(|line| time(line).expect("a time")).collect()
}

#[test]
fn relative_times_count_from_the_opening_of_each_connection() {
    for quiet in [false, true] {
        let times = relative_times(quiet);
        let marks: String = times.iter().map(|(mark, _)| *mark).collect();
        assert_eq!(marks, "><><><", "{times:?}");
        for pair in times.chunks(2) {
            assert!(pair[0].1 >= 40 && pair[0].1 <= pair[1].1, "{times:?}");
        }
    }
}
