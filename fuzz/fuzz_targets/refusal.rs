//! The explanation of a refusal and of a Close: none of what a server says brings it down, and what is
//! quoted is short.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::diagnostics::facts::{
    CloseFacts, CrossedMessage, End, EndKind, LastHeard, StreamFacts,
};
use wscope::diagnostics::{Facts, classify};
use wscope::event::MessageInfo;
use wscope::wire::close::CloseBody;
use wscope::wire::head::{Head, HeadKind};
use wscope::wire::{Data, OpCode, Role, coding};
use wscope_fuzz::Case;

/// Characters of a cause, with all that is put around a quotation.
const MOST: usize = 400;

/// Bytes that a compressed body may become.
const DECODED: usize = 4096;

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    let split = case.bytes.windows(4).position(|end| end == b"\r\n\r\n");
    let (head, body) = case.bytes.split_at(split.map_or(case.bytes.len(), |at| at + 4));
    let response = Head::parse(HeadKind::Response, head);
    let refused = Facts {
        url: Some("ws://api.example/chat"),
        response: Some(&response),
        body,
        ..Facts::new(Role::Client)
    };
    check(&refused);
    for coding in [&b"gzip"[..], b"deflate"] {
        assert!(coding::decoded(coding, body, DECODED).len() <= DECODED);
    }

    let open = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
    let open = Head::parse(HeadKind::Response, open);
    let reason = CloseBody::parse(head);
    let info = MessageInfo {
        number: 1,
        opcode: OpCode::Data(Data::Text),
        frames: 1,
        first_frame: 1,
        compressed: false,
        wire_len: body.len() as u64,
        len: body.len() as u64,
    };
    let time = std::time::Duration::from_millis(if case.flag(0) { 5 } else { 5000 });
    let end = End {
        how: if case.flag(1) { EndKind::Closed } else { EndKind::Fin },
        lifetime: time,
        idle: time,
        idle_data: time,
        quiet: time,
        longest_quiet: time,
        last: time,
        partial: 0,
    };
    let stream = StreamFacts {
        first: head,
        message: Some((info, body)),
        messages: 1,
        heard: Some(LastHeard { content: body, before: head, quiet: time, answered: case.flag(2) }),
        ..StreamFacts::default()
    };
    // An answer in a session that goes on, to a request: both may be anything.
    let crossed = [(true, head), (false, body)];
    let kept = crossed.map(|(ours, content)| CrossedMessage { ours, text: true, content });
    check(&Facts {
        response: Some(&open),
        stream: StreamFacts { sent: Some((info, head)), kept: &kept, kept_all: true, ..stream },
        ..Facts::new(Role::Client)
    });
    let close = CloseFacts { received: Some(&reason), by_peer: true, ..CloseFacts::default() };
    check(&Facts {
        response: Some(&open),
        stream,
        close,
        end: Some(end),
        ..Facts::new(Role::Client)
    });
});

fn check(facts: &Facts<'_>) {
    for diagnostic in classify(facts) {
        assert!(diagnostic.causes.len() <= 3);
        for cause in diagnostic.causes {
            assert!(cause.text.chars().count() <= MOST, "{}", cause.text);
        }
    }
}
