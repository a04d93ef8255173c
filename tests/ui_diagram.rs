//! The bit diagram of RFC 6455 §5.2 for frames of each shape.

use wscope::ui::diagram::draw;
use wscope::wire::{FrameHeader, mask};

/// Draws the frame that `bytes` hold.
fn drawn(bytes: &[u8]) -> String {
    let header = FrameHeader::parse(bytes, 0).expect("a whole header");
    let mut payload = bytes[header.wire_len()..].to_vec();
    if let Some(key) = header.mask {
        mask::apply(key, 0, &mut payload);
    }
    let mut out = Vec::new();
    draw(&header, &payload, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.lines().all(|line| line.chars().count() <= 79), "{text}");
    format!("\n{text}")
}

#[test]
fn the_masked_hello_of_section_5_7() {
    let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(
        drawn(&bytes),
        "
  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 +-+-+-+-+-------+-+-------------+-------------------------------+
 |F|R|R|R| opcode|M| Payload len |          Masking-key          |
 |I|S|S|S|  (4)  |A|     (7)     |              (32)             |
 |N|V|V|V|       |S|             |                               |
 | |1|2|3|       |K|             |                               |
 |1|0|0|0|0 0 0 1|1|0 0 0 0 1 0 1|0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0|
 | | | | |  text | |      5      |             37 fa             |
 +-+-+-+-+-------+-+-------------+-------------------------------+
 |    Masking-key (continued)    |          Payload Data         |
 |0 0 1 0 0 0 0 1 0 0 1 1 1 1 0 1|0 1 1 1 1 1 1 1 1 0 0 1 1 1 1 1|
 |             21 3d             |          7f 9f → \"He\"         |
 +-------------------------------+---------------+---------------+
 |             Payload Data continued            |
 |0 1 0 0 1 1 0 1 0 1 0 1 0 0 0 1 0 1 0 1 1 0 0 0|
 |                4d 51 58 → \"llo\"               |
 +-----------------------------------------------+
"
    );
}

#[test]
fn an_empty_frame_has_two_bytes() {
    assert_eq!(
        drawn(&[0x89, 0]),
        "
  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 +-+-+-+-+-------+-+-------------+
 |F|R|R|R| opcode|M| Payload len |
 |I|S|S|S|  (4)  |A|     (7)     |
 |N|V|V|V|       |S|             |
 | |1|2|3|       |K|             |
 |1|0|0|0|1 0 0 1|0|0 0 0 0 0 0 0|
 | | | | |  ping | |      0      |
 +-+-+-+-+-------+-+-------------+
"
    );
}

#[test]
fn a_length_of_64_bits() {
    let bytes = [0x02, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 9, 8, 7, 6];
    assert_eq!(
        drawn(&bytes),
        "
  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 +-+-+-+-+-------+-+-------------+-------------------------------+
 |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
 |I|S|S|S|  (4)  |A|     (7)     |              (64)             |
 |N|V|V|V|       |S|             |                               |
 | |1|2|3|       |K|             |                               |
 |0|0|0|0|0 0 1 0|1|1 1 1 1 1 1 1|0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0|
 | | | | | binary| |     127     |             00 00             |
 +-+-+-+-+-------+-+-------------+-------------------------------+
 |                    Payload length continued                   |
 |0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1|
 |                          00 00 00 01                          |
 +-------------------------------+-------------------------------+
 |    Payload length continued   |          Masking-key          |
 |                               |              (32)             |
 |0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0|0 0 0 0 1 0 0 1 0 0 0 0 1 0 0 0|
 |         00 00 = 65536         |             09 08             |
 +-------------------------------+-------------------------------+
 |    Masking-key (continued)    |
 |0 0 0 0 0 1 1 1 0 0 0 0 0 1 1 0|
 |             07 06             |
 +-------------------------------+
 and 65536 more bytes of payload
"
    );
}

#[test]
fn a_length_of_16_bits() {
    assert_eq!(
        drawn(&[0xf3, 126, 0x01, 0x00, 0x1b]),
        "
  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 +-+-+-+-+-------+-+-------------+-------------------------------+
 |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
 |I|S|S|S|  (4)  |A|     (7)     |              (16)             |
 |N|V|V|V|       |S|             |                               |
 | |1|2|3|       |K|             |                               |
 |1|1|1|1|0 0 1 1|0|1 1 1 1 1 1 0|0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0|
 | | | | |  rsvd | |     126     |          01 00 = 256          |
 +-+-+-+-+-------+-+-------------+-------------------------------+
 |  Payload Data |
 |0 0 0 1 1 0 1 1|
 |    1b = \".\"   |
 +---------------+
 and 255 more bytes of payload
"
    );
}
