//! Messages in fragments, and UTF-8.

use super::closing::{ANSWER, UTF8};
use super::framing::{PROTECT, dies};
use crate::check::case::{Case, CitedRule, Expectation, rule};
use crate::wire::{Data, OpCode};

const FRAGMENTED: CitedRule = rule(
    "RFC 6455 §5.4",
    "A fragmented message consists of a single frame with the FIN bit clear and an opcode other than 0, followed by zero or more frames with the FIN bit clear and the opcode set to 0, and terminated by a single frame with the FIN bit set and an opcode of 0.",
);
const INJECTED: CitedRule = rule(
    "RFC 6455 §5.4",
    "Control frames (see Section 5.5) MAY be injected in the middle of a fragmented message.",
);
const INTERLEAVED: CitedRule = rule(
    "RFC 6455 §5.4",
    "The fragments of one message MUST NOT be interleaved between the fragments of another message unless an extension has been negotiated that can interpret the interleaving.",
);
const PARTIAL: CitedRule = rule(
    "RFC 6455 §5.6",
    "Note that a particular text frame might include a partial UTF-8 sequence; however, the whole message MUST contain valid UTF-8.",
);
const BINARY: CitedRule = rule(
    "RFC 6455 §5.6",
    "The \"Payload data\" is arbitrary binary data whose interpretation is solely up to the application layer.",
);

const SPLITS: &str = "browsers and proxies may split messages anywhere";
const MIXED: &str = "parts of one message end up in another";
const KEEPALIVE: &str = "a long upload looks like a dead connection";
const GARBAGE: &str =
    "text that is not UTF-8 reaches databases, logs and other clients, which then fail";
const LANGUAGES: &str = "legal text of some languages is refused";

const TEXT: OpCode = OpCode::Data(Data::Text);

const fn echoes(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
    send: &'static [&'static str],
    content: &'static str,
) -> Case {
    Case::new(id, title, rule, why).send(send).expect(Expectation::Echoes(TEXT, content))
}

const fn garbage(id: &'static str, title: &'static str, send: &'static [&'static str]) -> Case {
    Case::new(id, title, UTF8, GARBAGE).send(send).expect(Expectation::Dies(&[1007]))
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    echoes("g/two", "a text message in two frames", FRAGMENTED, SPLITS, &["/frame text fin=off wscope ", "/frame continuation -- check"], "wscope check").autobahn("5.3–5.5"),
    Case::new("g/ping-between", "a ping inside a message", INJECTED, KEEPALIVE).send(&["/frame text fin=off wscope", "/ping wscope check"])
        .expect(Expectation::PongsWithin("wscope check")).autobahn("5.6–5.8, 5.19–5.20"),
    echoes("g/empty-frags", "a text message in three empty frames", FRAGMENTED, SPLITS, &["/frame text fin=off", "/frame continuation fin=off", "/frame continuation"], "").autobahn("6.1.2–6.1.3"),
    dies("g/cont-first", "a continuation frame with no message open", FRAGMENTED, MIXED, &["/frame continuation -- wscope check"]).autobahn("5.9, 5.11"),
    dies("g/cont-first-open", "a continuation frame without FIN with no message open", FRAGMENTED, MIXED, &["/frame continuation fin=off wscope check"]).autobahn("5.12–5.14"),
    dies("g/cont-after", "a continuation frame after a whole message", FRAGMENTED, MIXED, &["/frame text wscope", "/frame continuation -- check"]).autobahn("5.15–5.17"),
    dies("g/text-in-text", "a text frame inside a text message", INTERLEAVED, MIXED, &["/frame text fin=off wscope", "/frame text check"]).autobahn("5.18"),
    dies("g/bin-in-text", "a binary frame inside a text message", INTERLEAVED, MIXED, &["/frame text fin=off wscope", r"/frame binary \x00"]),
    Case::new("g/502", "a text message in 502 frames of one byte", FRAGMENTED, SPLITS)
        .send(&["/frame text fin=off x", "/repeat 500 /frame continuation fin=off x", "/frame continuation x"]).autobahn("9.3"),
    Case::new("g/20k", "a text message in 20000 frames of one byte", PROTECT, "each fragment costs memory").info().stress()
        .send(&["/frame text fin=off x", "/repeat 19998 /frame continuation fin=off x", "/frame continuation x"]).expect(Expectation::Learns).autobahn("9.9"),
    Case::new("g/open-idle", "the beginning of a message, a pause of 5 s, a ping", INJECTED, KEEPALIVE).should().stress().send(&["/frame text fin=off wscope", "/wait 5"]).autobahn("5.19"),
    Case::new("g/never-end", "the beginning of a message, then a Close", ANSWER, "the connection stays open for ever").send(&["/frame text fin=off wscope", "/frame close code=1000"])
        .should().expect(Expectation::Closes(&[1000])).autobahn("7.1.5"),

    garbage("u/bad", "a text of ff fe", &[r"/frame text \xff\xfe"]).autobahn("6.3.1"),
    garbage("u/lone-cont", "a text of 80", &[r"/frame text \x80"]).autobahn("6.12, 6.16"),
    garbage("u/5byte", "a text with a sequence of five bytes", &[r"/frame text \xf8\x88\x80\x80\x80"]).autobahn("6.8"),
    garbage("u/overlong-2", "a slash in two bytes", &[r"/frame text \xc0\xaf"]).autobahn("6.17"),
    garbage("u/overlong-3", "a slash in three bytes", &[r"/frame text \xe0\x80\xaf"]).autobahn("6.18"),
    garbage("u/surrogate", "a surrogate, U+D800", &[r"/frame text \xed\xa0\x80"]).autobahn("6.20"),
    garbage("u/surrogate-last", "a surrogate, U+DFFF", &[r"/frame text \xed\xbf\xbf"]).autobahn("6.20"),
    garbage("u/above-max", "U+110000", &[r"/frame text \xf4\x90\x80\x80"]).autobahn("6.10, 6.11.5"),
    garbage("u/truncated", "a text that ends inside a character", &[r"/frame text a\xe2\x82"]).autobahn("6.6, 6.14"),
    echoes("u/split-ok", "a character divided between two frames", PARTIAL, LANGUAGES, &[r"/frame text fin=off \xe2\x82", r"/frame continuation \xac"], "€").autobahn("6.2.3–6.2.4"),
    garbage("u/split-bad", "U+110000 divided between two frames", &[r"/frame text fin=off wscope \xf4\x90", r"/frame continuation \x80\x80"]).autobahn("6.3.2, 6.4.1"),
    Case::new("u/failfast", "U+110000 in a frame without FIN", UTF8, "shows whether text is checked before the message is complete").info()
        .send(&[r"/frame text fin=off \xf4\x90\x80\x80"]).expect(Expectation::Learns).autobahn("6.4.1–6.4.4"),
    echoes("u/zero", "U+0000", UTF8, LANGUAGES, &[r"/text a\0b"], r"a\0b").autobahn("6.7"),
    echoes("u/noncharacter", "U+FFFE and U+FFFF", UTF8, LANGUAGES, &[r"/text \u{FFFE}\u{FFFF}"], r"\u{FFFE}\u{FFFF}").autobahn("6.22"),
    echoes("u/max", "U+10FFFF", UTF8, LANGUAGES, &[r"/text \u{10FFFF}"], r"\u{10FFFF}").autobahn("6.9"),
    Case::new("u/binary-any", "a binary message that is not UTF-8", BINARY, "binary messages are checked as if they were text").send(&[r"/binary ff fe 80"])
        .expect(Expectation::Echoes(OpCode::Data(Data::Binary), r"\xff\xfe\x80")).autobahn("1.2"),
];
