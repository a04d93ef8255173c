//! Pings and pongs: RFC 6455 §5.5.2 and §5.5.3.

use std::time::Duration;

use super::common::frames::*;
use super::common::party::Party;
use wscope::session::endpoint::{AutoPong, PONGS_WAITING};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn every_ping_has_its_own_pong_with_the_same_payload() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(PING, "a"), frame(PING, ""), frame(PING, "a"), frame(PING, [7; 125])]);
        let pongs = [&b"a"[..], b"", b"a", &[7; 125]].map(|payload| (PONG, payload.to_vec()));
        assert_eq!(party.sent_messages(), pongs);
    }
}

#[test]
fn a_ping_between_fragments_is_answered_at_once() {
    for mut party in Party::both(|_| {}) {
        party.receive([fragment(TEXT, "un"), frame(PING, "now")]);
        assert_eq!(party.sent_messages(), [(PONG, b"now".to_vec())]);
    }
}

#[test]
fn a_ping_after_the_peers_close_is_not_answered() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(CLOSE, ""), frame(PING, "late")]);
        assert_eq!(party.sent_messages(), [(CLOSE, Vec::new())]);
    }
}

#[test]
fn a_ping_between_our_close_and_the_peers_is_answered() {
    for mut party in Party::both(|_| {}) {
        party.close(None, "");
        party.receive([frame(PING, "still here?"), frame(CLOSE, ""), frame(PING, "late")]);
        assert_eq!(party.sent_messages(), [(CLOSE, Vec::new()), (PONG, b"still here?".to_vec())]);
    }
}

#[test]
fn a_pong_that_waits_is_sent_after_our_close_too() {
    let delay = AutoPong::Delay(SECOND);
    for mut party in Party::both(|config| config.auto_pong = delay) {
        party.receive([frame(PING, "a")]);
        party.close(None, "");
        party.wait(SECOND);
        assert_eq!(party.sent_messages(), [(CLOSE, Vec::new()), (PONG, b"a".to_vec())]);
    }
}

#[test]
fn pings_do_not_prolong_the_wait_for_the_peers_close() {
    for mut party in Party::both(|config| config.close_timeout = 3 * SECOND) {
        party.close(None, "");
        for _ in 0..2 {
            party.wait(SECOND);
            party.receive([frame(PING, "still here?")]);
            // Nothing but the pong waits to leave: the Close has left.
            party.endpoint.note_sent(1, party.now);
        }
        assert_eq!(party.next_deadline(), Some(SECOND));
        // What was to be sent before the Close is leaving.
        party.endpoint.note_sent(1000, party.now);
        assert_eq!(party.next_deadline(), Some(3 * SECOND));
    }
}

#[test]
fn pongs_can_be_withheld() {
    for mut party in Party::both(|config| config.auto_pong = AutoPong::Off) {
        party.receive([frame(PING, "anyone?")]);
        assert_eq!(party.sent_messages(), []);
    }
}

#[test]
fn a_pong_nobody_asked_for_is_not_answered() {
    for mut party in Party::both(|_| {}) {
        party.receive([frame(PONG, "hello")]);
        assert_eq!((party.sent_messages(), &party.round_trips[..]), (vec![], &[][..]));
    }
}

#[test]
fn a_pong_can_be_sent_unasked() {
    for mut party in Party::both(|_| {}) {
        assert_eq!(party.endpoint.send_pong(b"here", &mut party.out), Ok(()));
        assert_eq!(party.sent_messages(), [(PONG, b"here".to_vec())]);
    }
}

#[test]
fn a_pong_reports_the_round_trip_of_its_ping() {
    for mut party in Party::both(|_| {}) {
        party.ping("one");
        party.wait(SECOND);
        party.ping("two");
        party.wait(SECOND);
        party.receive([frame(PONG, "one")]);
        party.wait(SECOND);
        party.receive([frame(PONG, "two"), frame(PONG, "two")]);
        assert_eq!(party.round_trips, [2 * SECOND, 2 * SECOND], "each ping is answered once");
    }
}

#[test]
fn a_pong_answers_all_pings_before_its_own() {
    for mut party in Party::both(|_| {}) {
        ["one", "two", "three"].iter().for_each(|payload| party.ping(payload));
        party.receive([frame(PONG, "two"), frame(PONG, "one"), frame(PONG, "three")]);
        assert_eq!(party.round_trips.len(), 2, "one was answered together with two");
    }
}

#[test]
fn a_pong_during_our_close_still_counts() {
    for mut party in Party::both(|_| {}) {
        party.ping("one");
        party.close(None, "");
        party.receive([frame(PONG, "one")]);
        assert_eq!(party.round_trips.len(), 1);
    }
}

#[test]
fn pings_that_are_never_answered_are_forgotten_in_time() {
    let mut party = Party::client();
    (0..5000).for_each(|n| party.ping(format!("{n}")));
    party.receive([frame(PONG, "0"), frame(PONG, "4999")]);
    assert_eq!(party.round_trips.len(), 1, "the first one is long gone");
}

fn delayed(by: Duration) -> [Party; 2] {
    Party::both(|config| config.auto_pong = AutoPong::Delay(by))
}

#[test]
fn a_delayed_pong_is_sent_when_its_time_has_come() {
    for mut party in delayed(3 * SECOND) {
        party.receive([frame(PING, "one")]);
        party.wait(SECOND);
        party.receive([frame(PING, "two")]);
        let waiting = party.endpoint.ping_facts(party.now).ignored;
        assert_eq!((party.sent_messages(), waiting), (vec![], 2));
        assert_eq!(party.next_deadline(), Some(2 * SECOND));
        party.wait(2 * SECOND);
        assert_eq!(party.sent_messages(), [(PONG, b"one".to_vec())]);
        party.wait(SECOND);
        assert_eq!(party.sent_messages(), [(PONG, b"two".to_vec())]);
        assert_eq!(party.next_deadline(), None);
    }
}

#[test]
fn a_shorter_delay_overtakes_a_longer_one() {
    for mut party in delayed(10 * SECOND) {
        party.receive([frame(PING, "slow")]);
        party.endpoint.set_auto_pong(AutoPong::Delay(SECOND));
        party.receive([frame(PING, "quick")]);
        party.wait(SECOND);
        assert_eq!(party.sent_messages(), [(PONG, b"quick".to_vec())]);
        party.endpoint.set_auto_pong(AutoPong::On);
        party.receive([frame(PING, "at once")]);
        assert_eq!(party.sent_messages(), [(PONG, b"at once".to_vec())]);
        party.wait(9 * SECOND);
        assert_eq!(party.sent_messages(), [(PONG, b"slow".to_vec())], "it kept its time");
    }
}

#[test]
fn pongs_that_wait_are_forgotten_when_pongs_are_withheld() {
    for mut party in delayed(SECOND) {
        party.receive([frame(PING, "never")]);
        party.endpoint.set_auto_pong(AutoPong::Off);
        assert_eq!((party.endpoint.auto_pong(), party.next_deadline()), (AutoPong::Off, None));
        party.wait(SECOND);
        assert_eq!(party.sent_messages(), []);
    }
}

#[test]
fn no_delayed_pong_follows_the_peers_close() {
    let ends: [fn(&mut Party); 2] =
        [|party| party.receive([frame(CLOSE, "")]), |party| party.endpoint.drop_connection()];
    for end in ends {
        for mut party in delayed(SECOND) {
            party.receive([frame(PING, "late")]);
            end(&mut party);
            party.sent_messages();
            party.wait(SECOND);
            assert_eq!(party.sent_messages(), []);
        }
    }
}

#[test]
fn more_pings_than_can_wait_are_answered_early() {
    let mut party = Party::client();
    party.endpoint.set_auto_pong(AutoPong::Delay(Duration::MAX));
    party.receive((0..PONGS_WAITING + 2).map(|n| frame(PING, format!("{n}"))));
    assert_eq!(party.sent_messages(), [(PONG, b"0".to_vec()), (PONG, b"1".to_vec())]);
    assert_eq!(party.endpoint.ping_facts(party.now).ignored, PONGS_WAITING as u64);
}
