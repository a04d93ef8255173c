//! What a case does next on its open connection, depending on the events so far.
//!
//! First, all bytes of the case are sent. If the peer must fail the connection, two pings follow,
//! each after a pause: a server that fails the connection can't answer later frames of the same
//! stream, but some servers check messages and pings in different tasks, and so answer the first
//! ping.

use std::time::{Duration, Instant};

use super::case::{Case, Expectation, Tested};
use super::facts::{CANARIES, CaseFacts, CaseOpening, Seen};
use super::judge::content;
use crate::script::command::Command;
use crate::wire::{Control, OpCode};

/// The waits of a case.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The pause between the broken rule and the ping after it.
    pub pause: Duration,
    /// The time limit for every awaited event.
    pub patience: Duration,
}

impl Timing {
    /// The waits for a measured round trip.
    pub fn of(round_trip: Duration) -> Self {
        let (least, most) = (Duration::from_millis(50), Duration::from_secs(1));
        Self {
            pause: (4 * round_trip + Duration::from_millis(20)).clamp(least, most),
            patience: Duration::from_secs(2) + 4 * round_trip,
        }
    }
}

/// What the caller must do next.
#[derive(Clone, Debug)]
pub enum NextStep {
    /// Carry out this command.
    Send(Command),
    /// Send a ping with this payload.
    Ping(&'static [u8]),
    /// Wait for an event, at most until this moment.
    Wait(Instant),
    /// The facts are complete.
    Done,
    /// The facts are complete, but an awaited event did not come.
    TimedOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Sending the lines of the case from this one on.
    Sending(usize),
    /// Pausing before ping 0 or 1.
    Pausing(usize, Instant),
    /// Awaiting the pong of ping 0 or 1.
    Pinged(usize),
    /// Awaiting something else that ends the case.
    Awaiting,
}

/// A case under way.
#[derive(Debug)]
pub struct CaseRun {
    case: &'static Case,
    timing: Timing,
    echoes: bool,
    phase: Phase,
    /// A repeated command, and how many repetitions are left.
    repeated: Option<(u64, Command)>,
    /// The run sends nothing before this moment.
    resumes: Option<Instant>,
    /// The awaited event must come before this moment.
    until: Instant,
    /// Pings that were sent, and pongs that were received: a peer that answers them one by one is
    /// not silent.
    pings: usize,
    pongs: usize,
    /// After a Close that decides, the run waits for the end until this moment.
    lingers: Option<Instant>,
}

impl CaseRun {
    /// Begins a case on a connection that has just opened.
    pub fn new(case: &'static Case, timing: Timing, echoes: bool, now: Instant) -> Self {
        Self {
            case,
            timing,
            echoes,
            phase: Phase::Sending(0),
            repeated: None,
            resumes: None,
            until: now + timing.patience,
            pings: 0,
            pongs: 0,
            lingers: None,
        }
    }

    /// Returns the next step.
    pub fn next(&mut self, facts: &CaseFacts, now: Instant) -> NextStep {
        let pongs = facts.seen.iter().filter(|seen| matches!(seen, Seen::Pong(_))).count();
        if pongs > self.pongs && pongs <= self.pings {
            self.until = now + self.timing.patience;
        }
        self.pongs = pongs;
        let next = self.go_on(facts, now);
        self.pings += usize::from(is_ping(&next));
        next
    }

    fn go_on(&mut self, facts: &CaseFacts, now: Instant) -> NextStep {
        if self.is_decided(facts) {
            // Data after the peer's Close is visible only while the run waits for the end.
            let open = facts.close.is_some() && facts.ended.is_none();
            let until = *self.lingers.get_or_insert(now + self.timing.pause);
            return if open && now < until { NextStep::Wait(until) } else { NextStep::Done };
        }
        if let Some(at) = self.resumes.filter(|at| *at > now) {
            return NextStep::Wait(at);
        }
        loop {
            match self.phase {
                Phase::Sending(line) => {
                    if let Some((count, command)) = self.repeated.take() {
                        self.repeated = (count > 1).then(|| (count - 1, command.clone()));
                        return NextStep::Send(command);
                    }
                    match self.case.commands().nth(line) {
                        Some(command) => {
                            self.phase = Phase::Sending(line + 1);
                            match command {
                                Command::Wait(time) => {
                                    self.resumes = Some(now + time);
                                    return NextStep::Wait(now + time);
                                }
                                Command::Repeat { count, command } => {
                                    self.repeated = Some((count, *command));
                                }
                                command => return NextStep::Send(command),
                            }
                        }
                        None => {
                            self.until = now + self.timing.patience;
                            self.phase = self.behind(now);
                        }
                    }
                }
                Phase::Pausing(_, at) if at > now => return NextStep::Wait(at),
                Phase::Pausing(ping, _) => {
                    self.until = now + self.timing.patience;
                    self.phase = Phase::Pinged(ping);
                    return NextStep::Ping(CANARIES[ping]);
                }
                Phase::Pinged(0) if self.needs_two() && facts.has_pong(CANARIES[0]) => {
                    self.phase = Phase::Pausing(1, now + self.timing.pause);
                }
                Phase::Pinged(_) | Phase::Awaiting => {
                    // The end of TCP gets as much time after the answer as the answer got.
                    let more =
                        facts.close.as_ref().map_or(Duration::ZERO, |_| self.timing.patience);
                    let until = self.until + more;
                    return if now >= until { NextStep::TimedOut } else { NextStep::Wait(until) };
                }
            }
        }
    }

    /// The phase after the last line was sent.
    fn behind(&self, now: Instant) -> Phase {
        match self.case.expect {
            Expectation::Dies(_)
            | Expectation::DiesUnlike(..)
            | Expectation::Protects
            | Expectation::Learns
                if !self.case.send.is_empty() =>
            {
                Phase::Pausing(0, now + self.timing.pause)
            }
            Expectation::Fails => Phase::Pausing(0, now + self.timing.pause),
            Expectation::Pongs(_)
            | Expectation::PongsWithin(_)
            | Expectation::Closes(_)
            | Expectation::Condemns(_)
            | Expectation::Ends
            | Expectation::Silence => Phase::Awaiting,
            _ => Phase::Pausing(0, now),
        }
    }

    fn needs_two(&self) -> bool {
        matches!(
            self.case.expect,
            Expectation::Dies(_) | Expectation::DiesUnlike(..) | Expectation::Protects
        )
    }

    /// Whether no later data can change the verdict.
    fn is_decided(&self, facts: &CaseFacts) -> bool {
        if facts.ended.is_some() || facts.opening != CaseOpening::Open {
            return true;
        }
        if self.case.lacks(facts).is_some() {
            return true;
        }
        let ponged = facts.has_pong(CANARIES[0]);
        match self.case.expect {
            Expectation::Refused(_) | Expectation::Ignored | Expectation::Accepted => true,
            Expectation::Keeps(_)
            | Expectation::Declined
            | Expectation::Judged(..)
            | Expectation::FreshKey => true,
            Expectation::Closes(_) | Expectation::Silence
                if self.case.tested == Tested::Client && facts.close.is_some() =>
            {
                true
            }
            // These expectations include the end of TCP.
            Expectation::Closes(_) | Expectation::Silence | Expectation::Ends => false,
            _ if facts.close.is_some() => true,
            Expectation::Fails if !facts.seen.is_empty() => true,
            Expectation::Dies(_)
            | Expectation::DiesUnlike(..)
            | Expectation::Protects
            | Expectation::Fails => facts.has_pong(CANARIES[1]),
            Expectation::Echoes(opcode, line) if self.echoes => {
                ponged && facts.has_message(opcode, &content(line))
            }
            Expectation::Lives
            | Expectation::Echoes(..)
            | Expectation::Learns
            | Expectation::Keys => ponged,
            Expectation::Observed(_) | Expectation::Returns => ponged,
            // Other pongs may come unasked.
            Expectation::Pongs(payload) | Expectation::PongsWithin(payload) => {
                facts.has_pong(&content(payload))
            }
            Expectation::Condemns(_) => false,
        }
    }
}

/// Whether a pong must answer this step.
fn is_ping(next: &NextStep) -> bool {
    match next {
        NextStep::Ping(_) | NextStep::Send(Command::Ping(_)) => true,
        NextStep::Send(Command::Frame(spec)) => spec.opcode == OpCode::Control(Control::Ping),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::rule;
    use crate::check::facts::CaseEnd;
    use crate::wire::close::CloseBody;

    static DIES: Case = Case::new("t/dies", "title", rule("RFC", "says"), "why")
        .send(&["/frame text rsv2=on x"])
        .expect(Expectation::Dies(&[1002]));
    static BYTEWISE: Case = Case::new("t/bytewise", "title", rule("RFC", "says"), "why").send(&[
        "/repeat 2 /bytes 61",
        "/wait 0.5",
        "/bytes 62",
    ]);

    const TIMING: Timing =
        Timing { pause: Duration::from_millis(50), patience: Duration::from_secs(2) };

    fn facts() -> CaseFacts {
        CaseFacts { opening: CaseOpening::Open, ..CaseFacts::default() }
    }

    #[test]
    fn a_server_that_lives_on_gets_two_pings_behind_pauses() {
        let now = Instant::now();
        let (mut facts, mut trial) = (facts(), CaseRun::new(&DIES, TIMING, false, now));
        assert!(matches!(trial.next(&facts, now), NextStep::Send(Command::Frame(_))));
        let first = now + TIMING.pause;
        assert!(matches!(trial.next(&facts, now), NextStep::Wait(at) if at == first));
        assert!(matches!(trial.next(&facts, first), NextStep::Ping(p) if p == CANARIES[0]));
        assert!(
            matches!(trial.next(&facts, first), NextStep::Wait(at) if at == first + TIMING.patience)
        );
        facts.seen.push(Seen::Pong(CANARIES[0].to_vec()));
        let second = first + TIMING.pause;
        assert!(matches!(trial.next(&facts, first), NextStep::Wait(at) if at == second));
        assert!(matches!(trial.next(&facts, second), NextStep::Ping(p) if p == CANARIES[1]));
        facts.seen.push(Seen::Pong(CANARIES[1].to_vec()));
        assert!(matches!(trial.next(&facts, second), NextStep::Done));
    }

    #[test]
    fn an_end_decides_at_once_a_close_in_a_moment_and_silence_when_the_time_is_over() {
        let now = Instant::now();
        let mut trial = CaseRun::new(&DIES, TIMING, false, now);
        assert!(matches!(trial.next(&facts(), now), NextStep::Send(_)));
        assert!(matches!(trial.next(&facts(), now), NextStep::Wait(_)));
        let closed =
            CaseFacts { close: Some(CloseBody { code: None, reason: Vec::new() }), ..facts() };
        let pause = now + TIMING.pause;
        assert!(matches!(trial.next(&closed, now), NextStep::Wait(at) if at == pause));
        assert!(matches!(trial.next(&closed, pause), NextStep::Done));
        let ended = CaseFacts { ended: Some(CaseEnd::InOrder), ..facts() };
        assert!(matches!(trial.next(&ended, now), NextStep::Done));
        assert!(matches!(trial.next(&facts(), now + TIMING.pause), NextStep::Ping(_)));
        let late = now + TIMING.pause + TIMING.patience;
        assert!(matches!(trial.next(&facts(), late), NextStep::TimedOut));
    }

    #[test]
    fn a_pong_that_nobody_asked_for_ends_no_case() {
        static PINGS: Case = Case::new("t/pings", "title", rule("RFC", "says"), "why")
            .send(&["/ping x"])
            .expect(Expectation::Pongs("x"));
        let now = Instant::now();
        let (mut facts, mut trial) = (facts(), CaseRun::new(&PINGS, TIMING, false, now));
        assert!(matches!(trial.next(&facts, now), NextStep::Send(_)));
        facts.seen.push(Seen::Pong(Vec::new()));
        assert!(matches!(trial.next(&facts, now), NextStep::Wait(_)));
        facts.seen.push(Seen::Pong(b"x".to_vec()));
        assert!(matches!(trial.next(&facts, now), NextStep::Done));
    }

    #[test]
    fn a_server_that_answers_pings_one_by_one_has_the_time_for_each_of_them() {
        static PINGS: Case =
            Case::new("t/pings", "title", rule("RFC", "says"), "why").send(&["/repeat 3 /ping x"]);
        let mut now = Instant::now();
        let (mut facts, mut trial) = (facts(), CaseRun::new(&PINGS, TIMING, false, now));
        for _ in 0..3 {
            assert!(matches!(trial.next(&facts, now), NextStep::Send(_)));
        }
        assert!(matches!(trial.next(&facts, now), NextStep::Ping(_)));
        for _ in 0..3 {
            now += TIMING.patience - Duration::from_millis(1);
            facts.seen.push(Seen::Pong(b"x".to_vec()));
            assert!(matches!(trial.next(&facts, now), NextStep::Wait(_)));
        }
        // Other pongs come unasked and answer no ping.
        now += TIMING.patience - Duration::from_millis(1);
        facts.seen.extend([Seen::Pong(Vec::new()), Seen::Pong(Vec::new())]);
        assert!(matches!(trial.next(&facts, now), NextStep::Wait(_)));
        assert!(matches!(trial.next(&facts, now + TIMING.patience), NextStep::TimedOut));
    }

    #[test]
    fn what_is_sent_is_repeated_and_paused() {
        let now = Instant::now();
        let (facts, mut trial) = (facts(), CaseRun::new(&BYTEWISE, TIMING, false, now));
        for _ in 0..2 {
            assert!(matches!(trial.next(&facts, now), NextStep::Send(Command::Bytes(_))));
        }
        let later = now + Duration::from_millis(500);
        for _ in 0..2 {
            assert!(matches!(trial.next(&facts, now), NextStep::Wait(at) if at == later));
        }
        assert!(matches!(trial.next(&facts, later), NextStep::Send(Command::Bytes(_))));
        assert!(matches!(trial.next(&facts, later), NextStep::Ping(p) if p == CANARIES[0]));
    }

    #[test]
    fn the_waits_follow_the_round_trip_within_bounds() {
        assert_eq!(Timing::of(Duration::ZERO).pause, Duration::from_millis(50));
        assert_eq!(Timing::of(Duration::from_millis(100)).pause, Duration::from_millis(420));
        assert_eq!(Timing::of(Duration::from_secs(9)).pause, Duration::from_secs(1));
    }
}
