//! `wscope ping --idle-limit`: tests idle times on one connection after the other, then tests the
//! ping interval.

use std::time::{Duration, Instant};

use super::trial::{Pinged, connection, print, stamp};
use crate::behaviour::ping::PingLog;
use crate::client::idle_limit::IdleSearch;
use crate::config::{PingConfig, PingPlan};
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;
use crate::event::Stamp;
use crate::output::stderr;
use crate::ui::JsonPrinter;
use crate::ui::ending::describe;
use crate::ui::idle_limit::{Silence, SilenceOutcome, Timer};
use crate::ui::ping::PingRoundTrips;
use crate::wire::Role;

/// Searches for the limit; prints each silence and the result.
pub(super) fn search(
    config: &PingConfig,
    until: Instant,
    runtime: &mut Runtime,
) -> anyhow::Result<Exit> {
    let mut search = IdleSearch::new(config.plan.interval);
    let mut json = JsonPrinter::new(Some(Role::Client))
        .with_secrets(crate::output::secrets::redactor().shows_all());
    let mut trial = SilenceTrials { config, until, runtime, number: 0 };
    // First without silence: a peer that never answers pings would look like a dead connection.
    if let Err(exit) = trial.first()? {
        return Ok(exit);
    }
    // The wait for the answer counts, too.
    let mut tried = false;
    let left = |until: Instant| until.saturating_duration_since(Instant::now());
    while let Some(time) = search.next(left(until).saturating_sub(config.plan.timeout)) {
        let silence = match trial.silence(time)? {
            Ok(silence) => silence,
            Err(exit) => return Ok(exit),
        };
        search.take(&silence);
        tried = true;
        match config.json {
            true => json.silence(&trial.stamp(), &silence, trial.runtime.stdout.buffer()),
            false => print(&[silence.line()], trial.runtime)?,
        }
        trial.runtime.stdout.flush()?;
        if trial.runtime.stdout.is_closed() {
            return Ok(Exit::Success);
        }
    }
    if !tried {
        let needed = config.plan.interval + config.plan.timeout;
        stderr::error(&format!(
            "no idle time was tested: the first test takes {} s, including the wait for its \
             answer; raise --max-time, or lower --interval or --pong-timeout",
            needed.as_secs_f64()
        ));
        return Ok(Exit::Timeout);
    }
    let mut held = None;
    if let Some((cut, _)) = search.cut()
        && let Some(interval) = search.cure()
        && left(until) > *cut * 2 + config.plan.timeout
    {
        held = match trial.cure(*cut * 2, interval)? {
            Ok(held) => Some(held),
            Err(exit) => return Ok(exit),
        };
    }
    let found = search.found(held);
    match config.json {
        true => json.idle_limit(&trial.stamp(), &found, trial.runtime.stdout.buffer()),
        false => print(&found.lines(), trial.runtime)?,
    }
    trial.runtime.drain_stdout(None)?;
    Ok(Exit::Success)
}

/// Connections one after the other.
struct SilenceTrials<'a> {
    config: &'a PingConfig,
    until: Instant,
    runtime: &'a mut Runtime,
    number: u64,
}

impl SilenceTrials<'_> {
    fn stamp(&self) -> Stamp {
        stamp(self.number)
    }

    /// Makes a connection with these pings; an error is the exit status.
    fn run(
        &mut self,
        plan: PingPlan,
    ) -> anyhow::Result<Result<(Pinged, PingRoundTrips, u64), Exit>> {
        if self.number > 0 {
            self.runtime.reporter.next_connection();
        }
        self.number += 1;
        let log = PingLog::new(None);
        let until = Some(self.until);
        let pinged = connection(self.config, plan, &log, until, self.runtime)?;
        Ok(match pinged {
            Err(exit) => Err(exit),
            Ok(Pinged { exit, .. })
                if matches!(exit, Exit::Interrupted | Exit::Terminated | Exit::HungUp) =>
            {
                Err(exit)
            }
            Ok(pinged) => {
                let log = log.borrow();
                Ok((pinged, log.trips.clone(), log.others))
            }
        })
    }

    /// Whether the peer answers at all.
    fn first(&mut self) -> anyhow::Result<Result<(), Exit>> {
        let (pinged, trips, _) = match self.run(self.config.plan.after(Duration::ZERO))? {
            Ok(run) => run,
            Err(exit) => return Ok(Err(exit)),
        };
        if trips.answered > 0 {
            return Ok(Ok(()));
        }
        Ok(Err(match pinged.exit {
            Exit::Success => {
                let hint = if self.config.plan.echo { "no message" } else { "no ping: try --echo" };
                stderr::error(&format!("the peer answered {hint}"));
                Exit::Timeout
            }
            exit => {
                if let Some(ending) = &pinged.ending {
                    stderr::error(&describe(ending));
                }
                exit
            }
        }))
    }

    /// Tests one silence, and the ping after it.
    fn silence(&mut self, time: Duration) -> anyhow::Result<Result<Silence, Exit>> {
        let (pinged, trips, frames) = match self.run(self.config.plan.after(time))? {
            Ok(run) => run,
            Err(exit) => return Ok(Err(exit)),
        };
        let timer = pinged.ending.as_ref().map_or(Timer::Unanswered, Timer::of);
        let outcome = match (trips.figures(), &pinged.ending) {
            (Some(figures), _) => SilenceOutcome::Open(figures.avg),
            (None, Some(ending)) if trips.sent == 0 => SilenceOutcome::Cut(ending.duration, timer),
            (None, _) => SilenceOutcome::Dead(timer),
        };
        Ok(Ok(Silence { time, outcome, frames }))
    }

    /// Whether a connection stays open for this time with pings at this interval.
    fn cure(&mut self, time: Duration, interval: Duration) -> anyhow::Result<Result<bool, Exit>> {
        let plan = self.config.plan.over(time, interval);
        let run = self.run(plan)?;
        Ok(run.map(|(_, trips, _)| plan.count.is_some_and(|count| trips.answered == count)))
    }
}
