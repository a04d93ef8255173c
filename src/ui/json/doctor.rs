//! The objects of `wscope doctor`: `docs/json.md` describes them.

use super::object::Object;
use crate::event::Stamp;
use crate::ui::clock::UtcClock;
use crate::ui::doctor::{Report, Step};

/// Prints the verdict.
pub(super) fn verdict(at: &Stamp, report: &Report, clock: &mut UtcClock, out: &mut Vec<u8>) {
    let mut object = Object::begin("verdict", at, None, clock, out);
    object.flag("opened", report.opened);
    object.string("text", &report.verdict);
    object.end();
}

/// Prints a step.
pub(super) fn step(at: &Stamp, step: &Step, clock: &mut UtcClock, out: &mut Vec<u8>) {
    let Step { name, outcome, text, elapsed } = step;
    let mut object = Object::begin("step", at, None, clock, out);
    object.word("name", name);
    object.word("outcome", outcome.name());
    object.string("text", text);
    match elapsed {
        Some(time) => {
            object.number("elapsed_us", u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
        None => object.null("elapsed_us"),
    }
    object.end();
}
