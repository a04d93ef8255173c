//! The frame writer: writes exactly the frame it is given, illegal ones included.
//!
//! [`write_frame`] writes every regular frame. It uses tungstenite's header writer, which always
//! takes the shortest length form. With [`RawFrame`], the caller chooses every bit.

use super::frame::LengthForm;
use super::mask::{self, MaskKey};
use super::{Data, OpCode};
use tungstenite::protocol::frame::FrameHeader as Header;

/// Appends a regular frame to `out`, with the shortest length form; RSV2 and RSV3 are clear.
#[inline]
pub fn write_frame(
    opcode: OpCode,
    fin: bool,
    rsv1: bool,
    key: Option<MaskKey>,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    let len @ 0..=125 = payload.len() else {
        let header = Header { is_final: fin, rsv1, rsv2: false, rsv3: false, opcode, mask: key };
        return write_with(header, payload, out);
    };
    // wscope sends millions of short frames, so it writes their header in one piece.
    let first = u8::from(fin) << 7 | u8::from(rsv1) << 6 | u8::from(opcode);
    match key {
        None => {
            out.reserve(len + 2);
            out.extend_from_slice(&[first, len as u8]);
            out.extend_from_slice(payload);
        }
        Some(key) => write_masked(first, key, payload, out),
    }
}

/// Appends a masked frame of at most 125 bytes of payload.
fn write_masked(first: u8, key: MaskKey, payload: &[u8], out: &mut Vec<u8>) {
    let [a, b, c, d] = key;
    out.reserve(payload.len() + 6);
    out.extend_from_slice(&[first, 0x80 | payload.len() as u8, a, b, c, d]);
    mask::append(key, payload, out);
}

#[inline(never)]
fn write_with(header: Header, payload: &[u8], out: &mut Vec<u8>) {
    // Writing to a Vec never fails.
    let _ = header.format(payload.len() as u64, out);
    append_payload(header.mask, payload, out);
}

fn append_payload(key: Option<MaskKey>, payload: &[u8], out: &mut Vec<u8>) {
    match key {
        Some(key) => mask::append(key, payload, out),
        None => out.extend_from_slice(payload),
    }
}

/// A frame with every bit chosen, legal or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// The FIN bit.
    pub fin: bool,
    /// The RSV1 bit.
    pub rsv1: bool,
    /// The RSV2 bit.
    pub rsv2: bool,
    /// The RSV3 bit.
    pub rsv3: bool,
    /// Any of the sixteen opcodes.
    pub opcode: OpCode,
    /// The mask key to write and apply; `None` leaves the mask bit clear.
    pub mask: Option<MaskKey>,
    /// The form of the length; `None` takes the shortest that holds it.
    pub form: Option<LengthForm>,
    /// The length to announce; `None` announces the payload's length. A length that does not fit
    /// into its form is cut to the low bits.
    pub announced: Option<u64>,
    /// The payload before masking.
    pub payload: Vec<u8>,
}

impl Default for RawFrame {
    fn default() -> Self {
        Self {
            fin: true,
            rsv1: false,
            rsv2: false,
            rsv3: false,
            opcode: OpCode::Data(Data::Text),
            mask: None,
            form: None,
            announced: None,
            payload: Vec::new(),
        }
    }
}

impl RawFrame {
    /// Appends the frame to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Self { fin, rsv1, rsv2, rsv3, opcode, mask, .. } = *self;
        if self.form.is_none() && self.announced.is_none() {
            return write_with(
                Header { is_final: fin, rsv1, rsv2, rsv3, opcode, mask },
                &self.payload,
                out,
            );
        }
        let bit = |set: bool, at: u8| u8::from(set) << at;
        let len = self.announced.unwrap_or(self.payload.len() as u64);
        out.push(
            bit(fin, 7) | bit(rsv1, 6) | bit(rsv2, 5) | bit(rsv3, 4) | (u8::from(opcode) & 0x0f),
        );
        let mask_bit = bit(mask.is_some(), 7);
        match self.form.unwrap_or(LengthForm::minimal(len)) {
            LengthForm::Bits7 => out.push(mask_bit | (len as u8 & 0x7f)),
            LengthForm::Bits16 => {
                out.push(mask_bit | 126);
                out.extend_from_slice(&(len as u16).to_be_bytes());
            }
            LengthForm::Bits64 => {
                out.push(mask_bit | 127);
                out.extend_from_slice(&len.to_be_bytes());
            }
        }
        out.extend(mask.iter().flatten());
        append_payload(mask, &self.payload, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Control, FrameHeader};

    fn written(frame: &RawFrame) -> Vec<u8> {
        let mut out = Vec::new();
        frame.write(&mut out);
        out
    }

    #[test]
    fn writes_the_examples_of_section_5_7() {
        let mut out = Vec::new();
        let text = OpCode::Data(Data::Text);
        write_frame(text, true, false, None, b"Hello", &mut out);
        assert_eq!(out, b"\x81\x05Hello");
        out.clear();
        write_frame(text, true, false, Some([0x37, 0xfa, 0x21, 0x3d]), b"Hello", &mut out);
        assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        out.clear();
        write_frame(text, false, false, None, b"Hel", &mut out);
        write_frame(OpCode::Data(Data::Continue), true, false, None, b"lo", &mut out);
        assert_eq!(out, b"\x01\x03Hel\x80\x02lo");
    }

    #[test]
    fn a_short_frame_of_a_client_is_the_one_of_the_header_writer() {
        for bits in 0..16u8 {
            for (fin, rsv1) in [(false, false), (false, true), (true, false), (true, true)] {
                for len in [0, 1, 125] {
                    let (opcode, mask) = (OpCode::from(bits), Some([9, 8, 7, 6]));
                    let payload = vec![b'x'; len];
                    let mut short = Vec::new();
                    write_frame(opcode, fin, rsv1, mask, &payload, &mut short);
                    let frame =
                        RawFrame { fin, rsv1, opcode, mask, payload, ..RawFrame::default() };
                    assert_eq!(short, written(&frame));
                }
            }
        }
    }

    #[test]
    fn takes_the_shortest_form_by_itself() {
        for (len, header) in [(125, 2), (126, 4), (65535, 4), (65536, 10)] {
            let mut out = Vec::new();
            write_frame(OpCode::Data(Data::Binary), true, false, None, &vec![0; len], &mut out);
            assert_eq!(out.len(), len + header);
        }
    }

    #[test]
    fn writes_every_header_bit_and_form_as_given() {
        for first in 0..=255u8 {
            for form in [LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64] {
                for mask in [None, Some([1, 2, 3, 4])] {
                    let frame = RawFrame {
                        fin: first & 0x80 != 0,
                        rsv1: first & 0x40 != 0,
                        rsv2: first & 0x20 != 0,
                        rsv3: first & 0x10 != 0,
                        opcode: OpCode::from(first & 0x0f),
                        mask,
                        form: Some(form),
                        announced: None,
                        payload: b"abc".to_vec(),
                    };
                    let out = written(&frame);
                    let header = FrameHeader::parse(&out, 0).expect("a whole header");
                    assert_eq!(out[0], first);
                    assert_eq!((header.form, header.mask, header.len), (form, mask, 3));
                    assert_eq!(out.len(), header.wire_len() + 3);
                }
            }
        }
    }

    #[test]
    fn announces_a_length_that_is_not_the_payloads() {
        let frame = RawFrame {
            opcode: OpCode::Control(Control::Ping),
            announced: Some(1 << 63),
            payload: b"x".to_vec(),
            ..RawFrame::default()
        };
        assert_eq!(written(&frame), b"\x89\x7f\x80\0\0\0\0\0\0\0x");
        let short = RawFrame { announced: Some(5), ..frame };
        assert_eq!(written(&short), b"\x89\x05x");
    }
}
