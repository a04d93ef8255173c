//! The frame header of RFC 6455 §5.2, exactly as on the wire.
//!
//! It keeps the parts that a message engine discards: the reserved bits, any opcode, the mask key,
//! the form of the length, the header's bytes and their position.

use super::mask::{self, MaskKey};
use super::{Control, Data, OpCode};

/// The longest header: two bytes, a 64-bit length and a mask key.
pub const MAX_HEADER_LEN: usize = 14;

/// The form the payload length was written in (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LengthForm {
    /// In the second byte itself, 0 to 125.
    Bits7,
    /// 126, then 16 bits.
    Bits16,
    /// 127, then 64 bits.
    Bits64,
}

impl LengthForm {
    /// The form that §5.2 requires for `len`: "the minimal number of bytes MUST be used".
    pub fn minimal(len: u64) -> Self {
        match len {
            0..=125 => Self::Bits7,
            126..=0xffff => Self::Bits16,
            _ => Self::Bits64,
        }
    }

    /// How many bits carry the length: 7, 16 or 64.
    pub fn bits(self) -> u8 {
        match self {
            Self::Bits7 => 7,
            Self::Bits16 => 16,
            Self::Bits64 => 64,
        }
    }

    /// Bytes the form takes after the second byte of the header: 0, 2 or 8.
    pub fn extra_bytes(self) -> usize {
        match self {
            Self::Bits7 => 0,
            Self::Bits16 => 2,
            Self::Bits64 => 8,
        }
    }
}

/// One frame header with its bytes and its position in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The last (or only) fragment of a message.
    pub fin: bool,
    /// Reserved bit 1; permessage-deflate marks compressed messages with it.
    pub rsv1: bool,
    /// Reserved bit 2.
    pub rsv2: bool,
    /// Reserved bit 3.
    pub rsv3: bool,
    /// All sixteen values, reserved ones included.
    pub opcode: OpCode,
    /// The mask key, if the mask bit was set.
    pub mask: Option<MaskKey>,
    /// Announced payload length in bytes; above 2^63-1 it is a violation.
    pub len: u64,
    /// How the length was written.
    pub form: LengthForm,
    /// Bytes from the start of the direction's stream to the first byte of this header.
    pub offset: u64,
}

/// The bytes of a header, 2 to 14 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderBytes {
    bytes: [u8; MAX_HEADER_LEN],
    len: u8,
}

impl std::ops::Deref for HeaderBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl FrameHeader {
    /// Parses the header at the start of `bytes`, or returns how many bytes it needs at least.
    ///
    /// Every sequence of bytes is a header or the beginning of one.
    #[inline]
    pub fn parse(bytes: &[u8], offset: u64) -> Result<Self, usize> {
        let &[first, second, ref rest @ ..] = bytes else { return Err(2) };
        let masked = second & 0x80 != 0;
        // "multibyte length quantities are expressed in network byte order" (§5.2).
        let (form, len, rest) = match second & 0x7f {
            126 => match rest.split_first_chunk::<2>() {
                Some((len, rest)) => (LengthForm::Bits16, u16::from_be_bytes(*len).into(), rest),
                None => return Err(Self::size(LengthForm::Bits16, masked)),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((len, rest)) => (LengthForm::Bits64, u64::from_be_bytes(*len), rest),
                None => return Err(Self::size(LengthForm::Bits64, masked)),
            },
            len => (LengthForm::Bits7, len.into(), rest),
        };
        let mask = match masked {
            true => match rest.first_chunk::<4>() {
                Some(key) => Some(*key),
                None => return Err(Self::size(form, masked)),
            },
            false => None,
        };
        Ok(Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode: OpCode::from(first & 0x0f),
            mask,
            len,
            form,
            offset,
        })
    }

    /// The header of a message in one frame, with a length of seven bits.
    #[inline]
    pub(crate) fn short(opcode: Data, mask: Option<MaskKey>, len: usize, offset: u64) -> Self {
        let (fin, rsv1, rsv2, rsv3) = (true, false, false, false);
        let (opcode, len, form) = (OpCode::Data(opcode), len as u64, LengthForm::Bits7);
        Self { fin, rsv1, rsv2, rsv3, opcode, mask, len, form, offset }
    }

    /// The header's bytes, encoded again. The fields contain every bit of the header.
    pub fn bytes(&self) -> HeaderBytes {
        let mut bytes = [0; MAX_HEADER_LEN];
        let bit = |set: bool, at: u8| u8::from(set) << at;
        let flags = bit(self.fin, 7) | bit(self.rsv1, 6) | bit(self.rsv2, 5) | bit(self.rsv3, 4);
        bytes[0] = flags | u8::from(self.opcode);
        bytes[1] = bit(self.mask.is_some(), 7);
        let mask_at = 2 + self.form.extra_bytes();
        match self.form {
            LengthForm::Bits7 => bytes[1] |= self.len as u8 & 0x7f,
            LengthForm::Bits16 => {
                bytes[1] |= 126;
                bytes[2..4].copy_from_slice(&(self.len as u16).to_be_bytes());
            }
            LengthForm::Bits64 => {
                bytes[1] |= 127;
                bytes[2..10].copy_from_slice(&self.len.to_be_bytes());
            }
        }
        if let Some(key) = self.mask {
            bytes[mask_at..mask_at + 4].copy_from_slice(&key);
        }
        HeaderBytes { bytes, len: self.wire_len() as u8 }
    }

    /// How many bytes the header takes: 2 to 14.
    #[inline]
    pub fn wire_len(&self) -> usize {
        Self::size(self.form, self.mask.is_some())
    }

    /// Masks or unmasks the part of this frame's payload that is in `bytes`. `at` is the position of
    /// the first of these bytes in the stream; from position `end` on, nothing is changed.
    pub fn mask_payload(&self, bytes: &mut [u8], at: u64, end: u64) {
        let Some(key) = self.mask else { return };
        let payload = self.offset + self.wire_len() as u64;
        let end = payload.saturating_add(self.len).min(end).min(at + bytes.len() as u64);
        let start = payload.max(at);
        if start < end {
            let (from, to) = ((start - at) as usize, (end - at) as usize);
            mask::apply(key, start - payload, &mut bytes[from..to]);
        }
    }

    fn size(form: LengthForm, masked: bool) -> usize {
        2 + form.extra_bytes() + if masked { 4 } else { 0 }
    }

    /// The opcode's four bits.
    pub fn opcode_bits(&self) -> u8 {
        u8::from(self.opcode)
    }

    /// Whether this is a control frame, by the opcode's most significant bit (§5.5).
    pub fn is_control(&self) -> bool {
        matches!(self.opcode, OpCode::Control(_))
    }

    /// Whether the frame has an end: "the most significant bit MUST be 0" (§5.2) in its length.
    pub fn has_end(&self) -> bool {
        self.len >> 63 == 0
    }
}

/// The name the RFC gives an opcode (§11.8), or `None` for the reserved ones.
pub fn opcode_name(opcode: OpCode) -> Option<&'static str> {
    Some(match opcode {
        OpCode::Data(Data::Continue) => "continuation",
        OpCode::Data(Data::Text) => "text",
        OpCode::Data(Data::Binary) => "binary",
        OpCode::Control(Control::Close) => "close",
        OpCode::Control(Control::Ping) => "ping",
        OpCode::Control(Control::Pong) => "pong",
        OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_field_of_a_masked_text_header() {
        let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f];
        let header = FrameHeader::parse(&bytes, 40).expect("a whole header");
        assert!(header.fin && !header.rsv1 && !header.rsv2 && !header.rsv3);
        assert_eq!(header.opcode, OpCode::Data(Data::Text));
        assert_eq!(header.mask, Some([0x37, 0xfa, 0x21, 0x3d]));
        assert_eq!((header.len, header.form, header.offset), (5, LengthForm::Bits7, 40));
        assert_eq!(*header.bytes(), bytes[..6]);
    }

    #[test]
    fn returns_how_many_bytes_it_needs() {
        assert_eq!(FrameHeader::parse(&[], 0), Err(2));
        assert_eq!(FrameHeader::parse(&[0x81], 0), Err(2));
        assert_eq!(FrameHeader::parse(&[0x81, 0x7e, 0x01], 0), Err(4));
        assert_eq!(FrameHeader::parse(&[0x81, 0xff], 0), Err(14));
    }

    #[test]
    fn keeps_the_form_of_a_length_that_is_not_minimal() {
        let header = FrameHeader::parse(&[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0, 5], 0).expect("whole");
        assert_eq!((header.len, header.form), (5, LengthForm::Bits64));
        assert_ne!(header.form, LengthForm::minimal(header.len));
    }

    #[test]
    fn keeps_the_top_bit_of_a_64_bit_length() {
        let header =
            FrameHeader::parse(&[0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0], 0).expect("whole");
        assert!(!header.has_end());
    }

    #[test]
    fn makes_its_bytes_anew() {
        for first in 0..=255u8 {
            for rest in [
                &[0x05][..],
                &[0x85, 1, 2, 3, 4],
                &[0x7e, 0, 5],
                &[0xfe, 1, 2, 1, 2, 3, 4],
                &[0x7f, 0x80, 0, 0, 0, 0, 0, 0, 5],
                &[0xff, 0, 0, 0, 1, 2, 3, 4, 5, 9, 8, 7, 6],
            ] {
                let bytes = [&[first], rest].concat();
                let header = FrameHeader::parse(&bytes, 0).expect("whole");
                assert_eq!(*header.bytes(), bytes[..]);
                assert_eq!(header.wire_len(), bytes.len());
            }
        }
    }

    #[test]
    fn knows_all_sixteen_opcodes() {
        for bits in 0..16u8 {
            let header = FrameHeader::parse(&[0x80 | bits, 0], 0).expect("whole");
            assert_eq!(header.opcode_bits(), bits);
            assert_eq!(u8::from(header.opcode), bits);
            assert_eq!(header.is_control(), bits >= 8);
            assert_eq!(opcode_name(header.opcode).is_none(), matches!(bits, 3..=7 | 11..=15));
        }
    }
}
