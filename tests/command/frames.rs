//! `/frame` and `/fragment`: every option.

use crate::{bytes, parsed};
use wscope::script::command::{
    Command, FragmentSpec, Fragmentation, FrameSpec, MaskChoice, Payload,
};
use wscope::wire::{Control, Data, LengthForm, OpCode};

fn frame(line: &str) -> FrameSpec {
    match parsed(line) {
        Command::Frame(spec) => spec,
        other => panic!("{line}: {other:?}"),
    }
}

fn plain(opcode: OpCode, payload: &str) -> FrameSpec {
    FrameSpec {
        opcode,
        fin: true,
        rsv: [false; 3],
        mask: MaskChoice::Role,
        form: None,
        announced: None,
        payload: bytes(payload),
    }
}

fn text(payload: &str) -> FrameSpec {
    plain(OpCode::Data(Data::Text), payload)
}

#[test]
fn without_options_it_is_a_legal_text() {
    assert_eq!(frame("/frame"), text(""));
    assert_eq!(frame("/frame hello  you"), text("hello  you"));
    assert_eq!(frame("/frame   hello"), text("hello"));
}

#[test]
fn the_opcode_is_the_first_word_or_an_option() {
    let ping = plain(OpCode::Control(Control::Ping), "a");
    for line in ["/frame ping a", "/frame 9 a", "/frame 0x9 a", "/frame opcode=ping a"] {
        assert_eq!(frame(line), ping, "{line}");
    }
    for bits in 0..16u8 {
        assert_eq!(frame(&format!("/frame {bits}")).opcode, OpCode::from(bits));
    }
    assert_eq!(frame("/frame text ping"), text("ping"));
    assert_eq!(frame("/frame fin=on -- ping"), text("ping"));
}

#[test]
fn every_option_sets_its_bits() {
    let default = || text("x");
    for (options, wanted) in [
        ("fin=off", FrameSpec { fin: false, ..default() }),
        ("fin=0", FrameSpec { fin: false, ..default() }),
        ("fin=yes", default()),
        ("rsv1=on", FrameSpec { rsv: [true, false, false], ..default() }),
        ("rsv2=1", FrameSpec { rsv: [false, true, false], ..default() }),
        ("rsv3=true", FrameSpec { rsv: [false, false, true], ..default() }),
        ("rsv=5", FrameSpec { rsv: [true, false, true], ..default() }),
        ("rsv=0", default()),
        ("mask=on", FrameSpec { mask: MaskChoice::On, ..default() }),
        ("mask=off", FrameSpec { mask: MaskChoice::Off, ..default() }),
        (
            "mask=37fa213D",
            FrameSpec { mask: MaskChoice::Key([0x37, 0xfa, 0x21, 0x3d]), ..default() },
        ),
        ("form=7", FrameSpec { form: Some(LengthForm::Bits7), ..default() }),
        ("form=16", FrameSpec { form: Some(LengthForm::Bits16), ..default() }),
        ("form=64", FrameSpec { form: Some(LengthForm::Bits64), ..default() }),
        ("length=0", FrameSpec { announced: Some(0), ..default() }),
        ("length=0xffffffffffffffff", FrameSpec { announced: Some(u64::MAX), ..default() }),
        ("fin=off  mask=off", FrameSpec { fin: false, mask: MaskChoice::Off, ..default() }),
    ] {
        assert_eq!(frame(&format!("/frame text {options} x")), wanted, "{options}");
        assert_eq!(frame(&format!("/frame {options} -- x")), wanted, "{options}");
        assert_eq!(frame(&format!("/frame {options} payload=x")), wanted, "{options}");
    }
}

#[test]
fn the_payload_begins_where_the_options_end() {
    for (line, wanted) in [
        ("/frame a=b", "a=b"),
        ("/frame -- fin=off", "fin=off"),
        ("/frame --  a", " a"),
        ("/frame payload= a", " a"),
        ("/frame payload=", ""),
        ("/frame --", ""),
        ("/frame -- ping", "ping"),
        ("/frame --x", "--x"),
        (r"/frame a\n", "a\n"),
        ("/frame hex:41", "A"),
    ] {
        assert_eq!(frame(line), text(wanted), "{line}");
    }
    assert_eq!(frame("/frame ping @a b").payload, Payload::File("a b".into()));
}

#[test]
fn a_code_makes_a_close() {
    let close = |payload: &[u8]| FrameSpec {
        payload: bytes(payload),
        ..plain(OpCode::Control(Control::Close), "")
    };
    assert_eq!(frame("/frame code=1000"), close(b"\x03\xe8"));
    assert_eq!(frame("/frame close code=going-away bye"), close(b"\x03\xe9bye"));
    assert_eq!(frame(r"/frame code=1005 reason=\xff"), close(b"\x03\xed\xff"));
    assert_eq!(frame(r"/frame close \x03"), close(b"\x03"));
    let ping = frame("/frame ping code=1000");
    assert_eq!((ping.opcode, ping.payload), (OpCode::Control(Control::Ping), bytes(b"\x03\xe8")));
}

#[test]
fn a_message_is_cut_by_count_or_sizes() {
    let spec = |cut, binary, ping, message: &str| FragmentSpec {
        cut,
        binary,
        ping,
        message: bytes(message),
    };
    for (line, wanted) in [
        ("/fragment 3 hello", spec(Fragmentation::Count(3), false, false, "hello")),
        ("/fragment 2,0,5 a b", spec(Fragmentation::Sizes(vec![2, 0, 5]), false, false, "a b")),
        ("/fragment 5, a", spec(Fragmentation::Sizes(vec![5]), false, false, "a")),
        ("/fragment 2 binary hex:00", spec(Fragmentation::Count(2), true, false, "\0")),
        ("/fragment 2 ping a", spec(Fragmentation::Count(2), false, true, "a")),
        ("/fragment 2 ping binary  a", spec(Fragmentation::Count(2), true, true, " a")),
        ("/fragment 2 ping ping", spec(Fragmentation::Count(2), false, true, "ping")),
        ("/fragment 2 -- ping", spec(Fragmentation::Count(2), false, false, "ping")),
        ("/fragment 2 --", spec(Fragmentation::Count(2), false, false, "")),
    ] {
        assert!(matches!(parsed(line), Command::Fragment(found) if found == wanted), "{line}");
    }
}
