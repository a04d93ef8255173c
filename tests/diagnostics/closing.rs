//! W7xx: close codes.

use wscope::diagnostics::facts::{CloseFacts, StreamFacts};
use wscope::diagnostics::{Facts, classify};
use wscope::wire::Role;
use wscope::wire::close::CloseBody;

use crate::golden::Golden;
use crate::support::{Pair, stream_of};

pub fn cases(golden: &mut Golden) {
    let pair = Pair::open("", "");
    for (code, number, reason) in [
        ("W700", Some(1000), ""),
        ("W701", Some(1001), "Going away"),
        ("W702", Some(1002), "invalid opcode"),
        ("W703", Some(1003), ""),
        ("W704", Some(1004), ""),
        ("W705", None, ""),
        ("W707", Some(1007), ""),
        ("W708", Some(1008), "auth \x1b[31mtimeout"),
        ("W709", Some(1009), ""),
        ("W710", Some(1010), "permessage-deflate"),
        ("W711", Some(1011), "keepalive ping timeout"),
        ("W712", Some(1012), ""),
        ("W713", Some(1013), ""),
        ("W714", Some(1014), ""),
        ("W716", Some(2000), ""),
        ("W717", Some(3000), "unauthorized"),
        ("W718", Some(3500), ""),
        ("W723", Some(4123), "see the docs"),
        ("W724", Some(404), ""),
        ("W724", Some(59395), "bytes swapped"),
    ] {
        let body = CloseBody { code: number, reason: reason.as_bytes().to_vec() };
        let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
        golden.verdict(code, "from the peer", &Facts { close, ..pair.facts() });
    }
    for (code, label) in [("W705", 1005), ("W706", 1006), ("W715", 1015)] {
        let close = CloseFacts { label: Some(label), ..CloseFacts::default() };
        golden.verdict(code, "an API's label", &Facts { close, ..pair.facts() });
    }
    applications(golden, &pair);
    nothing_to_report(&pair);
}

fn applications(golden: &mut Golden, pair: &Pair) {
    let gateway = "wss://gateway.discord.gg/?v=10";
    let voice = "wss://c-fra.voice.discord.media/";
    for (code, url, number) in
        [("W720", gateway, 4004), ("W720", gateway, 4007), ("W721", voice, 4014)]
    {
        let body = CloseBody { code: Some(number), reason: Vec::new() };
        let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
        golden.verdict(code, "Discord", &Facts { url: Some(url), close, ..pair.facts() });
    }
    let body = CloseBody { code: Some(4001), reason: b"Application does not exist".to_vec() };
    let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
    let stream = stream_of(b"{\"event\":\"pusher:error\",\"data\":{\"code\":4001}}");
    golden.verdict("W722", "Pusher", &Facts { close, stream, ..pair.facts() });
}

/// The echo of our own Close needs no explanation.
fn nothing_to_report(pair: &Pair) {
    let body = CloseBody { code: Some(4000), reason: Vec::new() };
    let close = CloseFacts { received: Some(&body), sent: Some(&body), ..CloseFacts::default() };
    assert_eq!(wscope::diagnostics::classify(&Facts { close, ..pair.facts() }), []);
}

#[test]
fn what_discord_means_decides_what_to_do() {
    let pair = Pair::open("", "");
    for (number, help) in [
        (4000, "reconnect"),
        (4004, "correct what the code names"),
        (4005, "send IDENTIFY (op 2) only once"),
        (4007, "reconnect"),
        (4009, "reconnect"),
    ] {
        let body = CloseBody { code: Some(number), reason: Vec::new() };
        let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
        let url = Some("wss://gateway.discord.gg/?v=10");
        let found = wscope::diagnostics::classify(&Facts { url, close, ..pair.facts() });
        let said = &found.first().expect("a code of Discord").help;
        assert!(said.starts_with(help), "{number}: {said}");
    }
}

#[test]
fn a_close_for_the_size_of_a_message_has_the_size_of_ours() {
    let pair = Pair::open("", "");
    let told = |role, code, sent, by_peer| {
        let body = CloseBody { code: Some(code), reason: b"too long".to_vec() };
        let close = CloseFacts { received: Some(&body), by_peer, ..CloseFacts::default() };
        let stream = StreamFacts { last_sent_len: sent, ..StreamFacts::default() };
        let found = classify(&Facts { role, stream, close, ..pair.facts() });
        found
            .iter()
            .flat_map(|d| d.causes.clone())
            .any(|cause| cause.text.contains("bytes is longer"))
    };
    for role in [Role::Client, Role::Server] {
        assert!(told(role, 1009, 5000, true));
        // Nothing was sent, or the code or the sender is another one.
        assert!(!told(role, 1009, 0, true) && !told(role, 1008, 5000, true));
        assert!(!told(role, 1009, 5000, false));
        assert!(!told(role, 1009, 7, true));
    }
}
