//! What the targets share: how an input becomes a test case, and what must hold for every stream.
//!
//! An input begins with a byte of flags and a byte that says how many cuts follow, one byte each:
//! the length of a piece. The rest is the stream, its remainder the last piece.

use wscope::event::Direction;
use wscope::session::Limits;

pub mod lens;

#[path = "../../tests/common/seen.rs"]
pub mod seen;

use seen::{Seen, Stream};

/// An input taken apart.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// Choices of the target, from the lowest bit on.
    pub flags: u8,
    /// Where the pieces end.
    pub cuts: Vec<usize>,
    /// The bytes under test.
    pub bytes: &'a [u8],
}

impl<'a> Case<'a> {
    /// Reads an input; one that is too short has nothing to test.
    pub fn read(input: &'a [u8]) -> Option<Self> {
        let (&[flags, count], rest) = input.split_first_chunk::<2>()?;
        let (lengths, bytes) = rest.split_at_checked(usize::from(count % 16))?;
        let cuts = lengths.iter().scan(0, |end, len| {
            *end += usize::from(*len);
            Some(*end)
        });
        Some(Self { flags, cuts: cuts.collect(), bytes })
    }

    /// Whether a flag is set, counted from 0.
    pub fn flag(&self, at: u8) -> bool {
        self.flags >> at & 1 == 1
    }

    /// The direction, flag 0.
    pub fn direction(&self) -> Direction {
        if self.flag(0) { Direction::ToServer } else { Direction::ToClient }
    }

    /// Limits that an input can reach if flag 1 is set, else the usual ones but for a bound on
    /// what a single input may inflate to.
    pub fn limits(&self) -> Limits {
        match self.flag(1) {
            true => Limits { message: 200, inflated: 300, ..Limits::default() },
            false => Limits { inflated: 1 << 20, ..Limits::default() },
        }
    }
}

/// Checks what must hold for every stream of frames.
pub fn check(stream: &Stream, cuts: &[usize]) {
    let whole = stream.whole();
    assert_eq!(stream.cut(cuts), whole, "the same however cut");
    accounts_for_every_byte(stream, &whole);
    is_in_order(stream, &whole);
    messages_are_what_was_reported(&whole);
}

/// Headers and payloads are the bytes that went in, but for a header that was cut.
fn accounts_for_every_byte(stream: &Stream, seen: &[Seen]) {
    let mut at = 0;
    for event in seen {
        match event {
            Seen::Start(_, header) => {
                assert_eq!(header.offset, at as u64);
                assert_eq!(*header.bytes(), stream.bytes[at..][..header.wire_len()]);
                at += header.wire_len();
            }
            Seen::Payload(bytes) => at += bytes.len(),
            Seen::Undecodable(bytes) => {
                assert_eq!(bytes, &stream.bytes[at..]);
                at += bytes.len();
            }
            _ => {}
        }
    }
    assert!(stream.bytes.len() - at < 14, "only part of a header may be left");
}

/// Every frame is a start, what belongs to it, and an end; violations lie inside theirs.
fn is_in_order(stream: &Stream, seen: &[Seen]) {
    let (mut frame, mut open) = (0, false);
    for event in seen {
        match event {
            Seen::Start(number, _) => {
                assert!(!open && *number == frame + 1, "{seen:#?}");
                (frame, open) = (*number, true);
            }
            Seen::End(number) => {
                assert!(open && *number == frame, "{seen:#?}");
                open = false;
            }
            Seen::Violation(violation) => {
                assert!(violation.offset <= stream.bytes.len() as u64);
                assert!(violation.frame == frame || violation.frame == frame + 1);
            }
            Seen::Message(_) => assert!(!open, "a message ends after its last frame"),
            Seen::Payload(_) | Seen::Data(_) | Seen::Control(..) | Seen::Undecodable(_) => {
                assert!(open, "{seen:#?}");
            }
            Seen::Head(_) | Seen::HeadError(_) | Seen::Body(_) => panic!("frames only"),
        }
    }
}

/// The lengths reported are those of the content, and a text without a violation is UTF-8.
fn messages_are_what_was_reported(seen: &[Seen]) {
    let (mut content, mut faulty) = (Vec::new(), false);
    for event in seen {
        match event {
            Seen::Start(_, header) if matches!(header.opcode_bits(), 1 | 2) => {
                content.clear();
                faulty = false;
            }
            Seen::Data(bytes) => content.extend_from_slice(bytes),
            Seen::Violation(_) => faulty = true,
            Seen::Message(info) => {
                assert_eq!(info.len, content.len() as u64, "{seen:#?}");
                let text = u8::from(info.opcode) == 1;
                assert!(!text || faulty || std::str::from_utf8(&content).is_ok(), "{seen:#?}");
                assert!(info.compressed || info.len == info.wire_len);
                content.clear();
            }
            _ => {}
        }
    }
}
