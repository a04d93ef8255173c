//! `wscope replay`: plays the client's side of a recorded connection, and collects the results.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::perform::Performer;
use crate::config::{ReplayOptions, ReplayPace};
use crate::engine::behaviour::{Behaviour, Context, TURN_CONTENT};
use crate::engine::outbox::{Outbox, Producer};
use crate::event::{Ending, FrameEvent};
use crate::recording::{Compare, Comparison, Difference, ReplayPlan, ValueRules, Values};
use crate::session::Assembler;
use crate::ui::latency::Latencies;
use crate::wire::{CloseCode, Data};

/// How many bytes of a received message are examined.
const LOOKED_AT: usize = 64 << 20;

/// How many differences of a connection are kept for output.
const SHOWN: usize = 10;

/// The script for each connection.
#[derive(Debug)]
pub struct ReplayScript {
    plan: ReplayPlan,
    pace: ReplayPace,
    /// With a timed pace, when each step is due after the opening.
    offsets: Vec<Duration>,
    /// How long to wait for a message.
    patience: Duration,
    rules: Rc<ValueRules>,
    /// How received messages are compared.
    comparison: Comparison,
}

impl ReplayScript {
    /// Plays a plan with the given options.
    pub fn new(plan: ReplayPlan, options: ReplayOptions) -> Self {
        let ReplayOptions { pace, max_gap, patience, rules, comparison } = options;
        let speed = match pace {
            ReplayPace::Timed(speed) => speed,
            ReplayPace::Wait | ReplayPace::Fast => 1.0,
        };
        let (mut before, mut sum) = (Duration::ZERO, Duration::ZERO);
        let offset = |at: Duration| {
            let gap = at.saturating_sub(mem::replace(&mut before, at));
            let gap = Duration::try_from_secs_f64(gap.as_secs_f64() / speed);
            let gap = gap.unwrap_or(Duration::MAX);
            sum = sum.saturating_add(max_gap.map_or(gap, |most| gap.min(most)));
            sum
        };
        let offsets = plan.steps.iter().map(|step| step.at).map(offset).collect();
        Self { plan, pace, offsets, patience, rules: Rc::new(rules), comparison }
    }

    /// The plan.
    pub fn plan(&self) -> &ReplayPlan {
        &self.plan
    }

    /// How received messages are compared.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }
}

/// The result of a connection so far.
#[derive(Debug, Default)]
pub struct ReplayLog {
    /// The numbers of sent and received messages.
    pub sent: u64,
    pub received: u64,
    /// The number of finished steps.
    pub steps: usize,
    /// The message that did not arrive or was not sent, in a sentence.
    pub unanswered: Option<String>,
    /// An awaited message did not arrive.
    pub timed_out: bool,
    /// The first differences, and their total number.
    pub differences: Vec<Difference>,
    pub all_differences: u64,
    /// The times from a message to its answer.
    pub latencies: Latencies,
    /// The name of a capture that matched nothing.
    pub uncaptured: Option<String>,
}

impl ReplayLog {
    fn differs(&mut self, difference: Option<Difference>) {
        let Some(difference) = difference else { return };
        self.all_differences += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(difference);
        }
    }

    /// Handles the end of the connection: missing messages count as differences.
    pub fn end(&mut self, script: &ReplayScript, ending: &Ending) {
        let ReplayScript { plan, comparison, .. } = script;
        let missing = plan.awaited.get(self.received as usize..).unwrap_or_default();
        self.differs(comparison.missing(self.received + 1, missing));
        // A Close that only answers ours proves nothing. If a message was missing, wscope did not
        // wait for the Close.
        if let Some(expected) =
            plan.close.as_ref().filter(|_| missing.is_empty() || !self.timed_out)
        {
            let received = ending.received.as_ref().filter(|_| !self.timed_out);
            let received = received.map(|close| close.code);
            self.differs(comparison.close(self.received + 1, expected.code, received));
        }
        let left = plan.steps.len() - self.steps;
        if left > 0 && self.unanswered.is_none() {
            let all = plan.steps.len();
            self.unanswered = Some(format!(
                "the connection ended before everything was sent: {left} of {all} frames are left"
            ));
        }
    }
}

/// Plays a script on one connection.
#[derive(Debug)]
pub struct Replay {
    script: Rc<ReplayScript>,
    log: Rc<RefCell<ReplayLog>>,
    values: Values,
    performer: Performer,
    assembler: Assembler,
    next: usize,
    received: usize,
    opened: Instant,
    /// When data was last sent or received.
    active: Instant,
    /// Sent messages that wait for the answer with this number (from 0), and when they were sent.
    pending: VecDeque<(usize, Instant)>,
    /// The next step may be due now.
    ready: bool,
}

/// What the next step waits for.
enum Await {
    Nothing,
    Time(Instant),
    /// The next message.
    Message,
    Close,
    /// All steps are done; waits for the end.
    End,
}

impl Replay {
    /// For a connection that is open now.
    pub fn new(script: &Rc<ReplayScript>, log: &Rc<RefCell<ReplayLog>>, now: Instant) -> Self {
        Self {
            values: Values::new(&script.rules),
            script: Rc::clone(script),
            log: Rc::clone(log),
            performer: Performer::default(),
            assembler: Assembler::new(LOOKED_AT),
            next: 0,
            received: 0,
            opened: now,
            active: now,
            pending: VecDeque::new(),
            ready: true,
        }
    }

    fn awaits(&self, now: Instant) -> Await {
        let ReplayScript { plan, pace, offsets, .. } = &*self.script;
        let Some(step) = plan.steps.get(self.next) else {
            return match &plan.close {
                _ if plan.closes() => Await::End,
                _ if self.received < plan.awaited.len() => Await::Message,
                Some(_) => Await::Close,
                None => Await::Nothing,
            };
        };
        // After a Close, nothing more would arrive.
        let waits = *pace == ReplayPace::Wait || step.what.is_close();
        if waits && self.received < step.after {
            return Await::Message;
        }
        match pace {
            ReplayPace::Timed(_) => match self.opened.checked_add(offsets[self.next]) {
                Some(due) if due <= now => Await::Nothing,
                Some(due) => Await::Time(due),
                // So far in the future that it never comes.
                None => Await::End,
            },
            ReplayPace::Wait | ReplayPace::Fast => Await::Nothing,
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) {
        let script = Rc::clone(&self.script);
        let steps = &script.plan.steps;
        let values = (!script.rules.is_empty()).then_some(&self.values);
        self.performer.send(steps, self.next, values, &mut cx.sender);
        let step = &steps[self.next];
        if step.answered && self.received <= step.after {
            self.pending.push_back((step.after, cx.sender.now));
        }
        self.next += 1;
        self.active = cx.sender.now;
        let mut log = self.log.borrow_mut();
        log.steps = self.next;
        log.sent += u64::from(step.what.ends_message());
    }

    fn take(&mut self, opcode: Data, content: &[u8], now: Instant) {
        let ReplayScript { plan, comparison, .. } = &*self.script;
        let number = self.received as u64 + 1;
        self.values.received(plan, content);
        let mut log = self.log.borrow_mut();
        log.received = number;
        log.uncaptured = self.values.missing().map(str::to_owned);
        let difference = match plan.awaited.get(self.received) {
            None => comparison.extra(number, plan.awaited.len(), content),
            Some(_) if comparison.how < Compare::Kind => None,
            Some(expected) => {
                let renewed = self.values.renewed(&expected.content);
                comparison.difference(number, (expected.opcode, &renewed), (opcode, content))
            }
        };
        log.differs(difference);
        while let Some((answer, sent)) = self.pending.pop_front_if(|(at, _)| *at <= self.received) {
            if answer == self.received {
                log.latencies.take(now.saturating_duration_since(sent));
            }
        }
        self.received += 1;
        self.active = now;
        self.ready = true;
    }

    /// Gives up, because a message did not arrive in time.
    fn give_up(&mut self, awaits: &Await, cx: &mut Context<'_>) {
        let seconds = self.script.patience.as_secs_f64();
        let what = match awaits {
            Await::Message => format!("message {} of the server", self.received + 1),
            _ => "the server's Close".to_owned(),
        };
        let (done, all) = (self.next, self.script.plan.steps.len());
        let before = match all - done {
            0 => String::new(),
            _ => format!("; frame {} of {all} waits for it", done + 1),
        };
        let text = format!("{what} did not arrive within {seconds} s (--step-timeout){before}");
        let mut log = self.log.borrow_mut();
        (log.unanswered, log.timed_out) = (Some(text), true);
        // The connection is open.
        let _ = cx.sender.close(Some(CloseCode::Away.into()), "");
    }

    fn gives_up_at(&self) -> Option<Instant> {
        self.active.checked_add(self.script.patience)
    }
}

impl Behaviour for Replay {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, opcode: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        self.take(opcode, &content[..content.len().min(LOOKED_AT)], cx.sender.now);
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        let mut message = None;
        self.assembler.take(event, |whole| message = Some((whole.opcode, whole.into_content())));
        if let Some((opcode, content)) = message {
            self.take(opcode, &content, cx.sender.now);
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.assembler.held()
    }

    fn on_turn(&mut self, pending: usize, cx: &mut Context<'_>) -> Result<(), String> {
        let (before, mut content) = (cx.sender.tx.len(), 0);
        while cx.sender.is_open() {
            let awaits = self.awaits(cx.sender.now);
            match awaits {
                Await::Nothing if self.next == self.script.plan.steps.len() => {
                    // The connection is open.
                    let _ = cx.sender.close(Some(CloseCode::Normal.into()), "");
                }
                Await::Nothing => {
                    let made = cx.sender.tx.len().saturating_sub(before);
                    if content >= TURN_CONTENT
                        || !cx.sender.outbox.has_room(Producer::Hand, pending + made)
                    {
                        return Ok(());
                    }
                    self.send(cx);
                    content += cx.sender.tx.len().saturating_sub(before + made);
                    continue;
                }
                Await::Message | Await::Close
                    if self.gives_up_at().is_some_and(|at| at <= cx.sender.now) =>
                {
                    self.give_up(&awaits, cx);
                }
                _ => {}
            }
            break;
        }
        self.ready = false;
        Ok(())
    }

    fn is_ready(&self, outbox: &Outbox, pending: usize) -> bool {
        self.ready && outbox.has_room(Producer::Hand, pending)
    }

    fn deadline(&self) -> Option<Instant> {
        match self.awaits(self.active) {
            Await::Time(at) => Some(at),
            Await::Message | Await::Close => self.gives_up_at(),
            Await::Nothing | Await::End => None,
        }
    }
}
