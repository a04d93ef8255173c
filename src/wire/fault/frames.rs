//! The bytes that faults insert between frames.

use super::{Fault, FaultKind, FaultValue, FrameFault};
use crate::wire::close::CloseBody;
use crate::wire::deflate::codec::Deflater;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, LengthForm, OpCode, Role};

const TEXT: OpCode = OpCode::Data(Data::Text);
const CONTINUATION: OpCode = OpCode::Data(Data::Continue);
const PING: OpCode = OpCode::Control(Control::Ping);
const CLOSE: OpCode = OpCode::Control(Control::Close);

/// How many zeroes are compressed at a time.
const BOMB_PIECE: usize = 1 << 20;

/// A piece of the data that a fault sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultPiece {
    /// A frame, legal or not.
    Frame(RawFrame),
    /// Bytes that are not a frame.
    Bytes(&'static [u8]),
    /// The stream ends here.
    End,
}

/// Why a fault is impossible on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// It needs compression.
    #[error("it needs permessage-deflate, which was not agreed")]
    NoDeflate,
    /// It needs a connection without compression.
    #[error("permessage-deflate was agreed, so RSV1 is legal")]
    Deflate,
}

/// Makes the data that a fault of frames sends, not masked yet. `deflate` has the agreed
/// parameters, `role` is the sender.
///
/// # Errors
///
/// The fault needs a connection with compression, or without compression.
pub fn pieces(
    fault: &Fault,
    deflate: Option<&DeflateParams>,
    role: Role,
) -> Result<Vec<FaultPiece>, Impossible> {
    let FaultKind::Frames(kind) = fault.info.kind else { return Ok(Vec::new()) };
    let one = |frame| vec![FaultPiece::Frame(frame)];
    Ok(match kind {
        FrameFault::Rsv1 if deflate.is_some() => return Err(Impossible::Deflate),
        FrameFault::Close => one(frame(CLOSE, close_payload(&fault.value))),
        FrameFault::CutInFrame => {
            let half = "half of it".repeat(5);
            let cut = RawFrame { announced: Some(100), ..frame(TEXT, half) };
            vec![FaultPiece::Frame(cut), FaultPiece::End]
        }
        FrameFault::PingFlood => {
            let ping = |number: u64| FaultPiece::Frame(frame(PING, number.to_string()));
            (1..=fault.number()).map(ping).collect()
        }
        FrameFault::DeflateBomb => {
            let deflate = deflate.ok_or(Impossible::NoDeflate)?;
            one(compressed(bomb(fault.number(), deflate, role).ok_or(Impossible::NoDeflate)?))
        }
        // A block of the reserved type 11 (RFC 1951 §3.2.3).
        FrameFault::DeflateCorrupt => {
            deflate.ok_or(Impossible::NoDeflate)?;
            one(compressed(b"\x07\xff\xff\xff".to_vec()))
        }
        FrameFault::HttpText => vec![FaultPiece::Bytes(
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\n\
              Bad request\n",
        )],
        // An alert record: fatal, handshake_failure (RFC 8446 §5.1 and §6).
        FrameFault::TlsAlert => vec![FaultPiece::Bytes(&[21, 3, 3, 0, 2, 2, 40])],
        _ => frames(kind, fault.number()).into_iter().map(FaultPiece::Frame).collect(),
    })
}

fn close_payload(value: &FaultValue) -> Vec<u8> {
    let FaultValue::Close(code, reason) = value else { return Vec::new() };
    CloseBody { code: Some(*code), reason: reason.clone().into() }.to_payload()
}

/// The frames of faults that consist only of frames.
fn frames(kind: FrameFault, number: u64) -> Vec<RawFrame> {
    let text = || frame(TEXT, "fault");
    let opcode = OpCode::from(number as u8 & 0x0f);
    match kind {
        FrameFault::Masked => vec![RawFrame { mask: Some([0x37, 0xfa, 0x21, 0x3d]), ..text() }],
        FrameFault::Unmasked => vec![text()],
        FrameFault::Rsv1 => vec![RawFrame { rsv1: true, ..text() }],
        FrameFault::Rsv2 => vec![RawFrame { rsv2: true, ..text() }],
        FrameFault::Rsv3 => vec![RawFrame { rsv3: true, ..text() }],
        FrameFault::Rsv1Control => vec![RawFrame { rsv1: true, ..frame(PING, "fault") }],
        FrameFault::Rsv1Continuation => {
            vec![fragment(TEXT, "fau"), RawFrame { rsv1: true, ..frame(CONTINUATION, "lt") }]
        }
        FrameFault::ReservedData | FrameFault::ReservedControl => vec![frame(opcode, "fault")],
        FrameFault::FragmentedControl => vec![fragment(PING, "fault")],
        FrameFault::OversizedPing => {
            let size = usize::try_from(number).unwrap_or(usize::MAX);
            vec![frame(PING, vec![b'p'; size])]
        }
        FrameFault::Utf8Invalid => vec![frame(TEXT, b"caf\xe9 au lait")],
        // In a character of three bytes, an ASCII letter replaces the last byte.
        FrameFault::Utf8Fragments => {
            vec![fragment(TEXT, b"price: \xe2\x82"), frame(CONTINUATION, "A")]
        }
        FrameFault::Utf8Truncated => vec![frame(TEXT, b"price: \xe2\x82")],
        // A whole frame stands in place of the five missing bytes; its first byte 0x81 is not
        // UTF-8.
        FrameFault::LengthTooLong => {
            vec![RawFrame { announced: Some(10), ..text() }, frame(TEXT, "abc")]
        }
        // "He" is a message. The bytes of "llo" are a header: FIN clear, RSV1 and RSV2 set, opcode
        // 12, a length of 108.
        FrameFault::LengthTooShort => {
            let hello = "Hello, there is more in this frame than its length announces, so that the \
                         rest of it must be read as the header and the payload of another one.";
            vec![RawFrame { announced: Some(2), ..frame(TEXT, hello) }]
        }
        FrameFault::LengthNotMinimal => {
            vec![RawFrame { form: Some(LengthForm::Bits16), ..text() }]
        }
        FrameFault::LengthTopBit => vec![RawFrame { announced: Some(1 << 63 | 5), ..text() }],
        FrameFault::LengthAbsurd => vec![RawFrame { announced: Some(1 << 62), ..text() }],
        FrameFault::OrphanContinuation => vec![frame(CONTINUATION, "fault")],
        FrameFault::Interleaved => vec![fragment(TEXT, "one"), frame(TEXT, "two")],
        FrameFault::CloseOneByte => vec![frame(CLOSE, [3])],
        FrameFault::CloseReasonUtf8 => vec![frame(CLOSE, b"\x03\xe8caf\xe9")],
        FrameFault::DataAfterClose => {
            vec![frame(CLOSE, 1000_u16.to_be_bytes()), frame(TEXT, "after the close")]
        }
        // These need more than a number, or consist of more than frames.
        FrameFault::Close
        | FrameFault::CutInFrame
        | FrameFault::PingFlood
        | FrameFault::DeflateBomb
        | FrameFault::DeflateCorrupt
        | FrameFault::HttpText
        | FrameFault::TlsAlert => Vec::new(),
    }
}

fn frame(opcode: OpCode, payload: impl AsRef<[u8]>) -> RawFrame {
    RawFrame { opcode, payload: payload.as_ref().to_vec(), ..RawFrame::default() }
}

fn fragment(opcode: OpCode, payload: impl AsRef<[u8]>) -> RawFrame {
    RawFrame { fin: false, ..frame(opcode, payload) }
}

fn compressed(payload: Vec<u8>) -> RawFrame {
    let opcode = OpCode::Data(Data::Binary);
    RawFrame { rsv1: true, opcode, payload, ..RawFrame::default() }
}

/// This many zeroes, compressed; `None` if wscope can't compress with the agreed window.
fn bomb(size: u64, deflate: &DeflateParams, role: Role) -> Option<Vec<u8>> {
    let mut deflater = Deflater::new(deflate.window_bits(role), true)?;
    let (piece, mut out) = (vec![0; BOMB_PIECE], Vec::new());
    let pieces = size.saturating_sub(1) / BOMB_PIECE as u64;
    if pieces > 0 {
        deflater.deflate(&piece, false, &mut out);
        // After a window of zeroes, each piece has the same compressed form: it is made once and
        // repeated.
        let mut next = Vec::new();
        deflater.deflate(&piece, false, &mut next);
        (1..pieces).for_each(|_| out.extend_from_slice(&next));
    }
    let rest = size - pieces * BOMB_PIECE as u64;
    deflater.deflate(&piece[..rest as usize], true, &mut out);
    Some(out)
}
