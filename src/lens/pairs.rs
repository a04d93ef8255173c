//! Unanswered requests, and the times until the answers.

use std::time::Duration;

use super::decoded::{Answered, Decoded, Pairing};
use super::kept::Kept;
use crate::event::Direction;

/// An unanswered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnansweredCall {
    /// Its direction.
    pub direction: Direction,
    /// The protocol of the request.
    pub protocol: &'static str,
    /// Its key, as in `12`.
    pub key: String,
    /// Its subject.
    pub about: String,
    /// When it was sent, in microseconds since the Unix epoch.
    pub micros: i64,
}

/// A key consists of direction, protocol and name.
type Key = (Direction, &'static str, String);

/// The requests of both directions; their number is limited.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    waiting: Kept<Key, (String, i64)>,
    /// The number of dropped requests.
    forgotten: u64,
}

impl Pairs {
    /// Notes a request, or finds the request of an answer.
    pub(super) fn pair(&mut self, direction: Direction, micros: i64, decoded: &mut Decoded) {
        let protocol = decoded.protocol;
        let key_of = |key: &String| (direction.opposite(), protocol, key.clone());
        let request = match &decoded.pairing {
            None => return,
            Some(Pairing::Asks(key, about)) => {
                let key = (direction, protocol, key.clone());
                let gone = self.waiting.insert(key, (about.clone(), micros));
                self.forgotten += u64::from(gone.is_some());
                return;
            }
            Some(Pairing::Withdraws(key)) => {
                self.waiting.remove(&(direction, protocol, key.clone()));
                return;
            }
            Some(Pairing::AnswersInPart(key)) => self.waiting.get(&key_of(key)).cloned(),
            Some(Pairing::Answers(key)) => self.waiting.remove(&key_of(key)),
        };
        decoded.answered = request.map(|(about, asked)| {
            let after = micros.saturating_sub(asked).try_into().unwrap_or(0);
            Answered { about, after: Duration::from_micros(after) }
        });
    }

    /// Unanswered requests, the oldest first.
    pub(super) fn unanswered(&self) -> impl ExactSizeIterator<Item = UnansweredCall> {
        self.waiting.iter().map(|((direction, protocol, key), (about, micros))| UnansweredCall {
            direction: *direction,
            protocol,
            key: key.clone(),
            about: about.clone(),
            micros: *micros,
        })
    }

    /// How many requests were dropped because too many were unanswered.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}
