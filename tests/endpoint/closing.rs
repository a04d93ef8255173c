//! The closing handshake, RFC 6455 §5.5.1, §7.1 and §7.4, and every other way to end.

use std::time::Duration;

use super::common::frames::*;
use super::common::party::Party;
use super::ended;
use wscope::event::{Cause, Lost, Side, TimeoutKind};
use wscope::session::endpoint::{SendError, State};
use wscope::wire::close::CloseBody;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Data, Role};

fn body(code: u16, reason: &str) -> Option<CloseBody> {
    Some(CloseBody { code: Some(code), reason: reason.into() })
}

#[test]
fn a_close_is_answered_with_its_code() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(CLOSE, close_payload(1001, "going"))]);
        assert_eq!(party.sent_messages(), [(CLOSE, close_payload(1001, ""))]);
        assert_eq!(party.endpoint.received_close(), body(1001, "going").as_ref());
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Peer, Cause::Closed);
        let ending = party.ending();
        assert_eq!((ending.sent, ending.received), (body(1001, ""), body(1001, "going")));
    }
}

#[test]
fn a_close_without_code_is_answered_without_code() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(CLOSE, "")]);
        assert_eq!(party.sent_messages(), [(CLOSE, Vec::new())]);
        assert_eq!(party.endpoint.received_close(), Some(&CloseBody::default()));
    }
}

#[test]
fn a_second_close_is_not_answered() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(CLOSE, ""), frame(CLOSE, "")]);
        assert_eq!(party.sent_messages().len(), 1);
    }
}

#[test]
fn messages_before_a_close_count_and_those_behind_it_do_not() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(TEXT, "before"), frame(CLOSE, ""), frame(TEXT, "behind")]);
        assert_eq!(party.messages.len(), 1);
    }
}

#[test]
fn our_close_is_answered() {
    for mut party in Party::both(|_| {}) {
        party.close(Some(1000), "done");
        assert_eq!(party.state(), State::Closing);
        assert_eq!(party.sent_messages(), [(CLOSE, close_payload(1000, "done"))]);
        party.receive([frame(TEXT, "on its way"), frame(CLOSE, close_payload(1000, ""))]);
        assert_eq!(party.messages.len(), 1, "what was under way still counts");
        assert_eq!(party.sent_messages(), [], "an answer is not answered");
        party.endpoint.end_of_stream(Lost::Reset);
        // After both Close frames the way TCP ends does not matter.
        ended(&party, Side::Us, Cause::Closed);
    }
}

#[test]
fn both_may_close_at_once() {
    for mut party in Party::both(|_| {}) {
        party.close(Some(1000), "me");
        party.receive([frame(CLOSE, close_payload(1001, "you"))]);
        assert_eq!(party.sent_messages(), [(CLOSE, close_payload(1000, "me"))]);
        assert_eq!(party.ending().received, body(1001, "you"));
    }
}

#[test]
fn our_close_is_not_answered_in_time() {
    for mut party in Party::both(|config| config.close_timeout = Duration::from_secs(3)) {
        party.close(Some(1000), "");
        party.receive([frame(TEXT, "still talking")]);
        assert_eq!(party.next_deadline(), Some(Duration::from_secs(3)));
        party.wait(Duration::from_millis(2999));
        assert_eq!(party.state(), State::Closing);
        party.wait(Duration::from_millis(1));
        ended(&party, Side::Us, Cause::Timeout(TimeoutKind::Close));
    }
}

#[test]
fn a_server_is_done_once_both_have_closed() {
    let mut server = Party::server();
    server.receive([frame(CLOSE, "")]);
    assert!(server.endpoint.is_done(), "it closes the transport first");
}

#[test]
fn a_client_waits_for_the_server_to_end_the_stream_but_not_long() {
    let mut client = Party::client();
    client.receive([frame(CLOSE, "")]);
    assert!(!client.endpoint.is_done());
    assert_eq!(client.next_deadline(), Some(Duration::from_secs(1)));
    client.wait(Duration::from_secs(1));
    ended(&client, Side::Peer, Cause::Closed);
}

#[test]
fn the_stream_ends_while_open() {
    for mut party in Party::both(|_| {}) {
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Peer, Cause::Lost(Lost::EndOfStream));
    }
}

#[test]
fn the_stream_breaks_while_open() {
    for mut party in Party::both(|_| {}) {
        party.endpoint.end_of_stream(Lost::Reset);
        ended(&party, Side::Network, Cause::Lost(Lost::Reset));
    }
}

#[test]
fn the_stream_ends_before_our_close_is_answered() {
    for mut party in Party::both(|_| {}) {
        party.close(Some(1000), "");
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Peer, Cause::Lost(Lost::EndOfStream));
        assert_eq!((party.ending().sent, party.ending().received), (body(1000, ""), None));
    }
}

#[test]
fn the_stream_ends_when_all_is_over() {
    for mut party in Party::both(|_| {}) {
        party.endpoint.drop_connection();
        party.endpoint.end_of_stream(Lost::Reset);
        ended(&party, Side::Us, Cause::Dropped);
    }
}

#[test]
fn a_dropped_connection_has_no_closing_handshake() {
    for mut party in Party::both(|config| config.ping_interval = Some(Duration::from_secs(1))) {
        party.endpoint.drop_connection();
        ended(&party, Side::Us, Cause::Dropped);
        party.wait(Duration::from_secs(60));
        assert_eq!(party.sent_messages(), []);
    }
}

#[test]
fn a_connection_dropped_while_closing_was_dropped() {
    for mut party in Party::both(|_| {}) {
        party.close(None, "");
        party.endpoint.drop_connection();
        ended(&party, Side::Us, Cause::Dropped);
    }
}

#[test]
fn a_deadline_of_the_owner_ends_it_with_a_close() {
    for mut party in Party::both(|_| {}) {
        let Party { endpoint, now, out, .. } = &mut party;
        endpoint.time_out(TimeoutKind::MaxTime, *now, out);
        let reason = TimeoutKind::MaxTime.what();
        assert_eq!(party.sent_messages(), [(CLOSE, close_payload(1001, reason))]);
        party.wait(Duration::from_secs(1));
        ended(&party, Side::Us, Cause::Timeout(TimeoutKind::MaxTime));
    }
}

#[test]
fn a_deadline_that_passes_when_all_is_over_changes_nothing() {
    for mut party in Party::both(|_| {}) {
        party.endpoint.drop_connection();
        let Party { endpoint, now, out, .. } = &mut party;
        endpoint.time_out(TimeoutKind::MaxTime, *now, out);
        assert_eq!(party.sent_messages(), []);
        ended(&party, Side::Us, Cause::Dropped);
    }
}

#[test]
fn an_ending_reports_how_long_it_lasted() {
    let mut party = Party::client();
    party.wait(Duration::from_secs(42));
    party.endpoint.end_of_stream(Lost::EndOfStream);
    assert_eq!(party.ending().duration, Duration::from_secs(42));
}

#[test]
fn a_close_made_by_hand_counts_as_ours() {
    for mut party in Party::both(|_| {}) {
        let mask = (party.role == Role::Client).then_some(KEY);
        let close = RawFrame { mask, ..frame(CLOSE, close_payload(1006, "")) };
        let Party { endpoint, now, out, .. } = &mut party;
        endpoint.send_raw(&close, *now, out);
        assert_eq!(endpoint.send_message(Data::Text, b"", out), Err(SendError::NotOpen));
        party.receive([frame(CLOSE, close_payload(1002, "never 1006"))]);
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Us, Cause::Closed);
        assert_eq!(party.ending().sent, body(1006, ""));
    }
}

#[test]
fn a_close_made_by_hand_is_not_answered_in_time() {
    let mut party = Party::server();
    let Party { endpoint, now, out, .. } = &mut party;
    endpoint.send_raw(&frame(CLOSE, "x"), *now, out);
    party.wait(Duration::from_secs(5));
    ended(&party, Side::Us, Cause::Timeout(TimeoutKind::Close));
}

/// Both roles, with a Close of the peer that is not answered.
fn unanswered() -> [Party; 2] {
    Party::both(|config| config.ping_interval = Some(Duration::from_secs(1))).map(|mut party| {
        party.endpoint.set_auto_close(false);
        party.receive([frame(CLOSE, close_payload(1001, "going"))]);
        assert!(!party.endpoint.auto_close());
        party
    })
}

#[test]
fn a_close_that_is_left_unanswered_leaves_the_rest_to_the_user() {
    for mut party in unanswered() {
        assert_eq!((party.sent_messages(), party.state()), (vec![], State::Open));
        assert_eq!(party.next_deadline(), None, "nothing is awaited");
        assert!(!party.endpoint.is_receiving() && !party.endpoint.is_done());
        assert_eq!(party.endpoint.received_close(), body(1001, "going").as_ref());
        party.send(Data::Text, "but wait");
        party.ping("still there?");
        party.receive([frame(PING, "not answered any more")]);
        assert_eq!(
            party.sent_messages(),
            [(TEXT, b"but wait".to_vec()), (PING, b"still there?".to_vec())]
        );
    }
}

#[test]
fn an_answer_of_the_user_completes_the_closing_handshake() {
    let answers: [fn(&mut Party); 2] = [
        |party| party.close(Some(3000), "at last"),
        |party| {
            let mask = party.endpoint.key();
            let close = RawFrame { mask, ..frame(CLOSE, close_payload(3000, "at last")) };
            let Party { endpoint, now, out, .. } = party;
            endpoint.send_raw(&close, *now, out);
        },
    ];
    for answer in answers {
        for mut party in unanswered() {
            answer(&mut party);
            assert_eq!(party.sent_messages(), [(CLOSE, close_payload(3000, "at last"))]);
            assert_eq!(party.state(), State::Closing);
            assert_eq!(party.endpoint.is_done(), party.role == Role::Server);
            assert_eq!(party.next_deadline(), Some(Duration::from_secs(1)));
            party.wait(Duration::from_secs(1));
            ended(&party, Side::Peer, Cause::Closed);
            let ending = party.ending();
            assert_eq!(
                (ending.sent, ending.received),
                (body(3000, "at last"), body(1001, "going"))
            );
        }
    }
}

#[test]
fn an_unanswered_close_is_no_closing_handshake() {
    for mut party in unanswered() {
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Peer, Cause::Lost(Lost::EndOfStream));
        assert_eq!((party.ending().sent, party.ending().received), (None, body(1001, "going")));
    }
    for mut party in unanswered() {
        party.endpoint.drop_connection();
        ended(&party, Side::Us, Cause::Dropped);
    }
    for mut party in unanswered() {
        let Party { endpoint, now, out, .. } = &mut party;
        endpoint.time_out(TimeoutKind::MaxTime, *now, out);
        party.wait(Duration::from_secs(1));
        ended(&party, Side::Us, Cause::Timeout(TimeoutKind::MaxTime));
    }
}

#[test]
fn a_close_that_answers_ours_needs_no_answer() {
    for mut party in Party::both(|config| config.auto_close = false) {
        party.close(Some(1000), "");
        party.receive([frame(CLOSE, close_payload(1000, ""))]);
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Us, Cause::Closed);
    }
}
