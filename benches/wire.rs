//! Micro-benchmarks of what every byte passes: decoder, masking, UTF-8, inflate, observer.
//!
//! `cargo bench --bench wire`, or `cargo bench --bench wire -- mask` for one of them.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use wscope::event::Direction;
use wscope::session::{Limits, Observer};
use wscope::wire::decoder::{Decoder, Input};
use wscope::wire::deflate::codec::{Deflater, Inflater, TAIL};
use wscope::wire::utf8::Utf8Validator;
use wscope::wire::{Data, OpCode, mask, writer};

/// Payloads: a line of a feed, a read of the socket.
const SIZES: [usize; 2] = [32, 64 * 1024];

/// Bytes decoded in one go, so that small frames are many.
const BATCH: usize = 1 << 20;

const KEY: mask::MaskKey = [0x37, 0xfa, 0x21, 0x3d];

fn main() {
    divan::main();
}

/// About [`BATCH`] bytes of frames with `len` bytes of payload, and how many they are.
fn frames(len: usize, key: Option<mask::MaskKey>) -> (Vec<u8>, usize) {
    let count = (BATCH / len).max(1);
    let mut bytes = Vec::new();
    for _ in 0..count {
        let payload = vec![b'x'; len];
        writer::write_frame(OpCode::Data(Data::Text), true, false, key, &payload, &mut bytes);
    }
    (bytes, count)
}

/// Text in which one character in four takes more than one byte.
fn text(len: usize) -> Vec<u8> {
    let mut text = "plain ä, 日本, 🦀. ".repeat(len / 16 + 1).into_bytes();
    text.truncate(len);
    while std::str::from_utf8(&text).is_err() {
        text.pop();
    }
    text
}

#[divan::bench(args = SIZES)]
fn decoder(bencher: Bencher<'_, '_>, len: usize) {
    let (bytes, count) = frames(len, None);
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .counter(ItemsCount::new(count))
        .with_inputs(|| bytes.clone())
        .bench_local_refs(|bytes| {
            let (mut decoder, mut input) = (Decoder::new(0), Input::new(bytes));
            while let Some(step) = decoder.step(&mut input) {
                black_box(step);
            }
        });
}

#[divan::bench(args = SIZES)]
fn decoder_masked(bencher: Bencher<'_, '_>, len: usize) {
    let (bytes, count) = frames(len, Some(KEY));
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .counter(ItemsCount::new(count))
        .with_inputs(|| bytes.clone())
        .bench_local_refs(|bytes| {
            let (mut decoder, mut input) = (Decoder::new(0), Input::new(bytes));
            while let Some(step) = decoder.step(&mut input) {
                black_box(step);
            }
        });
}

/// The decoder with every rule checked and messages joined.
#[divan::bench(args = SIZES)]
fn observer(bencher: Bencher<'_, '_>, len: usize) {
    let (bytes, count) = frames(len, None);
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .counter(ItemsCount::new(count))
        .with_inputs(|| bytes.clone())
        .bench_local_refs(|bytes| {
            let mut observer = Observer::of_frames(Direction::ToClient, None, Limits::default());
            let mut input = Input::new(bytes);
            while let Some(observed) = observer.next(&mut input) {
                black_box(observed);
            }
        });
}

#[divan::bench(args = SIZES)]
fn masking(bencher: Bencher<'_, '_>, len: usize) {
    let mut bytes = vec![b'x'; len];
    bencher
        .counter(BytesCount::new(len))
        .bench_local(|| mask::apply(black_box(KEY), 0, black_box(&mut bytes)));
}

#[divan::bench(args = SIZES)]
fn utf8_ascii(bencher: Bencher<'_, '_>, len: usize) {
    let text = vec![b'x'; len];
    bencher
        .counter(BytesCount::new(len))
        .bench_local(|| Utf8Validator::default().push(black_box(&text)));
}

#[divan::bench(args = SIZES)]
fn utf8_multibyte(bencher: Bencher<'_, '_>, len: usize) {
    let text = text(len);
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| Utf8Validator::default().push(black_box(&text)));
}

/// Counts the inflated bytes.
#[divan::bench(args = SIZES)]
fn inflate(bencher: Bencher<'_, '_>, len: usize) {
    let mut deflater = Deflater::new(15, true).expect("a window zlib has");
    let mut payload = Vec::new();
    deflater.deflate(&text(len), true, &mut payload);
    payload.extend_from_slice(&TAIL);
    let mut inflater = Inflater::new(15, true);
    let mut output = vec![0; 32 * 1024];
    bencher.counter(BytesCount::new(text(len).len())).bench_local(|| {
        let mut rest = &payload[..];
        loop {
            let progress = inflater.inflate(rest, &mut output).expect("what was just deflated");
            rest = &rest[progress.consumed..];
            if rest.is_empty() && progress.produced < output.len() {
                break;
            }
        }
        inflater.end_message();
    });
}

/// Messages of many connections in turn, each with a context of its own: from 64 on the streams of
/// zlib are those of others.
#[divan::bench(args = [1, 16, 64])]
fn deflate_in_turns(bencher: Bencher<'_, '_>, connections: usize) {
    let text = text(512);
    let mut deflaters: Vec<_> =
        (0..connections).map(|_| Deflater::new(15, false).expect("a window zlib has")).collect();
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(connections)).bench_local(|| {
        for deflater in &mut deflaters {
            out.clear();
            deflater.deflate(black_box(&text), true, &mut out);
        }
    });
}
