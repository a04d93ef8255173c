//! Pings of the endpoint's own, and what counts as life.

use std::time::Duration;

use super::common::frames::*;
use super::common::party::Party;
use super::ended;
use wscope::event::{Cause, Lost, Side, TimeoutKind};
use wscope::session::endpoint::State;

const SECOND: Duration = Duration::from_secs(1);

/// Both roles, with a ping every ten seconds and three seconds to show life.
fn parties() -> [Party; 2] {
    Party::both(|config| {
        config.ping_interval = Some(10 * SECOND);
        config.pong_timeout = 3 * SECOND;
    })
}

fn silent() -> Cause {
    Cause::Timeout(TimeoutKind::Pong)
}

#[test]
fn without_interval_there_is_nothing_to_do() {
    for mut party in Party::both(|_| {}) {
        assert_eq!(party.next_deadline(), None);
        party.wait(3600 * SECOND);
        assert_eq!((party.sent_messages(), party.state()), (vec![], State::Open));
    }
}

#[test]
fn a_ping_goes_out_every_interval_each_with_a_payload_of_its_own() {
    for mut party in parties() {
        let mut payloads = Vec::new();
        for _ in 0..3 {
            assert_eq!(party.next_deadline(), Some(10 * SECOND));
            party.wait(9 * SECOND);
            assert_eq!(party.sent_messages(), []);
            party.wait(SECOND);
            let [(PING, payload)] = &party.sent_messages()[..] else { panic!("one ping") };
            party.receive([frame(PONG, payload)]);
            payloads.push(payload.clone());
        }
        payloads.dedup();
        assert_eq!((payloads.len(), party.round_trips.len()), (3, 3));
    }
}

#[test]
fn silence_after_a_ping_ends_the_connection() {
    for mut party in parties() {
        party.wait(10 * SECOND);
        party.sent_messages();
        assert_eq!(party.next_deadline(), Some(3 * SECOND));
        party.wait(3 * SECOND);
        let reason = TimeoutKind::Pong.what();
        assert_eq!(party.sent_messages(), [(CLOSE, close_payload(1001, reason))]);
        party.wait(SECOND);
        ended(&party, Side::Us, silent());
    }
}

#[test]
fn any_byte_counts_as_life() {
    for mut party in parties() {
        party.wait(10 * SECOND);
        party.receive_bytes(b"\x81"); // not even a header
        party.wait(9 * SECOND);
        assert_eq!(party.state(), State::Open);
    }
}

#[test]
fn a_ping_that_is_due_during_silence_does_not_prolong_it() {
    let mut party = Party::both(|config| {
        config.ping_interval = Some(SECOND);
        config.pong_timeout = 3 * SECOND;
    });
    for party in &mut party {
        (0..3).for_each(|_| party.wait(SECOND));
        assert_eq!(party.sent_messages().len(), 3);
        party.wait(SECOND);
        assert!(matches!(party.ending().cause, Cause::Timeout(TimeoutKind::Pong)));
    }
}

#[test]
fn pings_of_the_user_are_not_watched() {
    for mut party in parties() {
        party.ping("mine");
        party.wait(9 * SECOND);
        assert_eq!(party.state(), State::Open);
    }
}

#[test]
fn no_pings_once_the_connection_is_closing() {
    for mut party in parties() {
        party.wait(10 * SECOND);
        party.close(None, "");
        party.sent_messages();
        party.receive([frame(CLOSE, "")]);
        assert_eq!(party.next_deadline(), Some(SECOND), "only its end is awaited");
        party.wait(SECOND);
        assert_eq!(party.sent_messages(), []);
        ended(&party, Side::Us, Cause::Closed);
    }
}

#[test]
fn a_close_by_hand_ends_the_pings_too() {
    let [_, mut party] = parties();
    party.wait(SECOND * 9);
    let Party { endpoint, now, out, .. } = &mut party;
    endpoint.send_raw(&frame(CLOSE, ""), *now, out);
    assert_eq!(party.next_deadline(), Some(5 * SECOND), "only its answer is awaited");
    party.receive([frame(CLOSE, "")]);
    party.sent_messages();
    party.wait(60 * SECOND);
    assert_eq!(party.sent_messages(), []);
}

#[test]
fn a_silent_peer_that_breaks_during_the_last_words_was_silent() {
    for mut party in parties() {
        party.wait(10 * SECOND);
        party.wait(3 * SECOND);
        party.endpoint.end_of_stream(Lost::EndOfStream);
        ended(&party, Side::Us, silent());
    }
}
