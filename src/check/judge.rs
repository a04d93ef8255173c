//! The verdict on a case, from the facts of its connection.

use std::time::Duration;

use super::case::{Case, Expectation, Needs, Obligation, Tested};
use super::facts::{CANARIES, CaseEnd, CaseFacts, CaseOpening, Seen};
use super::verdict::{Judgement, Verdict};
use crate::script::command::{Command, Payload, parse};
use crate::ui::number::counted;
use crate::wire::{Control, OpCode};

/// How often a client whose connection ends must come back.
pub const RETURNS: usize = 4;

/// The time limit for coming back.
pub const RETURN: Duration = Duration::from_secs(10);

/// Returns the verdict. `echoes`: the peer sends messages back.
pub fn judge(case: &Case, facts: &CaseFacts, echoes: bool) -> Judgement {
    let judgement = decide(case, facts, echoes);
    if judgement.why.is_some() {
        return judgement;
    }
    let verdict = match (judgement.verdict, case.level) {
        (Verdict::Fail, Obligation::Should) => Verdict::Warn,
        (Verdict::Fail | Verdict::Warn | Verdict::PassBare, Obligation::Info) => Verdict::Info,
        (verdict, _) => verdict,
    };
    Judgement { verdict, ..judgement }
}

fn decide(case: &Case, facts: &CaseFacts, echoes: bool) -> Judgement {
    // A peer that accepts a broken frame may echo it; the echo is not a violation by the peer.
    let mut sound = facts.clone();
    if matches!(
        case.expect,
        Expectation::Dies(_)
            | Expectation::DiesUnlike(..)
            | Expectation::Condemns(_)
            | Expectation::Learns
            | Expectation::Ends
    ) {
        sound.seen.retain(|seen| !matches!(seen, Seen::Violation(_)));
    }
    let (facts, whole) = (&sound, facts);
    let got = facts.describe(case.peer());
    let is = |verdict| Judgement::new(verdict, got.clone());
    if let CaseOpening::Unable(_) | CaseOpening::Unreachable(_) = facts.opening {
        return is(Verdict::Inconclusive);
    }
    if let (CaseOpening::Open, Some(rule)) = (&facts.opening, &facts.late_breach) {
        let got = format!("a frame of the {} after its own Close: {rule}", case.peer());
        return Judgement::of_own_breach(got);
    }
    if let CaseOpening::Refused(429 | 503) = facts.opening
        && !matches!(case.expect, Expectation::Learns)
        && case.needs != Needs::Tls
    {
        // Too many connections: another try may get another answer.
        return is(Verdict::Inconclusive);
    }
    if let Expectation::Judged(function, _) = case.expect {
        return function(facts);
    }
    if let Expectation::Refused(wanted) = case.expect {
        return is(match &facts.opening {
            CaseOpening::Refused(status) => match wanted {
                [] if (400..500).contains(status) => {
                    return refusal(case, facts, is(Verdict::Pass));
                }
                wanted if wanted.contains(status) => {
                    return refusal(case, facts, is(Verdict::Pass));
                }
                _ => Verdict::Warn,
            },
            CaseOpening::Dropped => Verdict::PassBare,
            CaseOpening::Open => return Judgement::new(Verdict::Fail, "101"),
            _ => Verdict::Fail,
        });
    }
    if let Expectation::Ignored = case.expect {
        return is(match &facts.opening {
            CaseOpening::Refused(..=499 | 501 | 505) => {
                return refusal(case, facts, is(Verdict::Pass));
            }
            CaseOpening::Refused(_) => Verdict::Warn,
            CaseOpening::Dropped => Verdict::PassBare,
            CaseOpening::Open => return Judgement::new(Verdict::Fail, "101"),
            CaseOpening::Bad(_) => match facts.header("upgrade") {
                Some(other) if !other.eq_ignore_ascii_case("websocket") => {
                    return Judgement::new(Verdict::Pass, "101 to another protocol");
                }
                _ => Verdict::Fail,
            },
            _ => Verdict::Fail,
        });
    }
    if matches!(case.expect, Expectation::Learns) && facts.opening != CaseOpening::Open {
        return is(Verdict::Info);
    }
    if let (Expectation::Declined, CaseOpening::Refused(400..600)) = (case.expect, &facts.opening) {
        // To decline an offer, the peer continues without it. Here it does not continue, but it
        // also accepted nothing wrong.
        return is(Verdict::Warn);
    }
    if let (Tested::Client, CaseOpening::Bad(_) | CaseOpening::Garbage(_) | CaseOpening::Dropped) =
        (case.tested, &facts.opening)
    {
        // If a client's request breaks a rule, wscope refuses it, whatever the case tests.
        return match facts.opening {
            CaseOpening::Bad(_) => Judgement::of_own_breach(got),
            _ => is(Verdict::Fail),
        };
    }
    let refused = matches!(facts.opening, CaseOpening::Refused(400..500) | CaseOpening::Dropped);
    if refused && case.area() == "p" {
        // A server need not continue without a subprotocol that it knows.
        return is(Verdict::Info);
    }
    if facts.opening != CaseOpening::Open {
        // Cases of the handshake test whether the request is accepted.
        let verdict = match case.expect.is_of_handshake() || !case.open.is_empty() {
            true => Verdict::Fail,
            false => Verdict::Inconclusive,
        };
        return is(verdict);
    }
    if let Some(why) = case.lacks(facts) {
        return Judgement::new(Verdict::Skip, why);
    }
    let broke = |seen: &Seen| matches!(seen, Seen::Violation(_));
    if !matches!(case.expect, Expectation::Fails) && facts.seen.iter().any(broke) {
        return Judgement::of_own_breach(got);
    }
    let code = facts.close.as_ref().map(|close| close.code);
    let dropped = facts.ended.is_some() && facts.close.is_none();
    match case.expect {
        Expectation::Refused(_) | Expectation::Ignored | Expectation::Judged(..) => {
            is(Verdict::Inconclusive)
        }
        Expectation::Accepted => Judgement::new(Verdict::Pass, "101"),
        Expectation::Keeps(rules) => match facts.broken.iter().find(|(id, _)| rules.contains(id)) {
            Some((id, text)) => Judgement::new(Verdict::Fail, format!("{text} ({id})")),
            None => Judgement::new(Verdict::Pass, "101"),
        },
        Expectation::Declined
            if facts.deflate || facts.header("sec-websocket-extensions").is_some() =>
        {
            let answer = facts.header("sec-websocket-extensions").unwrap_or_default();
            Judgement::new(Verdict::Fail, format!("101 with Sec-WebSocket-Extensions: {answer}"))
        }
        Expectation::Declined => Judgement::new(Verdict::Pass, "101 without the extension"),
        Expectation::Dies(_) | Expectation::DiesUnlike(..)
            if (code.is_some() || dropped)
                && case.commands().any(|command| is_answered(&command, facts)) =>
        {
            Judgement::new(Verdict::Fail, format!("the ping is answered, then: {got}"))
        }
        Expectation::Dies(codes) | Expectation::DiesUnlike(codes, _) => match code {
            Some(Some(code)) if codes.contains(&code) => is(Verdict::Pass),
            Some(Some(code)) if case.begins_with_message() && may_decline(code, echoes) => {
                Judgement::new(Verdict::Inconclusive, declines(&got, case))
            }
            Some(Some(code)) if matches!(case.expect, Expectation::DiesUnlike(_, c) if c == code) => {
                is(Verdict::Fail)
            }
            Some(_) => Judgement::new(Verdict::Warn, whole.describe(case.peer())),
            None if dropped => is(Verdict::PassBare),
            None if facts.timed_out => Judgement::new(Verdict::Fail, whole.describe(case.peer())),
            None => is(Verdict::Fail),
        },
        Expectation::Lives if facts.has_pong(CANARIES[0]) => is(Verdict::Pass),
        Expectation::Echoes(opcode, line) if facts.has_pong(CANARIES[0]) => {
            let wanted = content(line);
            match echoes && !facts.has_message(opcode, &wanted) {
                true => Judgement::new(Verdict::Fail, wrong_echo(facts)),
                false => is(Verdict::Pass),
            }
        }
        Expectation::Pongs(payload) if facts.has_pong(&content(payload)) => {
            Judgement::new(Verdict::Pass, "the pong")
        }
        Expectation::PongsWithin(payload) if facts.has_pong(&content(payload)) => {
            Judgement::new(Verdict::Pass, "the pong")
        }
        Expectation::Pongs(_) | Expectation::PongsWithin(_)
            if facts.seen.iter().any(|seen| matches!(seen, Seen::Pong(_))) =>
        {
            Judgement::new(Verdict::Fail, "a pong with another payload")
        }
        Expectation::Lives
        | Expectation::Echoes(..)
        | Expectation::Pongs(_)
        | Expectation::PongsWithin(_) => match code.flatten() {
            Some(code) if case.sends_data() && may_decline(code, echoes) => {
                Judgement::new(Verdict::Inconclusive, declines(&got, case))
            }
            _ => is(Verdict::Fail),
        },
        Expectation::Closes(codes) => match code {
            Some(code) if code.is_none_or(|code| codes.contains(&code)) => match facts.ended {
                Some(CaseEnd::ByUs) | None if case.tested != Tested::Client => {
                    Judgement::new(Verdict::Warn, format!("{got}, but TCP stays open"))
                }
                _ => is(Verdict::Pass),
            },
            Some(Some(1002 | 1007)) => is(Verdict::Fail),
            Some(_) => is(Verdict::Warn),
            // The answer is a MUST, but the connection ends as required.
            None if dropped => is(Verdict::Warn),
            None => is(Verdict::Fail),
        },
        Expectation::Condemns(codes) => match code {
            Some(Some(code)) if codes.contains(&code) => is(Verdict::Pass),
            Some(Some(code)) if sent_code(case) == Some(code) => is(Verdict::Fail),
            Some(_) => is(Verdict::Warn),
            None if dropped => is(Verdict::PassBare),
            None => is(Verdict::Fail),
        },
        Expectation::Silence => match case.commands().any(|command| is_answered(&command, facts)) {
            true => Judgement::new(Verdict::Fail, "a pong to a ping after the Close"),
            _ if code.is_some() => is(Verdict::Pass),
            _ if dropped => is(Verdict::PassBare),
            _ => is(Verdict::Fail),
        },
        Expectation::Learns => is(Verdict::Info),
        Expectation::Observed(function) => function(facts),
        Expectation::Returns => returns(facts),
        Expectation::Ends => {
            let end = match facts.ended {
                Some(CaseEnd::ByUs) | None => "TCP stays open",
                Some(CaseEnd::InOrder) => "the end of TCP",
                Some(CaseEnd::Broken) => "a reset",
            };
            let got = match &facts.close {
                Some(_) => format!("{got}, then {end}").replace("then TCP", "and TCP"),
                None => got,
            };
            Judgement::new(Verdict::Info, got)
        }
        Expectation::Fails => failed_opening(facts),
        Expectation::Keys => keys(facts),
        Expectation::FreshKey => match facts.stale_key {
            Some(false) => Judgement::new(Verdict::Pass, "a new key"),
            Some(true) => Judgement::new(Verdict::Fail, "the key of another connection"),
            None => Judgement::new(Verdict::Inconclusive, "there was only one connection"),
        },
        Expectation::Protects => match code.is_some() || dropped {
            true => is(Verdict::Pass),
            false => {
                Judgement::new(Verdict::Info, format!("the {} waits for the rest", case.peer()))
            }
        },
    }
}

/// Whether a peer that follows the rules may close with this code after a legal message, because of
/// a limit or because its application expects other messages. A peer that echoes accepts all
/// messages.
fn may_decline(code: u16, echoes: bool) -> bool {
    code == 1009 || !echoes && matches!(code, 1000 | 1001 | 1003 | 1008 | 3000..=4999)
}

fn declines(got: &str, case: &Case) -> String {
    format!("{got}: the {} does not take the message", case.peer())
}

/// Whether this is a ping whose pong was received. Other pongs may be unsolicited.
fn is_answered(command: &Command, facts: &CaseFacts) -> bool {
    let Command::Frame(spec) = command else { return false };
    let Payload::Bytes(bytes) = &spec.payload else { return false };
    spec.opcode == OpCode::Control(Control::Ping)
        && (facts.has_pong(bytes) || facts.late_pongs.contains(bytes))
}

/// Judges a response that must not open a connection.
fn failed_opening(facts: &CaseFacts) -> Judgement {
    let is = |verdict, got: &str| Judgement::new(verdict, got);
    match (facts.seen.first(), &facts.close, facts.ended) {
        (Some(Seen::Pong(_)), ..) => is(Verdict::Fail, "the connection opens: a ping is answered"),
        (Some(Seen::Message(..)), ..) => {
            is(Verdict::Fail, "the connection opens: a message arrived")
        }
        (Some(Seen::Violation(text)), ..) => {
            Judgement::new(Verdict::Warn, format!("bytes that are not a frame: {text}"))
        }
        (None, Some(close), _) => match close.code {
            // "The client expected the server to negotiate one or more extensions" is 1010.
            Some(code @ (1002 | 1010)) => Judgement::new(Verdict::Pass, format!("Close {code}")),
            Some(code) => {
                Judgement::new(Verdict::Warn, format!("Close {code}, as if it were open"))
            }
            None => is(Verdict::Warn, "Close without a code, as if it were open"),
        },
        (None, None, Some(_)) => is(Verdict::Pass, "the end of the connection"),
        (None, None, None) => {
            is(Verdict::Warn, "nothing: no frame, and the connection stayed open")
        }
    }
}

/// Whether a client connected again, and after which pauses.
fn returns(facts: &CaseFacts) -> Judgement {
    let pauses: Vec<f64> = facts.round_trips.iter().map(Duration::as_secs_f64).collect();
    // The client may still connect later, unless its process has ended.
    let within = match facts.timed_out {
        true => format!(" within {} s", RETURN.as_secs()),
        false => String::new(),
    };
    let grown = matches!(pauses[..], [first, .., last] if last > 1.5 * first);
    let got = match pauses.len() {
        0 => format!("it does not connect again{within}"),
        n if n < RETURNS => {
            let times = counted(n as u64, "time");
            format!("it connects again {times}, then does not connect again{within}")
        }
        _ if !grown => "it connects again; the pauses do not grow".to_owned(),
        _ if pauses.is_sorted_by(|one, next| one < next) => {
            "it connects again, after a longer pause each time".to_owned()
        }
        _ => {
            "it connects again; the last pause is longer than the first, but not every pause grows"
                .to_owned()
        }
    };
    let pauses: Vec<String> = pauses.iter().map(|pause| format!("{pause:.2}")).collect();
    let measured = Some(format!("after {} s", pauses.join(", ")));
    Judgement { measured, ..Judgement::new(Verdict::Info, got) }
}

/// Whether mask keys look random.
fn keys(facts: &CaseFacts) -> Judgement {
    let mut sorted = facts.keys.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let (all, distinct) = (facts.keys.len(), sorted.len());
    match (all, distinct) {
        (0 | 1, _) => Judgement::new(Verdict::Inconclusive, "fewer than two frames arrived"),
        _ if sorted.first() == Some(&[0; 4]) => Judgement::new(Verdict::Fail, "the mask key 0"),
        (all, distinct) if all == distinct => {
            Judgement::new(Verdict::Pass, "a key of its own for each frame")
        }
        _ => Judgement::new(Verdict::Fail, "the same mask key for several frames"),
    }
}

/// Checks what a refusal must contain besides the status.
fn refusal(case: &Case, facts: &CaseFacts, pass: Judgement) -> Judgement {
    let names = |name| facts.header(name).is_some();
    match (&facts.opening, case.id) {
        (CaseOpening::Refused(405), _) if !names("allow") => {
            Judgement::new(Verdict::Warn, "HTTP status 405 without Allow")
        }
        (CaseOpening::Refused(status), "h/version-0" | "h/version-12" | "h/version-99")
            if !names("sec-websocket-version") =>
        {
            let got = format!("HTTP status {status} without Sec-WebSocket-Version");
            Judgement::new(Verdict::Warn, got)
        }
        _ => pass,
    }
}

fn wrong_echo(facts: &CaseFacts) -> String {
    let came = facts.seen.iter().filter(|seen| matches!(seen, Seen::Message(..))).count();
    match came {
        0 => "the echo did not arrive".to_owned(),
        _ => "the echo differs from the message".to_owned(),
    }
}

/// The bytes that the payload of a command encodes.
pub fn content(payload: &str) -> Vec<u8> {
    match parse(&format!("/text {payload}")) {
        Ok(Command::Text(Payload::Bytes(bytes))) => bytes,
        _ => Vec::new(),
    }
}

/// The code of the Close that the case sends.
fn sent_code(case: &Case) -> Option<u16> {
    case.commands().find_map(|command| match command {
        Command::Close { code, .. } => code,
        Command::Frame(spec) => match &spec.payload {
            Payload::Bytes(bytes) => Some(u16::from_be_bytes(*bytes.first_chunk()?)),
            Payload::File(_) => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::rule;
    use crate::wire::close::CloseBody;

    const CASE: Case = Case::new("t/t", "title", rule("RFC", "says"), "why");

    fn open() -> CaseFacts {
        CaseFacts { opening: CaseOpening::Open, ..CaseFacts::default() }
    }

    fn closed(code: u16) -> CaseFacts {
        CaseFacts { close: Some(CloseBody { code: Some(code), reason: Vec::new() }), ..open() }
    }

    fn dropped() -> CaseFacts {
        CaseFacts { ended: Some(CaseEnd::InOrder), ..open() }
    }

    fn ponged() -> CaseFacts {
        let seen = CANARIES.iter().map(|payload| Seen::Pong(payload.to_vec())).collect();
        CaseFacts { seen, ..open() }
    }

    fn silent() -> CaseFacts {
        CaseFacts { timed_out: true, ..open() }
    }

    fn refused(status: u16) -> CaseFacts {
        CaseFacts { opening: CaseOpening::Refused(status), ..CaseFacts::default() }
    }

    #[track_caller]
    fn check(case: Case, outcomes: &[(CaseFacts, Verdict)]) {
        for (facts, verdict) in outcomes {
            let judgement = judge(&case, facts, true);
            assert_eq!(judgement.verdict, *verdict, "{facts:?} {}", judgement.got);
        }
    }

    #[test]
    fn a_connection_that_must_die() {
        let case = CASE.expect(Expectation::Dies(&[1002]));
        check(
            case,
            &[
                (closed(1002), Verdict::Pass),
                (closed(1011), Verdict::Warn),
                (dropped(), Verdict::PassBare),
                (ponged(), Verdict::Fail),
                (silent(), Verdict::Fail),
                (refused(503), Verdict::Inconclusive),
            ],
        );
        check(case.should(), &[(ponged(), Verdict::Warn)]);
        check(case.info(), &[(ponged(), Verdict::Info), (closed(1002), Verdict::Pass)]);
        let late = CaseFacts { seen: vec![Seen::Pong(CANARIES[0].to_vec())], ..closed(1002) };
        assert_eq!(
            judge(&case, &late, false),
            Judgement::new(Verdict::Pass, "Close 1002, after answering a ping")
        );
        let taken = CASE.expect(Expectation::DiesUnlike(&[1002], 1000));
        check(taken, &[(closed(1000), Verdict::Fail), (closed(1001), Verdict::Warn)]);
    }

    #[test]
    fn a_connection_that_must_live() {
        check(
            CASE,
            &[
                (ponged(), Verdict::Pass),
                (closed(1002), Verdict::Fail),
                (dropped(), Verdict::Fail),
                (silent(), Verdict::Fail),
            ],
        );
        let text = crate::wire::OpCode::Data(crate::wire::Data::Text);
        let case = CASE.expect(Expectation::Echoes(text, "x"));
        let mut facts = ponged();
        assert_eq!(judge(&case, &facts, false).verdict, Verdict::Pass);
        assert_eq!(judge(&case, &facts, true).got, "the echo did not arrive");
        facts.seen.push(Seen::Message(text, b"y".to_vec()));
        assert_eq!(judge(&case, &facts, true).got, "the echo differs from the message");
        facts.seen.push(Seen::Message(text, b"x".to_vec()));
        assert_eq!(judge(&case, &facts, true).verdict, Verdict::Pass);
    }

    #[test]
    fn a_close_that_must_be_answered() {
        let ended = |facts: CaseFacts, end| CaseFacts { ended: Some(end), ..facts };
        check(
            CASE.send(&["/close 1001"]).expect(Expectation::Closes(&[1001, 1000])),
            &[
                (ended(closed(1001), CaseEnd::InOrder), Verdict::Pass),
                (ended(closed(1000), CaseEnd::Broken), Verdict::Pass),
                (ended(closed(1001), CaseEnd::ByUs), Verdict::Warn),
                (ended(closed(1002), CaseEnd::InOrder), Verdict::Fail),
                (ended(closed(1011), CaseEnd::InOrder), Verdict::Warn),
                (dropped(), Verdict::Warn),
                (silent(), Verdict::Fail),
            ],
        );
        check(
            CASE.send(&["/frame close code=1005"]).expect(Expectation::Condemns(&[1002])),
            &[
                (closed(1002), Verdict::Pass),
                (closed(1005), Verdict::Fail),
                (closed(1000), Verdict::Warn),
                (dropped(), Verdict::PassBare),
                (silent(), Verdict::Fail),
            ],
        );
    }

    #[test]
    fn a_request_that_must_be_refused() {
        check(
            CASE.expect(Expectation::Refused(&[])),
            &[
                (refused(400), Verdict::Pass),
                (refused(500), Verdict::Warn),
                (open(), Verdict::Fail),
                (CaseFacts { opening: CaseOpening::Bad("x".into()), ..open() }, Verdict::Fail),
                (CaseFacts { opening: CaseOpening::Dropped, ..open() }, Verdict::PassBare),
                (CaseFacts { opening: CaseOpening::Silent, ..open() }, Verdict::Fail),
            ],
        );
        check(CASE.expect(Expectation::Refused(&[405])), &[(refused(405), Verdict::Warn)]);
        // Whether wscope also sees the end of TCP depends on timing.
        let ended = CaseFacts { ended: Some(CaseEnd::InOrder), ..open() };
        assert_eq!(judge(&CASE.expect(Expectation::Refused(&[])), &ended, false).got, "101");
    }

    #[test]
    fn a_request_that_asks_for_no_websocket_may_be_answered_by_anything_else() {
        let bad = |upgrade: &str| CaseFacts {
            opening: CaseOpening::Bad("x".into()),
            headers: vec![("upgrade".into(), upgrade.into())],
            ..open()
        };
        check(
            CASE.expect(Expectation::Ignored),
            &[
                (refused(200), Verdict::Pass),
                (refused(302), Verdict::Pass),
                (refused(426), Verdict::Pass),
                (refused(405), Verdict::Warn),
                (refused(500), Verdict::Warn),
                (refused(501), Verdict::Pass),
                (refused(505), Verdict::Pass),
                (open(), Verdict::Fail),
                (bad("WebSocket"), Verdict::Fail),
                (bad("h2c"), Verdict::Pass),
                (CaseFacts { opening: CaseOpening::Dropped, ..open() }, Verdict::PassBare),
                (CaseFacts { opening: CaseOpening::Silent, ..open() }, Verdict::Fail),
            ],
        );
    }

    #[test]
    fn a_server_may_insist_on_a_subprotocol() {
        let keeps = |id| Case { id, ..CASE }.expect(Expectation::Keeps(&[]));
        let dropped = CaseFacts { opening: CaseOpening::Dropped, ..CaseFacts::default() };
        check(keeps("p/two"), &[(refused(400), Verdict::Info), (dropped, Verdict::Info)]);
        check(keeps("p/two"), &[(refused(500), Verdict::Fail), (open(), Verdict::Pass)]);
        check(keeps("x/split"), &[(refused(400), Verdict::Fail)]);
    }

    #[test]
    fn an_answer_that_breaks_rules_is_named_where_a_breach_is_not_noticed() {
        let case = CASE.expect(Expectation::Dies(&[1002]));
        let seen = vec![Seen::Violation("a Close of 126 bytes".into())];
        let text = "the server broke a rule itself: a Close of 126 bytes";
        let silent = CaseFacts { seen: seen.clone(), ..silent() };
        assert_eq!(judge(&case, &silent, true), Judgement::new(Verdict::Fail, text));
        let garbage = CaseFacts { seen, ..closed(21584) };
        assert_eq!(judge(&case, &garbage, true), Judgement::new(Verdict::Warn, text));
    }

    #[test]
    fn an_offer_that_must_be_declined() {
        let agreed = CaseFacts { deflate: true, ..open() };
        check(
            CASE.expect(Expectation::Declined),
            &[
                (open(), Verdict::Pass),
                (agreed, Verdict::Fail),
                (refused(400), Verdict::Warn),
                (refused(500), Verdict::Warn),
            ],
        );
    }

    /// "1003 indicates that an endpoint is terminating the connection because it has received a type of data it
    /// cannot accept", 1009 the same of a message that is too big (RFC 6455 §7.4.1).
    #[test]
    fn a_server_may_not_take_a_legal_message_and_say_so() {
        let case = CASE.send(&["/text wscope check"]);
        for (code, echoes, verdict) in [
            (1009, true, Verdict::Inconclusive),
            (1008, true, Verdict::Fail),
            (1003, false, Verdict::Inconclusive),
            (1008, false, Verdict::Inconclusive),
            // Reports an internal error of the server.
            (1011, false, Verdict::Fail),
            (4001, false, Verdict::Inconclusive),
            (1002, false, Verdict::Fail),
            (1007, false, Verdict::Fail),
        ] {
            assert_eq!(judge(&case, &closed(code), echoes).verdict, verdict, "{code}");
        }
        // The peer declines the message before it reads the frame that breaks a rule.
        let after = CASE.send(&["/frame text wscope check", "/frame continuation x"]);
        let after = after.expect(Expectation::Dies(&[1002]));
        assert_eq!(judge(&after, &closed(1003), false).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&after, &closed(1003), true).verdict, Verdict::Warn);
        let within = CASE.send(&["/frame text rsv2=on x"]).expect(Expectation::Dies(&[1002]));
        assert_eq!(judge(&within, &closed(1003), false).verdict, Verdict::Warn);
        // Pings do not reach the application.
        let pinged = judge(&CASE.send(&["/ping"]), &closed(1008), false);
        assert_eq!(pinged.verdict, Verdict::Fail);
    }

    #[test]
    fn a_limit_of_connections_is_no_answer_to_the_case() {
        for status in [429, 503] {
            let dropped = Expectation::Judged(|_| Judgement::new(Verdict::Warn, ""), "");
            for expect in [
                Expectation::Accepted,
                Expectation::Keeps(&[]),
                Expectation::Declined,
                Expectation::Refused(&[]),
                Expectation::Refused(&[426]),
                Expectation::Ignored,
                dropped,
            ] {
                check(CASE.expect(expect), &[(refused(status), Verdict::Inconclusive)]);
            }
        }
        check(CASE.expect(Expectation::Accepted), &[(refused(403), Verdict::Fail)]);
    }

    #[test]
    fn a_pong_that_nobody_asked_for_is_no_answer() {
        let beat = || Seen::Pong(Vec::new());
        let both = CaseFacts { seen: vec![beat(), Seen::Pong(b"x".to_vec())], ..open() };
        check(CASE.expect(Expectation::Pongs("x")), &[(both, Verdict::Pass)]);
        let beaten = CaseFacts { seen: vec![beat()], ..closed(1000) };
        check(CASE.send(&["/close"]).expect(Expectation::Silence), &[(beaten, Verdict::Pass)]);
        let answered = CaseFacts { seen: vec![Seen::Pong(b"x".to_vec())], ..closed(1000) };
        let case = CASE.send(&["/close", "/frame ping x"]).expect(Expectation::Silence);
        check(case, &[(answered, Verdict::Fail)]);
    }

    #[test]
    fn a_client_that_comes_back_later_each_time_does_so_each_time() {
        let got = |tenths: &[u64], timed_out| {
            let round_trips = tenths.iter().map(|it| Duration::from_millis(100 * it)).collect();
            returns(&CaseFacts { round_trips, timed_out, ..open() }).got
        };
        for (tenths, late, text) in [
            (&[1, 2, 4, 8][..], false, "it connects again, after a longer pause each time"),
            (&[1, 1, 1, 1], false, "it connects again; the pauses do not grow"),
            (&[9, 5, 3, 1], false, "it connects again; the pauses do not grow"),
            (
                &[1, 9, 2, 3],
                false,
                "it connects again; the last pause is longer than the first, but not every pause grows",
            ),
            (&[1, 2], true, "it connects again 2 times, then does not connect again within 10 s"),
            (&[1], false, "it connects again 1 time, then does not connect again"),
            (&[], true, "it does not connect again within 10 s"),
            (&[], false, "it does not connect again"),
        ] {
            assert_eq!(got(tenths, late), text, "{tenths:?}");
        }
    }

    #[test]
    fn a_server_that_breaks_a_rule_itself_fails() {
        let seen = vec![Seen::Violation("a masked frame".into())];
        check(CASE, &[(CaseFacts { seen, ..ponged() }, Verdict::Fail)]);
    }
}
