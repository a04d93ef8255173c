//! The hex that `wscope decode` reads: any text is bytes or an error with its place, and every
//! notation gives the bytes it was written from.

#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use wscope::modes::decode::hex::{HexError, HexReader};

/// A `*` may stand for many bytes; a fuzzer has better uses for its time than filling them in.
const MOST: usize = 1 << 20;

fn read(text: &str) -> Result<Vec<u8>, HexError> {
    let mut reader = HexReader::default();
    let mut out = Vec::new();
    for line in text.lines().take_while(|line| line.trim() != "*") {
        reader.line(line, &mut out)?;
        assert!(out.len() <= MOST);
    }
    Ok(out)
}

/// As `xxd` writes it.
fn xxd(bytes: &[u8]) -> String {
    rows(bytes, |text, at, row| {
        let _ = write!(text, "{at:08x}:");
        for (i, byte) in row.iter().enumerate() {
            let _ = write!(text, "{}{byte:02x}", if i % 2 == 0 { " " } else { "" });
        }
        let _ = writeln!(text, "  {}", shown(row));
    })
}

/// As `hexdump -vC` writes it.
fn canonical(bytes: &[u8]) -> String {
    rows(bytes, |text, at, row| {
        let _ = write!(text, "{at:08x} ");
        for (i, byte) in row.iter().enumerate() {
            let _ = write!(text, "{}{byte:02x}", if i == 8 { "  " } else { " " });
        }
        let _ = writeln!(text, "  |{}|", shown(row));
    })
}

fn rows(bytes: &[u8], write: impl Fn(&mut String, usize, &[u8])) -> String {
    let mut text = String::new();
    for (i, row) in bytes.chunks(16).enumerate() {
        write(&mut text, i * 16, row);
    }
    text
}

fn shown(row: &[u8]) -> String {
    row.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect()
}

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input)
        && let Err(error) = read(text)
    {
        assert!(!error.to_string().is_empty());
    }
    let plain: String = input.iter().map(|byte| format!("{byte:02x} ")).collect();
    assert_eq!(read(&plain).as_deref(), Ok(input));
    assert_eq!(read(&xxd(input)).as_deref(), Ok(input));
    assert_eq!(read(&canonical(input)).as_deref(), Ok(input));
});
