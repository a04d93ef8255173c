//! A case on its open connection, with a server or a client. Carries out the steps of the trial,
//! and records the facts.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::check::facts::{CaseEnd, CaseFacts, KEPT, KEYS, Seen};
use crate::check::plan::{Work, has_echoed};
use crate::check::trial::{CaseRun, NextStep};
use crate::engine::behaviour::{Behaviour, Context};
use crate::engine::connection::Connection;
use crate::engine::runtime::Runtime;
use crate::event::{Cause, FrameEvent, Lost};
use crate::script::command::{Command, Payload};
use crate::script::runner::send::{content, send};
use crate::session::endpoint::AutoPong;
use crate::session::message::Assembler;
use crate::wire::{Control, Data, OpCode, ViolationKind};

/// How long TCP may stay open after the closing handshake.
pub(super) const TRANSPORT: Duration = Duration::from_secs(2);

/// The allowed inaccuracy of timers.
const MARGIN: Duration = Duration::from_millis(100);

/// A case on its open connection.
pub(super) struct OpenTrial {
    /// The work that it belongs to.
    pub(super) work: Work,
    /// The connection.
    pub(super) connection: Connection,
    /// The facts so far.
    pub(super) facts: Rc<RefCell<CaseFacts>>,
    /// When the last ping was sent.
    pub(super) pinged: Option<Instant>,
    /// When to continue; `None` once the facts are complete.
    wake: Option<Instant>,
    trial: CaseRun,
    closed: Option<Instant>,
    /// When the case's unanswered pings were sent.
    asked: VecDeque<Instant>,
    ponged: usize,
}

/// Records the events after the handshake.
struct Witness {
    facts: Rc<RefCell<CaseFacts>>,
    message: Assembler,
}

impl Behaviour for Witness {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, opcode: Data, content: &[u8], _: &mut Context<'_>) -> io::Result<()> {
        let content = content[..content.len().min(KEPT)].to_vec();
        self.facts.borrow_mut().seen.push(Seen::Message(OpCode::Data(opcode), content));
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, _: &mut Context<'_>) -> io::Result<()> {
        let facts = &mut *self.facts.borrow_mut();
        self.message.take(event, |message| {
            let opcode = OpCode::Data(message.opcode);
            facts.seen.push(Seen::Message(opcode, message.into_content()));
        });
        match event {
            FrameEvent::Start { header, .. } => {
                if let Some(key) = header.mask.filter(|_| facts.keys.len() < KEYS) {
                    facts.keys.push(key);
                }
            }
            FrameEvent::Control { opcode: OpCode::Control(Control::Pong), payload } => {
                facts.seen.push(Seen::Pong(payload.to_vec()));
            }
            FrameEvent::Control { opcode: OpCode::Control(Control::Ping), .. } => {
                facts.pings = facts.pings.saturating_add(1);
            }
            FrameEvent::Violation(violation) => {
                let rule = violation.kind.rule();
                facts
                    .seen
                    .push(Seen::Violation(format!("{} ({})", rule.explanation, rule.section)));
            }
            _ => {}
        }
        Ok(())
    }

    fn on_late(&mut self, event: &FrameEvent<'_>) {
        let facts = &mut *self.facts.borrow_mut();
        match event {
            FrameEvent::Control { opcode: OpCode::Control(Control::Pong), payload }
                if facts.late_pongs.len() < KEYS =>
            {
                facts.late_pongs.push(payload.to_vec());
            }
            FrameEvent::Violation(violation)
                if violation.kind == ViolationKind::FrameAfterClose =>
            {
                let rule = violation.kind.rule();
                facts.late_breach = Some(format!("{} ({})", rule.explanation, rule.section));
            }
            _ => {}
        }
    }
}

/// Whether a frame may be incomplete after this command.
fn leaves_frame_open(command: &Command) -> bool {
    match command {
        Command::Bytes(_) => true,
        Command::Frame(spec) => spec.announced.is_some(),
        Command::Repeat { command, .. } => leaves_frame_open(command),
        _ => false,
    }
}

impl OpenTrial {
    /// Begins a case on a connection that has just opened.
    pub(super) fn new(
        work: Work,
        mut connection: Connection,
        facts: CaseFacts,
        trial: CaseRun,
    ) -> Self {
        let facts = Rc::new(RefCell::new(facts));
        connection.add(Witness { facts: Rc::clone(&facts), message: Assembler::new(KEPT) });
        Self {
            work,
            connection,
            facts,
            pinged: None,
            wake: None,
            trial,
            closed: None,
            asked: VecDeque::new(),
            ponged: 0,
        }
    }

    /// Gives the connection a turn and continues the trial; returns whether the facts are complete.
    ///
    /// # Errors
    ///
    /// This side failed.
    pub(super) fn turn(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<bool> {
        runtime.give_turn(&mut self.connection, now)?;
        if self.go_on(now) {
            // Sent data leaves at once.
            runtime.give_turn(&mut self.connection, now)?;
        }
        Ok(self.wake.is_none())
    }

    /// Whether it can do something now.
    pub(super) fn wants_turn(&self, runtime: &Runtime, now: Instant) -> bool {
        self.connection.wants_turn(&runtime.stdout, &runtime.reporter)
            || self.wake.is_some_and(|at| at <= now)
    }

    /// When it must act without an event.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.connection.deadline().into_iter().chain(self.wake).min()
    }

    /// Carries out the next steps of the trial; returns whether it sent something. If `wake` is
    /// `None` then, the facts are complete.
    fn go_on(&mut self, now: Instant) -> bool {
        let mut sent = false;
        self.look(now);
        loop {
            let next = self.trial.next(&self.facts.borrow(), now);
            match next {
                NextStep::Send(command) => {
                    self.send(&command, now);
                    sent = true;
                }
                NextStep::Ping(payload) => {
                    self.pinged = Some(now);
                    self.send(&Command::Ping(Payload::Bytes(payload.to_vec())), now);
                    sent = true;
                }
                NextStep::Wait(at) => {
                    self.wake = Some(at);
                    return sent;
                }
                NextStep::Done | NextStep::TimedOut => {
                    // Some servers echo after the pong.
                    let echo = self.pinged.map(|at| at + Duration::from_millis(200));
                    if self.work.asks_for_echo()
                        && let Some(until) = echo.filter(|at| *at > now)
                        && !has_echoed(&self.facts.borrow())
                        && !self.connection.is_over()
                    {
                        self.wake = Some(until);
                        return sent;
                    }
                    self.facts.borrow_mut().timed_out = matches!(next, NextStep::TimedOut);
                    self.wake = None;
                    return sent;
                }
            }
        }
    }

    fn send(&mut self, command: &Command, now: Instant) {
        // Our pong would be inside a frame that the case writes in pieces.
        if leaves_frame_open(command)
            && let Some(endpoint) = self.connection.endpoint_mut()
        {
            endpoint.set_auto_pong(AutoPong::Off);
        }
        match command {
            Command::AutoClose(Some(on)) => {
                if let Some(endpoint) = self.connection.endpoint_mut() {
                    endpoint.set_auto_close(*on);
                }
            }
            Command::Ping(_) => self.asked.push_back(now),
            _ => {}
        }
        if let Ok(content) = content(command) {
            // If sending fails, the connection has ended, which is a fact of its own.
            let _ = send(command, &content, &mut self.connection.sender(now));
        }
    }

    /// Takes over the connection's facts about its end.
    fn look(&mut self, now: Instant) {
        let mut facts = self.facts.borrow_mut();
        let ponged = facts.seen.iter().filter(|seen| matches!(seen, Seen::Pong(_))).count();
        for sent in self.asked.drain(..(ponged - self.ponged).min(self.asked.len())) {
            facts.round_trips.push(now.saturating_duration_since(sent));
        }
        self.ponged = ponged;
        if facts.close.is_none()
            && let Some(close) = self.connection.endpoint().and_then(|one| one.received_close())
        {
            facts.close = Some(close.clone());
            self.closed = Some(now);
        }
        if facts.ended.is_none() && self.connection.is_over() {
            let late = self.closed.is_some_and(|at| now + MARGIN >= at + TRANSPORT);
            facts.ended = Some(match self.connection.ending(now).cause {
                Cause::Closed if late => CaseEnd::ByUs,
                Cause::Closed | Cause::Lost(Lost::EndOfStream | Lost::TruncatedTls) => {
                    CaseEnd::InOrder
                }
                Cause::Timeout(_) | Cause::Dropped | Cause::Relay { .. } => CaseEnd::ByUs,
                Cause::Lost(_) | Cause::Violation(_) => CaseEnd::Broken,
            });
        }
    }
}
