//! Ends for which the peer waited: a first message, a heartbeat, an age; and the cures that a run
//! has already refuted.

use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, CrossedMessage, End, EndKind, LastHeard, StreamFacts, Trial, TrialOutcome,
    Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, Severity, classify};
use wscope::session::endpoint::PingFacts;
use wscope::wire::close::CloseBody;
use wscope::wire::{Data, Role};

use crate::support::{Pair, end, message};

fn agreed(name: &str) -> Pair {
    let header = format!("Sec-WebSocket-Protocol: {name}\r\n");
    Pair::open(&header, &header)
}

/// The causes of the verdict, surest first.
fn causes(verdict: &Diagnostic) -> String {
    let texts = verdict.causes.iter().map(|cause| format!("{:?} {}", cause.confidence, cause.text));
    texts.collect::<Vec<_>>().join("; ")
}

fn verdict(facts: &Facts<'_>) -> Diagnostic {
    classify(facts).into_iter().next().expect("a verdict")
}

pub fn ours(content: &[u8]) -> CrossedMessage<'_> {
    // The packets of MQTT here begin with a control character.
    CrossedMessage {
        ours: true,
        text: !matches!(content, [0x0b..=0x1f, ..] | [b' ', 2, ..]),
        content,
        quiet: Duration::ZERO,
    }
}

pub fn theirs(content: &[u8]) -> CrossedMessage<'_> {
    CrossedMessage { ours: false, ..ours(content) }
}

/// A session whose last message is the last one of these.
fn session<'a>(kept: &'a [CrossedMessage<'a>], quiet: f64) -> StreamFacts<'a> {
    let of = |side: bool| kept.iter().filter(move |message| message.ours == side);
    let first = |side| {
        of(side)
            .next()
            .map(|one| message(if one.text { Data::Text } else { Data::Binary }, one.content))
    };
    let last = of(false).next_back();
    StreamFacts {
        frames: of(false).count() as u64,
        messages: of(false).count() as u64,
        message: first(false),
        sent: first(true),
        heard: last.map(|last| LastHeard {
            content: last.content,
            before: b"",
            quiet: Duration::from_secs_f64(quiet),
            answered: false,
        }),
        kept,
        kept_all: true,
        ..StreamFacts::default()
    }
}

/// A Close of the peer this long after the opening and after the traffic before it.
fn closed<'a>(facts: Facts<'a>, body: &'a CloseBody, last: f64, quiet: f64) -> Facts<'a> {
    let close = CloseFacts { received: Some(body), by_peer: true, ..CloseFacts::default() };
    let (last, quiet) = (Duration::from_secs_f64(last), Duration::from_secs_f64(quiet));
    let end = End { last, lifetime: last, quiet, ..end(EndKind::Closed, 0.0) };
    Facts { close, end: Some(end), ..facts }
}

fn body(code: Option<u16>, reason: &str) -> CloseBody {
    CloseBody { code, reason: reason.as_bytes().to_vec() }
}

#[test]
fn a_broker_that_waits_for_connect_is_no_proxy_with_a_timer() {
    let lost = Some(end(EndKind::Fin, 30.0));
    let found = verdict(&Facts { end: lost, ..agreed("mqtt").facts() });
    assert!(causes(&found).starts_with("Medium the server waited for the first"), "{found:?}");
    assert!(!found.help.contains("--ping-interval"), "{found:?}");
    // Without a protocol, or after its first message, a timer is as likely as before.
    let connect = [ours(b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04abcd"), theirs(b"\x20\x02\0\0")];
    let stream = session(&connect, 30.0);
    for facts in [
        Facts { end: lost, ..Pair::open("", "").facts() },
        Facts { end: lost, stream, ..agreed("mqtt").facts() },
    ] {
        let found = verdict(&facts);
        assert!(!causes(&found).contains("waited for the first"), "{found:?}");
    }
    let body = body(Some(4000), "");
    let found = verdict(&closed(agreed("mqtt").facts(), &body, 5.0, 5.0));
    assert!(causes(&found).starts_with("Medium the server waited for the first"), "{found:?}");
}

#[test]
fn a_silence_that_was_survived_before_is_no_timer() {
    let pair = Pair::open("", "");
    for (earlier, timer) in [(0, true), (10, true), (20, false), (30, false)] {
        let end = End { longest_quiet: Duration::from_secs(earlier), ..end(EndKind::Fin, 20.0) };
        let found = verdict(&Facts { end: Some(end), ..pair.facts() });
        assert_eq!(causes(&found).contains("a timer of the peer"), timer, "{found:?}");
        assert_eq!(found.help.contains("--ping-interval"), timer, "{found:?}");
    }
    // A broker ends the older of two sessions with one client id without a word.
    let kept = [ours(b"\x10\x10\0\x04MQTT\x04\x02\0\x02\0\x04abcd"), theirs(b"\x20\x02\0\0")];
    let lost = Some(end(EndKind::Fin, 1.8));
    let found =
        verdict(&Facts { end: lost, stream: session(&kept, 1.8), ..agreed("mqtt").facts() });
    assert!(causes(&found).starts_with("Low another client connected with the same"), "{found:?}");
    assert!(!found.help.contains("--ping-interval"), "{found:?}");
}

#[test]
fn a_heartbeat_that_was_agreed_and_not_sent_ends_a_session() {
    let pair = agreed("v12.stomp");
    let kept = [
        ours(b"CONNECT\naccept-version:1.2\nhost:/\nheart-beat:1000,1000\n\n\0"),
        theirs(b"CONNECTED\nversion:1.2\nheart-beat:1000,1000\n\n\0"),
        theirs(b"\n"),
    ];
    for (quiet, reason, says) in [(3.0, "STOMP died", true), (3.0, "bye", false), (0.5, "", false)]
    {
        let ours_quiet = Duration::from_secs_f64(quiet);
        let stream = StreamFacts { ours_quiet, ..session(&kept, 0.5) };
        let body = body(Some(1000), reason);
        let found = verdict(&closed(Facts { stream, ..pair.facts() }, &body, 4.0, 0.5));
        let named = causes(&found).contains("own heartbeat was not sent in time");
        assert_eq!((named, found.severity == Severity::Warning), (says, says), "{found:?}");
    }
}

#[test]
fn a_refused_namespace_explains_a_close_without_a_code() {
    let url = Some("ws://api.example/socket.io/?EIO=4&transport=websocket");
    let open = br#"0{"sid":"a","upgrades":[],"pingInterval":1500,"pingTimeout":1500}"#;
    for (answer, says) in [
        (&br#"44/admin,{"message":"Invalid namespace"}"#[..], true),
        (br#"40/admin,{"sid":"b"}"#, false),
    ] {
        let kept = [ours(b"40/admin,"), theirs(open), theirs(answer), theirs(b"2")];
        let stream = session(&kept, 0.5);
        let body = body(None, "");
        let pair = Pair::open("", "");
        let facts = Facts { stream, url, ..pair.facts() };
        let found = verdict(&closed(facts, &body, 2.0, 0.5));
        assert_eq!(causes(&found).contains("refused the namespace"), says, "{found:?}");
    }
}

#[test]
fn an_end_before_any_message_is_odd_though_pings_were_answered() {
    let pair = Pair::open("", "");
    let body = body(Some(1000), "");
    let stream = StreamFacts { frames: 4, ..StreamFacts::default() };
    let found = verdict(&closed(Facts { stream, ..pair.facts() }, &body, 3.4, 0.4));
    assert_eq!(found.severity, Severity::Warning, "{found:?}");
    assert!(causes(&found).starts_with("Low a limit on the age of connections"), "{found:?}");
    // A silence that was survived before is no timer, either.
    let quiet = Duration::from_millis(1010);
    let stream = StreamFacts { frames: 4, ..StreamFacts::default() };
    let mut facts = closed(Facts { stream, ..pair.facts() }, &body, 3.4, 1.01);
    facts.end = facts.end.map(|end| End { longest_quiet: quiet, ..end });
    assert_eq!(verdict(&facts).severity, Severity::Warning);
    let kept = [theirs(b"news")];
    let found =
        verdict(&closed(Facts { stream: session(&kept, 0.4), ..pair.facts() }, &body, 3.4, 0.4));
    assert_eq!(found.severity, Severity::Note, "{found:?}");
}

#[test]
fn a_goodbye_with_a_reason_is_quoted() {
    let pair = Pair::open("", "");
    let body = body(Some(1000), "");
    for (last, says) in [
        (r#"{"op":"goodbye","reason":"client version too old, need 3"}"#, true),
        (r#"{"op":"goodbye","reason":"done"}"#, false),
        (r#"{"op":"goodbye"}"#, false),
        (r#"{"op":"goodbye","reason":"user left"}"#, false),
        (r#"{"op":"report","reason":"client version too old"}"#, false),
    ] {
        let kept = [ours(b"hello"), theirs(last.as_bytes())];
        let found = verdict(&closed(
            Facts { stream: session(&kept, 0.0), ..pair.facts() },
            &body,
            0.1,
            0.0,
        ));
        let quoted = causes(&found).starts_with("Low its last message is");
        assert_eq!((quoted, found.severity == Severity::Warning), (says, says), "{found:?}");
    }
}

#[test]
fn words_at_the_end_of_a_short_binary_message_are_quoted() {
    let pair = Pair::open("", "");
    for (last, code, says) in [
        (&b"\x0b\xcd\x02\x0c\xb9seat reservation expired."[..], 4002, true),
        (b"\x0b\xcd\x02\x0c\xb9seat reservation expired.", 1000, false),
        (b"\x0b\xcd\x02\x0c\xb9expired", 4002, false),
        (b"\x0b\xcd\x02\x0c\xb9\x99\x98\x97", 4002, false),
    ] {
        let kept = [theirs(last)];
        let body = body(Some(code), "");
        let found = verdict(&closed(
            Facts { stream: session(&kept, 0.0), ..pair.facts() },
            &body,
            0.1,
            0.0,
        ));
        let text = "Medium its last message ends with \"seat reservation expired.\"";
        assert_eq!(causes(&found).starts_with(text), says, "{found:?}");
    }
}

fn tried(variation: Variation, outcome: TrialOutcome) -> Trial {
    Trial { variation, what: "/zz-no-such-path".to_owned(), outcome }
}

#[test]
fn an_exception_is_no_refusal_and_a_server_that_fails_has_ended() {
    let pair = Pair::open("", "");
    let ends = || tried(Variation::Again, TrialOutcome::Ended("closed".into()));
    let stays = || tried(Variation::OtherPath, TrialOutcome::Stayed);
    let trials = [ends(), stays(), ends(), stays()];
    for (code, refuses) in [(1011, false), (4003, true), (1008, true), (1000, false)] {
        let body = body(Some(code), "");
        let facts = closed(Facts { trials: &trials, ..pair.facts() }, &body, 0.01, 0.0);
        let found = verdict(&facts);
        assert_eq!(
            causes(&found).contains("a parameter, a login, or a limit"),
            refuses,
            "{found:?}"
        );
        if code == 1011 {
            assert!(causes(&found).starts_with("Low an exception"), "{found:?}");
        }
    }
    // A page at this path explains a Close in order, and not an internal error.
    let answered = |variation, code| {
        let text = format!("{code} of the trial");
        tried(variation, TrialOutcome::Status { code, text, body: b"hello".to_vec() })
    };
    let (page, missing) =
        (answered(Variation::NoUpgrade, 200), answered(Variation::OtherPath, 404));
    let trials = [ends(), page, missing];
    for (code, served) in [(1011, false), (1000, true)] {
        let body = body(Some(code), "");
        let facts = closed(Facts { trials: &trials, ..pair.facts() }, &body, 0.01, 0.0);
        let found = causes(&verdict(&facts));
        assert_eq!(found.contains("serves plain HTTP, and no WebSocket"), served, "{found}");
    }
    let failed = "the connection failed during the handshake: connection reset by peer";
    let trials = [tried(Variation::Again, TrialOutcome::Unreached(failed.into()))];
    let sent = Some(message(Data::Text, b"hello"));
    let stream = StreamFacts { sent, ended_on_ours: true, ..StreamFacts::default() };
    let end = End { lifetime: Duration::from_millis(14), ..end(EndKind::Fin, 0.01) };
    let found = verdict(&Facts { trials: &trials, stream, end: Some(end), ..pair.facts() });
    assert!(causes(&found).starts_with("Medium the server's process ended"), "{found:?}");
    // A process that accepts one more session lives.
    let lost = |trials: &[Trial]| {
        let end = End { lifetime: Duration::from_millis(2), how: EndKind::Reset, ..end };
        let stream = StreamFacts { after_ping: Some(Duration::ZERO), ..StreamFacts::default() };
        causes(&verdict(&Facts { trials, stream, end: Some(end), ..pair.facts() }))
    };
    assert!(lost(&[]).contains("process ended"), "{}", lost(&[]));
    let again = lost(&[ends(), ends()]);
    assert!(!again.contains("process ended") && again.contains("as with an exception"), "{again}");
}

#[test]
fn a_peer_that_leaves_its_stream_open_has_not_ended_tcp() {
    let found = verdict(&Facts {
        end: Some(end(EndKind::CloseTimeout, 5.0)),
        ..Pair::open("", "").facts()
    });
    assert_eq!(found.entry.code, "W816");
    assert!(!causes(&found).contains("ends TCP"), "{found:?}");
}

#[test]
fn too_many_pings_are_named_and_a_flood_of_messages_is_not_about_them() {
    let pair = Pair::open("", "");
    for (reason, says) in [
        ("WebSocket: Ping/pong flood", true),
        ("too many pings", true),
        ("message flood", false),
        ("ping timeout", false),
    ] {
        let body = body(Some(1008), reason);
        let mut facts = closed(pair.facts(), &body, 3.0, 0.0);
        facts.pings.answered = 2;
        let found = verdict(&facts);
        assert_eq!(causes(&found).contains("limits pings"), says, "{found:?}");
    }
}

#[test]
fn an_end_right_after_our_first_ping_is_the_answer_to_it() {
    let pair = Pair::open("", "");
    let told = |how, silence, after: u64, way: u64| {
        let after_ping = Some(Duration::from_millis(after));
        let stream = StreamFacts { after_ping, ..StreamFacts::default() };
        let response_after = Some(Duration::from_millis(way));
        let facts = Facts { stream, response_after, end: Some(end(how, silence)), ..pair.facts() };
        let found = verdict(&facts);
        (found.entry.code, causes(&found).contains("because of a ping"))
    };
    assert_eq!(told(EndKind::Fin, 0.0, 1, 1), ("W801", true));
    assert_eq!(told(EndKind::Fin, 1.5, 1, 1), ("W801", true));
    assert_eq!(told(EndKind::Reset, 1.0, 200, 180), ("W802", true));
    // Not at once, or after a silence that a timer or a NAT may have ended.
    assert_eq!(told(EndKind::Fin, 1.0, 400, 10), ("W804", false));
    assert_eq!(told(EndKind::Fin, 60.0, 1, 1).0, "W804");
    for silence in [2.0, 4.0, 20.0] {
        assert_eq!(told(EndKind::Fin, silence, 1, 1), ("W804", true));
        assert_eq!(told(EndKind::Reset, silence, 1, 1), ("W804", true));
    }
}

/// One pair of sessions proves nothing: one of several servers may end its sessions.
#[test]
fn sessions_with_and_without_a_ping_prove_it_only_twice() {
    use TrialOutcome::Stayed;
    let ended = || TrialOutcome::Ended("connection lost".to_owned());
    let of = |variation, outcome| Trial { variation, what: String::new(), outcome };
    let again = |outcome| of(Variation::Again, outcome);
    let pinged = |outcome| of(Variation::Pinged, outcome);
    let pair = Pair::open("", "");
    let told = |trials: &[Trial], silence| {
        let after_ping = Some(Duration::from_millis(1));
        let stream = StreamFacts { after_ping, ..StreamFacts::default() };
        let end =
            Some(End { lifetime: Duration::from_secs_f64(silence), ..end(EndKind::Fin, silence) });
        let found = verdict(&Facts { stream, end, trials, ..pair.facts() });
        (found.entry.code, causes(&found))
    };
    let cause = "the server closes because of a ping";
    for silence in [0.0, 4.0] {
        let proof = [again(Stayed), pinged(ended()), again(Stayed), pinged(ended())];
        let (code, causes) = told(&proof, silence);
        assert!(causes.starts_with(&format!("High {cause}")), "{causes}");
        assert!(code != "W804");
        let (code, causes) = told(&proof[..2], silence);
        assert!(!causes.contains("High"), "{causes}");
        assert!(silence == 0.0 || code == "W804", "{code}");
        for trials in [
            vec![again(ended())],
            vec![again(Stayed), pinged(Stayed)],
            vec![again(Stayed), pinged(ended()), again(ended())],
            vec![again(Stayed), again(ended())],
            vec![again(Stayed), pinged(ended()), again(Stayed), pinged(Stayed)],
        ] {
            let (code, causes) = told(&trials, silence);
            assert!(!causes.contains(cause), "{trials:?}: {causes}");
            if silence > 0.0 {
                assert_eq!(code, "W804");
                assert!(!causes.contains("some connections and not others"), "{causes}");
            }
        }
    }
}

/// A server may end the session a while after the ping, or with a Close. Trials show it as surely.
#[test]
fn sessions_prove_a_ping_as_the_cause_of_a_later_end_too() {
    use TrialOutcome::Stayed;
    let of = |variation, outcome| Trial { variation, what: String::new(), outcome };
    let again = || of(Variation::Again, Stayed);
    let pinged = |outcome| of(Variation::Pinged, outcome);
    let ended = || TrialOutcome::Ended("connection lost".to_owned());
    let pair = Pair::open("", "");
    let told = |trials: &[Trial], after: u64, code: Option<u16>| {
        let after_ping = Some(Duration::from_millis(after));
        let stream = StreamFacts { after_ping, ..StreamFacts::default() };
        let seconds = after as f64 / 1000.0;
        let body = body(code, "");
        let mut facts = match code {
            Some(_) => closed(pair.facts(), &body, seconds, seconds),
            None => {
                let lifetime = Duration::from_secs_f64(seconds);
                let end = Some(End { lifetime, ..end(EndKind::Fin, seconds) });
                Facts { end, ..pair.facts() }
            }
        };
        (facts.stream, facts.trials) = (stream, trials);
        facts.pings.waiting = after_ping;
        verdict(&facts)
    };
    let ping = "the server closes because of a ping";
    let erratic = "some connections and not others";
    for (after, code) in [
        (100, None),
        (600, None),
        (1000, None),
        (0, Some(1002)),
        (300, Some(1002)),
        (300, Some(1008)),
        (300, Some(1000)),
    ] {
        let found = told(&[again(), pinged(ended()), again(), pinged(ended())], after, code);
        assert!(causes(&found).starts_with(&format!("High {ping}")), "{after} {code:?}: {found:?}");
        assert!(found.help.starts_with("send it no pings"), "{found:?}");
        // Trials that were not made or not finished leave the ping as the difference.
        for trials in [&[again()][..], &[again(), pinged(ended())]] {
            let found = told(trials, after, code);
            assert!(!causes(&found).contains(erratic), "{after} {code:?}: {found:?}");
            assert!(causes(&found).starts_with(&format!("Medium {ping}")), "{found:?}");
            assert!(found.help.starts_with("send it no pings"), "{found:?}");
        }
        // These rule the ping out.
        for trials in [
            vec![again(), pinged(Stayed)],
            vec![again(), pinged(ended()), again(), pinged(Stayed)],
            vec![of(Variation::Again, ended())],
        ] {
            let found = told(&trials, after, code);
            assert!(!causes(&found).contains(ping), "{after} {code:?}: {found:?}");
        }
    }
}

/// The peer's own words prove a cause. What trials suggest comes after it, and its help does not.
#[test]
fn causes_are_the_surest_first_and_the_help_is_that_of_the_first() {
    let pair = Pair::open("", "");
    let body = body(Some(1008), "");
    let error = br#"{"type":"error","message":"invalid token"}"#;
    let stream = StreamFacts {
        message: Some(message(Data::Text, error)),
        messages: 1,
        frames: 2,
        heard: Some(LastHeard {
            content: error,
            before: b"",
            quiet: Duration::from_millis(100),
            answered: false,
        }),
        ..StreamFacts::default()
    };
    let alone = Facts { stream, ..closed(pair.facts(), &body, 0.1, 0.1) };
    let told = verdict(&alone);
    assert_eq!(told.causes[0].confidence, Confidence::High, "{told:?}");
    let trials =
        [Trial { variation: Variation::Again, what: String::new(), outcome: TrialOutcome::Stayed }];
    let mut facts = Facts { trials: &trials, ..alone };
    facts.pings.waiting = Some(Duration::from_millis(100));
    let found = verdict(&facts);
    assert!(found.causes.is_sorted_by_key(|cause| cause.confidence), "{found:?}");
    assert_eq!((&found.causes[0], &found.help), (&told.causes[0], &told.help), "{found:?}");
    let known = Diagnostic::of("W708").expect("an entry").because("a", "b").suggests("c", "d");
    assert!(known.causes.is_sorted_by_key(|cause| cause.confidence), "{known:?}");
}

#[test]
fn a_time_that_the_first_message_names_explains_an_end_at_that_time() {
    let pair = Pair::open("", "");
    let told = |first: &str| {
        let body = body(Some(4401), "");
        let stream = StreamFacts {
            message: Some(message(Data::Text, first.as_bytes())),
            messages: 1,
            frames: 2,
            ..StreamFacts::default()
        };
        let facts = Facts { stream, ..closed(pair.facts(), &body, 60.0, 0.0) };
        causes(&verdict(&facts)).contains("the server's first message names")
    };
    for first in [
        r#"{"type":"welcome","token_expires_in":60}"#,
        r#"{"session":{"ttl":60000}}"#,
        r#"{"sessionExpiresIn":60}"#,
        r#"{"tokenTTL":58}"#,
        r#"{"maxAge":60}"#,
    ] {
        assert!(told(first), "{first}");
    }
    for first in [
        // Words that only contain such a word.
        r#"{"type":"hello","throttle_ms":60000}"#,
        r#"{"battle":60}"#,
        r#"{"settleSeconds":60}"#,
        r#"{"bottles":60}"#,
        // The end came before that time.
        r#"{"ttl":61}"#,
        r#"{"ttl":60500}"#,
        r#"{"token_expires_in":3600}"#,
        r#"{"expires":"never"}"#,
        r#"{"expires_at":1760000000}"#,
        r#"{"users":60}"#,
        "expires in 60",
        r#"{"ttl":0}"#,
    ] {
        assert!(!told(first), "{first}");
    }
}

#[test]
fn the_page_of_an_aborted_worker_comes_after_a_silence() {
    let page = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n<html>\n <body>\n <h1><p>Internal Server Error</p></h1>\n";
    for (after, aborted) in [(3.6, true), (0.01, false)] {
        let stream = StreamFacts { first: page, ..StreamFacts::default() };
        let end = End { last: Duration::from_secs_f64(after), ..end(EndKind::Failed, 0.0) };
        let found = verdict(&Facts { stream, end: Some(end), ..Pair::open("", "").facts() });
        assert_eq!(found.entry.code, "W461");
        let confidence = found.causes.first().map(|cause| cause.confidence);
        let sure = if aborted { Confidence::Medium } else { Confidence::High };
        assert_eq!(confidence, Some(sure), "{found:?}");
    }
}

#[test]
fn json_to_a_server_that_greets_in_another_protocol_is_named() {
    let info = br#"INFO {"server_id":"N","version":"2.9.10","proto":1,"auth_required":true}"#;
    let info = [&info[..], b" \r\n"].concat();
    let body = body(Some(1008), "Authentication Failure");
    for (sent, answer, says) in [
        (&b"{\"a\":1}"[..], &b"-ERR 'Authorization Violation'\r\n"[..], true),
        (b"CONNECT {\"user\":\"a\"}\r\n", b"-ERR 'Authorization Violation'\r\n", false),
    ] {
        for kept in [
            [ours(sent), theirs(&info), theirs(answer)],
            [theirs(&info), ours(sent), theirs(answer)],
        ] {
            let pair = Pair::open("", "");
            let facts = Facts { stream: session(&kept, 0.0), ..pair.facts() };
            let found = verdict(&closed(facts, &body, 0.01, 0.0));
            assert_eq!(
                causes(&found).contains("does not begin the protocol of the server, NATS"),
                says,
                "{found:?}"
            );
        }
    }
}

#[test]
fn bytes_behind_a_gap_are_no_error() {
    let sent: &[u8] = b"\x10\x10\0\x04MQTT\x04\x02\0\x02\0\x04abcd";
    let kept = [ours(sent), theirs(b"\x20\x02\0\x05")];
    for (kept_all, says) in [(true, true), (false, false)] {
        let stream = StreamFacts { kept_all, ..session(&kept, 0.0) };
        let found = classify(&Facts { stream, ..agreed("mqtt").facts() });
        assert_eq!(found.iter().any(|one| one.entry.code == "W516"), says, "{found:?}");
    }
}

#[test]
fn an_error_for_which_a_script_waited_is_no_news() {
    let answer: &[u8] = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
    let kept = [ours(br#"{"jsonrpc":"2.0","id":1,"method":"x"}"#), theirs(answer)];
    for (expected, says) in [(&b"other"[..], true), (answer, false)] {
        let expected = [expected.to_vec()];
        let stream = StreamFacts { expected: &expected, ..session(&kept, 0.0) };
        let found = classify(&Facts { stream, ..Pair::open("", "").facts() });
        assert_eq!(found.iter().any(|one| one.entry.code == "W516"), says, "{found:?}");
    }
}

#[test]
fn what_a_script_expected_of_a_field_is_unknown_without_the_lens() {
    let answer: &[u8] = br#"{"id":3,"error":"not found"}"#;
    let kept = [ours(br#"{"id":3,"op":"x"}"#), theirs(answer)];
    let line = b"#3 error not found (x, 0.4 ms)".to_vec();
    for (expected, says) in [(vec![], true), (vec![vec![]], true), (vec![line], false)] {
        let stream = StreamFacts { expected: &expected, ..session(&kept, 0.0) };
        let found = classify(&Facts { stream, ..Pair::open("", "").facts() });
        assert_eq!(found.iter().any(|one| one.entry.code == "W516"), says, "{found:?}");
    }
}

#[test]
fn a_peer_that_stops_reading_is_told_when_this_side_gives_up() {
    let pair = Pair::open("", "");
    let judge = |how, idle, unsent| {
        let stream = StreamFacts { unsent, ..StreamFacts::default() };
        let facts = Facts { stream, end: Some(end(how, idle)), ..pair.facts() };
        classify(&facts).into_iter().find(|d| &*d.title == "the peer stopped reading")
    };
    for how in [EndKind::Closed, EndKind::CloseTimeout] {
        let d = judge(how, 4.9, 340_783).expect("a verdict");
        assert_eq!(d.causes.len(), 1, "{d:?}");
        assert!(d.causes[0].because.as_ref().is_some_and(|fact| fact.starts_with("340783 bytes")));
        // Nothing waited, or data left a moment ago.
        assert!(judge(how, 4.9, 0).is_none() && judge(how, 0.5, 340_783).is_none());
    }
}

#[test]
fn a_close_inside_a_message_names_the_missing_last_frame() {
    let pair = Pair::open("", "");
    let body = CloseBody { code: Some(1000), reason: b"no answer".to_vec() };
    let judge = |by_peer, unfinished| {
        let stream = StreamFacts { unfinished, ..StreamFacts::default() };
        let close = CloseFacts { received: Some(&body), by_peer, ..CloseFacts::default() };
        let end = Some(end(EndKind::Closed, 0.0));
        let found = classify(&Facts { role: Role::Server, stream, close, end, ..pair.facts() });
        found.iter().any(|d| d.entry.code == "W803" && d.severity == Severity::Warning)
    };
    let open = Some(message(Data::Text, b"half").0);
    assert!(judge(true, open));
    // No message was open, or our Close was the first.
    assert!(!judge(true, None) && !judge(false, open));
}

#[test]
fn a_steady_feed_that_stops_shortly_before_the_end_met_no_idle_timeout() {
    let judge = |longest_quiet, idle| {
        let stream = StreamFacts { messages: 9, ..StreamFacts::default() };
        let longest_quiet = Duration::from_secs_f64(longest_quiet);
        let end = End { longest_quiet, ..end(EndKind::Fin, idle) };
        verdict(&Facts { stream, end: Some(end), ..Pair::open("", "").facts() }).entry.code
    };
    assert_eq!(judge(0.4, 1.4), "W801");
    // There were longer silences before, or the timer is a usual one.
    assert_eq!(judge(1.3, 1.4), "W804");
    assert_eq!(judge(0.4, 60.0), "W804");
}

#[test]
fn a_long_message_before_a_loss_is_suspected_beside_its_content() {
    let pair = Pair::open("", "");
    let sent = Some(message(Data::Text, b"xxxxxxxx"));
    let end = End { lifetime: Duration::from_millis(14), ..end(EndKind::Fin, 0.01) };
    let judge = |last_sent_len, ended_on_ours, unsent, trials: &[Trial]| {
        let stream =
            StreamFacts { sent, ended_on_ours, last_sent_len, unsent, ..StreamFacts::default() };
        verdict(&Facts { trials, stream, end: Some(end), ..pair.facts() }).causes
    };
    let of = |last_sent_len, ended_on_ours, trials: &[Trial]| {
        let causes = judge(last_sent_len, ended_on_ours, 0, trials);
        causes.iter().map(|cause| cause.text.to_string()).collect::<Vec<_>>()
    };
    let long = "our message is longer than the server or a proxy allows";
    let ours = "the application ended it because of our message";
    assert_eq!(of(3000, true, &[])[1], long);
    // A short message, and one that was answered.
    assert!(!of(200, true, &[]).iter().any(|cause| cause == long));
    assert!(!of(3000, false, &[]).iter().any(|cause| cause == long));
    let again = tried(Variation::Again, TrialOutcome::Stayed);
    let causes = judge(3000, true, 0, std::slice::from_ref(&again));
    assert_eq!((&*causes[0].text, causes[0].confidence), (ours, Confidence::Medium));
    assert_eq!((&*causes[1].text, causes[1].confidence), (long, Confidence::Low));
    assert_eq!(causes.iter().filter(|cause| cause.text == long).count(), 1);
    // A part of our message was never sent, so the server did not act on its content.
    let causes = judge(3000, true, 1000, &[again]);
    assert_eq!((&*causes[0].text, causes[0].confidence), (long, Confidence::Medium));
    // Without a message, it ends, too.
    let again = tried(Variation::Again, TrialOutcome::Ended("end of stream".into()));
    assert!(!of(3000, true, &[again]).iter().any(|cause| cause == long));
}

#[test]
fn nothing_received_is_told_if_something_was_asked() {
    let pair = Pair::open("", "");
    let sent = Some(message(Data::Text, b"hi"));
    let asked = StreamFacts { sent, ..StreamFacts::default() };
    let silent = StreamFacts::default();
    let waiting = Some(Duration::from_secs(2));
    let pinged = PingFacts { unanswered: 2, waiting, ..PingFacts::default() };
    let ponged = PingFacts { answered: 2, ..PingFacts::default() };
    let of = |stream, pings, how, seconds| {
        let facts = Facts { stream, pings, end: Some(end(how, seconds)), ..pair.facts() };
        classify(&facts).first().map(|found| (found.entry.code, found.title.to_string()))
    };
    let none = PingFacts::default();
    let title = "nothing was received after the opening";
    let deaf = "nothing was received after the opening, not even a pong";
    let quiet = "no message was received after the opening, only pongs";
    let told = |title: &str| Some(("W519", title.to_owned()));
    assert_eq!(of(asked, none, EndKind::Closed, 3.0), told(title));
    assert_eq!(of(asked, none, EndKind::CloseTimeout, 3.0), told(title));
    assert_eq!(of(asked, pinged, EndKind::Closed, 3.0), told(deaf));
    assert_eq!(of(silent, pinged, EndKind::NoPong, 3.0), told(deaf));
    let pongs = StreamFacts { frames: 2, ..asked };
    assert_eq!(of(pongs, ponged, EndKind::Closed, 3.0), told(quiet));
    // Nothing was asked, the wait was short, or only pongs were.
    assert_eq!(of(silent, none, EndKind::Closed, 3.0), None);
    assert_eq!(of(asked, none, EndKind::Closed, 0.3), None);
    let pongs = StreamFacts { frames: 2, ..silent };
    assert_eq!(of(pongs, ponged, EndKind::Closed, 3.0), None);
}

#[test]
fn a_peer_that_answered_no_ping_before_a_loss_does_not_read() {
    let pair = Pair::open("", "");
    let waiting = Some(Duration::from_secs(4));
    let deaf = PingFacts { unanswered: 4, waiting, ..PingFacts::default() };
    let of = |role, pings| {
        let lost = Some(end(EndKind::Reset, 1.0));
        verdict(&Facts { role, pings, end: lost, ..pair.facts() })
    };
    let found = of(Role::Server, deaf);
    assert_eq!(found.entry.code, "W818");
    assert!(causes(&found).starts_with("Medium the client's program does not read"), "{found:?}");
    assert!(!found.help.contains("--ping-interval"), "{found:?}");
    assert!(!of(Role::Client, deaf).help.contains("--ping-interval 0"));
    // It answered, or it sent other data meanwhile.
    assert_ne!(of(Role::Server, PingFacts { answered: 1, ..deaf }).entry.code, "W818");
    assert_ne!(of(Role::Server, PingFacts { data_since: true, ..deaf }).entry.code, "W818");
}

#[test]
fn a_peer_that_ends_right_on_our_message_reads_although_it_answers_no_pings() {
    let pair = Pair::open("", "");
    let waiting = Some(Duration::from_secs(2));
    let pings = PingFacts { unanswered: 4, waiting, ..PingFacts::default() };
    let sent = Some(message(Data::Text, b"die"));
    let of = |seconds, ended_on_ours, how| {
        let stream =
            StreamFacts { sent, messages: 2, frames: 2, ended_on_ours, ..StreamFacts::default() };
        verdict(&Facts { pings, stream, end: Some(end(how, seconds)), ..pair.facts() })
    };
    let found = of(0.004, true, EndKind::Fin);
    assert_eq!(found.entry.code, "W801", "{found:?}");
    assert!(!causes(&found).contains("does not read"), "{found:?}");
    // Our message was not the last traffic, or it was left alone for a while.
    for (seconds, ended_on_ours) in [(0.004, false), (0.5, true), (1.2, false)] {
        for how in [EndKind::Fin, EndKind::Reset] {
            assert_eq!(of(seconds, ended_on_ours, how).entry.code, "W818");
        }
    }
    // Pings were sent, so the help does not advise them.
    for how in [EndKind::Fin, EndKind::NoPong, EndKind::Dead] {
        let found = of(1.2, false, how);
        assert_eq!(found.entry.code, "W818");
        assert!(!found.help.contains("--ping-interval"), "{found:?}");
    }
    let dead = Facts { end: Some(end(EndKind::Dead, 20.0)), ..pair.facts() };
    assert!(verdict(&dead).help.contains("--ping-interval"));
}

#[test]
fn a_pong_shows_no_program_and_an_answer_shows_that_messages_are_read() {
    let pair = Pair::open("", "");
    let sent = Some(message(Data::Text, b"hi"));
    let ponged = PingFacts { answered: 1, ..PingFacts::default() };
    let stream = StreamFacts { sent, frames: 1, ..StreamFacts::default() };
    let closed = Some(end(EndKind::Closed, 3.0));
    let found = causes(&verdict(&Facts { stream, pings: ponged, end: closed, ..pair.facts() }));
    assert!(found.starts_with("Low the application does not answer"), "{found}");
    assert!(found.contains("Low the program hangs, or keeps its answer in a buffer"), "{found}");
    // Control frames alone were sent.
    let waiting = Some(Duration::from_secs(5));
    let deaf = PingFacts { unanswered: 2, waiting, ..PingFacts::default() };
    let late = Some(end(EndKind::CloseTimeout, 5.0));
    let found = causes(&verdict(&Facts { pings: deaf, end: late, ..pair.facts() }));
    assert!(found.contains("handles messages alone, and neither pings nor Close"), "{found}");
    let asked = StreamFacts { sent, ..StreamFacts::default() };
    let found = causes(&verdict(&Facts { stream: asked, pings: deaf, end: late, ..pair.facts() }));
    assert!(!found.contains("handles messages alone"), "{found}");
    // Our message was answered, but the Close was not.
    let heard = LastHeard {
        content: b"ACK hi",
        before: b"",
        quiet: Duration::from_secs(6),
        answered: false,
    };
    let of = |heard| {
        let stream = StreamFacts {
            sent,
            frames: 1,
            messages: 1,
            heard: Some(heard),
            ..StreamFacts::default()
        };
        let mut end = end(EndKind::CloseTimeout, 5.0);
        (end.last, end.lifetime) = (Duration::from_millis(2), Duration::from_millis(6002));
        causes(&verdict(&Facts { stream, end: Some(end), ..pair.facts() }))
    };
    let found = of(heard);
    assert!(found.starts_with("Medium the server handles messages, but not the Close"), "{found}");
    let found = of(LastHeard { answered: true, ..heard });
    assert!(!found.contains("but not the Close"), "{found}");
}

/// Timers expire after whole or half seconds, and a little late.
#[test]
fn a_short_silence_that_is_no_whole_second_suggests_another_end_than_a_timer() {
    let pair = Pair::open("", "");
    let first = |lifetime: f64, silence: f64| {
        let lifetime = Duration::from_secs_f64(lifetime);
        let end = Some(End { lifetime, ..end(EndKind::Fin, silence) });
        let found = verdict(&Facts { end, ..pair.facts() });
        assert_eq!(found.entry.code, "W804");
        (found.causes[0].text.contains("process"), found.help.contains("log"))
    };
    assert_eq!(first(5.44, 2.2), (true, true));
    assert_eq!(first(5.44, 3.0), (false, false));
    assert_eq!(first(5.44, 3.08), (false, false));
    assert_eq!(first(5.44, 3.998), (false, false));
    // The timer may run from the opening, or be looked at from time to time.
    assert_eq!(first(5.01, 2.2), (false, false));
    assert_eq!(first(95.44, 32.2), (false, false));
}
