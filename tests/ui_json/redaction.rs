//! Logs without credentials, and logs that begin in the middle of a connection.

use super::*;
use wscope::event::Direction;
use wscope::ui::redact::Redactor;

/// What is logged of a head.
fn logged(direction: Direction, head: &Head) -> Value {
    let mut session = Watched::new(JsonPrinter::new(Some(Role::Client)));
    session.print(&Event::Note("the first object is the start")).take();
    one(session.print(&Event::Head(direction, &Redactor::new().head(head))).take().as_str())
}

#[test]
fn a_logged_head_has_its_structure_but_no_credentials() {
    let request = b"GET ws://me:secret@a/ HTTP/1.1\r\nAuthorization: Basic secret\r\n\
        Cookie: id=secret\r\nX: http://secret@b/\r\nX-LF: 1\n\r\n";
    let head = Head::parse(HeadKind::Request, request);
    let told = logged(ToServer, &head);
    assert!(!told.to_string().contains("secret"), "{told}");
    assert_eq!(told["target"], "ws://[redacted]@a/");
    assert_eq!(
        told["headers"],
        json!([
            ["Authorization", "[redacted]"],
            ["Cookie", "[redacted]"],
            ["X", "http://[redacted]@b/"],
            ["X-LF", "1"]
        ])
    );
    let raw = "GET ws://[redacted]@a/ HTTP/1.1\r\nAuthorization: [redacted]\r\n\
        Cookie: [redacted]\r\nX: http://[redacted]@b/\r\nX-LF: 1\n\r\n";
    assert_eq!(told["raw"], raw);
    let plain = one(plain().print(&Event::Head(ToServer, &head)).take().as_str());
    assert_eq!(told["defects"], plain["defects"], "with the places on the wire");
    assert!(plain["raw"].to_string().contains("secret"), "only if it is wanted");
}

#[test]
fn secrets_that_are_not_utf_8_are_redacted_too() {
    let head =
        Head::parse(HeadKind::Response, b"HTTP/1.1 101 X\r\nSet-Cookie: \xff\r\nX: \xfe\r\n\r\n");
    let told = logged(ToClient, &head);
    let raw = BASE64_STANDARD.decode(told["raw_base64"].as_str().expect("not UTF-8"));
    assert_eq!(
        raw.expect("base64"),
        b"HTTP/1.1 101 X\r\nSet-Cookie: [redacted]\r\nX: \xfe\r\n\r\n"
    );
}

#[test]
fn a_log_may_begin_in_the_middle_of_a_message() {
    let mut sent = bytes(&RawFrame { fin: false, ..frame(TEXT, b"one ") });
    sent.extend(bytes(&frame(CONT, b"message")));
    let rest = sent.len() + 2;
    sent.extend(bytes(&frame(TEXT, b"whole")));
    for begin in 0..=rest {
        // What came before is observed, but not logged.
        let mut session = Watched::new(JsonPrinter::new(None));
        session.travel(ToClient, &sent[..begin]).printer = JsonPrinter::new(None);
        session.take();
        session.travel(ToClient, &sent[begin..]);
        let told = values(&session.take());
        assert_eq!(told[0]["event"], "start");
        let messages: Vec<_> = told.iter().filter(|line| line["event"] == "message").collect();
        for message in &messages {
            let whole = ["one message", "whole"].map(|text| message["text"] == text);
            let omitted = message["content"] == "omitted" && message["length"] == 11;
            assert!(whole.contains(&true) || omitted, "from byte {begin}: {message}");
        }
        assert_eq!(messages.last().expect("the last one is whole")["text"], "whole");
    }
}

#[test]
fn a_log_may_begin_in_the_middle_of_a_long_frame() {
    let sent = bytes(&frame(BINARY, &vec![7; INLINE + 2 * PIECE]));
    let mut session = Watched::new(JsonPrinter::new(None));
    session.travel(ToClient, &sent[..PIECE]).printer = JsonPrinter::new(None);
    session.take();
    session.travel_in_pieces(ToClient, &sent[PIECE..], 1000);
    let told = values(&session.take());
    let events: Vec<_> = told.iter().map(|line| line["event"].as_str().expect("a name")).collect();
    assert_eq!(events, ["start", "message"]);
    assert_eq!(told[1]["content"], "omitted");
}

proptest! {
    #[test]
    fn a_log_of_any_bytes_may_begin_anywhere(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), begin in 0usize..200,
    ) {
        let begin = begin.min(bytes.len());
        let mut session = Watched::new(JsonPrinter::new(None));
        session.travel(ToServer, &bytes[..begin]).printer = JsonPrinter::new(None);
        session.take();
        session.travel(ToServer, &bytes[begin..]).print(&Event::End(&ending()));
        parse(&session.take());
    }
}
