//! Micro-benchmarks of the printers: how much a look at every frame costs.
//!
//! `cargo bench --bench printers`. Each run takes real bytes through the observer, as a session
//! does; what that costs by itself is `observer` of the bench `wire`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use wscope::event::{ConnId, Direction, Event, Observed, Stamp};
use wscope::session::{Limits, Observer};
use wscope::ui::human::{HumanOptions, HumanPrinter};
use wscope::ui::json::JsonPrinter;
use wscope::ui::view::View;
use wscope::wire::decoder::Input;
use wscope::wire::{Data, OpCode, Role, writer};

/// Payloads: a line of a feed, a read of the socket.
const SIZES: [usize; 2] = [32, 64 * 1024];

/// Bytes printed in one go, so that small frames are many.
const BATCH: usize = 1 << 20;

/// Any moment, later by a microsecond a frame.
const START: i64 = 1_795_262_584_120_000;

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn human_lines(bencher: Bencher<'_, '_>, len: usize) {
    human(bencher, len, View::Frames);
}

#[divan::bench(args = SIZES)]
fn human_hex(bencher: Bencher<'_, '_>, len: usize) {
    human(bencher, len, View::Hex);
}

fn human(bencher: Bencher<'_, '_>, len: usize, view: View) {
    let options = HumanOptions { view, ..HumanOptions::new(Direction::ToServer) };
    let mut printer = HumanPrinter::new(options);
    print(bencher, len, |at, event, out| printer.print(at, event, out));
}

#[divan::bench(args = SIZES)]
fn json(bencher: Bencher<'_, '_>, len: usize) {
    let mut printer = JsonPrinter::new(Some(Role::Client));
    print(bencher, len, |at, event, out| printer.print(at, event, out));
}

/// Runs a printer over about [`BATCH`] bytes of frames with `len` bytes of payload.
fn print(
    bencher: Bencher<'_, '_>,
    len: usize,
    mut print: impl FnMut(&Stamp, &Event<'_>, &mut Vec<u8>),
) {
    let count = (BATCH / len).max(1);
    let mut bytes = Vec::new();
    let payload = "{\"price\": 1.25, \"ä\": \"日本\"} ".repeat(len / 32 + 1);
    let payload = &payload.as_bytes()[..payload.floor_char_boundary(len)];
    for _ in 0..count {
        writer::write_frame(OpCode::Data(Data::Text), true, false, None, payload, &mut bytes);
    }
    let mut observer = Observer::of_frames(Direction::ToClient, None, Limits::default());
    let mut at = Stamp { micros: START, conn: ConnId(1) };
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(count)).with_inputs(|| bytes.clone()).bench_local_refs(
        |bytes| {
            let mut input = Input::new(bytes);
            while let Some(Observed::Frame(event)) = observer.next(&mut input) {
                at.micros += 1;
                print(&at, &Event::Frame(Direction::ToClient, event), &mut out);
            }
            black_box(&out);
            out.clear();
        },
    );
}
