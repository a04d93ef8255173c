//! Limits: how much a server accepts before it protects itself.

use super::framing::{PONG, PROTECT, STREAM};
use crate::check::case::{Case, CitedRule, Expectation, Tested, rule};
use crate::check::facts::CaseFacts;
use crate::check::verdict::{Judgement, Verdict};

const ALIVE: CitedRule = rule(
    "RFC 6455 §7.1.7",
    "Except as indicated above or as specified by the application layer (e.g., a script using the WebSocket API), clients SHOULD NOT close the connection.",
);

const KEEPALIVE: CitedRule = rule(
    "RFC 6455 §5.5.2",
    "NOTE: A Ping frame may serve either as a keepalive or as a means to verify that the remote endpoint is still responsive.",
);

/// Reports how long pongs took.
fn round_trips(facts: &CaseFacts) -> Judgement {
    // The last one belongs to the ping after the case.
    let mut times = facts.round_trips.clone();
    times.truncate(20);
    times.sort_unstable();
    let got = match times.len() {
        20 => "20 pongs".to_owned(),
        n => format!("{n} of 20 pongs"),
    };
    let of =
        |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    let text = |share| of(share).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    let measured = format!("p50 {:.2} ms, p95 {:.2} ms", text(50), text(95));
    Judgement { measured: Some(measured), ..Judgement::new(Verdict::Info, got) }
}

/// Reports whether pings arrived.
fn pings(facts: &CaseFacts) -> Judgement {
    let judgement = Judgement::new(
        Verdict::Info,
        match facts.pings {
            0 => format!("no ping; {}", facts.describe("server")),
            _ => "pings come".to_owned(),
        },
    );
    let measured = (facts.pings > 0).then(|| format!("{} in 35 s", facts.pings));
    Judgement { measured, ..judgement }
}

const SIZE: &str = "shows the limit on messages, if there is one: a Close with 1009";

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    Case::new("l/rtt", "20 pings, one after the other", PONG, "shows how long the server takes to answer").of(Tested::Server).info()
        .send(&["/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001", "/ping wscope check", "/wait 0.001"]).expect(Expectation::Observed(round_trips)),
    Case::new("l/msg-64k", "a binary message of 64 KiB", PROTECT, SIZE).info()
        .send(&["/frame binary mask=00000000 length=65536", r"/repeat 512 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"])
        .mirror(&["/frame binary length=65536", r"/repeat 512 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"]).expect(Expectation::Learns).autobahn("9.2.1"),
    Case::new("l/server-ping", "silence for 35 s", KEEPALIVE, "shows whether the server keeps the connection alive, and how often").of(Tested::Server).info().stress()
        .send(&["/wait 35"]).expect(Expectation::Observed(pings)),
    Case::new("l/msg-1m", "a binary message of 1 MiB", PROTECT, SIZE).info().stress()
        .send(&["/frame binary mask=00000000 length=1048576", r"/repeat 8192 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"])
        .mirror(&["/frame binary length=1048576", r"/repeat 8192 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"]).expect(Expectation::Learns).autobahn("9.2.3"),
    Case::new("l/msg-16m", "a binary message of 16 MiB", PROTECT, SIZE).info().intrusive()
        .send(&["/frame binary mask=00000000 length=16777216", r"/repeat 131072 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"])
        .mirror(&["/frame binary length=16777216", r"/repeat 131072 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"]).expect(Expectation::Learns).autobahn("9.2.6"),
    Case::new("l/small-1000", "1000 text messages of one byte", PROTECT, "shows whether the server accepts many small messages").should().stress()
        .send(&["/repeat 1000 /text x"]).autobahn("9.7"),
    Case::new("l/slow-frame", "a text frame of 20 bytes, one byte every 0.1 s", STREAM, "a slow network looks like a dead connection").should().stress()
        .send(&["/frame text mask=00000000 length=20", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1"])
        .mirror(&["/frame text length=20", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1", r"/bytes \x78", "/wait 0.1"]).autobahn("9.5"),
    Case::new("l/half-frame", "half a frame, then silence for 5 s", PROTECT, "shows whether the server gives up a frame that never ends").info().stress()
        .send(&["/frame binary mask=00000000 length=1000", r"/bytes wscope\x20check", "/wait 5"])
        .mirror(&["/frame binary length=1000", r"/bytes wscope\x20check", "/wait 5"]).expect(Expectation::Learns),
    Case::new("l/idle-10", "silence for 10 s, then a ping", ALIVE, "shows whether an idle connection is ended within 10 s; wscope ping --idle-limit finds the limit").info().stress()
        .send(&["/wait 10"]).expect(Expectation::Learns),
];
