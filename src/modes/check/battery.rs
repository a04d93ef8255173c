//! The connections of a run, several at a time in one event loop. Each opens as its case requires,
//! carries out the steps of its trial, and records the facts.

use std::io;
use std::mem;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::check::case::Needs;
use crate::check::catalogue::RES_GRAMMAR;
use crate::check::facts::{CaseFacts, CaseOpening, Seen};
use crate::check::plan::{CheckRun, Purpose, StopReason, Work};
use crate::check::request::{Edit, RequestPlace, SLOWNESS, STALL, before, edited};
use crate::check::trial::{CaseRun, Timing};
use crate::check::verdict::Verdict;
use crate::config::OpenConfig;
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::exit::Exit;
use crate::engine::memory::Budget;
use crate::engine::open_error::{HandshakePair, OpenError};
use crate::engine::opening::{ClientOpening, Opened, Opening as _, request};
use crate::engine::runtime::{NextRound, Ready, Runtime, Task, run};
use crate::event::Event;
use crate::modes::check::open::{OpenTrial, TRANSPORT};
use crate::modes::check::transcripts::{Recorder, Transcripts, recorded};
use crate::net::signals::Signal;
use crate::net::tls::TlsClient;
use crate::net::tls::options::TlsVersion;
use crate::output::reporter::Reporter;
use crate::session::EndpointConfig;
use crate::ui::sanitize;
use crate::wire::Role;
use crate::wire::handshake::rules::{self, Outcome, Report};
use crate::wire::head::Head;

/// The limit for queued data; no case sends more.
pub(super) const MEMORY: usize = 64 * 1024 * 1024;

/// How long to wait for the answer to our Close after a case.
pub(super) const LEAVING: Duration = Duration::from_millis(250);

/// The times between connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckPace {
    delay: Duration,
    until: Instant,
}

impl CheckPace {
    /// The requested times, or those that suit the distance; the run ends at `until`.
    pub(super) fn new(delay: Option<Duration>, near: bool, until: Instant) -> Self {
        let usual = if near { Duration::ZERO } else { Duration::from_millis(20) };
        Self { delay: delay.unwrap_or(usual), until }
    }
}

/// A run.
pub(super) struct Battery {
    /// The plan, and the results so far.
    pub(super) plan: CheckRun,
    /// The status of the last connection that did not open.
    pub(super) failure: Option<Exit>,
    /// The signal that stopped the run.
    pub(super) signal: Option<Signal>,
    config: OpenConfig,
    /// The TLS client, set up once for all connections, if they use TLS.
    tls: Option<TlsClient>,
    pace: CheckPace,
    /// Shows the case, if only one case runs.
    shown: Option<Reporter>,
    transcripts: Option<Transcripts>,
    /// The verdict on the connection that has just had its turn.
    judged: Option<(Work, Verdict)>,
    timing: Timing,
    round_trips: Vec<Duration>,
    /// The slowest opening of a control connection.
    slowest_opening: Duration,
    running: Vec<Option<RecordedCase>>,
    /// The server has once left the end of TCP to the client; from then on, the client does not
    /// wait for it.
    leaves_tcp: bool,
    /// No connection begins before this time.
    resumes: Option<Instant>,
    /// A connection has ended in this round, so another one may begin.
    moved: bool,
    memory: Rc<Budget>,
}

/// A running connection, and its recording if there is one.
struct RecordedCase {
    running: RunningCase,
    recorder: Option<Recorder>,
}

/// A running connection.
enum RunningCase {
    Opening {
        work: Work,
        opening: Box<ClientOpening>,
        began: Instant,
    },
    Open(Box<OpenTrial>),
    /// Its case has ended; it closes the connection.
    Leaving {
        work: Work,
        connection: Box<Connection>,
        until: Instant,
    },
}

impl Battery {
    pub(super) fn new(
        plan: CheckRun,
        config: OpenConfig,
        pace: CheckPace,
        shown: Option<Reporter>,
        transcripts: Option<Transcripts>,
    ) -> Self {
        Self {
            plan,
            failure: None,
            signal: None,
            // If the setup fails, each opening reports the error.
            tls: config.target.secure.then(|| TlsClient::new(&config.transport.tls).ok()).flatten(),
            config,
            pace,
            shown,
            transcripts,
            judged: None,
            timing: Timing::of(Duration::ZERO),
            round_trips: Vec::new(),
            slowest_opening: Duration::ZERO,
            running: Vec::new(),
            leaves_tcp: false,
            resumes: None,
            moved: false,
            memory: Budget::new(MEMORY),
        }
    }

    /// Makes all connections.
    pub(super) fn run(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        run(self, runtime)
    }

    /// Begins the connections that may begin now.
    fn start(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        while self.resumes.is_none_or(|at| at <= now) {
            // A case that is shown runs alone, to its end.
            if self.is_shown(runtime) && self.running.iter().any(Option::is_some) {
                return Ok(());
            }
            // A connection that is closing still counts for a server that limits connections.
            let is_leaving = |it: &RecordedCase| matches!(it.running, RunningCase::Leaving { .. });
            let mut open = self.running.iter().flatten();
            if open.clone().count() >= self.plan.jobs() && open.any(is_leaving) {
                return Ok(());
            }
            if let Some(pause) = self.plan.pause() {
                self.resumes = Some(now + pause);
                return Ok(());
            }
            let Some(work) = self.plan.start() else { return Ok(()) };
            self.resumes = (!self.pace.delay.is_zero()).then(|| now + self.pace.delay);
            self.show(work, runtime);
            let slot = self.running.iter().position(Option::is_none).unwrap_or_else(|| {
                self.running.push(None);
                self.running.len() - 1
            });
            runtime.reporter.next_connection();
            let mut config = self.config.clone();
            // A valid handshake may take as long as the user allows. Other cases wait longer if
            // valid handshakes are slow.
            if !matches!(work.purpose, Purpose::Control) {
                let patience = self.timing.patience + 4 * self.slowest_opening;
                config.handshake_timeout = match work.case.open.contains(&Edit::Half) {
                    true => STALL,
                    false => config.handshake_timeout.min(patience),
                };
            }
            for edit in work.case.open {
                let tls = &mut config.transport.tls;
                match edit {
                    Edit::Alpn(names) => {
                        tls.alpn = names.iter().map(|it| (*it).to_owned()).collect()
                    }
                    Edit::OldTls => {
                        (tls.min, tls.max) = (Some(TlsVersion::V1_0), Some(TlsVersion::V1_1));
                    }
                    _ => {}
                }
            }
            match self.requests(work) {
                Ok((bytes, next)) => {
                    let mut recorder =
                        self.transcripts.as_ref().map(Transcripts::begin).transpose()?;
                    recorder.iter_mut().for_each(|recorder| recorder.take_over(runtime));
                    let opening = ClientOpening::new(&config, slot, None, runtime, now);
                    recorder.iter_mut().try_for_each(|recorder| recorder.give_back(runtime))?;
                    let slow = work.case.open.contains(&Edit::Slow).then_some(SLOWNESS);
                    let usual = work.case.needs != Needs::Tls;
                    let opening = opening.sharing(self.tls.as_ref().filter(|_| usual));
                    let opening = opening.beside().asking(bytes).then(next).trickling(slow, now);
                    let opening = Box::new(opening);
                    let running = RunningCase::Opening { work, opening, began: now };
                    self.running[slot] = Some(RecordedCase { running, recorder });
                }
                Err(error) => self.failed(work, &error, false, runtime),
            }
        }
        Ok(())
    }

    /// The request of a case, and the request after a refusal.
    fn requests(&self, work: Work) -> Result<(Vec<u8>, Option<Vec<u8>>), OpenError> {
        let target = &self.config.target;
        let usual = request(&self.config, target, None)?;
        let scheme = if target.secure { "https" } else { "http" };
        let place = RequestPlace {
            target: &target.resource_name,
            host: &target.host_header,
            name: &target.host,
            origin: &format!("{scheme}://{}", target.host_header),
            subprotocol: self.config.subprotocols.first().map_or("", String::as_str),
        };
        let own = edited(usual.raw(), work.case.open, place);
        Ok(match before(work.case.open) {
            Some(edits) => (edited(usual.raw(), edits, place), Some(own)),
            None => (own, None),
        })
    }

    /// Whether the transcript is shown.
    fn is_shown(&self, runtime: &Runtime) -> bool {
        self.shown.is_some() || runtime.reporter.looks_at_frames()
    }

    /// Switches to the reporter of the shown case, or back.
    fn show(&mut self, work: Work, runtime: &mut Runtime) {
        if let (Some(shown), Purpose::Result(_) | Purpose::Again(_)) =
            (&mut self.shown, work.purpose)
        {
            mem::swap(shown, &mut runtime.reporter);
        }
    }

    /// Continues one connection.
    fn step(
        &mut self,
        running: RunningCase,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Option<RunningCase>> {
        match running {
            RunningCase::Opening { work, mut opening, began } => {
                match opening.advance(runtime, now) {
                    Ok(None) => Ok(Some(RunningCase::Opening { work, opening, began })),
                    Ok(Some(opened)) => {
                        if work.purpose == Purpose::Control {
                            let took = now.saturating_duration_since(began);
                            self.slowest_opening = self.slowest_opening.max(took);
                        }
                        let open = Box::new(self.opened(work, *opened, runtime, now));
                        self.step(RunningCase::Open(open), runtime, now)
                    }
                    Err(OpenError::Local(error)) => Err(error),
                    Err(error) => {
                        let secured = opening.evidence().tls().is_some();
                        self.failed(work, &error, secured, runtime);
                        Ok(None)
                    }
                }
            }
            RunningCase::Open(mut open) => match open.turn(runtime, now)? {
                false => Ok(Some(RunningCase::Open(open))),
                true => self.finished(*open, runtime, now),
            },
            RunningCase::Leaving { work, mut connection, until } => {
                runtime.give_turn(&mut connection, now)?;
                let close = connection.endpoint().and_then(|own| own.received_close());
                let has_closed = close.is_some() && connection.backlog() == 0;
                self.leaves_tcp |= has_closed && now >= until && !connection.is_over();
                let enough =
                    now >= until || self.leaves_tcp && has_closed && !self.is_shown(runtime);
                if connection.is_over() || enough {
                    self.leave(work, &mut connection, runtime, now)?;
                    return Ok(None);
                }
                Ok(Some(RunningCase::Leaving { work, connection, until }))
            }
        }
    }

    fn opened(&self, work: Work, opened: Opened, runtime: &Runtime, now: Instant) -> OpenTrial {
        let endpoint = EndpointConfig {
            lenient: true,
            transport_timeout: TRANSPORT,
            ..EndpointConfig::new(Role::Client)
        };
        let (endpoint, agreed) = (endpoint.into(), &opened.report.agreed);
        let setup = ConnectionSetup {
            observed: self.is_shown(runtime),
            ..ConnectionSetup::new(opened.conn, agreed, Some(&endpoint), &self.memory)
        };
        let facts = CaseFacts {
            opening: CaseOpening::Open,
            deflate: opened.report.agreed.deflate.is_some(),
            secured: opened.evidence.tls().is_some(),
            alpn: opened.evidence.tls().and_then(|tls| tls.alpn.clone()),
            takeover: opened.report.agreed.deflate.is_some_and(|it| !it.client_no_context_takeover),
            ..of_response(&opened.response, &opened.report)
        };
        let connection = Connection::new(opened.link, opened.inbound, &setup, now);
        let trial = CaseRun::new(work.case, self.timing, self.plan.echoes(), now);
        OpenTrial::new(work, connection, facts, trial)
    }

    /// Handles complete facts: takes their result, and closes the connection.
    fn finished(
        &mut self,
        open: OpenTrial,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Option<RunningCase>> {
        let OpenTrial { work, mut connection, facts, pinged, .. } = open;
        if work.purpose == Purpose::Control
            && let Some(pinged) = pinged
        {
            self.round_trips.push(now.saturating_duration_since(pinged));
            self.round_trips.sort_unstable();
            self.timing = Timing::of(self.round_trips[self.round_trips.len() / 2]);
        }
        self.finish(work, &facts.borrow());
        if connection.is_over() {
            self.leave(work, &mut connection, runtime, now)?;
            return Ok(None);
        }
        // If it is already closing, no Close is needed.
        let _ = connection.sender(now).close(Some(1000), "");
        let connection = Box::new(connection);
        Ok(Some(RunningCase::Leaving { work, connection, until: now + LEAVING }))
    }

    /// Ends the connection of a case, after its end or after enough time.
    fn leave(
        &mut self,
        work: Work,
        connection: &mut Connection,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let looks = runtime.reporter.prints_notes() || runtime.reporter.looks_at_frames();
        if connection.is_over() && looks {
            runtime.report(connection.id(), &Event::End(&connection.ending(now)))?;
        }
        connection.shut_down();
        self.show(work, runtime);
        self.moved = true;
        Ok(())
    }

    /// Handles an opening that failed.
    fn failed(&mut self, work: Work, error: &OpenError, secured: bool, runtime: &mut Runtime) {
        self.failure = Some(error.exit());
        let mut facts = match error {
            OpenError::Refused { pair, .. } | OpenError::BadHandshake { pair, .. } => {
                let HandshakePair { response, report, .. } = &**pair;
                of_response(response, report)
            }
            _ => CaseFacts::default(),
        };
        facts.opening = opening_of(error, work.case.needs);
        facts.secured = secured;
        self.finish(work, &facts);
        self.show(work, runtime);
    }

    fn finish(&mut self, work: Work, facts: &CaseFacts) {
        if work.purpose == Purpose::Control && facts.opening == CaseOpening::Open {
            let broke = |seen: &Seen| matches!(seen, Seen::Violation(_));
            self.failure = match facts {
                facts if facts.seen.iter().any(broke) => Some(Exit::Violation),
                facts if facts.wrong_answer().is_some() => Some(Exit::Unmet),
                CaseFacts { timed_out: true, .. } => Some(Exit::Timeout),
                CaseFacts { ended: Some(_), close: None, .. } => Some(Exit::Lost),
                _ => None,
            };
        }
        self.judged = Some((work, self.plan.finish(work, facts)));
        self.moved = true;
    }
}

/// What a failed opening shows about the server.
fn opening_of(error: &OpenError, needs: Needs) -> CaseOpening {
    match error {
        OpenError::Refused { pair, .. } | OpenError::Redirect { pair, .. } => {
            CaseOpening::Refused(pair.response.status_line().map_or(0, |line| line.code))
        }
        OpenError::BadHandshake { pair, .. } => CaseOpening::Bad(fatal(&pair.report)),
        // The next time, the bytes may differ.
        OpenError::NotHttp(_) => CaseOpening::Garbage("an answer that is not HTTP".to_owned()),
        OpenError::Head(_) | OpenError::OnlyInterim(_) => CaseOpening::Garbage(error.to_string()),
        OpenError::Closed { .. } | OpenError::Io(_) => CaseOpening::Dropped,
        OpenError::TimedOut { .. } => CaseOpening::Silent,
        OpenError::Tls(error) if needs == Needs::Tls => match error.is_refusal() {
            true => CaseOpening::Unsecured("the TLS handshake failed".to_owned()),
            false => CaseOpening::Unable(error.to_string()),
        },
        _ => CaseOpening::Unreachable(error.to_string()),
    }
}

/// The facts that a response shows.
fn of_response(response: &Head, report: &Report) -> CaseFacts {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let server = report.verdicts.iter().filter(|verdict| verdict.rule.side == Role::Server);
    let failed = server.filter(|verdict| verdict.outcome == Outcome::Fail);
    let defect = response.defects().first().map(|defect| (RES_GRAMMAR, defect.to_string()));
    CaseFacts {
        broken: failed.map(|verdict| (verdict.rule.id, finding(verdict))).chain(defect).collect(),
        headers: response
            .headers()
            .map(|field| (text(field.name).to_ascii_lowercase(), text(field.value)))
            .collect(),
        ..CaseFacts::default()
    }
}

/// The broken rules for which every client fails the connection.
fn fatal(report: &Report) -> String {
    let text = |verdict| format!("{} ({})", finding(verdict), verdict.rule.id);
    report.fatal().map(text).collect::<Vec<_>>().join("; ")
}

/// How a rule was broken, without the key of this connection, because runs are compared.
fn finding(verdict: &rules::RuleVerdict) -> String {
    let text = sanitize::escaped(verdict.text.as_bytes());
    match (verdict.rule.id, text.split_once("; ")) {
        ("4.1-res-accept-present", _) => "no Sec-WebSocket-Accept".to_owned(),
        ("4.1-res-accept-value", None) => "Sec-WebSocket-Accept does not prove the key".to_owned(),
        ("4.1-res-accept-value", Some((_, why))) => {
            format!("Sec-WebSocket-Accept does not prove the key; {why}")
        }
        _ => text,
    }
}

impl Task for Battery {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.moved = false;
        if let Some(signal) = runtime.take_signal() {
            self.signal = Some(signal);
            self.plan.stop(StopReason::Signal);
        } else if now >= self.pace.until && !self.plan.is_done() {
            self.plan.stop(StopReason::MaxTime);
        }
        if self.plan.stopped().is_some() {
            let mut left = self.running.drain(..).flatten();
            return left.try_for_each(|it| it.recorder.map_or(Ok(()), Recorder::end));
        }
        self.start(runtime, now)?;
        for slot in 0..self.running.len() {
            if let Some(RecordedCase { running, recorder }) = self.running[slot].take() {
                let stepped = recorded(recorder, runtime, |runtime| {
                    (self.step(running, runtime, now), self.judged.take())
                });
                self.running[slot] =
                    stepped?.map(|(running, recorder)| RecordedCase { running, recorder });
            }
        }
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, now: Instant) -> NextRound {
        let left = self.running.iter().flatten().count();
        if self.plan.stopped().is_some() || self.plan.is_done() && left == 0 {
            return NextRound::Done;
        }
        let wants = |recorded: &RecordedCase| match &recorded.running {
            RunningCase::Opening { opening, .. } => opening.wants_turn(),
            RunningCase::Open(open) => open.wants_turn(runtime, now),
            RunningCase::Leaving { connection, .. } => {
                connection.wants_turn(&runtime.stdout, &runtime.reporter)
            }
        };
        if self.moved || self.running.iter().flatten().any(wants) {
            return NextRound::Now;
        }
        let due = |recorded: &RecordedCase| match &recorded.running {
            RunningCase::Opening { opening, .. } => opening.deadline(),
            RunningCase::Open(open) => open.deadline(),
            RunningCase::Leaving { connection, until, .. } => {
                connection.deadline().into_iter().chain([*until]).min()
            }
        };
        let due = self.running.iter().flatten().filter_map(due).min();
        let resumes = self.resumes.filter(|at| *at > now);
        NextRound::Wait(due.into_iter().chain(resumes).chain([self.pace.until]).min())
    }

    fn ready(&mut self, ready: Ready<'_>) {
        let Ready::Socket(slot, event) = ready else { return };
        let recorded = self.running.get_mut(slot).and_then(Option::as_mut);
        match recorded.map(|recorded| &mut recorded.running) {
            Some(RunningCase::Opening { opening, .. }) => opening.ready(event),
            Some(RunningCase::Open(open)) => open.connection.ready(event),
            Some(RunningCase::Leaving { connection, .. }) => connection.ready(event),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::TlsError;

    #[test]
    fn an_error_of_this_side_says_nothing_of_the_server() {
        let own = OpenError::Tls(TlsError::Unavailable { option: "--tls-max" });
        assert!(matches!(opening_of(&own, Needs::Tls), CaseOpening::Unable(_)));
        let alert = OpenError::Tls(TlsError::Alert { number: 70 });
        assert!(matches!(opening_of(&alert, Needs::Tls), CaseOpening::Unsecured(_)));
        assert!(matches!(opening_of(&alert, Needs::Nothing), CaseOpening::Unreachable(_)));
    }
}
