//! Objects of `wscope replay`: differences, failures, and the result.

use super::JsonPrinter;
use crate::event::Stamp;
use crate::ui::replay::{PERCENTILES, ReplayTotals};

/// A member of JSON that differs: its pointer, what was recorded, what was received.
pub type MemberDifference = (String, Option<String>, Option<String>);

/// A difference from the recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The number of the message, from 1.
    pub message: u64,
    /// What differs, in a word: `count`, `kind`, `content`, `close`.
    pub what: &'static str,
    /// For example `message 2 differs at byte 7`; safe for a terminal.
    pub text: String,
    /// The recorded value, safe for a terminal.
    pub expected: Option<String>,
    /// The received value.
    pub received: Option<String>,
    /// Members of JSON that differ.
    pub members: Vec<MemberDifference>,
}

impl JsonPrinter {
    /// Appends a difference.
    pub fn difference(&mut self, at: &Stamp, found: &Difference, out: &mut Vec<u8>) {
        self.object("difference", at, out, |object| {
            object.number("message", found.message);
            object.word("what", found.what);
            object.string("text", &found.text);
            object.optional("expected", found.expected.as_deref());
            object.optional("received", found.received.as_deref());
            object.array("members", &found.members, |(pointer, expected, received), out| {
                super::ObjectWriter::inline(out, |object| {
                    object.string("pointer", pointer);
                    object.optional("expected", expected.as_deref());
                    object.optional("received", received.as_deref());
                });
            });
        });
    }

    /// Appends why a connection did not go as planned; `status` is the resulting exit status.
    pub fn replay_failure(&mut self, at: &Stamp, text: &str, status: u8, out: &mut Vec<u8>) {
        self.object("replay-failure", at, out, |object| {
            object.string("text", text);
            object.number("status", status.into());
        });
    }

    /// Appends the result of all connections.
    pub fn replay_summary(&mut self, at: &Stamp, totals: &ReplayTotals, out: &mut Vec<u8>) {
        let ReplayTotals { connections, failed, sent, received, latencies, time, .. } = totals;
        self.object("replay-summary", at, out, |object| {
            object.number("connections", *connections);
            object.number("failed", *failed);
            object.number("sent", *sent);
            object.number("received", *received);
            object.optional_number("differences", totals.compared());
            object.micros("duration_us", *time);
            object.number("answers", latencies.count());
            for percent in PERCENTILES {
                object.micros(&format!("answer_p{percent:.0}_us"), latencies.percentile(percent));
            }
            object.micros("answer_max_us", latencies.max());
        });
    }
}
