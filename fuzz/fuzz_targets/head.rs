//! The head parser: the same head however it is cut, and nothing in it that was not in the input.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::wire::head::{Fed, Head, HeadError, HeadKind, HeadLimits, HeadParser};
use wscope_fuzz::{Case, seen};

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    let kind = if case.flag(0) { HeadKind::Request } else { HeadKind::Response };
    let limits = match case.flag(1) {
        true => HeadLimits { max_bytes: 64, max_headers: 3 },
        false => HeadLimits::default(),
    };
    let whole = feed(HeadParser::new(kind, limits), &[case.bytes]);
    let cut = feed(HeadParser::new(kind, limits), &seen::pieces(case.bytes, &case.cuts));
    assert_eq!(cut, whole, "the same however cut");

    let mut at = 0;
    for head in &whole.heads {
        assert_eq!(head.raw(), &case.bytes[at..][..head.raw().len()], "no byte lost or invented");
        at += head.raw().len();
        assert!(head.raw().len() <= limits.max_bytes && head.is_complete());
        assert!(head.headers().len() <= limits.max_headers);
        check(head);
    }
    if whole.error.is_none() {
        assert_eq!(whole.rest, &case.bytes[at..]);
        // A peer that hangs up in the middle leaves a head, too.
        check(&Head::parse(kind, &whole.rest));
    }
});

/// What came of some pieces.
#[derive(Debug, PartialEq)]
struct Fruit {
    heads: Vec<Head>,
    rest: Vec<u8>,
    error: Option<HeadError>,
}

fn feed(mut parser: HeadParser, pieces: &[&[u8]]) -> Fruit {
    let (mut heads, mut error) = (Vec::new(), None);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() && error.is_none() {
            match parser.push(rest) {
                Ok(Fed::Incomplete) => rest = &[],
                Ok(Fed::Complete { consumed, head }) => {
                    assert!(consumed > 0);
                    rest = &rest[consumed..];
                    heads.push(head);
                }
                Err(why) => error = Some(why),
            }
        }
    }
    let rest = if error.is_some() { Vec::new() } else { parser.raw().to_vec() };
    parser.not_http();
    Fruit { heads, rest, error }
}

/// Checks the view of a head against its bytes.
fn check(head: &Head) {
    assert_eq!(Head::parse(head.kind(), head.raw()), *head, "reading it again gives the same");
    let mut end = 0;
    for field in head.headers() {
        assert!(end <= field.line.start && field.line.end <= head.raw().len(), "in order");
        assert_eq!(&head.raw()[field.value_at.clone()], field.value);
        assert!(field.value.is_empty() || field.value_at.end <= field.line.end);
        end = field.line.end;
    }
    for pair in head.defects().windows(2) {
        assert!(pair[0].offset <= pair[1].offset, "{:?}", head.defects());
    }
    for defect in head.defects() {
        assert!(defect.offset <= head.raw().len() && defect.line >= 1);
        assert!(!defect.to_string().contains(char::is_control));
    }
}
