//! A proxy as a task of the event loop: accepts connections, gives them turns, and knows when to
//! end.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::connections::{AllPairs, ProxyPairs};
use super::pair::{ProxyPair, ProxyShared};
use super::running::Running;
use crate::cli::OutputFormat;
use crate::config::ProxyConfig;
use crate::engine::crowd::{Crowd, Member as _};
use crate::engine::exit::Exit;
use crate::engine::memory::Budget;
use crate::engine::relay::Intervening;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task};
use crate::engine::slots::{Slot, SlotPart, token};
use crate::event::{ConnId, Event};
use crate::modes::serving::Serves;
use crate::net::authority::Authority;
use crate::net::listener::{Listeners, descriptors_left};
use crate::net::signals::Signal;
use crate::net::tls::TlsServer;
use crate::script::runner::{ScriptRunner, SessionRequest};
use crate::wire::Role;

/// How long connections may take to end in order after the end of the program.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A connection with a smaller backlog is not reset because of the memory limit.
const SMALL: usize = 64 * 1024;

/// A proxy.
pub struct ProxyServer {
    pairs: ProxyPairs,
    tls: Option<TlsServer>,
    most: usize,
    /// Runs the lines of a prompt or a script.
    runner: Option<ScriptRunner>,
    /// The open connections that the runner knows.
    known: Vec<ConnId>,
    fault: Option<String>,
    max_time: Option<Instant>,
    exit: Option<Exit>,
    /// A program that uses this proxy.
    program: Option<Running>,
    /// The program has ended: the status of the proxy, and the latest time of its end.
    ended: Option<(Exit, Instant)>,
}

impl ProxyServer {
    /// Creates the proxy.
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
        let shared = ProxyShared {
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
            pairs: ProxyPairs { shared, all: Crowd::new(listeners), urls },
            runner,
            known: Vec::new(),
            fault: None,
            exit: None,
            program,
            ended: None,
        }
    }

    /// Runs lines, and carries out their requests to the proxy.
    fn run_lines(&mut self, runtime: &mut Runtime, now: Instant) {
        let Self { pairs, runner: Some(runner), known, exit: None, .. } = self else { return };
        let open = || pairs.all.iter().filter(|pair| pair.is_open());
        if !open().map(ProxyPair::id).eq(known.iter().copied()) {
            *known = open().map(ProxyPair::id).collect();
            let redactor = runtime.reporter.redactor();
            let about = |pair: &ProxyPair| (pair.id().0, redactor.text(&pair.about()).into_owned());
            runner.set_clients(open().map(about).collect());
        }
        runner.run(&mut AllPairs { pairs, runtime }, now);
        runner.show_clients();
        if let Some(failure) = runner.take_failure() {
            let exit = failure.exit();
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
        let ProxyPairs { shared, all, .. } = &mut self.pairs;
        let socket = |slot| token(tokens_of(slot)[0], SlotPart::Socket);
        all.accept((self.tls.as_ref(), self.most), socket, runtime, now, |arrival| {
            let [_, server] = tokens_of(arrival.slot);
            ProxyPair::new(arrival, server, shared, now)
        })
    }

    fn turn(&mut self, slot: Slot, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let ProxyPairs { shared, all, .. } = &mut self.pairs;
        let Some(pair) = all.get_mut(slot) else { return Ok(()) };
        pair.turn(shared, runtime, now)?;
        all.end_turn(slot, false, runtime);
        Ok(())
    }

    /// Resets the connection with the slowest end, as long as too much data waits.
    fn shed(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        while self.pairs.shared.memory.is_exceeded() {
            let slowest = self.pairs.all.iter().map(ProxyPair::backlog).max().unwrap_or_default();
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
        self.pairs.all.stop_accepting();
        self.program.iter_mut().for_each(|program| program.end(Instant::now()));
        self.pairs.all.each(|pair| {
            pair.drop_connection();
            true
        });
    }
}

impl ProxyServer {
    /// Handles the end of the program, and signals for it. Returns true if it has taken the signal.
    fn run_program(&mut self, signal: Option<Signal>, now: Instant) -> io::Result<bool> {
        if let Some(program) = &mut self.program {
            if let Some(status) = program.look(now)? {
                self.program = None;
                self.pairs.all.stop_accepting();
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

impl Serves for ProxyServer {
    fn result(&mut self) -> (Exit, Option<String>) {
        (self.exit.unwrap_or(Exit::Failure), self.fault.take())
    }

    fn take_runner(&mut self) -> Option<ScriptRunner> {
        self.runner.take()
    }
}

impl Task for ProxyServer {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.accept(runtime, now)?;
        self.pairs.all.begin_round(runtime, now);
        while let Some(slot) = self.pairs.all.next_turn(now) {
            self.turn(slot, runtime, now)?;
        }
        self.shed(runtime)?;
        self.run_lines(runtime, now);
        let signal = runtime
            .signals
            .take()
            .filter(|signal| !self.runner.as_mut().is_some_and(|runner| runner.absorbs(*signal)));
        let is_its = self.run_program(signal, now)?;
        if let Some(signal) = signal.filter(|_| !is_its) {
            self.end(signal.into());
        } else if self.exit.is_none() && self.max_time.is_some_and(|at| at <= now) {
            self.end(Exit::Timeout);
        } else if self.exit.is_none()
            && self.pairs.shared.config.traffic.output != OutputFormat::None
            && runtime.stdout.is_closed()
        {
            self.end(Exit::Success);
        }
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, _: Instant) -> NextRound {
        let unread = self.pairs.shared.config.traffic.output != OutputFormat::None
            && runtime.stdout.is_closed();
        if self.exit.is_some() && self.pairs.all.is_empty() && self.program.is_none() {
            return NextRound::Done;
        }
        let runner = self.runner.as_ref().filter(|_| self.exit.is_none());
        let lines = runner.is_some_and(ScriptRunner::is_ready);
        // The outputs may have accepted all data since then; a file does so at once, and no event
        // reports it.
        if lines || self.pairs.all.is_busy(runtime) || unread && self.exit.is_none() {
            return NextRound::Now;
        }
        let lines = runner.and_then(ScriptRunner::deadline);
        let program = self.program.as_ref().and_then(Running::deadline);
        let program = program.or(self.ended.map(|(_, until)| until));
        let max_time = self.max_time.filter(|_| self.exit.is_none());
        let due = [self.pairs.all.due(), max_time, lines, program];
        NextRound::Wait(due.into_iter().flatten().min())
    }

    fn ready(&mut self, ready: Ready<'_>) {
        match ready {
            Ready::Listener => self.pairs.all.set_ready(),
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
            // A thread has looked up a name, or has connected.
            Ready::Input { closed } => {
                self.pairs.all.each(|pair| pair.is_reaching());
                self.runner.iter_mut().for_each(|runner| runner.set_ready(closed));
            }
            Ready::Pipe(..) => {}
        }
    }
}
