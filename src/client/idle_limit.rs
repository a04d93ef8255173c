//! The search for the longest silence that a connection survives: doubling, then bisection.
//!
//! It decides which time to test next; other code makes the test.

use std::time::Duration;

use crate::ui::idle_limit::{IdleLimit, Silence, SilenceOutcome, Timer};

/// The search stops at this distance.
const EXACT: Duration = Duration::from_millis(50);

/// A running search.
#[derive(Clone, Debug)]
pub struct IdleSearch {
    first: Duration,
    allowed: Duration,
    cut: Option<(Duration, Timer)>,
    /// The connection ended during the silence, so the exact time is known.
    exact: bool,
    busy: bool,
}

impl IdleSearch {
    /// Begins with a silence of this length.
    pub fn new(first: Duration) -> Self {
        Self { first, allowed: Duration::ZERO, cut: None, exact: false, busy: false }
    }

    /// The silence to test next, if `left` is long enough for it; `None` at the end of the search.
    pub fn next(&self, left: Duration) -> Option<Duration> {
        let next = match &self.cut {
            None if self.allowed.is_zero() => self.first,
            None => {
                // The remaining time is used if it can give a new result.
                let enough = left > self.allowed + self.allowed / 4;
                return enough.then(|| (self.allowed * 2).min(left));
            }
            Some(_) if self.exact => return None,
            Some((cut, _)) => {
                let distance = cut.saturating_sub(self.allowed);
                if distance <= EXACT.max(*cut / 20) {
                    return None;
                }
                self.allowed + distance / 2
            }
        };
        (next <= left).then_some(next)
    }

    /// Takes the result of an idle time.
    pub fn take(&mut self, silence: &Silence) {
        self.busy |= silence.frames > 0;
        match &silence.outcome {
            SilenceOutcome::Open(_) => self.allowed = silence.time,
            SilenceOutcome::Cut(after, timer) => {
                self.cut = Some((*after, timer.clone()));
                self.exact = true;
            }
            SilenceOutcome::Dead(timer) => self.cut = Some((silence.time, timer.clone())),
        }
    }

    /// The ping interval that should prevent the end: half of the limit, rounded.
    pub fn cure(&self) -> Option<Duration> {
        let (cut, _) = self.cut.as_ref()?;
        let half = if self.exact { *cut / 2 } else { self.allowed.max(*cut / 4) / 2 };
        Some(match half.as_secs() {
            0 => Duration::from_millis((half.as_millis() as u64 / 10 * 10).max(10)),
            seconds => Duration::from_secs(seconds),
        })
    }

    /// The silence after which a connection had ended, and the sign.
    pub fn cut(&self) -> Option<&(Duration, Timer)> {
        self.cut.as_ref()
    }

    /// The result; `held` as in [`IdleLimit::cure`].
    pub fn found(self, held: Option<bool>) -> IdleLimit {
        let cure = self.cure().map(|interval| (interval, held));
        IdleLimit { allowed: self.allowed, cut: self.cut, cure, busy: self.busy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_secs(600);

    /// Searches on a connection that ends after `limit`, with or without a sign; returns the tested
    /// times in milliseconds.
    fn search(limit: Duration, sign: bool) -> (Vec<u128>, IdleLimit) {
        let mut search = IdleSearch::new(Duration::from_secs(1));
        let (mut tried, mut left) = (Vec::new(), LEFT);
        while let Some(time) = search.next(left) {
            tried.push(time.as_millis());
            left -= time;
            let outcome = match (time < limit, sign) {
                (true, _) => SilenceOutcome::Open(Duration::from_millis(1)),
                (false, true) => SilenceOutcome::Cut(limit, Timer::Fin),
                (false, false) => SilenceOutcome::Dead(Timer::Unanswered),
            };
            search.take(&Silence { time, outcome, frames: 0 });
        }
        (tried, search.found(None))
    }

    #[test]
    fn a_sign_gives_the_limit_at_once() {
        let (tried, found) = search(Duration::from_millis(60_002), true);
        assert_eq!(tried, [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000]);
        assert_eq!(found.cut, Some((Duration::from_millis(60_002), Timer::Fin)));
        assert_eq!(found.cure, Some((Duration::from_secs(30), None)));
    }

    #[test]
    fn without_a_sign_it_is_halved_until_it_is_exact() {
        let (tried, found) = search(Duration::from_millis(1300), false);
        assert_eq!(tried, [1000, 2000, 1500, 1250, 1375, 1312]);
        let (cut, _) = found.cut.expect("found");
        assert!(found.allowed < Duration::from_millis(1300) && cut >= Duration::from_millis(1300));
        assert_eq!(found.cure, Some((Duration::from_millis(620), None)));
    }

    #[test]
    fn the_time_bounds_it() {
        let (tried, found) = search(Duration::MAX, true);
        assert_eq!(tried.iter().sum::<u128>(), 511_000);
        assert_eq!((found.allowed, found.cut), (Duration::from_secs(256), None));
        let mut search = IdleSearch::new(Duration::from_secs(1));
        assert_eq!(search.next(Duration::from_millis(900)), None);
        search.allowed = Duration::from_secs(8);
        assert_eq!(search.next(Duration::from_secs(12)), Some(Duration::from_secs(12)));
        assert_eq!(search.next(Duration::from_secs(9)), None);
    }
}
