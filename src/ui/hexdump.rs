//! Bytes as rows of offset, hexadecimal and ASCII, in the layout of `hexdump -C`.
//!
//! It works on a stream: it writes each row as soon as it is complete, so at most fifteen bytes
//! wait.

use super::number;

/// Bytes of one row.
pub const ROW: usize = 16;

/// The rows of one dump, fed piece by piece.
#[derive(Debug, Default)]
pub struct Rows {
    offset: u64,
    row: [u8; ROW],
    have: usize,
}

impl Rows {
    /// A dump whose first byte has this offset.
    pub fn starting_at(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// Appends the rows that `bytes` complete, each after `indent` spaces.
    pub fn push(&mut self, mut bytes: &[u8], indent: usize, out: &mut Vec<u8>) {
        if self.have > 0 {
            let (start, rest) = bytes.split_at(bytes.len().min(ROW - self.have));
            self.keep(start);
            bytes = rest;
            if self.have < ROW {
                return;
            }
            self.finish(indent, out);
        }
        let (rows, rest) = bytes.as_chunks::<ROW>();
        for row in rows {
            write_row(self.offset, row, indent, out);
            self.offset += ROW as u64;
        }
        self.keep(rest);
    }

    /// Appends the last row if it is incomplete. The dump can continue after it.
    pub fn finish(&mut self, indent: usize, out: &mut Vec<u8>) {
        let have = std::mem::take(&mut self.have);
        if have > 0 {
            write_row(self.offset, &self.row[..have], indent, out);
            self.offset += have as u64;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.row[self.have..self.have + bytes.len()].copy_from_slice(bytes);
        self.have += bytes.len();
    }
}

/// Appends all of `bytes` as rows after `indent` spaces; `offset` is that of the first byte.
pub fn dump(bytes: &[u8], offset: u64, indent: usize, out: &mut Vec<u8>) {
    let mut rows = Rows::starting_at(offset);
    rows.push(bytes, indent, out);
    rows.finish(indent, out);
}

fn write_row(offset: u64, row: &[u8], indent: usize, out: &mut Vec<u8>) {
    number::spaces(indent, out);
    // Eight digits up to 4 GiB, then as many as needed.
    for byte in offset.to_be_bytes().into_iter().enumerate() {
        match byte {
            (0..4, 0) if offset >> 32 == 0 => {}
            (_, byte) => out.extend_from_slice(&number::hex_pair(byte)),
        }
    }
    out.push(b' ');
    for at in 0..ROW {
        out.extend_from_slice(if at == ROW / 2 { b"  " } else { b" " });
        match row.get(at) {
            Some(&byte) => out.extend_from_slice(&number::hex_pair(byte)),
            None => out.extend_from_slice(b"  "),
        }
    }
    out.extend_from_slice(b"  |");
    out.extend(row.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte } else { b'.' }));
    out.extend_from_slice(b"|\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "  \
        00000000  48 65 6c 6c 6f 2c 20 57  6f 72 6c 64 21 00 1b 5b  |Hello, World!..[|\n  \
        00000010  41 7f ff                                          |A..|\n";

    #[test]
    fn looks_like_hexdump() {
        let mut out = Vec::new();
        dump(b"Hello, World!\0\x1b[A\x7f\xff", 0, 2, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), HELLO);
    }

    #[test]
    fn pieces_make_the_same_rows_as_the_whole() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut whole = Vec::new();
        dump(&bytes, 0xfff8, 0, &mut whole);
        for size in 1..40 {
            let (mut rows, mut out) = (Rows::starting_at(0xfff8), Vec::new());
            bytes.chunks(size).for_each(|piece| rows.push(piece, 0, &mut out));
            rows.finish(0, &mut out);
            assert_eq!(out, whole, "pieces of {size}");
        }
    }

    #[test]
    fn offsets_grow_beyond_eight_digits() {
        let mut out = Vec::new();
        dump(b"x", 0x1_2345_6789, 0, &mut out);
        assert!(out.starts_with(b"0000000123456789  78"));
    }
}
