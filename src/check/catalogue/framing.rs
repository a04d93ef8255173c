//! Frames, masks, control frames.

use crate::check::case::{Case, CitedRule, Expectation, Tested, rule};
use crate::wire::{Data, OpCode};

pub(super) const PROTECT: CitedRule = rule(
    "RFC 6455 §10.4",
    "Implementations that have implementation- and/or platform-specific limitations regarding the frame size or total message size after reassembly from multiple frames MUST protect themselves against exceeding those limits.",
);
pub(super) const PONG: CitedRule = rule(
    "RFC 6455 §5.5.2",
    "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it already received a Close frame.",
);
const SAME: CitedRule = rule(
    "RFC 6455 §5.5.3",
    "A Pong frame sent in response to a Ping frame must have identical \"Application data\" as found in the message body of the Ping frame being replied to.",
);
const NEWEST: CitedRule = rule(
    "RFC 6455 §5.5.3",
    "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in response to previous Ping frame(s), the endpoint MAY elect to send a Pong frame for only the most recently processed Ping frame.",
);
const UNSOLICITED: CitedRule = rule("RFC 6455 §5.5.3", "A Pong frame MAY be sent unsolicited.");
pub(super) const RSV: CitedRule = rule(
    "RFC 6455 §5.2",
    "If a nonzero value is received and none of the negotiated extensions defines the meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_.",
);
const OPCODE: CitedRule = rule(
    "RFC 6455 §5.2",
    "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_.",
);
const MINIMAL: CitedRule = rule(
    "RFC 6455 §5.2",
    "Note that in all cases, the minimal number of bytes MUST be used to encode the length",
);
const TOP_BIT: CitedRule = rule(
    "RFC 6455 §5.2",
    "If 127, the following 8 bytes interpreted as a 64-bit unsigned integer (the most significant bit MUST be 0) are the payload length.",
);
pub(super) const STREAM: CitedRule = rule(
    "RFC 6455 §5.1",
    "In the WebSocket Protocol, data is transmitted using a sequence of frames.",
);
const LENGTH: CitedRule = rule(
    "RFC 6455 §5.2",
    "The length of the \"Payload data\", in bytes: if 0-125, that is the payload length.",
);
const MASK: CitedRule = rule(
    "RFC 6455 §5.1",
    "The server MUST close the connection upon receiving a frame that is not masked.",
);
const UNMASKED: CitedRule =
    rule("RFC 6455 §5.1", "A client MUST close a connection if it detects a masked frame.");
const KEY: CitedRule =
    rule("RFC 6455 §5.3", "The masking key is a 32-bit value chosen at random by the client.");
pub(super) const CONTROL: CitedRule = rule(
    "RFC 6455 §5.5",
    "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented.",
);

const LIVENESS: &str =
    "balancers and clients take a connection for dead when pings are not answered";
const COMPRESSED: &str = "a proxy and its backend disagree on whether a message is compressed";
const EXTENSION: &str = "an extension's bit is misread";
const LENGTHS: &str = "a proxy that reads the length otherwise takes payload for frames";
const CORRECT: &str = "legal traffic is refused";
const CACHES: &str = "unmasked frames let a page write bytes of its choice to caching proxies";
const TAKEN: &str = "something between the client and the server has changed the stream";
const CONTROLS: &str = "control frames would have to wait for data, or fill memory";

const TEXT: OpCode = OpCode::Data(Data::Text);

/// The bytes of a line of 127 `x` as it is written in the table.
const LINE: usize = 127 + 4;
static BYTES_64K: [u8; 512 * LINE] = lines();
static BYTES_SHORT: [u8; 512 * LINE - 1] = lines();
/// 64 KiB in lines.
const LINES_64K: &str = written(&BYTES_64K);
/// 64 KiB in lines, minus one byte in the last line.
const LINES_SHORT: &str = written(&BYTES_SHORT);

const fn lines<const N: usize>() -> [u8; N] {
    let mut bytes = [b'x'; N];
    let mut at = 0;
    while at < N {
        at = if at + LINE < N { at + LINE } else { N };
        bytes[at - 4] = b'\\';
        bytes[at - 2] = b'0';
        bytes[at - 1] = b'a';
    }
    bytes
}

const fn written(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

pub(super) const fn dies(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
    send: &'static [&'static str],
) -> Case {
    Case::new(id, title, rule, why).send(send).expect(Expectation::Dies(&[1002]))
}

const fn lives(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
    send: &'static [&'static str],
) -> Case {
    Case::new(id, title, rule, why).send(send)
}

const fn echoes(
    id: &'static str,
    title: &'static str,
    send: &'static [&'static str],
    content: &'static str,
) -> Case {
    Case::new(id, title, LENGTH, CORRECT).send(send).expect(Expectation::Echoes(TEXT, content))
}

const fn pongs(
    id: &'static str,
    title: &'static str,
    send: &'static [&'static str],
    payload: &'static str,
) -> Case {
    Case::new(id, title, SAME, LIVENESS).send(send).expect(Expectation::Pongs(payload))
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    Case::new("f/ping", "a ping", PONG, LIVENESS).send(&["/ping wscope check"]).expect(Expectation::Pongs("wscope check")).autobahn("2.2"),
    dies("f/rsv1", "a text frame with RSV1, nothing negotiated", RSV, COMPRESSED, &["/frame text rsv1=on wscope check"]).autobahn("3.3"),
    dies("f/rsv2", "a text frame with RSV2", RSV, EXTENSION, &["/frame text rsv2=on wscope check"]).autobahn("3.2"),
    dies("f/rsv3", "a text frame with RSV3", RSV, EXTENSION, &["/frame text rsv3=on wscope check"]).autobahn("3.1"),
    dies("f/rsv-ping", "a ping with RSV3", RSV, EXTENSION, &["/frame ping rsv3=on wscope check"]).autobahn("3.5"),
    Case::new("f/rsv-close", "a Close with all RSV bits", RSV, EXTENSION).send(&["/frame close rsv=7 code=1000"]).expect(Expectation::DiesUnlike(&[1002], 1000)).autobahn("3.7"),
    dies("f/rsv-binary", "a binary frame with RSV1 and RSV3", RSV, EXTENSION, &[r"/frame binary rsv=5 \x00\x01"]).autobahn("3.6"),
    dies("f/op3", "a frame with the reserved opcode 3", OPCODE, EXTENSION, &["/frame 3 -- wscope check"]).autobahn("4.1.1"),
    dies("f/op4", "a frame with the reserved opcode 4", OPCODE, EXTENSION, &["/frame 4 -- wscope check"]).autobahn("4.1.2"),
    dies("f/op5", "a frame with the reserved opcode 5", OPCODE, EXTENSION, &["/frame 5 -- wscope check"]).autobahn("4.1.3"),
    dies("f/op6", "a frame with the reserved opcode 6", OPCODE, EXTENSION, &["/frame 6 -- wscope check"]).autobahn("4.1.4"),
    dies("f/op7", "a frame with the reserved opcode 7", OPCODE, EXTENSION, &["/frame 7 -- wscope check"]).autobahn("4.1.5"),
    dies("f/opB", "a frame with the reserved opcode 11", OPCODE, EXTENSION, &["/frame 11 -- wscope check"]).autobahn("4.2.1"),
    dies("f/opC", "a frame with the reserved opcode 12", OPCODE, EXTENSION, &["/frame 12 -- wscope check"]).autobahn("4.2.2"),
    dies("f/opD", "a frame with the reserved opcode 13", OPCODE, EXTENSION, &["/frame 13 -- wscope check"]).autobahn("4.2.3"),
    dies("f/opE", "a frame with the reserved opcode 14", OPCODE, EXTENSION, &["/frame 14 -- wscope check"]).autobahn("4.2.4"),
    dies("f/opF", "a frame with the reserved opcode 15", OPCODE, EXTENSION, &["/frame 15 -- wscope check"]).autobahn("4.2.5"),
    dies("f/len16-min", "5 bytes with a length of 16 bits", MINIMAL, LENGTHS, &["/frame text form=16 hello"]).should(),
    dies("f/len64-min", "5 bytes with a length of 64 bits", MINIMAL, LENGTHS, &["/frame text form=64 hello"]).should(),
    dies("f/len64-200", "200 bytes with a length of 64 bits", MINIMAL, LENGTHS, &["/frame text form=64 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]).should(),
    dies("f/len16-ping", "a ping of 5 bytes with a length of 16 bits", MINIMAL, LENGTHS, &["/frame ping form=16 hello"]).should(),
    Case::new("f/len-msb", "a length with its top bit set", TOP_BIT, "a negative length in many languages").send(&["/frame text form=64 length=9223372036854775813 hello"])
        .expect(Expectation::Dies(&[1002, 1009])),
    Case::new("f/len-2^62", "the header of a frame of 4 EiB, no payload", PROTECT, "the peer allocates the announced length, or waits forever for the payload").should()
        .send(&["/frame binary form=64 length=4611686018427387904"]).expect(Expectation::Protects),
    Case::new("f/len-1g", "the header of a frame of 1 GiB, no payload", PROTECT, "the peer allocates the announced length, or waits forever for the payload").should()
        .send(&["/frame binary form=64 length=1073741824"]).expect(Expectation::Protects),
    Case::new("f/bytewise", "a ping byte by byte", STREAM, "TCP may split frames at any byte").send(&[
        r"/bytes \x89", "/wait 0.002", r"/bytes \x82", "/wait 0.002", r"/bytes \x00", "/wait 0.002", r"/bytes \x00", "/wait 0.002",
        r"/bytes \x00", "/wait 0.002", r"/bytes \x00", "/wait 0.002", r"/bytes \x6f", "/wait 0.002", r"/bytes \x6b",
    ]).mirror(&[r"/bytes \x89", "/wait 0.002", r"/bytes \x02", "/wait 0.002", r"/bytes \x6f", "/wait 0.002", r"/bytes \x6b"])
        .expect(Expectation::Pongs("ok")).autobahn("2.6, 2.11"),
    lives("f/coalesced", "three pings in one segment", STREAM, "frames after the first are lost", &["/ping a", "/ping b", "/ping c"]).autobahn("2.10"),
    echoes("f/empty-text", "an empty text message", &["/text"], "").autobahn("1.1.1, 6.1.1"),
    echoes("f/len-125", "a text message of 125 bytes", &["/text xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").autobahn("1.1.2"),
    echoes("f/len-126", "a text message of 126 bytes", &["/text xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").autobahn("1.1.3"),
    echoes("f/len-127", "a text message of 127 bytes", &["/text xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").autobahn("1.1.4"),
    echoes("f/len-128", "a text message of 128 bytes", &["/text xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").autobahn("1.1.5"),
    echoes("f/len-65535", "a text message of 65535 bytes", &["/frame text mask=00000000 length=65535", r"/repeat 511 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a", r"/bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a"], LINES_SHORT)
        .mirror(&["/frame text length=65535", r"/repeat 511 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a", r"/bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a"]).autobahn("1.1.6"),
    echoes("f/len-65536", "a text message of 65536 bytes", &["/frame text mask=00000000 length=65536", r"/repeat 512 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a"], LINES_64K)
        .mirror(&["/frame text length=65536", r"/repeat 512 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a"]).autobahn("1.1.7"),

    dies("m/unmasked-text", "an unmasked text frame", MASK, CACHES, &["/frame text mask=off wscope check"]).of(Tested::Server),
    dies("m/unmasked-ping", "an unmasked ping", MASK, CACHES, &["/frame ping mask=off wscope check"]).of(Tested::Server),
    dies("m/unmasked-empty", "an unmasked empty text frame", MASK, CACHES, &["/frame text mask=off"]).of(Tested::Server),
    Case::new("m/unmasked-close", "an unmasked Close", MASK, CACHES).send(&["/frame close mask=off code=1000"]).expect(Expectation::DiesUnlike(&[1002], 1000)).of(Tested::Server),
    Case::new("m/zero-key", "a text frame with the mask key 0", KEY, CORRECT).send(&["/frame text mask=00000000 wscope check"])
        .expect(Expectation::Echoes(TEXT, "wscope check")).of(Tested::Server),
    dies("m/masked-text", "a masked text frame", UNMASKED, TAKEN, &["/frame text mask=01020304 wscope check"]).of(Tested::Client),
    dies("m/masked-ping", "a masked ping", UNMASKED, TAKEN, &["/frame ping mask=01020304 wscope check"]).of(Tested::Client),
    dies("m/masked-empty", "a masked empty text frame", UNMASKED, TAKEN, &["/frame text mask=01020304"]).of(Tested::Client),
    Case::new("m/masked-close", "a masked Close", UNMASKED, TAKEN).send(&["/frame close mask=01020304 code=1000"]).expect(Expectation::DiesUnlike(&[1002], 1000)).of(Tested::Client),

    pongs("k/ping-0", "an empty ping", &["/ping"], "").autobahn("2.1"),
    pongs("k/ping-125", "a ping of 125 bytes", &["/ping xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").autobahn("2.4"),
    pongs("k/ping-bin", "a ping whose payload is not UTF-8", &[r"/ping \x00\xff\xfe\xfd\xfc\xfb\x00\xff"], r"\x00\xff\xfe\xfd\xfc\xfb\x00\xff").autobahn("2.3"),
    dies("k/ping-126", "a ping of 126 bytes", CONTROL, CONTROLS, &["/frame ping xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]).autobahn("2.5"),
    dies("k/pong-126", "a pong of 126 bytes", CONTROL, CONTROLS, &["/frame pong xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    dies("k/ping-frag", "a ping in two fragments", CONTROL, CONTROLS, &["/frame ping fin=off a", "/frame continuation b"]).autobahn("5.1"),
    dies("k/pong-frag", "a pong in two fragments", CONTROL, CONTROLS, &["/frame pong fin=off a", "/frame continuation b"]).autobahn("5.2"),
    dies("k/ping-fin0", "a ping without FIN, and nothing after it", CONTROL, CONTROLS, &["/frame ping fin=off a"]),
    lives("k/pong-unsolicited", "an unsolicited pong", UNSOLICITED, "clients send them to keep a connection alive", &["/pong wscope check"]).autobahn("2.7–2.9"),
    lives("k/ping-10", "ten pings at once", NEWEST, LIVENESS, &["/repeat 10 /ping wscope check"]).should().autobahn("2.10"),
    lives("k/ping-50", "50 pings at once", NEWEST, LIVENESS, &["/repeat 50 /ping wscope check"]).should().stress(),
    lives("k/ping-100", "100 pings at once", NEWEST, LIVENESS, &["/repeat 100 /ping wscope check"]).info().stress(),
];
