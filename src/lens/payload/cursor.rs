//! Reads binary formats from the beginning, and counts the values that it returns.

use super::{DEPTH, VALUES};

/// The remaining bytes, and how many values and levels are still allowed.
#[derive(Clone, Copy, Debug)]
pub(in crate::lens) struct Cursor<'a> {
    pub(in crate::lens) rest: &'a [u8],
    values: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(in crate::lens) fn new(rest: &'a [u8]) -> Self {
        Self { rest, values: VALUES, depth: DEPTH }
    }

    /// The next bytes.
    pub(in crate::lens) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next bytes as an array.
    pub(in crate::lens) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(in crate::lens) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(in crate::lens) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(in crate::lens) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(in crate::lens) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number in groups of seven bits, the lowest first, in at most `most` bytes.
    pub(in crate::lens) fn varint(&mut self, most: u32) -> Option<u64> {
        let mut number = 0;
        for at in 0..most {
            let byte = self.u8()?;
            // The tenth byte has room for only one of the 64 bits.
            number |= u64::from(byte & 0x7f).checked_shl(7 * at).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Counts a value; `None` if there are too many.
    pub(in crate::lens) fn count(&mut self) -> Option<()> {
        self.values = self.values.checked_sub(1)?;
        Some(())
    }

    /// Reads a nested value; `None` if it is too deep.
    pub(in crate::lens) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.depth = self.depth.checked_sub(1)?;
        let value = read(self);
        self.depth += 1;
        value
    }

    /// Reads a nested value from earlier bytes.
    pub(in crate::lens) fn inside<T>(
        &mut self,
        bytes: &'a [u8],
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut inside = Self { rest: bytes, ..*self };
        let value = inside.deeper(read);
        self.values = inside.values;
        value
    }
}
