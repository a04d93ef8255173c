//! A whole connection against random scripts: what the fuzz target `connection` does for hours, for
//! a few seconds.

#[path = "common/driver.rs"]
mod driver;

use proptest::prelude::*;
use wscope::wire::fault::CATALOGUE;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_script_does_a_connection_keeps_its_promises(
        // Long messages cost most of the time.
        script in prop::collection::vec(prop_oneof![15 => 0..240_u8, 1 => 0..=255_u8], 0..150),
    ) {
        driver::drive(&script);
    }

    #[test]
    fn both_legs_of_a_relay_pass_on_every_byte_and_see_it(
        script in prop::collection::vec(prop_oneof![15 => 0..240_u8, 1 => 0..=255_u8], 0..150),
    ) {
        driver::relay(&script);
    }
}

/// A message waits in the queue, and part of a full send buffer has left.
#[test]
fn a_queue_behind_a_buffer_that_is_half_sent_waits_for_the_socket() {
    driver::drive(&[0, 0, 0, 0x1a, 255, 5, 244, 0x08, 10, 0x0a, 0]);
}

/// A peer that takes what it is sent is read, also while a producer keeps the send buffer from
/// being empty.
#[test]
fn a_peer_is_read_although_a_producer_never_rests() {
    let mut script = vec![0, 4, 0];
    // The echo of a long message fills the send buffer.
    script.extend([0x10, 0, 255, 4, 255]);
    for _ in 0..9 {
        // The peer takes 100 kB; a file that asks for room sends as much.
        script.extend([5, 244, 0x3a, 244]);
    }
    script.extend([5, 244, 0x12, 255]);
    assert_eq!(driver::unread(&script), 0);
}

/// A reader that takes 100 bytes at once gets a megabyte all the same.
#[test]
fn a_slow_reader_of_stdout_gets_everything() {
    driver::drive(&SLOW_READER);
}

/// The answer to a Close that comes after our half-close is not sent, so it is not shown.
#[test]
fn what_is_made_behind_our_end_is_not_observed() {
    driver::drive(&[0, 128, 80]);
}

/// A reader of ours that takes message by message: what the connection has kept meanwhile is no
/// measure for what it receives next.
#[test]
fn a_buffer_kept_for_a_slow_reader_is_not_read_into() {
    let mut script = vec![1, 2, 0xf0, 0x61, 200, 250, 0xf0, 0x61, 13, 6, 13];
    script.extend([0x00, 0x11, 255, 6, 13]);
    driver::drive(&script);
}

/// Nobody has to wake a connection for what waits in its queue.
#[test]
fn a_long_queue_is_sent_once_the_peer_reads() {
    driver::drive(&[0, 0, 0, 9, 255, 9, 255, 9, 255, 6]);
}

/// Whatever goes wrong on purpose, and whenever, no turn is wanted in vain and the end comes.
#[test]
fn every_fault_ends_and_keeps_no_core_busy() {
    for (fault, when) in (0..CATALOGUE.len() as u8).flat_map(|fault| [(fault, 0), (fault, 1)]) {
        for role in 0..2 {
            let mut script = vec![2 | role, 0xc4, 0x0b, fault, when];
            // Messages that arrive in parts, a reader that stalls, and time.
            script.extend([0x10, 0, 40, 4, 100, 5, 20, 0x37, 0x51, 9, 150, 0x28, 240, 0x77, 6]);
            script.extend([0x00, 0x1b, 230, 4, 50, 0x97, 6, 0xd7, 0x32, 99, 5, 5, 0xe7]);
            driver::drive(&script);
        }
    }
}

/// A frame that breaks two rules, one that is in order, and bytes that are none go through a relay
/// as they are. One peer ends its stream first; the other goes on until it does, too.
#[test]
fn a_relay_passes_on_what_is_illegal_and_each_end_for_itself() {
    let illegal = [0x70, 7, 0xf3, 0x00, 9, 0x81, 0x06, 50];
    let pumped = [0x07, 250, 0x8a, 250];
    let first_end = [0x0d, 0];
    let answers = [0x80, 200, 0, 0x87, 250, 0x0a, 250];
    let script = [&[0][..], &illegal, &pumped, &first_end, &answers, &[0x8d, 0]].concat();
    driver::relay(&script);
}

/// A peer that resets its connection resets the other one, after what it had sent.
#[test]
fn a_relay_passes_on_a_reset() {
    driver::relay(&[0, 0x00, 50, 0x07, 200, 0x8a, 1, 0x7e, 0, 0x8a, 200]);
}

/// A fault that drips a byte each few milliseconds, with much to send, notices a reset.
#[test]
fn a_reset_ends_a_fault_that_drips() {
    let script =
        *b"\xf8\xf6\x68\xbf\x0f\0\0\0\x40\xff\xff\xfe\xd8\xf6\x68\x44\0\x44\xff\xff\xff\x11";
    driver::drive(&script);
    driver::drive(
        b"\xf9\xff\x7e\x7d\xfd\x29\x10\x82\x33\x61\x66\x8c\x96\x9c\x7e\x18\0\x61\x66\x8e\x96\x9c\x7e\0\0\0\0\0\0\
          \0\0\xfc\xf7",
    );
}

/// Found by fuzzing.
#[test]
fn pings_that_wait_behind_a_piece_are_answered_in_order() {
    driver::drive(b"\x05\x02\x88\x15\x23\0\0\0\xce\xa2\x50\xff\xef\x9b\xf0\x97\x06\xf0\x97\x06");
}

#[rustfmt::skip] // a script of the fuzz target
const SLOW_READER: [u8; 121] = [
    255, 255, 186, 126, 97, 48, 97, 99, 125, 0, 0, 255, 255, 255, 0, 0, 255, 255,
    255, 255, 255, 0, 255, 253, 253, 253, 253, 0, 0, 0, 47, 161, 161, 161, 161, 15,
    161, 166, 122, 161, 161, 161, 161, 161, 161, 98, 244, 125, 253, 126, 48, 130, 177, 108,
    97, 177, 125, 126, 48, 130, 253, 177, 177, 41, 126, 48, 130, 253, 136, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 139, 177, 247, 109, 50, 9, 50, 58, 93,
];
