//! Objects of `wscope ping`: the outcome of each ping or idle time, and the result.

use std::time::Duration;

use super::JsonPrinter;
use super::object::ObjectWriter;
use crate::event::Stamp;
use crate::ui::idle_limit::{IdleLimit, Silence, SilenceOutcome, Timer};
use crate::ui::ping::{PingEvent, PingRoundTrips};

impl JsonPrinter {
    /// Appends the result of a ping.
    pub fn ping(&mut self, at: &Stamp, event: &PingEvent, out: &mut Vec<u8>) {
        let (seq, outcome, bytes, time) = match *event {
            PingEvent::Answered { seq, bytes, time } => {
                (Some(seq), "answered", Some(bytes), Some(time))
            }
            PingEvent::Late { seq, bytes, time } => (Some(seq), "late", Some(bytes), Some(time)),
            PingEvent::Lost { seq, .. } => (Some(seq), "lost", None, None),
            PingEvent::Stray { bytes } => (None, "stray", Some(bytes), None),
        };
        self.object("ping", at, out, |object| {
            object.optional_number("seq", seq);
            object.word("outcome", outcome);
            object.optional_number("bytes", bytes.map(|bytes| bytes as u64));
            object.micros("rtt_us", time);
        });
    }

    /// Appends the figures of all pings; `end` describes the end of the connection in a sentence.
    pub fn ping_summary(
        &mut self,
        at: &Stamp,
        trips: &PingRoundTrips,
        time: Duration,
        end: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let figures = trips.figures();
        self.object("ping-summary", at, out, |object| {
            object.number("sent", trips.sent);
            object.number("answered", trips.answered);
            object.number("lost", trips.lost);
            object.number("waiting", trips.waiting());
            object.micros("duration_us", time);
            object.micros("rtt_min_us", figures.map(|figures| figures.min));
            object.micros("rtt_avg_us", figures.map(|figures| figures.avg));
            object.micros("rtt_max_us", figures.map(|figures| figures.max));
            object.micros("rtt_mdev_us", figures.map(|figures| figures.mdev));
            object.optional("end", end);
        });
    }

    /// Appends the result of a silence.
    pub fn silence(&mut self, at: &Stamp, silence: &Silence, out: &mut Vec<u8>) {
        let (outcome, after, timer) = match &silence.outcome {
            SilenceOutcome::Open(_) => ("open", None, None),
            SilenceOutcome::Cut(after, timer) => ("cut", Some(*after), Some(timer)),
            SilenceOutcome::Dead(timer) => ("dead", None, Some(timer)),
        };
        self.object("silence", at, out, |object| {
            object.micros("silence_us", silence.time);
            object.word("outcome", outcome);
            object.micros("after_us", after);
            sign(timer, object);
            object.number("frames", silence.frames);
        });
    }

    /// Appends the idle limit.
    pub fn idle_limit(&mut self, at: &Stamp, found: &IdleLimit, out: &mut Vec<u8>) {
        let cut = found.cut.as_ref();
        self.object("idle-limit", at, out, |object| {
            object.micros("allowed_us", found.allowed);
            object.micros("cut_us", cut.map(|(time, _)| *time));
            sign(cut.map(|(_, timer)| timer), object);
            object.micros("ping_interval_us", found.cure.map(|(interval, _)| interval));
            match found.cure.and_then(|(_, held)| held) {
                Some(held) => object.flag("cures", held),
                None => object.null("cures"),
            }
            object.string("text", &found.lines().join("; "));
        });
    }
}

/// The sign of an end, and the code of a Close.
fn sign(timer: Option<&Timer>, object: &mut ObjectWriter<'_>) {
    object.optional("sign", timer.map(Timer::name));
    let close = match timer {
        Some(Timer::Close(body)) => Some(body),
        _ => None,
    };
    object.nested_if("close", close, super::facts::close);
}
