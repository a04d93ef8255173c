//! `/frame`: each option, and what goes on the wire for it. The mask key is given, so that every
//! byte is known.

use super::puts_on_the_wire;

#[test]
fn a_frame_without_options_is_a_text_frame() {
    puts_on_the_wire("/frame mask=01020304 Hi\n", b"\x81\x82\x01\x02\x03\x04Ik", "");
}

#[test]
fn every_opcode_by_name_and_number() {
    puts_on_the_wire("/frame ping mask=00000000 x\n", b"\x89\x81\0\0\0\0x", "");
    puts_on_the_wire("/frame binary mask=00000000\n", b"\x82\x80\0\0\0\0", "");
    puts_on_the_wire(
        "/frame 0xb mask=00000000\n",
        b"\x8b\x80\0\0\0\0",
        "wscope: note: W60[..] RFC 6455 §5.2: [..]opcode[..]\n",
    );
    puts_on_the_wire(
        "/frame opcode=3 mask=00000000\n",
        b"\x83\x80\0\0\0\0",
        "wscope: note: W60[..] RFC 6455 §5.2: [..]opcode[..]\n",
    );
}

#[test]
fn fin_and_the_reserved_bits() {
    puts_on_the_wire("/frame fin=off mask=00000000 a\n", b"\x01\x81\0\0\0\0a", "");
    for (line, first) in [("rsv1=on", 0xc1u8), ("rsv2=on", 0xa1), ("rsv3=1", 0x91), ("rsv=7", 0xf1)]
    {
        let bytes: &'static [u8] = Box::leak(Box::new([first, 0x80, 0, 0, 0, 0]));
        puts_on_the_wire(
            &format!("/frame {line} mask=00000000\n"),
            bytes,
            "wscope: note: W60[..] RFC 6455 §5.2: RSV[..]\n",
        );
    }
}

#[test]
fn a_client_that_does_not_mask() {
    puts_on_the_wire(
        "/frame mask=off Hello\n",
        b"\x81\x05Hello",
        "wscope: note: W628 RFC 6455 §5.1: [..]mask[..]\n",
    );
}

#[test]
fn every_form_of_the_length_and_a_wrong_one() {
    puts_on_the_wire(
        "/frame form=16 mask=00000000 Hi\n",
        b"\x81\xfe\0\x02\0\0\0\0Hi",
        "wscope: note: W610 RFC 6455 §5.2: [..]length[..]\n",
    );
    puts_on_the_wire(
        "/frame form=64 mask=00000000 Hi\n",
        b"\x81\xff\0\0\0\0\0\0\0\x02\0\0\0\0Hi",
        "wscope: note: W610 RFC 6455 §5.2: [..]length[..]\n",
    );
    puts_on_the_wire(
        "/frame length=10 mask=00000000 Hi\n/bytes 3334353637383930\n",
        b"\x81\x8a\0\0\0\0Hi34567890",
        "wscope: note: [..]\n",
    );
}

#[test]
fn a_close_frame_with_a_code_that_is_never_sent() {
    super::script_of("/frame close mask=00000000 code=1005\n")
        .peer(|p| {
            p.open();
            assert_eq!(p.receive_raw(8), b"\x88\x82\0\0\0\0\x03\xed");
            p.close(1002, "");
        })
        .stderr_any()
        .status(11);
}

#[test]
fn a_payload_in_any_notation() {
    puts_on_the_wire(
        "/frame binary mask=00000000 hex:0001 ff\n",
        b"\x82\x83\0\0\0\0\0\x01\xff",
        "",
    );
    puts_on_the_wire("/frame mask=00000000 -- fin=off\n", b"\x81\x87\0\0\0\0fin=off", "");
}

#[test]
fn every_rule_that_a_frame_breaks_is_named() {
    super::script_of("/frame close mask=00000000 code=1005 reason=\\xff\n")
        .peer(|p| {
            p.open();
            assert_eq!(p.receive_raw(9), b"\x88\x83\0\0\0\0\x03\xed\xff");
            p.close(1002, "");
        })
        .stderr("wscope: note: W620 [..]; W621 [..]\n...\n")
        .status(11);
}

#[test]
fn a_slip_in_an_option_sends_nothing() {
    super::script_of("/frame pingg fin=maybe x\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(
            "wscope: stdin: line 1: \"pingg\" is not an opcode; write ping, or -- before a payload that begins so\n",
        )
        .status(1);
}
