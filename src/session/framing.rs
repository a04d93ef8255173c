//! The rules for a frame header, checked with the header and the state of its direction.
//!
//! Each rule is quoted from the RFC. All broken rules of a header are found, not just the first.

use crate::event::Direction;
use crate::wire::close::CloseBody;
use crate::wire::utf8::{Utf8Error, Utf8Validator};
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, FrameHeader, LengthForm, OpCode, ViolationKind, frame};

/// The facts about a direction that are needed to check its next header.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The direction of the frame.
    pub direction: Direction,
    /// Whether permessage-deflate was agreed.
    pub compression: bool,
    /// Whether a fragmented message is incomplete.
    pub message_open: bool,
    /// Whether a Close frame came before.
    pub closed: bool,
}

/// Passes each violation in `header` to `found`, with the observed value.
pub fn judge(
    header: &FrameHeader,
    situation: Situation,
    mut found: impl FnMut(ViolationKind, String),
) {
    use ViolationKind::*;
    let Situation { direction, compression, message_open, closed } = situation;
    let name = || frame::opcode_name(header.opcode).unwrap_or("reserved");

    // "The application MUST NOT send any more data frames after sending a Close frame" (§5.5.1),
    // and a second Close is useless. But a Ping may be sent "any time … before the connection is
    // closed", and a Pong must be sent until the peer's Close has come (§5.5.2).
    let ping_or_pong = matches!(header.opcode, OpCode::Control(Control::Ping | Control::Pong));
    if closed && !ping_or_pong {
        found(FrameAfterClose, format!("a {} frame", name()));
    }
    // "a client MUST mask all frames … A server MUST NOT mask any frames" (§5.1).
    match (direction, header.mask) {
        (Direction::ToServer, None) => found(UnmaskedFrameFromClient, String::new()),
        (Direction::ToClient, Some(key)) => {
            let [a, b, c, d] = key;
            found(MaskedFrameFromServer, format!("mask key {a:02x}{b:02x}{c:02x}{d:02x}"));
        }
        _ => {}
    }
    // RSV bits: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero
    // values" (§5.2).
    if header.rsv1 {
        match header.opcode {
            // "this bit … MUST NOT be set on … control frames" and only "on the first fragment"
            // (RFC 7692 §6.1).
            _ if !compression => found(Rsv1WithoutExtension, String::new()),
            OpCode::Control(_) => found(Rsv1OnControl, format!("a {} frame", name())),
            OpCode::Data(Data::Continue) => found(Rsv1OnContinuation, String::new()),
            OpCode::Data(_) => {}
        }
    }
    if header.rsv2 || header.rsv3 {
        let which = match (header.rsv2, header.rsv3) {
            (true, true) => "RSV2 and RSV3",
            (true, false) => "RSV2",
            _ => "RSV3",
        };
        found(Rsv2OrRsv3, which.to_owned());
    }
    match header.opcode {
        // "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket
        // Connection_" (§5.2).
        OpCode::Data(Data::Reserved(bits)) => found(ReservedDataOpcode, format!("opcode {bits}")),
        OpCode::Data(Data::Continue) if !message_open => {
            found(UnexpectedContinuation, String::new());
        }
        OpCode::Data(Data::Text | Data::Binary) if message_open => {
            found(ExpectedContinuation, format!("a {} frame", name()));
        }
        OpCode::Data(_) => {}
        OpCode::Control(control) => {
            if let Control::Reserved(bits) = control {
                found(ReservedControlOpcode, format!("opcode {bits}"));
            }
            // "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be
            // fragmented" (§5.5).
            if !header.fin {
                found(FragmentedControl, format!("a {} frame without FIN", name()));
            }
            if header.len > 125 {
                found(ControlTooLong, format!("a {} frame of {} bytes", name(), header.len));
            }
        }
    }
    // "the minimal number of bytes MUST be used to encode the length" (§5.2).
    if header.form != LengthForm::minimal(header.len) {
        let (bits, len) = (header.form.bits(), header.len);
        found(NonMinimalLength, format!("{len} written in {bits} bits"));
    }
    // "the most significant bit MUST be 0" (§5.2).
    if !header.has_end() {
        found(LengthTopBit, format!("{:#x}", header.len));
    }
}

/// The faults in the payload of a frame to be sent, as far as a single frame shows them.
pub fn content_faults(frame: &RawFrame, situation: Situation) -> Vec<(ViolationKind, String)> {
    match frame.opcode {
        // Compressed text is checked after it is inflated.
        OpCode::Data(Data::Text) if !(frame.rsv1 && situation.compression) => {
            let mut utf8 = Utf8Validator::default();
            let end = |utf8: &mut Utf8Validator| if frame.fin { utf8.finish() } else { Ok(()) };
            let checked = utf8.push(&frame.payload).and_then(|()| end(&mut utf8));
            let Err(error) = checked else { return Vec::new() };
            let kind = match error {
                Utf8Error::Impossible { .. } => ViolationKind::InvalidUtf8,
                Utf8Error::Truncated { .. } => ViolationKind::TruncatedUtf8,
            };
            vec![(kind, error.to_string())]
        }
        // A longer body breaks the rule for control frames, which has been reported.
        OpCode::Control(Control::Close) if frame.payload.len() <= 125 => {
            CloseBody::parse(&frame.payload).faults().map(|fault| fault.breach()).collect()
        }
        _ => Vec::new(),
    }
}

/// The detail for the beginning of an HTTP response in place of a frame.
pub const AS_HTTP: &str = "the bytes read as HTTP, not as frames (W461)";

/// What the first bytes after a 101 look like, if they can't begin a frame: servers that refuse a
/// client after the 101 write HTTP or text into the stream. None of these is the header of a legal
/// frame.
pub fn foreign(header: &FrameHeader) -> Option<&'static str> {
    match header.bytes().first_chunk()? {
        b"HT" => Some(AS_HTTP),
        [b'<' | b'{', _] => Some("the bytes read as text, not as frames (W461)"),
        // The types of records of TLS, and its version (RFC 8446 §5.1).
        [20..=23, 3] => Some("the bytes read as TLS, not as frames (W462)"),
        _ => None,
    }
}
