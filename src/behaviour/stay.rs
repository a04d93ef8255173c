//! How long a session stays: the one place that decides when time ends a run.
//!
//! | given | the run ends |
//! | --- | --- |
//! | `--for SECS` | SECS after the connection opened |
//! | `-w SECS` | SECS after the end of the input, whatever the peer does |
//! | `--idle-exit SECS` | when no message has arrived for SECS after the end of the input |
//! | an open `--exit-after` or `--until` | only by one of the above |
//! | none of these | 2 s after the last message if it arrived after our last one, otherwise 5 s after the end of the input |
//!
//! The input of a script ends when its last line is done: an `/expect` there has its own TIMEOUT.
//! Pings and pongs are not messages. `--max-time` is an error, not a normal end, and belongs to the
//! endpoint's timeouts.

use std::fmt;
use std::time::{Duration, Instant};

use crate::cli::{StayOptions, Wait};

/// Without options: how long the peer may be silent after it has answered.
const SILENCE: Duration = Duration::from_secs(2);

/// Without options: how long to wait for a first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// The facts about a session that decide whether it continues.
#[derive(Clone, Copy, Debug)]
pub struct SessionProgress {
    /// When the input ended, if it has.
    pub input_ended: Option<Instant>,
    /// When a message, or a part of one, last arrived.
    pub heard: Instant,
    /// Something has arrived since our last message.
    pub answered: bool,
    /// When the last byte of a message was sent. `None` unless all data has been sent and all
    /// received data has been passed on; otherwise, a pause is not the peer's silence.
    pub settled: Option<Instant>,
    /// `--exit-after` or `--until` has not been met.
    pub expects: bool,
    /// The last line of a script was an `/expect` that was met.
    pub satisfied: bool,
}

/// Why a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// `--for`
    For(Duration),
    /// `-w`
    Wait(Duration),
    /// `--idle-exit`
    IdleExit(Duration),
    /// A script received everything that it expected.
    Satisfied,
    /// The default: the peer became silent.
    Silence,
    /// The default: nothing arrived.
    NoAnswer,
}

impl Leave {
    /// When the options that do not depend on the peer end the run; `began` is when the first
    /// connection opened.
    pub fn by_clock(
        options: &StayOptions,
        began: Option<Instant>,
        input_ended: Option<Instant>,
    ) -> Option<(Instant, Self)> {
        let at = |start: Option<Instant>, time: Duration| start?.checked_add(time);
        let by_for = options.run_for.and_then(|time| Some((at(began, time)?, Self::For(time))));
        let by_wait = match options.wait {
            Some(Wait::For(time)) => at(input_ended, time).map(|at| (at, Self::Wait(time))),
            Some(Wait::Forever) | None => None,
        };
        by_for.into_iter().chain(by_wait).min_by_key(|(at, _)| *at)
    }

    /// When the run ends if no message arrives until then.
    pub fn by_silence(options: &StayOptions, now: &SessionProgress) -> Option<(Instant, Self)> {
        let (ended, sent) = (now.input_ended?, now.settled?);
        let quiet = now.heard.max(ended);
        let (start, time, why) = match (options.idle_exit, options.wait, options.run_for) {
            (Some(Wait::For(time)), ..) => (quiet.max(sent), time, Self::IdleExit(time)),
            (None, None, None) if now.expects => return None,
            (None, None, None) if now.satisfied => return Some((ended, Self::Satisfied)),
            (None, None, None) if now.answered => (quiet, SILENCE, Self::Silence),
            (None, None, None) => (ended.max(sent), FIRST_ANSWER, Self::NoAnswer),
            _ => return None,
        };
        Some((start.checked_add(time)?, why))
    }

    /// The note for a user who did not choose when the run ends, after `sent` messages from us. A
    /// paused feed looks like a peer that has answered, so the note is also printed after answers.
    pub fn remark(self, sent: u64) -> Option<String> {
        let stays = "-w SECS waits longer, -w forever until the peer closes, --exit-after N until N messages have arrived";
        let what = match self {
            Self::Silence if sent == 0 => "stdin was empty; closed after 2 s without a message",
            Self::Silence => "closed after 2 s without a message",
            Self::NoAnswer if sent == 0 => "stdin was empty; closed after 5 s without a message",
            Self::NoAnswer => "closed without an answer 5 s after the end of the input",
            Self::For(_) | Self::Wait(_) | Self::IdleExit(_) | Self::Satisfied => return None,
        };
        Some(format!("{what}; {stays}"))
    }
}

/// As the cause of a failure, with its option.
impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(time) => write!(f, "--for ended the run after {} s", time.as_secs_f64()),
            Self::Wait(time) => {
                let time = time.as_secs_f64();
                write!(f, "-w ended the run {time} s after the end of the input")
            }
            Self::IdleExit(time) => {
                let time = time.as_secs_f64();
                write!(f, "--idle-exit ended the run after {time} s without a message")
            }
            Self::Satisfied => f.write_str("the script has ended"),
            Self::Silence => f.write_str("no message for 2 s"),
            Self::NoAnswer => f.write_str("no answer for 5 s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn progress(ended: Instant) -> SessionProgress {
        SessionProgress {
            input_ended: Some(ended),
            heard: ended,
            answered: false,
            settled: Some(ended),
            expects: false,
            satisfied: false,
        }
    }

    #[test]
    fn the_defaults_are_2_s_of_silence_and_5_s_for_a_first_answer() {
        let ended = Instant::now();
        let (options, open) = (StayOptions::default(), progress(ended));
        let silence = |progress: &SessionProgress| Leave::by_silence(&options, progress);
        assert_eq!(silence(&open), Some((ended + 5 * SECOND, Leave::NoAnswer)));
        let later = ended + SECOND;
        let answered = SessionProgress { answered: true, heard: later, ..open };
        assert_eq!(silence(&answered), Some((ended + 3 * SECOND, Leave::Silence)));
        let sending = SessionProgress { settled: Some(later), ..open };
        assert_eq!(silence(&sending), Some((ended + 6 * SECOND, Leave::NoAnswer)));
        for stays in [
            SessionProgress { expects: true, ..open },
            SessionProgress { settled: None, ..answered },
            SessionProgress { input_ended: None, ..answered },
        ] {
            assert_eq!(silence(&stays), None);
        }
        let satisfied = SessionProgress { satisfied: true, ..answered };
        assert_eq!(silence(&satisfied), Some((ended, Leave::Satisfied)));
    }

    #[test]
    fn an_option_takes_the_place_of_the_defaults() {
        let ended = Instant::now();
        let open = SessionProgress { answered: true, ..progress(ended) };
        let wait = StayOptions { wait: Some(Wait::For(SECOND)), ..StayOptions::default() };
        assert_eq!(Leave::by_silence(&wait, &open), None);
        let by_wait = Leave::by_clock(&wait, None, Some(ended));
        assert_eq!(by_wait, Some((ended + SECOND, Leave::Wait(SECOND))));
        let forever = StayOptions { wait: Some(Wait::Forever), ..StayOptions::default() };
        assert_eq!(Leave::by_silence(&forever, &open), None);
        assert_eq!(Leave::by_clock(&forever, Some(ended), Some(ended)), None);
        let both = StayOptions { run_for: Some(2 * SECOND), ..wait };
        let by_for = Leave::by_clock(&both, Some(ended), Some(ended + 5 * SECOND));
        assert_eq!(by_for, Some((ended + 2 * SECOND, Leave::For(2 * SECOND))));
        let idle = StayOptions { idle_exit: Some(Wait::For(SECOND)), ..forever };
        let expects = SessionProgress { expects: true, ..open };
        let by_idle = Leave::by_silence(&idle, &expects);
        assert_eq!(by_idle, Some((ended + SECOND, Leave::IdleExit(SECOND))));
    }

    #[test]
    fn a_default_that_ends_a_run_is_noted() {
        assert!(Leave::Silence.remark(1).is_some_and(|text| text.contains("-w forever")));
        assert!(Leave::NoAnswer.remark(0).is_some_and(|text| text.contains("empty")));
        assert_eq!(Leave::Wait(SECOND).remark(1), None);
    }
}
