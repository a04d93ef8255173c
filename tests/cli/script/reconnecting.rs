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
    script_of("/expect bye\n/wait 0.05\nnobody hears this\n")
        .peer(|p| {
            p.open();
            p.text("bye");
            p.close_first(1000, "");
        })
        .stdout("bye\n")
        .stderr("wscope: stdin: line 3: there is no connection; /reconnect opens it again, /open URL another\n")
        .status(1);
}
