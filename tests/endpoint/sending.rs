//! What an endpoint sends, and what it refuses to send.

use std::collections::HashSet;

use super::common::frames::*;
use super::common::party::Party;
use super::common::seen::Seen;
use wscope::session::endpoint::SendError;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Data, FrameHeader};

fn headers(seen: &[Seen]) -> Vec<FrameHeader> {
    let header = |event: &Seen| match event {
        Seen::Start(_, header) => Some(*header),
        _ => None,
    };
    seen.iter().filter_map(header).collect()
}

fn with_deflate(params: DeflateParams) -> [Party; 2] {
    Party::both(|config| config.deflate = Some(params))
}

#[test]
fn a_message_is_one_frame() {
    for mut party in Party::both(|_| {}) {
        party.send(Data::Text, "Hello");
        party.send(Data::Binary, []);
        assert_eq!(party.sent_messages(), [(TEXT, b"Hello".to_vec()), (BINARY, Vec::new())]);
    }
}

#[test]
fn a_client_masks_every_frame_with_a_key_of_its_own() {
    let mut client = Party::client();
    (0..5000).for_each(|_| client.send(Data::Text, "Hello"));
    client.ping("");
    client.close(None, "");
    let keys: Vec<_> = headers(&client.sent()).iter().map(|header| header.mask).collect();
    assert!(keys.iter().all(Option::is_some));
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 5002);
}

#[test]
fn a_server_never_masks() {
    let mut server = Party::server();
    server.send(Data::Text, "Hello");
    server.ping("");
    server.receive([frame(PING, "")]);
    server.close(None, "");
    let sent = headers(&server.sent());
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|header| header.mask.is_none()));
}

#[test]
fn fragments_have_the_opcode_in_the_first_and_fin_in_the_last() {
    for mut party in Party::both(|_| {}) {
        for (piece, last) in [("a", false), ("b", false), ("c", true), ("d", true)] {
            let Party { endpoint, out, .. } = &mut party;
            assert_eq!(endpoint.send_fragment(Data::Text, piece.as_bytes(), last, out), Ok(()));
        }
        let sent = headers(&party.sent());
        let told: Vec<_> = sent.iter().map(|header| (header.opcode, header.fin)).collect();
        let first = (TEXT, false);
        assert_eq!(told, [first, (CONTINUATION, false), (CONTINUATION, true), (TEXT, true)]);
    }
}

#[test]
fn control_frames_go_between_fragments() {
    for mut party in Party::both(|_| {}) {
        let Party { endpoint, out, now, .. } = &mut party;
        assert_eq!(endpoint.send_fragment(Data::Text, b"a", false, out), Ok(()));
        assert_eq!(endpoint.send_ping(b"?", *now, out), Ok(()));
        party.receive([frame(PING, "!")]);
        let Party { endpoint, out, .. } = &mut party;
        assert_eq!(endpoint.send_fragment(Data::Text, b"b", true, out), Ok(()));
        let sent_messages = [(PING, b"?".to_vec()), (PONG, b"!".to_vec()), (TEXT, b"ab".to_vec())];
        assert_eq!(party.sent_messages(), sent_messages);
    }
}

#[test]
fn compressed_messages_carry_rsv1_on_their_first_frame_only() {
    for mut party in with_deflate(DeflateParams::default()) {
        let Party { endpoint, out, now, .. } = &mut party;
        assert_eq!(endpoint.send_fragment(Data::Text, b"Hello, ", false, out), Ok(()));
        assert_eq!(endpoint.send_ping(b"", *now, out), Ok(()));
        assert_eq!(endpoint.send_fragment(Data::Text, b"", false, out), Ok(()));
        assert_eq!(endpoint.send_fragment(Data::Text, b"Hello", true, out), Ok(()));
        let sent = party.sent();
        let rsv1: Vec<_> = headers(&sent).iter().map(|header| header.rsv1).collect();
        assert_eq!(rsv1, [true, false, false, false]);
        assert!(!sent.iter().any(|event| matches!(event, Seen::Violation(_))));
        let data = sent.iter().filter_map(|event| match event {
            Seen::Data(bytes) => Some(&bytes[..]),
            _ => None,
        });
        assert_eq!(data.collect::<Vec<_>>().concat(), b"Hello, Hello");
    }
}

#[test]
fn context_takeover_makes_a_repeated_message_smaller() {
    let lengths = |params: DeflateParams| {
        with_deflate(params).map(|mut party| {
            (0..2).for_each(|_| party.send(Data::Text, "some words worth repeating"));
            let sent = headers(&party.sent());
            (sent[0].len, sent[1].len)
        })
    };
    assert!(lengths(DeflateParams::default()).iter().all(|(first, second)| second < first));
    let forgetful = DeflateParams {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..DeflateParams::default()
    };
    assert!(lengths(forgetful).iter().all(|(first, second)| second == first));
}

#[test]
fn a_window_of_8_bits_can_only_be_left_unused() {
    let smallest = DeflateParams {
        server_max_window_bits: 8,
        client_max_window_bits: 8,
        ..DeflateParams::default()
    };
    for mut party in with_deflate(smallest) {
        party.send(Data::Text, "Hello");
        assert_eq!(party.endpoint.compresses(), Some(false));
        assert!(headers(&party.sent()).iter().all(|header| !header.rsv1 && header.len == 5));
    }
}

#[test]
fn compression_is_chosen_for_each_message() {
    for mut party in with_deflate(DeflateParams::default()) {
        assert_eq!(party.endpoint.compresses(), Some(true));
        let words = "some words worth repeating";
        party.send(Data::Text, words);
        party.endpoint.set_compress(false);
        party.send(Data::Text, words);
        party.endpoint.set_compress(true);
        party.send(Data::Text, words);
        let Party { endpoint, out, .. } = &mut party;
        assert_eq!(endpoint.send_fragment(Data::Text, b"words ", false, out), Ok(()));
        assert!(endpoint.is_fragmenting());
        endpoint.set_compress(false);
        assert_eq!(endpoint.send_fragment(Data::Text, b"worth", true, out), Ok(()));
        assert!(!endpoint.is_fragmenting());
        party.send(Data::Text, "repeating");
        assert_eq!(party.endpoint.compresses(), Some(false));
        let sent = party.sent();
        let rsv1: Vec<_> = headers(&sent).iter().map(|header| header.rsv1).collect();
        assert_eq!(rsv1, [true, false, true, true, false, false]);
        assert!(headers(&sent)[2].len < headers(&sent)[0].len, "the context was kept");
        assert!(!sent.iter().any(|event| matches!(event, Seen::Violation(_))));
        let compressed = sent.iter().filter_map(|event| match event {
            Seen::Message(info) => Some(info.compressed),
            _ => None,
        });
        assert_eq!(compressed.collect::<Vec<_>>(), [true, false, true, true, false]);
    }
}

#[test]
fn compression_that_was_not_agreed_can_not_be_chosen() {
    for mut party in Party::both(|_| {}) {
        party.endpoint.set_compress(true);
        party.send(Data::Text, "plain");
        assert_eq!(party.endpoint.compresses(), None);
        assert_eq!(party.sent_messages(), [(TEXT, b"plain".to_vec())]);
    }
}

#[test]
fn a_raw_frame_goes_out_bit_by_bit() {
    for mut party in Party::both(|_| {}) {
        let raw = RawFrame { rsv3: true, fin: false, mask: Some(KEY), ..frame(PONG, "abc") };
        let Party { endpoint, now, out, .. } = &mut party;
        endpoint.send_raw(&raw, *now, out);
        assert_eq!(party.out, bytes([raw]));
        assert!(party.endpoint.is_open());
    }
}

#[test]
fn a_ping_made_by_hand_has_its_round_trip() {
    let mut party = Party::server();
    let Party { endpoint, now, out, .. } = &mut party;
    endpoint.send_raw(&frame(PING, "raw"), *now, out);
    party.receive([frame(PONG, "raw")]);
    assert_eq!(party.round_trips.len(), 1);
}

/// `SendError::NotOpen`
#[test]
fn not_open() {
    let over: [fn(&mut Party); 4] = [
        |party| party.close(None, ""),
        |party| party.receive([frame(CLOSE, "")]),
        |party| party.receive([frame(CLOSE, "x")]),
        |party| party.endpoint.drop_connection(),
    ];
    for end in over {
        for mut party in Party::both(|_| {}) {
            end(&mut party);
            party.sent_messages();
            let Party { endpoint, now, out, .. } = &mut party;
            let refused = Err(SendError::NotOpen);
            assert_eq!(endpoint.send_message(Data::Text, b"", out), refused);
            assert_eq!(endpoint.send_fragment(Data::Text, b"", true, out), refused);
            assert_eq!(endpoint.send_ping(b"", *now, out), refused);
            assert_eq!(endpoint.send_pong(b"", out), refused);
            assert_eq!(endpoint.close(None, "", *now, out), refused);
            assert_eq!(party.out, b"", "nothing was written");
        }
    }
}

/// `SendError::CloseCode`
#[test]
fn close_code() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
        let mut party = Party::client();
        let Party { endpoint, now, out, .. } = &mut party;
        let refused = endpoint.close(Some(code), "", *now, out);
        assert_eq!(refused, Err(SendError::CloseCode(code)));
        assert!(party.endpoint.is_open() && party.out.is_empty());
    }
}

/// `SendError::ReasonTooLong`
#[test]
fn reason_too_long() {
    let mut party = Party::client();
    let Party { endpoint, now, out, .. } = &mut party;
    let refused = endpoint.close(Some(1000), &"x".repeat(124), *now, out);
    assert_eq!(refused, Err(SendError::ReasonTooLong(124)));
    assert_eq!(endpoint.close(Some(1000), &"x".repeat(123), *now, out), Ok(()));
}

/// `SendError::ControlTooLong`
#[test]
fn control_too_long() {
    for mut party in Party::both(|_| {}) {
        let Party { endpoint, now, out, .. } = &mut party;
        let refused = Err(SendError::ControlTooLong(126));
        assert_eq!(endpoint.send_ping(&[0; 126], *now, out), refused);
        assert_eq!(endpoint.send_pong(&[0; 126], out), refused);
        assert_eq!(endpoint.send_ping(&[0; 125], *now, out), Ok(()));
    }
}

#[test]
fn an_error_names_what_to_do() {
    let errors = [
        (SendError::NotOpen, "the connection is closing, nothing more can be sent"),
        (SendError::ReasonTooLong(200), "a close reason has at most 123 bytes, this one has 200"),
    ];
    for (error, text) in errors {
        assert_eq!(error.to_string(), text);
    }
    assert!(SendError::CloseCode(1005).to_string().contains("use 1000 to 1003"));
}
