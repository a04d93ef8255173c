//! Compressed messages: what DEFLATE and permessage-deflate allow.

use super::closing::UTF8;
use super::framing::RSV;
use crate::check::case::{Case, CitedRule, Expectation, Needs, Tested, rule};
use crate::check::request::Edit;
use crate::wire::{Data, OpCode};

const COMPRESSED: CitedRule = rule(
    "RFC 7692 §6",
    "This document allocates the RSV1 bit of the WebSocket header for PMCEs and calls the bit the \"Per-Message Compressed\" bit.",
);
const FIRST: CitedRule = rule(
    "RFC 7692 §6",
    "An endpoint MUST NOT set the \"Per-Message Compressed\" bit of control frames and non-first fragments of a data message.",
);
const EMPTY_WINDOW: CitedRule = rule(
    "RFC 7692 §7.2.2",
    "If the \"agreed parameters\" contain the \"client_no_context_takeover\" extension parameter, the server MAY decompress each new message with an empty LZ77 sliding window.",
);
const FINAL: CitedRule = rule(
    "RFC 7692 §7.2.1",
    "An endpoint MAY use both DEFLATE blocks with the \"BFINAL\" bit set to 0 and DEFLATE blocks with the \"BFINAL\" bit set to 1.",
);
const WINDOW: CitedRule = rule(
    "RFC 7692 §7.2.2",
    "decompress each new message using the LZ77 sliding window used to process the last compressed message.",
);
const INFLATE: CitedRule = rule("RFC 7692 §7.2.2", "Decompress the resulting data using DEFLATE.");
const PROTECT: CitedRule = rule(
    "RFC 6455 §10.4",
    "Such an implementation SHOULD impose a limit on frame sizes and the total message size after reassembly from multiple frames.",
);

const OTHERS: &str =
    "compressors of other languages send this form, and their messages are refused";
const BOTH: &str = "only one side treats the message as compressed";

const OFFER: &[Edit] = &[Edit::Set("Sec-WebSocket-Extensions", "permessage-deflate")];
const TEXT: OpCode = OpCode::Data(Data::Text);

const fn echoes(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    send: &'static [&'static str],
    content: &'static str,
) -> Case {
    Case::new(id, title, rule, OTHERS)
        .needs(Needs::Deflate)
        .open(OFFER)
        .send(send)
        .expect(Expectation::Echoes(TEXT, content))
}

const fn dies(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
    send: &'static [&'static str],
    codes: &'static [u16],
) -> Case {
    Case::new(id, title, rule, why)
        .needs(Needs::Deflate)
        .open(OFFER)
        .send(send)
        .expect(Expectation::Dies(codes))
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    echoes("z/text", "a compressed text message", COMPRESSED, &[r"/frame text rsv1=on \xf2\x48\xcd\xc9\xc9\x07\x00"], "Hello").autobahn("12"),
    Case { why: "uncompressed messages are refused", ..echoes("z/plain", "a message that is not compressed", COMPRESSED, &["/frame text Hello"], "Hello") },
    echoes("z/frag", "a compressed message in three frames", FIRST, &[r"/frame text fin=off rsv1=on \xf2\x48\xcd", r"/frame continuation fin=off \xc9\xc9", r"/frame continuation \x07\x00"], "Hello").autobahn("12.1.11"),
    dies("z/rsv1-cont", "RSV1 on a continuation frame", FIRST, BOTH, &[r"/frame text fin=off rsv1=on \xf2\x48\xcd", r"/frame continuation rsv1=on \xc9\xc9\x07\x00"], &[1002]),
    dies("z/rsv1-ping", "RSV1 on a ping", FIRST, BOTH, &["/frame ping rsv1=on wscope check"], &[1002]),
    dies("z/rsv2", "RSV1 and RSV2", RSV, "an extension's bit is misread", &[r"/frame text rsv1=on rsv2=on \xf2\x48\xcd\xc9\xc9\x07\x00"], &[1002]),
    dies("z/garbage", "a compressed message that is not DEFLATE data", INFLATE, "the decompressor's error ends the process, or the message is lost in silence", &[r"/frame text rsv1=on \xff\xff\xff\xff"], &[1007, 1002]),
    echoes("z/empty-00", "an empty compressed message", INFLATE, &[r"/frame text rsv1=on \x00"], ""),
    echoes("z/stored", "a block without compression", INFLATE, &[r"/frame text rsv1=on \x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"], "Hello"),
    echoes("z/bfinal", "a block with BFINAL", FINAL, &[r"/frame text rsv1=on \xf3\x48\xcd\xc9\xc9\x07\x00\x00"], "Hello"),
    echoes("z/two-blocks", "a message of two blocks", INFLATE, &[r"/frame text rsv1=on \xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"], "Hello"),
    echoes("z/takeover", "a message that refers to the previous one", WINDOW, &[r"/frame text rsv1=on \xf2\x48\xcd\xc9\xc9\x07\x00", r"/frame text rsv1=on \xf2\x00\x11\x00\x00"], "Hello")
        .needs(Needs::Takeover).autobahn("13.1"),
    Case::new("z/no-takeover-violated", "a message that refers to the previous one, although no context takeover was agreed", EMPTY_WINDOW, "shows whether the other side keeps a window that it does not need").info().needs(Needs::NoTakeover)
        .open(&[Edit::Set("Sec-WebSocket-Extensions", "permessage-deflate; client_no_context_takeover")])
        .send(&[r"/frame text rsv1=on \xf2\x48\xcd\xc9\xc9\x07\x00", r"/frame text rsv1=on \xf2\x00\x11\x00\x00"]).expect(Expectation::Learns).of(Tested::Server),
    dies("z/badutf8", "a compressed text that is not UTF-8", UTF8, "text that is not UTF-8 reaches applications if it is compressed", &[r"/frame text rsv1=on \x00\x02\x00\xfd\xff\xff\xfe\x00"], &[1007]),
    Case::new("z/bomb-8m", "52 KB that become 8 MiB of zeros", PROTECT, "a small message fills memory").info().stress().needs(Needs::Deflate).open(OFFER)
        .send(&["/frame binary rsv1=on mask=00000000 length=52824", r"/bytes \x62\x18", r"/repeat 4063 /bytes \x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28\x18", r"/bytes \x05\x00\x00"])
        .mirror(&["/frame binary rsv1=on length=52824", r"/bytes \x62\x18", r"/repeat 4063 /bytes \x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28\x18", r"/bytes \x05\x00\x00"]).expect(Expectation::Learns),
    Case::new("z/bomb-256m", "1.7 MB that become 256 MiB of zeros", PROTECT, "a small message fills memory").info().intrusive().needs(Needs::Deflate).open(OFFER)
        .send(&["/frame binary rsv1=on mask=00000000 length=1690616", r"/bytes \x62\x18", r"/repeat 130047 /bytes \x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28\x18", r"/bytes \x05\x00\x00"])
        .mirror(&["/frame binary rsv1=on length=1690616", r"/bytes \x62\x18", r"/repeat 130047 /bytes \x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28\x18", r"/bytes \x05\x00\x00"]).expect(Expectation::Learns),
];
