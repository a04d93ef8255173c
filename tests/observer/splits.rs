//! However a stream is cut into inputs, the same events come out: live bytes and their replay from
//! a capture report the same.

use proptest::prelude::*;

use super::common::seen::{Seen, Stream};
use super::common::streams;
use super::violations;
use wscope::session::Limits;
use wscope::wire::decoder::Input;

/// Limits low enough to be met by small streams.
fn low() -> Limits {
    Limits { message: 100, inflated: 60, ..Limits::default() }
}

/// Nothing is lost and nothing invented: headers and payloads are the bytes that went in.
fn accounts_for_every_byte(stream: &Stream, seen: &[Seen]) -> bool {
    let told: usize = seen
        .iter()
        .map(|event| match event {
            Seen::Start(_, header) => header.wire_len(),
            Seen::Payload(bytes) | Seen::Undecodable(bytes) => bytes.len(),
            _ => 0,
        })
        .sum();
    let cut_header = stream.bytes.len() - told;
    cut_header < 14
}

proptest! {
    #[test]
    fn a_legal_stream_has_no_violation(
        stream in streams::legal(proptest::option::of(streams::deflate_params())),
        cuts in streams::cuts(),
    ) {
        let seen = stream.cut(&cuts);
        prop_assert_eq!(violations(&seen), []);
        prop_assert_eq!(seen, stream.whole());
    }

    #[test]
    fn a_slightly_wrong_stream_is_reported_the_same_however_cut(
        stream in streams::mutated(Just(None)), cuts in streams::cuts(), limited: bool,
    ) {
        let stream = if limited { stream.limits(low()) } else { stream };
        let whole = stream.whole();
        prop_assert!(accounts_for_every_byte(&stream, &whole));
        prop_assert_eq!(stream.cut(&cuts), whole);
    }

    #[test]
    fn a_slightly_wrong_compressed_stream_is_reported_the_same_however_cut(
        stream in streams::mutated(streams::deflate_params().prop_map(Some)),
        cuts in streams::cuts(), limited: bool,
    ) {
        let stream = if limited { stream.limits(low()) } else { stream };
        let whole = stream.whole();
        prop_assert!(accounts_for_every_byte(&stream, &whole));
        prop_assert_eq!(stream.cut(&cuts), &whole[..]);
        prop_assert_eq!(stream.byte_by_byte(), whole);
    }

    #[test]
    fn noise_is_reported_the_same_however_cut(
        stream in streams::noise(proptest::option::of(streams::deflate_params())),
        cuts in streams::cuts(),
    ) {
        let whole = stream.whole();
        prop_assert!(accounts_for_every_byte(&stream, &whole));
        prop_assert_eq!(stream.cut(&cuts), whole);
    }

    #[test]
    fn pausing_between_any_two_events_changes_nothing(
        stream in streams::mutated(proptest::option::of(streams::deflate_params())),
    ) {
        let mut observer = stream.observer();
        let (mut bytes, mut at, mut seen) = (stream.bytes.clone(), 0, Vec::new());
        loop {
            let mut input = Input::resume(&mut bytes, at);
            let Some(event) = observer.next(&mut input) else { break };
            super::common::seen::note(&mut seen, &event);
            at = input.consumed();
        }
        seen.extend(observer.finish().map(Seen::Violation));
        prop_assert_eq!(seen, stream.whole());
    }
}
