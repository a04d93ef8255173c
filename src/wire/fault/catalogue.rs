//! The table of faults: name, argument, what is sent, the broken rule, and how a correct peer
//! reacts. Help, docs and tests read it.

use std::time::Duration;

use super::AnswerFault as A;
use super::BehaviourFault as C;
use super::FaultKind::{Answer, Behaviour, Frames, Head, Pace};
use super::FrameFault as F;
use super::HeadFault as H;
use super::PaceFault as P;
use super::{Argument, FaultInfo, FaultKind};

/// "the client MUST _Fail the WebSocket Connection_" in a handshake.
const NOT_OPENED: &str = "fails the connection; it was never open (1006 to the application)";
const FAILS_1002: &str = "fails the connection, with Close 1002 if it sends one";
const FAILS_1007: &str = "fails the connection, with Close 1007 if it sends one";
const FAILS_1009: &str =
    "fails the connection with Close 1009, or accepts the message if it has room";
const TIMES_OUT: &str = "ends by its own timeout";
const REPORTS_1006: &str = "reports 1006 to the application, not a clean end";

const fn none() -> Argument {
    Argument::None
}

const fn number(shown: &'static str, default: u64, least: u64, most: u64) -> Argument {
    Argument::Number { shown, default, least, most }
}

const fn seconds(default: u64) -> Argument {
    Argument::Time { default: Duration::from_secs(default) }
}

const fn millis(default: u64) -> Argument {
    Argument::Time { default: Duration::from_millis(default) }
}

const fn row(
    name: &'static str,
    kind: FaultKind,
    argument: Argument,
    does: &'static str,
    rule: &'static str,
    codes: &'static [&'static str],
    peer: &'static str,
) -> FaultInfo {
    FaultInfo { name, kind, argument, does, rule, codes, peer }
}

/// Every fault, in the order in which a connection proceeds.
#[rustfmt::skip] // a table
pub const CATALOGUE: &[FaultInfo] = &[
    row("accept-wrong", Head(H::AcceptWrong), none(), "a 101 with a wrong accept value",
        "RFC 6455 §4.1", &["W402"], NOT_OPENED),
    row("accept-empty", Head(H::AcceptEmpty), none(), "a 101 with an empty accept value",
        "RFC 6455 §4.1", &["W402"], NOT_OPENED),
    row("accept-lower-case", Head(H::AcceptLower), none(), "a 101 with the accept value in lower case",
        "RFC 6455 §4.1", &["W402"], NOT_OPENED),
    row("accept-hex", Head(H::AcceptHex), none(), "a 101 with the accept value in hex, not in base64",
        "RFC 6455 §4.1", &["W402"], NOT_OPENED),
    row("accept-other-key", Head(H::AcceptOtherKey), none(), "a 101 with the accept value of another key",
        "RFC 6455 §4.1", &["W402"], NOT_OPENED),
    row("accept-twice", Head(H::AcceptTwice), none(), "a 101 with the accept value in two header lines",
        "RFC 6455 §11.3.3", &["W403"], "may fail the connection"),
    row("accept-missing", Head(H::AcceptMissing), none(), "a 101 without accept value",
        "RFC 6455 §4.1", &["W401"], NOT_OPENED),
    row("upgrade-missing", Head(H::UpgradeMissing), none(), "a 101 without Upgrade",
        "RFC 6455 §4.1", &["W404"], NOT_OPENED),
    row("connection-missing", Head(H::ConnectionMissing), none(), "a 101 without Connection",
        "RFC 6455 §4.1", &["W405"], NOT_OPENED),
    row("subprotocol-unoffered", Head(H::SubprotocolUnoffered), Argument::Text { shown: "NAME", default: "unoffered.example" },
        "a 101 with a subprotocol that was not offered", "RFC 6455 §4.1", &["W410"], NOT_OPENED),
    row("subprotocol-twice", Head(H::SubprotocolTwice), none(), "a 101 with two Sec-WebSocket-Protocol headers",
        "RFC 6455 §11.3.4", &["W413"], NOT_OPENED),
    row("extension-unoffered", Head(H::ExtensionUnoffered), Argument::Text { shown: "EXTENSION", default: "x-unoffered" },
        "a 101 with an extension that was not offered", "RFC 6455 §4.1", &["W420"], NOT_OPENED),
    row("deflate-parameter", Head(H::DeflateParameter), Argument::Text { shown: "PARAMETER", default: "server_max_window_bits=99" },
        "a 101 with an illegal parameter of permessage-deflate", "RFC 7692 §7.1", &["W424"], NOT_OPENED),
    row("http-1-0", Head(H::Http10), none(), "a 101 in HTTP/1.0",
        "RFC 6455 §4.2.2", &["W349"], "may continue or fail the connection"),
    row("body", Head(H::Body), none(), "a 101 with Content-Length and a body",
        "RFC 9110 §8.6", &["W406"], "reads the body as frames, and fails the connection"),
    row("lf-only", Head(H::LfOnly), none(), "a 101 whose lines end with LF alone",
        "RFC 9112 §2.2", &[], "may continue or fail the connection"),

    row("status", Answer(A::Status), number("STATUS", 503, 200, 599), "an HTTP status instead of the 101",
        "RFC 6455 §4.1", &[], "reports the status, and does not open the connection"),
    row("garbage", Answer(A::Garbage), none(), "bytes that are not HTTP instead of the 101",
        "RFC 9112 §4", &["W348"], NOT_OPENED),
    row("endless-head", Answer(A::EndlessHead), number("BYTES", 262_144, 64, 67_108_864),
        "a 101 whose headers do not end", "RFC 6455 §10.4", &[], "stops reading at its own limit"),
    row("no-answer", Answer(A::Nothing), none(), "no answer to the request",
        "RFC 6455 §4.2.2", &[], TIMES_OUT),
    row("half-answer", Answer(A::HalfHead), none(), "half of the 101, then nothing",
        "RFC 6455 §4.2.2", &[], TIMES_OUT),

    row("delay", Pace(P::Delay), seconds(2), "the 101 comes late",
        "RFC 6455 §4.1", &[], "waits, or ends by its own timeout"),
    row("pause", Pace(P::Pause), seconds(2), "a pause inside the 101",
        "RFC 6455 §4.1", &[], "waits, or ends by its own timeout"),
    row("bytewise", Pace(P::Bytewise), millis(5), "the 101 comes byte by byte",
        "RFC 9112 §2.2", &[], "opens the connection as usual"),

    row("masked", Frames(F::Masked), none(), "a text message in a masked frame",
        "RFC 6455 §5.1", &["W601"], FAILS_1002),
    row("unmasked", Frames(F::Unmasked), none(), "a text message in an unmasked frame",
        "RFC 6455 §5.1", &["W628"], FAILS_1002),
    row("rsv1", Frames(F::Rsv1), none(), "a text frame with RSV1, although compression was declined",
        "RFC 6455 §5.2", &["W602"], FAILS_1002),
    row("rsv2", Frames(F::Rsv2), none(), "a text frame with RSV2",
        "RFC 6455 §5.2", &["W603"], FAILS_1002),
    row("rsv3", Frames(F::Rsv3), none(), "a text frame with RSV3",
        "RFC 6455 §5.2", &["W603"], FAILS_1002),
    row("rsv1-control", Frames(F::Rsv1Control), none(), "a ping with RSV1",
        "RFC 7692 §6.1", &["W605", "W602"], FAILS_1002),
    row("rsv1-continuation", Frames(F::Rsv1Continuation), none(), "a continuation frame with RSV1",
        "RFC 7692 §6.1", &["W604", "W602"], FAILS_1002),
    row("reserved-data", Frames(F::ReservedData), number("OPCODE", 3, 3, 7), "a frame with a reserved data opcode",
        "RFC 6455 §5.2", &["W606"], FAILS_1002),
    row("reserved-control", Frames(F::ReservedControl), number("OPCODE", 11, 11, 15), "a frame with a reserved control opcode",
        "RFC 6455 §5.2", &["W607"], FAILS_1002),
    row("fragmented-control", Frames(F::FragmentedControl), none(), "a ping without FIN",
        "RFC 6455 §5.5", &["W608"], FAILS_1002),
    row("oversized-ping", Frames(F::OversizedPing), number("BYTES", 126, 126, 65_535), "a ping with more than 125 bytes",
        "RFC 6455 §5.5", &["W609"], FAILS_1002),
    row("utf8-invalid", Frames(F::Utf8Invalid), none(), "a text message that is not UTF-8",
        "RFC 6455 §8.1", &["W615"], FAILS_1007),
    row("utf8-fragments", Frames(F::Utf8Fragments), none(), "a character that begins in one fragment and continues wrongly in the next",
        "RFC 6455 §8.1", &["W615"], FAILS_1007),
    row("utf8-truncated", Frames(F::Utf8Truncated), none(), "a text message that ends inside a character",
        "RFC 6455 §8.1", &["W616"], FAILS_1007),
    row("length-too-long", Frames(F::LengthTooLong), none(), "a text frame with fewer bytes than announced, followed by another frame",
        "RFC 6455 §5.2", &["W615"], "reads the next frame as payload: Close 1007 here"),
    row("length-too-short", Frames(F::LengthTooShort), none(), "a text frame with more bytes than announced",
        "RFC 6455 §5.2", &["W602", "W603", "W605", "W607"], "reads payload as a frame: Close 1002 here"),
    row("length-not-minimal", Frames(F::LengthNotMinimal), none(), "a length of 5 written in 16 bits",
        "RFC 6455 §5.2", &["W610"], FAILS_1002),
    row("length-top-bit", Frames(F::LengthTopBit), none(), "a 64-bit length with its top bit set",
        "RFC 6455 §5.2", &["W611"], FAILS_1002),
    row("length-absurd", Frames(F::LengthAbsurd), none(), "a frame that announces 4 EiB",
        "RFC 6455 §10.4", &["W626"], FAILS_1009),
    row("orphan-continuation", Frames(F::OrphanContinuation), none(), "a continuation frame while no message is open",
        "RFC 6455 §5.4", &["W613"], FAILS_1002),
    row("interleaved", Frames(F::Interleaved), none(), "a new message inside a fragmented one",
        "RFC 6455 §5.4", &["W614"], FAILS_1002),
    row("deflate-corrupt", Frames(F::DeflateCorrupt), none(), "a compressed message that is not DEFLATE data",
        "RFC 7692 §7.2.2", &["W624"], FAILS_1007),
    row("deflate-bomb", Frames(F::DeflateBomb), number("BYTES", 67_108_864, 1, 1_073_741_824), "a small message that inflates to BYTES",
        "RFC 6455 §10.4", &["W625"], FAILS_1009),
    row("ping-flood", Frames(F::PingFlood), number("COUNT", 10_000, 1, 100_000), "COUNT pings at once",
        "RFC 6455 §5.5.2", &[], "answers all of them, or the last one, and continues"),
    row("http-text", Frames(F::HttpText), none(), "an HTTP response after the handshake",
        "RFC 6455 §5.2", &["W602", "W605", "W608"], FAILS_1002),
    row("tls-alert", Frames(F::TlsAlert), none(), "a TLS alert after the handshake",
        "RFC 6455 §5.2", &["W603", "W606"], FAILS_1002),
    row("close", Frames(F::Close), Argument::Close { default: 1011 }, "an early Close",
        "RFC 6455 §5.5.1", &[], "answers with a Close, and reports code and reason"),
    row("close-illegal", Frames(F::Close), Argument::Close { default: 1005 }, "a Close with a code that may not be sent",
        "RFC 6455 §7.4", &["W620"], FAILS_1002),
    row("close-one-byte", Frames(F::CloseOneByte), none(), "a Close with a body of one byte",
        "RFC 6455 §5.5.1", &["W619"], FAILS_1002),
    row("close-reason-utf8", Frames(F::CloseReasonUtf8), none(), "a Close whose reason is not UTF-8",
        "RFC 6455 §5.5.1", &["W621"], "fails the connection, with Close 1007 or 1002"),
    row("data-after-close", Frames(F::DataAfterClose), none(), "a text message after a Close",
        "RFC 6455 §5.5.1", &["W618"], "ignores what follows the Close"),
    row("cut-in-frame", Frames(F::CutInFrame), none(), "half of a frame, then the end of the stream",
        "RFC 6455 §7.1.5", &["W627"], REPORTS_1006),

    row("rst", Behaviour(C::Rst), Argument::Place, "a reset",
        "RFC 6455 §7.1.5", &[], REPORTS_1006),
    row("fin", Behaviour(C::Fin), Argument::Place, "the end of the stream without a Close",
        "RFC 6455 §7.1.5", &[], REPORTS_1006),
    row("idle-end", Behaviour(C::IdleEnd), seconds(5), "the end of the stream without a Close, after TIME without traffic",
        "RFC 6455 §7.1.5", &[], "reports 1006 to the application; pings keep the connection alive"),
    row("drip", Behaviour(C::Drip), millis(5), "everything is sent byte by byte",
        "RFC 6455 §5.2", &[], "receives the same messages as usual"),
    row("slow-reader", Behaviour(C::SlowReader), number("BYTES/S", 1024, 1, 1_073_741_824), "reads at most BYTES/S",
        "RFC 6455 §10.4", &[], "slows down, with bounded memory"),
    row("never-read", Behaviour(C::NeverRead), none(), "nothing is read",
        "RFC 6455 §10.4", &[], "stops sending, with bounded memory, and closes by its own timeout"),
    row("no-pong", Behaviour(C::NoPong), none(), "pings are not answered",
        "RFC 6455 §5.5.2", &[], "ends by its own timeout, if it sends pings"),
    row("no-close-answer", Behaviour(C::NoCloseAnswer), none(), "a Close is not answered",
        "RFC 6455 §5.5.1", &[], "ends TCP by its own timeout"),
    row("keep-tcp", Behaviour(C::KeepTcp), none(), "a Close, without ending TCP",
        "RFC 6455 §7.1.1", &[], "ends TCP by its own timeout"),
    row("silence", Behaviour(C::Silence), none(), "nothing after the handshake",
        "RFC 6455 §5.5.1", &[], "ends by its own timeout, if it expects something"),
];
