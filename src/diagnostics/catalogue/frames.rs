//! W6xx: errors in frames. The code, the explanation and the section of a broken rule come from
//! [`violation::CATALOGUE`]; this file says what a user can do.

use super::builder::{blank, error, low, medium, note, warning};
use crate::diagnostics::{CatalogueEntry, Clue as C, Severity};
use crate::wire::violation::{self, ViolationKind as K};

/// An entry for a rule of the wire.
const fn broken(kind: K, severity: Severity, title: &'static str) -> CatalogueEntry {
    let rule = &violation::CATALOGUE[kind as usize];
    blank(rule.code, severity, title).because(rule.explanation).source(rule.section)
}

const E: Severity = Severity::Error;
const W: Severity = Severity::Warning;

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    broken(K::MaskedFrameFromServer, E, "the server masked a frame")
        .help("check whether the bytes are our own: an echo of the raw stream comes back masked")
        .causes(&[low("the server uses the framing code of a client"), low("the port echoes bytes and is not a WebSocket server")])
        .seen("the mask bit in a frame from the server, as in 81 85"),
    broken(K::Rsv1WithoutExtension, E, "RSV1 is set but no extension gives it a meaning")
        .help("retry with `--no-compress`; if the frame disappears, make the proxy pass Sec-WebSocket-Extensions in both directions")
        .causes(&[
            low("the client sets RSV1 or compresses although the 101 agreed no compression").with(C::Serving)
                .cure("correct the client: it may set RSV1 only if the 101 accepts permessage-deflate"),
            medium("the server compresses although the request did not offer it", C::NoCompressionOffered)
                .cure("correct the server: it may compress only what the request offers; wscope offers it without `--no-compress`"),
            low("a proxy removed the extension header while the application still compresses").unless(&[C::Serving, C::NoCompressionOffered]),
            low("the previous frame's length was wrong, so these bytes are not a header"),
            low("text instead of frames"),
        ])
        .seen("RSV1 in a frame while permessage-deflate is not agreed, as in c1 0f"),
    broken(K::Rsv2OrRsv3, E, "reserved bits are set")
        .help("look at the frame before this one: if its length was wrong, these bytes are not a header")
        .causes(&[low("the previous frame's length was wrong"), low("a private extension that was not negotiated")])
        .seen("RSV2 or RSV3, as in a1 or 91"),
    broken(K::Rsv1OnContinuation, E, "a continuation frame carries the compression bit")
        .help("set RSV1 on the first frame of a message only")
        .causes(&[low("a bug of the sender; cowboy accepts such frames, so it may go unnoticed")])
        .seen("RSV1 with opcode 0, as in c0 or 40"),
    broken(K::Rsv1OnControl, E, "a control frame carries the compression bit")
        .help("send control frames without RSV1 and uncompressed")
        .causes(&[low("a bug of the sender; aiohttp and tornado accept such frames, so it may go unnoticed")])
        .seen("RSV1 with opcode 8, 9 or 10, as in c9"),
    broken(K::ReservedDataOpcode, E, "a reserved data opcode")
        .help("look at the frame before this one, and whether two writers share the socket without a lock")
        .causes(&[low("the previous frame's length was wrong"), low("two writers interleave their frames"), low("text instead of frames")])
        .seen("opcodes 3 to 7, as in 83"),
    broken(K::ReservedControlOpcode, E, "a reserved control opcode")
        .help("look at the frame before this one, and whether two writers share the socket without a lock")
        .causes(&[low("the previous frame's length was wrong"), low("two writers interleave their frames"), low("text instead of frames")])
        .seen("opcodes 11 to 15, as in 8b"),
    broken(K::FragmentedControl, E, "a control frame is fragmented")
        .help("send control frames whole, with FIN")
        .causes(&[low("a bug of the sender")])
        .seen("a control opcode without FIN, as in 09"),
    broken(K::ControlTooLong, E, "a control frame is too long")
        .help("shorten it to 125 bytes; a close reason to 123")
        .causes(&[low("a close reason made of an error message or a stack trace")])
        .seen("a control opcode with more than 125 bytes, as in 89 7e 00 7e"),
    broken(K::NonMinimalLength, W, "a length is not written in its shortest form")
        .help("write lengths up to 125 in 7 bits and up to 65535 in 16; most receivers accept longer forms")
        .causes(&[low("the sender always writes 16 or 64 bits")])
        .seen("16 bits for up to 125, or 64 bits for up to 65535, as in 81 7e 00 05")
        .more("Nine of the fourteen servers we tested accept it."),
    broken(K::LengthTopBit, E, "a length has its top bit set")
        .help("look for a signed or little-endian length in the sender, or a wrong length in the frame before")
        .causes(&[low("a signed or byte-swapped length"), low("the previous frame's length was wrong")])
        .seen("a 64-bit length whose first bit is 1, as in 82 7f 80"),
    error("W612", "a frame announces an absurd length")
        .because("the bytes of the length are text, so this is not a frame header")
        .help("read the bytes as text: something that is not the WebSocket library writes to the socket")
        .source("RFC 6455 §10.4")
        .causes(&[low("text was written into the stream of frames"), low("the previous frame's length was wrong")])
        .seen("the length exceeds every limit, and its bytes are printable"),
    broken(K::UnexpectedContinuation, E, "a continuation frame continues nothing")
        .help("begin messages with a text or binary frame, and look for a lost first frame")
        .causes(&[low("the first frame of the message was lost or dropped by a filter"), low("a proxy splits frames wrongly")])
        .seen("opcode 0 while no message is open, as in 80"),
    broken(K::ExpectedContinuation, E, "a message began inside another")
        .help("hold a lock while a whole message is sent")
        .causes(&[low("two writers share the connection without a lock"), low("a fragmented message was abandoned")])
        .seen("a text or binary frame while a message is open, as in 01 … 81"),
    broken(K::InvalidUtf8, E, "a text message is not UTF-8")
        .help("send binary data in binary messages, and encode text as UTF-8")
        .causes(&[low("binary data is sent as text"), low("text in another encoding, such as Latin-1")])
        .seen("a byte that can't be part of UTF-8; closed with 1007"),
    broken(K::TruncatedUtf8, E, "a text message ends inside a character")
        .help("cut texts between characters, not between bytes")
        .causes(&[low("the sender cut the text at a number of bytes"), low("binary data is sent as text")])
        .seen("the message is valid UTF-8 except for its end; a frame may end inside a character, a message may not"),
    error("W617", "a text message has bytes that look like UTF-8 but are invalid")
        .because("surrogate halves, overlong forms and values above U+10FFFF are not allowed in UTF-8")
        .help("use a standard UTF-8 encoder, not Java's modified UTF-8 or CESU-8")
        .source("RFC 3629 §3, RFC 6455 §8.1")
        .causes(&[low("an encoder of CESU-8 or Java's modified UTF-8"), low("a hostile sender")])
        .seen("bytes such as ed a0 80, c0 af, f4 90 80 80"),
    broken(K::FrameAfterClose, W, "frames came after the Close frame")
        .help("stop sending once a Close has been sent")
        .causes(&[low("another thread of the sender was still writing")])
        .seen("a data frame or another Close after a Close in the same direction"),
    broken(K::CloseBodyOfOneByte, E, "a Close frame has a body of one byte")
        .help("send no body, or a code of two bytes and a reason")
        .causes(&[low("a bug of the sender")])
        .seen("a Close of length 1, as in 88 01 03"),
    broken(K::IllegalCloseCode, E, "a close code that must not be sent")
        .help("send 1000 to 1003, 1007 to 1014, or 3000 to 4999")
        .causes(&[low("a library sends a local label: 1005 for no code, 1006 for a lost connection"), low("an invented code below 3000")])
        .seen("0 to 999, 1004, 1005, 1006, 1015, 1016 to 2999, or 5000 and above, in a Close frame"),
    broken(K::CloseReasonNotUtf8, E, "a close reason is not UTF-8")
        .help("cut reasons to 123 bytes between characters")
        .causes(&[low("the reason was cut inside a character to fit into 123 bytes"), low("another encoding")])
        .seen("the bytes after the close code are not UTF-8"),
    warning("W622", "an unsolicited pong")
        .because("a pong that answers a ping \"must have identical Application data\"; an unsolicited one is legal and expects no answer")
        .help("no action needed; some peers use them as a heartbeat")
        .source("RFC 6455 §5.5.3")
        .causes(&[low("the peer uses pongs as a heartbeat"), low("it answers a ping with a different payload")])
        .seen("a pong whose payload matches none of our pings"),
    warning("W623", "a ping was not answered while data flowed")
        .because("the peer must answer pings as soon as is practical, but did not")
        .help("check whether the peer's application reads: many libraries answer pings only while it does")
        .source("RFC 6455 §5.5.2")
        .causes(&[low("the peer's library or handler answers no pings"), low("the peer's application does not read from the connection"), low("a proxy swallows pings")])
        .seen("no pong while other data arrived"),
    broken(K::InflateFailed, E, "a compressed message can't be inflated")
        .help("retry with `--no-compress`; if the messages are whole then, the sender's compression is wrong")
        .causes(&[low("the payload is not compressed though RSV1 says so"), low("the compressed data was damaged, by the sender or on the way")])
        .seen("the DEFLATE data is invalid"),
    broken(K::InflatedTooBig, E, "a message inflates beyond the limit")
        .help("raise the limit to accept the message: `--max-inflated SIZE`")
        .causes(&[low("a long message that compresses well"), low("a decompression bomb")])
        .seen("more bytes than the limit; closed with 1009"),
    broken(K::MessageTooBig, E, "a message is longer than the limit")
        .help("raise the limit to accept the message: `--max-message SIZE`")
        .causes(&[low("a long message"), low("a wrong length, if the previous frame was odd, too")])
        .seen("the announced length exceeds the limit; closed with 1009"),
    broken(K::CutInsideFrame, E, "the stream ended inside a frame")
        .help("see how many bytes are missing, and look for a crash or a size limit of a proxy")
        .causes(&[low("the sender's process ended while it was sending"), low("a proxy cut the connection at a limit")])
        .seen("fewer bytes than the header announced when the stream ended"),
    broken(K::UnmaskedFrameFromClient, E, "the client did not mask a frame")
        .help("make the client mask its frames; browsers and libraries do")
        .causes(&[low("a hand-written client"), low("a proxy that removed the mask")])
        .seen("no mask bit in a frame from a client; closed with 1002")
        .more("Three of the fourteen servers we tested accept such frames, so it may go unnoticed."),
    warning("W629", "the client reuses its mask key")
        .because("mask keys must be unpredictable; otherwise a page can choose the bytes that proxies see")
        .help("take each key from a strong random source")
        .source("RFC 6455 §5.3, §10.3")
        .causes(&[low("a test client with a constant key, often 0")])
        .seen("eight or more frames in a row with the same key"),
    note("W630", "the previous frame's length was probably wrong")
        .because("a legal header begins a few bytes before or after the illegal one")
        .help("correct the length of the frame before: if it is off by 4, the mask key was counted; if by 2 or 8, the extended length")
        .source("a heuristic of wscope")
        .seen("reading the header 1 to 14 bytes earlier or later gives a legal one"),
    broken(K::BeyondWindow, E, "a message refers back beyond the agreed window")
        .help("make the sender compress with the agreed window, or do not request a smaller one")
        .causes(&[low("the sender agreed to a small window and compresses with a larger one")])
        .seen("a DEFLATE distance larger than 2 to the power of the agreed max_window_bits")
        .more("Receivers with a window of the agreed size fail here; those with 32 KiB do not notice."),
];
