//! The wall clock, for the timestamps of events.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch; before it, negative.
pub fn wall_micros() -> i64 {
    let micros = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(0);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}
