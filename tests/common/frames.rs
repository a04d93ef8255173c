//! Frames and messages as bytes, legal and illegal.

use wscope::event::Direction;
use wscope::wire::deflate::codec::Deflater;
use wscope::wire::mask::MaskKey;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Control, Data, OpCode};

/// The mask key of the examples in RFC 6455 §5.7.
pub const KEY: MaskKey = [0x37, 0xfa, 0x21, 0x3d];

pub const TEXT: OpCode = OpCode::Data(Data::Text);
pub const BINARY: OpCode = OpCode::Data(Data::Binary);
pub const CONTINUATION: OpCode = OpCode::Data(Data::Continue);
pub const CLOSE: OpCode = OpCode::Control(Control::Close);
pub const PING: OpCode = OpCode::Control(Control::Ping);
pub const PONG: OpCode = OpCode::Control(Control::Pong);

/// A final frame without mask.
pub fn frame(opcode: OpCode, payload: impl AsRef<[u8]>) -> RawFrame {
    RawFrame { opcode, payload: payload.as_ref().to_vec(), ..RawFrame::default() }
}

/// A frame that another one follows.
pub fn fragment(opcode: OpCode, payload: impl AsRef<[u8]>) -> RawFrame {
    RawFrame { fin: false, ..frame(opcode, payload) }
}

/// The frame as it must travel in `direction`: masked to the server, else not.
pub fn towards(direction: Direction, frame: RawFrame) -> RawFrame {
    let mask = (direction == Direction::ToServer).then_some(KEY);
    RawFrame { mask, ..frame }
}

/// The bytes of frames, one after the other.
pub fn bytes(frames: impl IntoIterator<Item = RawFrame>) -> Vec<u8> {
    let mut out = Vec::new();
    frames.into_iter().for_each(|frame| frame.write(&mut out));
    out
}

/// The payload of a Close frame.
pub fn close_payload(code: u16, reason: impl AsRef<[u8]>) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_ref()].concat()
}

/// The payload of a whole compressed message.
pub fn deflated(deflater: &mut Deflater, message: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    deflater.deflate(message.as_ref(), true, &mut out);
    out
}

/// Bytes in which nothing repeats.
pub fn noise(len: usize) -> Vec<u8> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    };
    (0..len).scan(1, |state, _| next(state)).collect()
}

/// A deflater with the largest window.
pub fn deflater(no_context_takeover: bool) -> Deflater {
    Deflater::new(15, no_context_takeover).expect("a window of 15 bits")
}

/// The first frame of a compressed message, and the whole of it unless asked otherwise.
pub fn compressed(opcode: OpCode, payload: impl AsRef<[u8]>) -> RawFrame {
    RawFrame { rsv1: true, ..frame(opcode, payload) }
}
