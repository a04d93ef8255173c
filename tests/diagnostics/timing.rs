//! W8xx: endings.

use std::time::Duration;

use wscope::diagnostics::Facts;
use wscope::diagnostics::facts::{End, EndKind, Others};
use wscope::event::MessageInfo;
use wscope::session::endpoint::PingFacts;
use wscope::wire::{Data, OpCode};

use crate::golden::Golden;
use crate::support::{Pair, Seen, end};

pub fn cases(golden: &mut Golden) {
    let pair = Pair::open("", "");
    for (code, what, how, seconds) in [
        ("W801", "in order", EndKind::Fin, 0.4),
        ("W802", "a kill", EndKind::Reset, 0.2),
        ("W804", "haproxy", EndKind::Fin, 30.0),
        ("W804", "Heroku", EndKind::Fin, 55.1),
        ("W804", "nginx", EndKind::Fin, 60.03),
        ("W804", "Cloudflare", EndKind::Fin, 100.2),
        ("W804", "Azure", EndKind::Reset, 240.0),
        ("W804", "Envoy", EndKind::Fin, 300.1),
        ("W804", "AWS NLB", EndKind::Reset, 350.0),
        ("W804", "AWS API Gateway", EndKind::Fin, 600.0),
        ("W804", "a timer of two seconds", EndKind::Fin, 2.003),
        ("W816", "no Close back", EndKind::CloseTimeout, 5.0),
        ("W818", "a dead path", EndKind::Dead, 20.0),
        ("W818", "no pong", EndKind::NoPong, 20.0),
    ] {
        golden.verdict(code, what, &Facts { end: Some(end(how, seconds)), ..pair.facts() });
    }
    let mut unread = Facts { end: Some(end(EndKind::Reset, 5.0)), ..pair.facts() };
    unread.stream.unsent = 2_900_000;
    golden.verdict("W802", "a peer that does not read", &unread);
    lifetimes(golden, &pair);
    let seen = Seen::from_server(b"\x82\x7e\x20\x00xyz");
    let partial = Some(End { partial: 4096, ..end(EndKind::Reset, 0.2) });
    golden.verdict("W803", "inside a frame", &Facts { end: partial, ..seen.facts(&pair) });
    let partial = Some(End { partial: 321, ..end(EndKind::Fin, 0.2) });
    let mut open = Facts { end: Some(end(EndKind::Fin, 0.2)), ..pair.facts() };
    open.stream.unfinished = Some(MessageInfo {
        number: 3,
        opcode: OpCode::Data(Data::Text),
        frames: 2,
        first_frame: 3,
        compressed: false,
        wire_len: 1500,
        len: 1500,
    });
    golden.verdict("W803", "between the frames of a message", &open);
    let both = Facts {
        end: Some(End { partial: 321, ..end(EndKind::Reset, 0.2) }),
        stream: open.stream,
        ..seen.facts(&pair)
    };
    golden.verdict("W803", "inside a frame of a message", &both);
    let stalled = Some(Duration::from_secs(7));
    golden.verdict(
        "W803",
        "inside a frame, while stdout was blocked",
        &Facts { end: partial, stalled, ..seen.facts(&pair) },
    );
    golden.verdict(
        "W819",
        "a slow reader",
        &Facts { stalled: Some(Duration::from_secs(12)), ..pair.facts() },
    );
}

fn lifetimes(golden: &mut Golden, pair: &Pair) {
    let second = Duration::from_secs(1);
    let aged = |lifetime: u32| {
        Some(End {
            how: EndKind::Fin,
            lifetime: second * lifetime,
            idle: second / 5,
            idle_data: second / 5,
            quiet: Duration::ZERO,
            longest_quiet: Duration::ZERO,
            last: Duration::ZERO,
            partial: 0,
        })
    };
    let others = Others { lifetimes: &[second * 30] };
    golden.verdict("W814", "Google Cloud", &Facts { end: aged(30), others, ..pair.facts() });
    golden.verdict("W812", "in use to the end", &Facts { end: aged(7200), ..pair.facts() });
    let others = Others { lifetimes: &[second * 90, second * 91] };
    golden.verdict("W814", "the third time", &Facts { end: aged(90), others, ..pair.facts() });
    let pings = PingFacts { answered: 5, ..PingFacts::default() };
    let end = End { idle: second * 10, ..end(EndKind::Fin, 60.0) };
    golden.verdict("W815", "pings alone", &Facts { end: Some(end), pings, ..pair.facts() });
}
