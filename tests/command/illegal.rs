//! What is reported of a frame before it is sent: every rule it can break.

use wscope::event::Direction;
use wscope::script::command::illegal::breaches;
use wscope::session::framing::Situation;
use wscope::wire::writer::RawFrame;
use wscope::wire::{LengthForm, OpCode};

const CLIENT: Situation = Situation {
    direction: Direction::ToServer,
    compression: false,
    message_open: false,
    closed: false,
};

/// A masked frame with this opcode.
fn frame(opcode: u8, payload: &[u8]) -> RawFrame {
    RawFrame {
        opcode: OpCode::from(opcode),
        mask: Some([1, 2, 3, 4]),
        payload: payload.to_vec(),
        ..RawFrame::default()
    }
}

fn debugged(frame: &RawFrame, situation: Situation) -> String {
    breaches(frame, situation).unwrap_or_default()
}

#[test]
fn legal_frames_are_legal() {
    let open = Situation { message_open: true, ..CLIENT };
    let deflate = Situation { compression: true, ..CLIENT };
    for (legal, situation) in [
        (frame(1, b"hello"), CLIENT),
        (frame(2, b"\xff"), CLIENT),
        (frame(8, b""), CLIENT),
        (frame(8, b"\x03\xe8bye"), CLIENT),
        (frame(9, &[0xff; 125]), CLIENT),
        (frame(0, b"\xff"), open),
        (frame(9, b""), open),
        (RawFrame { fin: false, ..frame(1, b"\xe2\x82") }, CLIENT),
        (RawFrame { rsv1: true, ..frame(1, b"\xff") }, deflate),
        (RawFrame { form: Some(LengthForm::Bits16), ..frame(2, &[0; 126]) }, CLIENT),
        (RawFrame { announced: Some(3), ..frame(1, b"abc") }, CLIENT),
        (
            RawFrame { mask: None, ..frame(1, b"a") },
            Situation { direction: Direction::ToClient, ..CLIENT },
        ),
    ] {
        assert_eq!(breaches(&legal, situation), None, "{legal:?}");
    }
}

#[test]
fn each_rule_is_printed_with_its_section() {
    let open = Situation { message_open: true, ..CLIENT };
    let deflate = Situation { compression: true, ..CLIENT };
    let server = Situation { direction: Direction::ToClient, ..CLIENT };
    let closed = Situation { closed: true, ..CLIENT };
    for (illegal, situation, wanted) in [
        (frame(3, b""), CLIENT, "W606 RFC 6455 §5.2: opcodes 3 to 7 are reserved"),
        (frame(11, b""), CLIENT, "W607 RFC 6455 §5.2: opcodes 11 to 15 are reserved"),
        (RawFrame { rsv1: true, ..frame(1, b"") }, CLIENT, "W602 RFC 6455 §5.2: RSV1 is set"),
        (RawFrame { rsv1: true, ..frame(9, b"") }, deflate, "W605 RFC 7692 §6.1: control frames"),
        (RawFrame { rsv2: true, ..frame(1, b"") }, deflate, "W603 RFC 6455 §5.2: RSV2 or RSV3"),
        (
            RawFrame { mask: None, ..frame(1, b"") },
            CLIENT,
            "W628 RFC 6455 §5.1: a client must mask",
        ),
        (frame(1, b""), server, "W601 RFC 6455 §5.1: a server must not mask"),
        (
            RawFrame { form: Some(LengthForm::Bits64), ..frame(1, b"a") },
            CLIENT,
            "W610 RFC 6455 §5.2: the payload length must be written in the shortest form",
        ),
        (
            RawFrame { form: Some(LengthForm::Bits7), ..frame(2, &[0; 126]) },
            CLIENT,
            "RFC 6455 §5.2: a length of 126 does not fit into 7 bits",
        ),
        (frame(9, &[0; 126]), CLIENT, "W609 RFC 6455 §5.5: control frames must have"),
        (RawFrame { fin: false, ..frame(9, b"") }, CLIENT, "W608 RFC 6455 §5.5: control frames"),
        (
            RawFrame { announced: Some(9), ..frame(1, b"a") },
            CLIENT,
            "RFC 6455 §5.2: the announced length is 9, but the payload has 1 bytes, so the peer misreads what follows",
        ),
        (frame(1, b"a\xff"), CLIENT, "W615 RFC 6455 §8.1: the payload of a text"),
        (frame(1, b"\xe2\x82"), CLIENT, "W616 RFC 6455 §8.1: a text message must not end"),
        (frame(8, b"\x03"), CLIENT, "W619 RFC 6455 §5.5.1: the body of a Close frame"),
        (
            frame(8, b"\x03\xee"),
            CLIENT,
            "W620 RFC 6455 §7.4: this close code must not be sent: 1006 abnormal closure",
        ),
        (frame(8, b"\x03\xe8\xff"), CLIENT, "W621 RFC 6455 §5.5.1: the reason"),
        (frame(0, b""), CLIENT, "W613 RFC 6455 §5.4: a continuation frame"),
        (frame(2, b""), open, "W614 RFC 6455 §5.4: a new message"),
        (frame(1, b""), closed, "W618 RFC 6455 §5.5.1: no data frame and no second Close"),
    ] {
        let debugged = debugged(&illegal, situation);
        assert!(debugged.starts_with(wanted) && !debugged.contains("; W"), "{debugged}");
    }
}

#[test]
fn several_rules_make_one_line() {
    let frame = RawFrame { fin: false, rsv1: true, mask: None, ..frame(8, b"\x03\xed") };
    let codes: Vec<_> = debugged(&frame, CLIENT)
        .split("; ")
        .filter_map(|part| part.split(' ').next().map(str::to_owned))
        .collect();
    assert_eq!(codes, ["W628", "W602", "W608", "W620"]);
}
