//! A proxy as a task of the event loop: accepts connections, gives them turns, and knows when to
//! end.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::connections::AllPairs;
use super::pair::{Pair, Shared};
use super::pairs::Pairs;
use super::running::Running;
use crate::cli::OutputFormat;
use crate::config::ProxyConfig;
use crate::engine::acceptor::{ACCEPTS, Acceptor};
use crate::engine::exit::Exit;
use crate::engine::memory::Budget;
use crate::engine::opening::server::{canonical, peer_name};
use crate::engine::relay::Intervening;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task};
use crate::engine::slots::{Slot, SlotPart, Slots, token};
use crate::event::{ConnId, Event};
use crate::net::authority::Authority;
use crate::net::link::SocketLink;
use crate::net::listener::{Listeners, descriptors_left};
use crate::net::plain_io::plain_io;
use crate::net::signals::Signal;
use crate::net::stream::Stream;
use crate::net::tls::TlsServer;
use crate::script::runner::{ScriptRunner, SessionRequest};
use crate::wire::Role;

/// A round ends after that: signals, timers and events wait for its end.
const ROUND: Duration = Duration::from_millis(20);

/// Turns between two looks at the clock.
const TURNS: usize = 8;

/// Clients that are answered that there are too many, at once; more are dropped without an answer.
const TURNED_AWAY: usize = 64;

/// After the end of a program, its connections have so long to end in order.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A connection with a smaller backlog is not reset for lack of memory.
const SMALL: usize = 64 * 1024;

/// A proxy.
pub struct Server {
    pairs: Pairs,
    tls: Option<TlsServer>,
    acceptor: Acceptor,
    most: usize,
    /// Carries out the lines of a prompt or a script.
    runner: Option<ScriptRunner>,
    /// The open connections that the runner knows.
    known: Vec<ConnId>,
    fault: Option<String>,
    /// Connections that wait for an output.
    stalled: BTreeSet<Slot>,
    max_time: Option<Instant>,
    exit: Option<Exit>,
    /// A program that uses this proxy.
    program: Option<Running>,
    /// The program has ended: the status to end with, and when at the latest.
    ended: Option<(Exit, Instant)>,
}

impl Server {
    /// Begins to listen.
    pub fn new(
        config: ProxyConfig,
        tls: Option<TlsServer>,
        listeners: Listeners,
        urls: Vec<String>,
        runner: Option<ScriptRunner>,
        authority: Option<Authority>,
        program: Option<Running>,
    ) -> Self {
        // Each connection has two sockets.
        let possible = usize::try_from(descriptors_left() / 2).unwrap_or(usize::MAX).max(1);
        let intervenes = config.intervenes() || runner.is_some();
        let shared = Shared {
            memory: Budget::new(config.max_memory),
            intervening: Intervening {
                rules: intervenes.then(|| Rc::new(config.rules.clone().into())),
                pacing: config.pacing,
                faults: Default::default(),
            },
            received: runner.as_ref().map(|runner| Rc::clone(runner.received())),
            own: listeners.addresses().into(),
            authority: authority.map(RefCell::new),
            config,
        };
        let config = &shared.config;
        Self {
            most: config.max_clients.unwrap_or(possible),
            max_time: config.max_time.map(|time| Instant::now() + time),
            tls,
            acceptor: Acceptor::new(listeners),
            pairs: Pairs { shared, all: Slots::default(), connections: 0, urls },
            runner,
            known: Vec::new(),
            fault: None,
            stalled: BTreeSet::new(),
            exit: None,
            program,
            ended: None,
        }
    }

    /// The status to end with, and what was wrong on this side.
    pub fn result(&mut self) -> (Exit, Option<String>) {
        (self.exit.unwrap_or(Exit::Failure), self.fault.take())
    }

    /// Gives the runner back, at the end.
    pub fn take_runner(&mut self) -> Option<ScriptRunner> {
        self.runner.take()
    }

    /// Carries out lines, and what they ask of the proxy.
    fn run_lines(&mut self, runtime: &mut Runtime, now: Instant) {
        let Self { pairs, runner: Some(runner), known, exit: None, .. } = self else { return };
        let open = || pairs.all.iter().filter(|pair| pair.is_open());
        if !open().map(Pair::id).eq(known.iter().copied()) {
            *known = open().map(Pair::id).collect();
            let redactor = runtime.reporter.redactor();
            let about = |pair: &Pair| (pair.id().0, redactor.text(&pair.about()).into_owned());
            runner.set_clients(open().map(about).collect());
        }
        runner.run(&mut AllPairs { pairs, runtime }, now);
        runner.show_clients();
        if let Some(failure) = runner.take_failure() {
            let exit = if failure.unmet { Exit::Unmet } else { Exit::Failure };
            self.fault = Some(failure.text);
            return self.end(exit);
        }
        match runner.take_request() {
            Some(SessionRequest::Quit) => self.end(Exit::Success),
            Some(SessionRequest::Leave) => self.end(Exit::Interrupted),
            Some(SessionRequest::Open) | None => {}
        }
    }

    fn accept(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            let Some((stream, address)) = self.acceptor.accept(&runtime.notifier, now) else {
                break;
            };
            self.join(stream, address, runtime, now)?;
        }
        Ok(())
    }

    fn join(
        &mut self,
        stream: Stream,
        address: Option<SocketAddr>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        if self.pairs.all.len() >= self.most.saturating_add(TURNED_AWAY) {
            return Ok(());
        }
        self.pairs.connections += 1;
        let id = ConnId(self.pairs.connections);
        let excess = (self.pairs.all.len() >= self.most).then_some(self.most);
        if runtime.reporter.looks_at_frames() {
            let local = stream.addresses().map(|(local, _)| canonical(local).to_string());
            let (local, peer) = (local.unwrap_or_default(), peer_name(address));
            runtime.report(id, &Event::Accepted { local: &local, peer: &peer })?;
        }
        let pipe = match self.tls.as_ref().map(|tls| tls.accept()).transpose() {
            Ok(pipe) => pipe,
            Err(error) => return runtime.report(id, &Event::Failed(&error.to_string())),
        };
        let [client, server] = tokens_of(self.pairs.all.next_slot());
        let socket = token(client, SlotPart::Socket);
        let link = match SocketLink::without_buffer(stream, pipe, runtime.registry(), socket) {
            Ok(link) => link,
            // The system has no memory for one more, or not for this user.
            Err(error) => return runtime.report(id, &Event::Failed(&plain_io(&error))),
        };
        let pair = Pair::new(id, address, server, link, &self.pairs.shared, excess, now);
        let deadline = pair.deadline();
        let slot = self.pairs.all.insert(pair);
        self.pairs.all.arm(slot, deadline);
        // Its request may be there already.
        self.pairs.all.enqueue(slot);
        Ok(())
    }

    fn turn(&mut self, slot: Slot, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let Pairs { shared, all, .. } = &mut self.pairs;
        let Some(pair) = all.get_mut(slot) else { return Ok(()) };
        pair.turn(shared, runtime, now)?;
        let (again, stalled) = (pair.wants_turn(runtime), pair.is_stalled(runtime));
        let (gone, deadline) = (pair.is_gone(), pair.deadline());
        if gone {
            self.pairs.all.remove(slot);
        } else if again {
            self.pairs.all.enqueue(slot);
        } else if stalled {
            self.stalled.insert(slot);
        }
        self.pairs.all.arm(slot, deadline);
        Ok(())
    }

    /// Resets the connection with the slowest end, while too much waits.
    fn shed(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        while self.pairs.shared.memory.is_exceeded() {
            let slowest = self.pairs.all.iter().map(Pair::backlog).max().unwrap_or_default();
            if slowest <= SMALL {
                break;
            }
            let Some(slot) = self.pairs.all.find(|pair| pair.backlog() == slowest) else { break };
            let Some(pair) = self.pairs.all.get_mut(slot) else { break };
            let limit = self.pairs.shared.memory.limit() >> 20;
            let text = format!("reset: too slow, more than {limit} MiB are queued");
            runtime.report(pair.id(), &Event::Note(&text))?;
            runtime.remark(pair.id(), &text);
            pair.drop_connection();
            self.turn(slot, runtime, Instant::now())?;
        }
        Ok(())
    }

    fn end(&mut self, exit: Exit) {
        self.exit = Some(exit);
        self.acceptor.stop();
        self.program.iter_mut().for_each(|program| program.end(Instant::now()));
        self.pairs.all.each(|pair| {
            pair.drop_connection();
            true
        });
    }
}

impl Server {
    /// Looks after the program: its end, and signals that are for it. True if it has the signal.
    fn run_program(&mut self, signal: Option<Signal>, now: Instant) -> io::Result<bool> {
        if let Some(program) = &mut self.program {
            if let Some(status) = program.look(now)? {
                self.program = None;
                self.acceptor.stop();
                self.ended = Some((Exit::Command(status), now + LAST_WORDS));
            } else if let Some(signal) = signal
                && self.exit.is_none()
            {
                program.signal(signal);
                return Ok(true);
            }
        }
        if let Some((exit, until)) = self.ended
            && self.exit.is_none()
            && (self.pairs.all.is_empty() || until <= now)
        {
            self.end(exit);
        }
        Ok(false)
    }
}

/// A connection has two slots of tokens: the client's leg and the server's.
fn tokens_of(slot: Slot) -> [Slot; 2] {
    [slot * 2, slot * 2 + 1]
}

impl Task for Server {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.accept(runtime, now)?;
        self.pairs.all.expire(now);
        if !runtime.is_output_full() {
            let stalled = std::mem::take(&mut self.stalled);
            stalled.into_iter().for_each(|slot| self.pairs.all.enqueue(slot));
        }
        for turn in 1..=self.pairs.all.waiting() {
            let Some(slot) = self.pairs.all.dequeue() else { break };
            self.turn(slot, runtime, now)?;
            if turn % TURNS == 0 && now.elapsed() >= ROUND {
                break;
            }
        }
        self.shed(runtime)?;
        self.run_lines(runtime, now);
        let runner = &mut self.runner;
        let away = runner.as_ref().is_some_and(ScriptRunner::is_away);
        let signal = runtime.signals.take().filter(|signal| {
            *signal != Signal::Interrupt
                || !away && !runner.as_mut().is_some_and(ScriptRunner::interrupt)
        });
        let is_its = self.run_program(signal, now)?;
        if let Some(signal) = signal.filter(|_| !is_its) {
            self.end(signal.into());
        } else if self.exit.is_none() && self.max_time.is_some_and(|at| at <= now) {
            self.end(Exit::Timeout);
        } else if self.exit.is_none()
            && self.pairs.shared.config.output != OutputFormat::None
            && runtime.stdout.is_closed()
        {
            self.end(Exit::Success);
        }
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, _: Instant) -> NextRound {
        let unread =
            self.pairs.shared.config.output != OutputFormat::None && runtime.stdout.is_closed();
        if self.exit.is_some() && self.pairs.all.is_empty() && self.program.is_none() {
            return NextRound::Done;
        }
        let runner = self.runner.as_ref().filter(|_| self.exit.is_none());
        let lines = runner.is_some_and(ScriptRunner::is_ready);
        // Outputs may have taken all since: a file does at once, and no event reports that.
        let resumes = !self.stalled.is_empty() && !runtime.is_output_full();
        if lines
            || resumes
            || self.pairs.all.waiting() > 0
            || self.acceptor.is_ready()
            || unread && self.exit.is_none()
        {
            return NextRound::Now;
        }
        let lines = runner.and_then(ScriptRunner::deadline);
        let program = self.program.as_ref().and_then(Running::deadline);
        let program = program.or(self.ended.map(|(_, until)| until));
        let max_time = self.max_time.filter(|_| self.exit.is_none());
        let due = [self.pairs.all.deadline(), self.acceptor.deadline(), max_time, lines, program];
        NextRound::Wait(due.into_iter().flatten().min())
    }

    fn ready(&mut self, ready: Ready<'_>) {
        match ready {
            Ready::Listener => self.acceptor.set_ready(),
            Ready::Socket(token_slot, event) => {
                let (slot, role) = match token_slot % 2 {
                    0 => (token_slot / 2, Role::Client),
                    _ => (token_slot / 2, Role::Server),
                };
                if let Some(pair) = self.pairs.all.get_mut(slot) {
                    pair.ready(role, event);
                    self.pairs.all.enqueue(slot);
                }
            }
            // A thread has looked a name up, or dialled.
            Ready::Input { closed } => {
                self.pairs.all.each(|pair| pair.is_reaching());
                self.runner.iter_mut().for_each(|runner| runner.set_ready(closed));
            }
            Ready::Pipe(..) => {}
        }
    }
}
