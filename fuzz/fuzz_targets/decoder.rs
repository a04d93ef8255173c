//! The decoder is total and loses nothing: from what it reports, the input can be written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::wire::decoder::{DecoderStep, Decoder, Input, Unfinished};
use wscope::wire::{LengthForm, mask};
use wscope_fuzz::{Case, seen};

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    let (written, headers) = decode_and_write(&seen::pieces(case.bytes, &case.cuts));
    assert_eq!(written, case.bytes);
    let (_, whole) = decode_and_write(&[case.bytes]);
    assert_eq!(headers, whole, "the same headers however cut");
});

/// Decodes pieces; gives the stream written from what was reported, and the headers.
fn decode_and_write(pieces: &[&[u8]]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut decoder = Decoder::new(0);
    let (mut written, mut headers, mut last) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        let mut bytes = piece.to_vec();
        let mut input = Input::new(&mut bytes);
        loop {
            let before = input.consumed();
            let Some(step) = decoder.step(&mut input) else { break };
            let end = input.consumed();
            let header = *decoder.header().expect("a header comes first");
            match step {
                DecoderStep::Header => {
                    assert!(header.form == LengthForm::minimal(header.len) || header.len < 65536);
                    written.extend_from_slice(&header.bytes());
                    headers.push(header.bytes().to_vec());
                    last = written.len();
                }
                DecoderStep::Payload(n) => {
                    assert_eq!(n, end - before);
                    let mut payload = Input::new(&mut bytes);
                    payload.take(before);
                    let payload = payload.take(n);
                    let phase = (written.len() - last) as u64;
                    if let Some(key) = header.mask {
                        mask::apply(key, phase, payload);
                    }
                    written.extend_from_slice(payload);
                    input = Input::resume(&mut bytes, end);
                }
                DecoderStep::End => assert_eq!((written.len() - last) as u64, header.len),
                DecoderStep::Undecodable(n) => {
                    assert!(!header.has_end());
                    let mut rest = Input::resume(&mut bytes, end - n);
                    written.extend_from_slice(rest.take(n));
                    input = Input::resume(&mut bytes, end);
                }
            }
        }
        assert!(input.is_empty());
    }
    assert_eq!(decoder.offset(), pieces.iter().map(|piece| piece.len() as u64).sum::<u64>());
    if let Some(Unfinished::Header { have }) = decoder.unfinished() {
        let all = pieces.concat();
        written.extend_from_slice(&all[all.len() - have..]);
    }
    (written, headers)
}
