//! The table of `/show stats`, line by line.

mod ui_support;

use std::time::Duration;

use ui_support::*;
use wscope::event::{Event, Stamp};
use wscope::session::stats::Stats;
use wscope::ui::stats::render;
use wscope::wire::OpCode;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::handshake::Agreed;
use wscope::wire::writer::RawFrame;

struct Counting(Stats);

impl Print for Counting {
    fn print(&mut self, at: &Stamp, event: &Event<'_>, _: &mut Vec<u8>) {
        self.0.observe(at, event);
    }
}

fn counting() -> Watched<Counting> {
    let deflate = Some(DeflateParams::default());
    let mut session = Watched::with_deflate(Counting(Stats::default()), deflate);
    session.print(&Event::Open(&Agreed::default()));
    session
}

fn table(session: &Watched<Counting>) -> String {
    render(&session.printer.0, ToServer, session.at.micros)
}

#[test]
fn a_connection_without_a_message() {
    assert_eq!(
        table(&counting()),
        "                        frames  messages   content      wire
sent     all                 0                 0 B       0 B
received all                 0                 0 B       0 B

open for         0.000 s
last frame       sent never, received never
longest silence  sent 0.000 s, received 0.000 s
round trips      none
compressed to    sent nothing compressed, received nothing compressed
violations       sent 0, received 0
"
    );
}

#[test]
fn a_connection_with_everything() {
    let mut session = counting();
    session.travel(ToServer, MASKED_HELLO);
    session.at.micros += 1_500_000;
    session.travel(ToClient, &bytes(&compressed(&"word ".repeat(400))));
    session.travel(ToClient, &bytes(&RawFrame { fin: false, ..frame(BINARY, &[0; 70_000]) }));
    session.travel(ToClient, &bytes(&frame(PING, b"?")));
    session.travel(ToClient, &bytes(&frame(CONT, b"")));
    session.travel(ToClient, &bytes(&frame(OpCode::from(12), b"")));
    for millis in [1, 3] {
        session.print(&Event::RoundTrip(Duration::from_millis(millis)));
    }
    session.at.micros += 250_000;
    let wire = compressed(&"word ".repeat(400)).payload.len();
    let printed = table(&session);
    assert_eq!(
        printed,
        format!(
            "                        frames  messages   content      wire
sent     text                1         1       5 B      11 B
received continuation        1                 0 B       2 B
         text                1         1   2.0 KiB      {} B
         binary              1         1  68.4 KiB  68.4 KiB
         ping                1                 1 B       3 B
         opcode 12           1                 0 B       2 B
         all                 5         2  70.3 KiB  68.4 KiB

open for         1.750 s
last frame       sent 1.750 s ago, received 0.250 s ago
longest silence  sent 1.750 s, received 1.500 s
round trips      2: min/avg/max/stddev 1.000/2.000/3.000/1.000 ms
compressed to    sent nothing compressed, received {:.1} % of 2.0 KiB
violations       sent 0, received 1
",
            wire + 2,
            wire as f64 / 20.0
        )
    );
}

#[test]
fn the_greatest_numbers_fit_into_80_columns() {
    let mut session = counting();
    session.at.micros += 99 * 365 * 86_400 * 1_000_000;
    session.travel(ToClient, b"\x82\x7f\x80\0\0\0\0\0\0\0lost");
    for _ in 0..3 {
        session.print(&Event::RoundTrip(Duration::from_secs(86_400)));
    }
    let printed = table(&session);
    assert!(printed.contains("\nnot decoded      sent 0 B, received 4 B\n"), "{printed}");
    assert!(printed.lines().all(|line| line.len() <= 80), "{printed}");
}
