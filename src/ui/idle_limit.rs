//! What `wscope ping --idle-limit` prints: a line for each tested idle time, and the result.

use std::time::Duration;

use super::ending::close_body;
use crate::event::{Cause, Ending, Lost, Side};
use crate::wire::close::CloseBody;

/// A tested silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its planned length.
    pub time: Duration,
    /// Its result.
    pub outcome: SilenceOutcome,
    /// The number of frames that the peer sent during it.
    pub frames: u64,
}

/// The result of a silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SilenceOutcome {
    /// The connection is open: after the silence, a ping was answered in this time.
    Open(Duration),
    /// The connection ended after this part of the silence.
    Cut(Duration, Timer),
    /// The connection had ended, but only the next sent data showed that.
    Dead(Timer),
}

/// The sign of an end, which shows whose timer it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A Close frame.
    Close(CloseBody),
    /// FIN without a Close frame.
    Fin,
    /// A reset.
    Reset,
    /// No answer to sent data.
    Unanswered,
}

impl Timer {
    /// The sign of this ending.
    pub fn of(ending: &Ending) -> Self {
        match (&ending.cause, &ending.received) {
            (_, Some(body)) if ending.by == Side::Peer => Self::Close(body.clone()),
            (Cause::Lost(Lost::EndOfStream | Lost::TruncatedTls | Lost::InsideFrame { .. }), _) => {
                Self::Fin
            }
            (Cause::Lost(Lost::TimedOut), _) => Self::Unanswered,
            (Cause::Lost(_), _) => Self::Reset,
            _ => Self::Unanswered,
        }
    }

    /// The name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Close(_) => "close",
            Self::Fin => "fin",
            Self::Reset => "reset",
            Self::Unanswered => "unanswered",
        }
    }

    /// The sign, in a few words.
    fn sign(&self) -> String {
        match self {
            Self::Close(body) => format!("the peer sent {}", close_body(body)),
            Self::Fin => "FIN without a Close frame".to_owned(),
            Self::Reset => "a reset".to_owned(),
            Self::Unanswered => "no answer".to_owned(),
        }
    }

    /// The owner of the timer, judged by the sign.
    fn owner(&self) -> &'static str {
        match self {
            Self::Close(_) => {
                "the timer belongs to the WebSocket server, or to a WebSocket gateway"
            }
            Self::Fin => {
                "the timer belongs to a proxy, or to the server below its WebSocket library"
            }
            Self::Reset => {
                "the timer belongs to a load balancer or firewall, or to a server that drops the socket"
            }
            Self::Unanswered => "a NAT or firewall dropped the connection",
        }
    }
}

impl Silence {
    /// Its line in the output.
    pub fn line(&self) -> String {
        let frames = match self.frames {
            0 => String::new(),
            frames => {
                format!("; meanwhile the peer sent {}", super::number::counted(frames, "frame"))
            }
        };
        let what = match &self.outcome {
            SilenceOutcome::Open(time) => {
                format!("open, answered in {}", super::clock::brief(*time))
            }
            SilenceOutcome::Cut(after, timer) => {
                format!("ended after {}: {}", seconds(*after), timer.sign())
            }
            SilenceOutcome::Dead(timer) => format!("dead: {}", timer.sign()),
        };
        format!("idle for {}: {what}{frames}", seconds(self.time))
    }
}

/// The result of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleLimit {
    /// The longest silence after which the connection was open.
    pub allowed: Duration,
    /// The shortest silence after which it was not, and the sign.
    pub cut: Option<(Duration, Timer)>,
    /// The ping interval that prevents the end, and whether a connection stayed open with it, if
    /// that was tested.
    pub cure: Option<(Duration, Option<bool>)>,
    /// The peer sent frames while this side was silent.
    pub busy: bool,
}

impl IdleLimit {
    /// The verdict in sentences, one on each line.
    pub fn lines(&self) -> Vec<String> {
        let Some((cut, timer)) = &self.cut else {
            let mut line = format!("idle for {} is allowed", seconds(self.allowed));
            line += "; longer times were not tried (--max-time)";
            return [Some(line), self.busy.then(|| BUSY.to_owned())]
                .into_iter()
                .flatten()
                .collect();
        };
        let first = match timer {
            Timer::Unanswered => format!(
                "idle for {} is allowed; after {} the connection is dead: {}",
                seconds(self.allowed),
                seconds(*cut),
                timer.sign()
            ),
            _ => format!("the connection is closed after {} idle: {}", seconds(*cut), timer.sign()),
        };
        let mut lines = vec![first, timer.owner().to_owned()];
        lines.extend(self.cure.map(|(interval, held)| {
            let every = seconds(interval);
            let option = format!("--ping-interval {}", interval.as_secs_f64());
            match held {
                Some(true) => format!("a ping every {every} prevents it, as tested ({option})"),
                Some(false) => format!(
                    "a ping every {every} does not prevent it, as tested: the timer counts only messages, or the connection's age"
                ),
                None => format!("a ping every {every} should prevent it (not tested; {option})"),
            }
        }));
        lines.extend(self.busy.then(|| BUSY.to_owned()));
        lines
    }
}

const BUSY: &str = "the peer sent frames, so the connection was not fully idle";

/// For example `2 s` or `0.31 s`; the search is exact to hundredths.
fn seconds(time: Duration) -> String {
    let hundredths = (time.as_secs_f64() * 100.0).round() / 100.0;
    format!("{hundredths} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_says_who_and_what_cures_it() {
        let close = CloseBody { code: Some(1001), reason: b"idle".to_vec() };
        let limit = |timer, held| IdleLimit {
            allowed: Duration::from_secs(1),
            cut: Some((Duration::from_millis(2003), timer)),
            cure: Some((Duration::from_secs(1), held)),
            busy: false,
        };
        assert_eq!(
            limit(Timer::Close(close), Some(true)).lines(),
            [
                "the connection is closed after 2 s idle: the peer sent 1001 going away \"idle\"",
                "the timer belongs to the WebSocket server, or to a WebSocket gateway",
                "a ping every 1 s prevents it, as tested (--ping-interval 1)",
            ]
        );
        let dead = limit(Timer::Unanswered, None).lines();
        assert_eq!(dead[0], "idle for 1 s is allowed; after 2 s the connection is dead: no answer");
        assert!(limit(Timer::Fin, Some(false)).lines()[2].contains("does not prevent it"));
    }
}
