//! Openings: state machines that lead to an open connection. They never wait, and do not own the
//! poll.
//!
//! The owner calls `advance` when a socket is ready or a timer is due. Hundreds can run at once.

pub mod client;
mod response;
pub mod server;

use std::time::{Duration, Instant};

use crate::engine::open_error::OpenError;
use crate::event::TimeoutKind;
pub use client::{ClientOpening, Opened, Opening, open, request};

/// A deadline, and the time limit that led to it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// The time of the deadline.
    pub at: Instant,
    given: Duration,
    /// It is the deadline of `--max-time`.
    is_last: bool,
}

impl Deadline {
    /// `given` from `now` on, or the end of the whole run if that is earlier.
    pub fn within(given: Duration, max_time: Option<Instant>, now: Instant) -> Self {
        match max_time {
            Some(at) if at < now + given => {
                Self { at, given: at.saturating_duration_since(now), is_last: true }
            }
            _ => Self { at: now + given, given, is_last: false },
        }
    }

    /// Whether it is the deadline of the whole run.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// The error of an opening that was waiting for `what` at the deadline.
    pub fn passed(&self, what: &'static str) -> OpenError {
        let what = if self.is_last { TimeoutKind::MaxTime.what() } else { what };
        OpenError::TimedOut { seconds: self.given.as_secs_f64(), what }
    }
}
