//! Failing the connection when the peer breaks a rule, RFC 6455 §7.1.7, and going on in spite of
//! it when asked to be lenient.

use std::time::Duration;

use super::common::frames::*;
use super::common::party::Party;
use super::ended;
use wscope::event::{Cause, Lost, Side};
use wscope::session::Limits;
use wscope::session::endpoint::State;
use wscope::wire::violation::CATALOGUE;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Control, Data, OpCode, ViolationKind as K};

fn with_rsv2(frame: RawFrame) -> RawFrame {
    RawFrame { rsv2: true, ..frame }
}

/// Each kind that a frame of this peer can show, with the code it is failed with.
fn breaches() -> Vec<(RawFrame, K, u16)> {
    vec![
        (RawFrame { rsv1: true, ..frame(TEXT, "") }, K::Rsv1WithoutExtension, 1002),
        (with_rsv2(frame(PING, "not answered")), K::Rsv2OrRsv3, 1002),
        (frame(OpCode::Data(Data::Reserved(3)), ""), K::ReservedDataOpcode, 1002),
        (frame(OpCode::Control(Control::Reserved(11)), ""), K::ReservedControlOpcode, 1002),
        (fragment(PING, ""), K::FragmentedControl, 1002),
        (frame(PING, [0; 126]), K::ControlTooLong, 1002),
        (frame(CONTINUATION, ""), K::UnexpectedContinuation, 1002),
        (RawFrame { announced: Some(1 << 63), ..frame(TEXT, "") }, K::LengthTopBit, 1002),
        (frame(TEXT, b"\xff"), K::InvalidUtf8, 1007),
        (frame(TEXT, b"\xe2\x82"), K::TruncatedUtf8, 1007),
        (frame(CLOSE, "x"), K::CloseBodyOfOneByte, 1002),
        (frame(CLOSE, close_payload(1005, "")), K::IllegalCloseCode, 1002),
        (frame(CLOSE, close_payload(1000, b"\xff")), K::CloseReasonNotUtf8, 1007),
        (RawFrame { announced: Some(1 << 62), ..frame(TEXT, "") }, K::MessageTooBig, 1009),
    ]
}

#[test]
fn a_breach_fails_the_connection_with_the_code_of_its_rule() {
    for (breach, kind, code) in breaches() {
        for mut party in Party::both(|_| {}) {
            party.receive([breach.clone()]);
            let reason = kind.rule().explanation;
            let reason = wscope::wire::close::fit_reason(reason);
            assert_eq!(party.sent_messages(), [(CLOSE, close_payload(code, reason))], "{kind:?}");
            assert_eq!((party.state(), party.ending().by), (State::Closing, Side::Us));
            let Cause::Violation(violation) = party.ending().cause else { panic!("{kind:?}") };
            assert_eq!(violation.kind, kind);
            assert_eq!(kind.rule().close.map(u16::from), Some(code), "as the catalogue says");
        }
    }
}

#[test]
fn frames_of_the_wrong_masking_fail_the_connection() {
    let mut server = Party::server();
    server.receive_bytes(&bytes([frame(TEXT, "")]));
    assert!(
        matches!(server.ending().cause, Cause::Violation(v) if v.kind == K::UnmaskedFrameFromClient)
    );
    let mut client = Party::client();
    client.receive_bytes(&bytes([RawFrame { mask: Some(KEY), ..frame(TEXT, "") }]));
    assert!(
        matches!(client.ending().cause, Cause::Violation(v) if v.kind == K::MaskedFrameFromServer)
    );
}

#[test]
fn every_reason_fits_a_close_frame_whole() {
    for rule in CATALOGUE {
        assert!(rule.explanation.len() <= wscope::wire::close::MAX_REASON_LEN, "{}", rule.name);
    }
}

#[test]
fn nothing_is_processed_after_a_failure() {
    for mut party in Party::both(|_| {}) {
        party.receive([with_rsv2(frame(TEXT, "bad")), frame(PING, ""), frame(TEXT, "good")]);
        party.receive([frame(CLOSE, close_payload(1000, "")), frame(CONTINUATION, "")]);
        assert_eq!(party.sent_messages().len(), 1, "our Close is the last word");
        assert_eq!((party.messages.len(), party.ending().received), (0, None));
        assert!(!party.endpoint.is_receiving());
    }
}

#[test]
fn a_failed_connection_has_a_second_to_end() {
    for mut party in Party::both(|_| {}) {
        party.receive([with_rsv2(frame(TEXT, ""))]);
        let cause = party.ending().cause;
        assert_eq!(party.next_deadline(), Some(Duration::from_secs(1)));
        party.wait(Duration::from_secs(1));
        ended(&party, Side::Us, cause);
    }
}

#[test]
fn a_failed_connection_that_breaks_was_failed() {
    for mut party in Party::both(|_| {}) {
        party.receive([with_rsv2(frame(TEXT, ""))]);
        let cause = party.ending().cause;
        party.endpoint.end_of_stream(Lost::Reset);
        ended(&party, Side::Us, cause);
    }
}

#[test]
fn a_breach_after_our_close_sends_no_second_one() {
    for mut party in Party::both(|_| {}) {
        party.close(Some(1000), "");
        party.receive([with_rsv2(frame(TEXT, ""))]);
        assert_eq!(party.sent_messages(), [(CLOSE, close_payload(1000, ""))]);
        assert!(matches!(party.ending().cause, Cause::Violation(_)));
    }
}

#[test]
fn a_frame_after_the_peers_close_changes_nothing() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(CLOSE, ""), frame(TEXT, "")]);
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Peer, Cause::Closed);
    }
}

#[test]
fn a_lenient_endpoint_goes_on_while_frames_can_be_found() {
    for (breach, kind, code) in breaches() {
        if code == 1009 || kind == K::LengthTopBit || breach.opcode == CLOSE {
            continue;
        }
        for mut party in Party::both(|config| config.lenient = true) {
            party.receive([breach.clone(), frame(CONTINUATION, ""), frame(PING, "still here?")]);
            assert!(party.sent_messages().contains(&(PONG, b"still here?".to_vec())), "{kind:?}");
            assert_eq!(party.state(), State::Open, "{kind:?}");
        }
    }
}

#[test]
fn a_lenient_endpoint_fails_where_frames_can_no_longer_be_found_or_held() {
    for (breach, kind, code) in breaches() {
        if code != 1009 && kind != K::LengthTopBit {
            continue;
        }
        for mut party in Party::both(|config| config.lenient = true) {
            party.receive([breach.clone()]);
            assert!(matches!(party.ending().cause, Cause::Violation(v) if v.kind == kind));
        }
    }
}

#[test]
fn a_lenient_endpoint_answers_a_broken_close_legally() {
    let answers = [
        (b"x".to_vec(), Vec::new()),
        (close_payload(1005, ""), close_payload(1002, "")),
        (close_payload(1000, b"\xff"), close_payload(1000, "")),
    ];
    for (close, answer) in answers {
        for mut party in Party::both(|config| config.lenient = true) {
            party.receive([frame(CLOSE, &close)]);
            assert_eq!(party.sent_messages(), [(CLOSE, answer.clone())]);
            party.endpoint.end_of_stream(Lost::EndOfStream);
            ended(&party, Side::Peer, Cause::Closed);
        }
    }
}

#[test]
fn a_message_beyond_the_limit_fails_the_connection_before_its_payload() {
    let mut party = Party::client().limited(Limits { message: 4, ..Limits::default() });
    party.receive_bytes(b"\x81\x05");
    let sent_messages = party.sent_messages();
    assert!(
        matches!(&sent_messages[..], [(CLOSE, payload)] if payload.starts_with(&1009u16.to_be_bytes()))
    );
}
