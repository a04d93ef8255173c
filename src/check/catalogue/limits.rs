//! Limits: what a server takes before it protects itself.

use crate::check::case::{Case, Expect, Rule, rule};

const PROTECT: Rule = rule(
    "RFC 6455 §10.4",
    "Implementations that have implementation- and/or platform-specific limitations regarding the frame size or total message size after reassembly from multiple frames MUST protect themselves against exceeding those limits.",
);

const SIZE: &str = "shows the limit on messages: 1009 where there is one";

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    Case::new("l/msg-1m", "a binary message of 1 MiB", PROTECT, SIZE).info().stress()
        .send(&["/frame binary mask=00000000 length=1048576", r"/repeat 8192 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"])
        .mirror(&["/frame binary length=1048576", r"/repeat 8192 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"]).expect(Expect::Learns).autobahn("9.2.3"),
    Case::new("l/msg-16m", "a binary message of 16 MiB", PROTECT, SIZE).info().intrusive()
        .send(&["/frame binary mask=00000000 length=16777216", r"/repeat 131072 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"])
        .mirror(&["/frame binary length=16777216", r"/repeat 131072 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x0a\x0a\x0a"]).expect(Expect::Learns).autobahn("9.2.6"),
    Case::new("l/small-1000", "1000 text messages of one byte", PROTECT, "shows whether many small messages are taken").should().stress()
        .send(&["/repeat 1000 /text x"]).autobahn("9.7"),
];
