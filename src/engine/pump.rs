//! The session of a client: stdin to the peer, the peer to stdout, until one of them is done.
//!
//! One loop, in rounds: take events from what was received, take messages from stdin, send, write,
//! do what is due, then wait. Each source is read only while its destination has room, so memory
//! is bounded whoever stalls; nothing waits while something can be done.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::behaviour::echo::Echo;
use crate::behaviour::input::MessageSplitter;
use crate::behaviour::stop::StopCondition;
use crate::cli::{Linger, OutputFormat};
use crate::config::ClientConfig;
use crate::engine::exit::Exit;
use crate::engine::opening::Opened;
use crate::engine::outbound::OutboundObserver;
use crate::engine::runtime::Runtime;
use crate::engine::session_evidence::SessionEvidence;
use crate::event::{Cause, Direction, Ending, Event, FrameEvent, Observed, TimeoutKind};
use crate::modes::connect::alone::SingleConnection;
use crate::modes::connect::carried::Carried;
use crate::net::link::{Fill, HIGH_WATER, Link, plain_io};
use crate::net::random;
use crate::net::reactor::{SIGNAL, SOCKET, STDIN, STDOUT, WAKER};
use crate::net::signals::Signal;
use crate::net::stdio::{Stdin, StdinRead};
use crate::output::payload::PayloadSink;
use crate::output::reporter::Mood;
use crate::script::runner::{ScriptRunner, Sender, SessionRequest};
use crate::session::endpoint::State;
use crate::session::tally::Counters;
use crate::session::{Endpoint, EndpointConfig, Observer};
use crate::ui::ending::describe;
use crate::wire::{CloseCode, Data};

/// After a signal, how long to wait for the peer's Close.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(1);

/// How a session ended, and what it amounts to.
pub struct Outcome {
    /// The end of the connection.
    pub ending: Ending,
    /// What to end the program with.
    pub exit: Exit,
    /// What was wrong on this side, if it was.
    pub fault: Option<String>,
    /// Bytes that were never sent.
    pub unsent: usize,
    /// Bytes of output that stdout did not take in time.
    pub unwritten: usize,
    /// Whether the last message received was never finished.
    pub cut_short: bool,
    /// When the first frame was received.
    pub first_frame: Option<Instant>,
    /// What the next connection of the run goes on with.
    pub carried: Carried,
    /// Why it ended like that, and what to do, for people; may be empty.
    pub advice: Vec<u8>,
}

/// A running session.
pub struct Pump<'a> {
    config: &'a ClientConfig,
    runtime: &'a mut Runtime,
    link: Link,
    endpoint: Endpoint,
    inbound: Observer,
    received: Counters,
    watch: Option<OutboundObserver>,
    stdin: Option<Stdin>,
    feeder: MessageSplitter,
    delivery: PayloadSink,
    echo: Option<Echo>,
    goal: StopCondition,
    script: VecDeque<Step>,
    /// Carries out the lines of a prompt or a script.
    runner: Option<&'a mut ScriptRunner>,
    /// An expectation of the script was not met.
    unmet: bool,
    /// The observer may have more events in the bytes at hand.
    more: bool,
    /// Bytes to send that receiving has made, since all was sent for the last time.
    answers: usize,
    /// When stdin ended; from then on `--linger` counts.
    input_ended: Option<Instant>,
    first_frame: Option<Instant>,
    heard: Instant,
    max_time: Option<Instant>,
    /// `max_time` has passed and the endpoint knows.
    overtime: bool,
    signal: Option<(Signal, Instant)>,
    fault: Option<String>,
    /// What the diagnostics will ask for.
    witness: SessionEvidence,
    /// Rounds since the poll was asked.
    unpolled: u32,
    write_error: Option<String>,
}

/// Something a scripted session does, once the peer has answered what came before.
pub enum Step {
    /// A message in fragments of at most so many bytes.
    Message(Data, &'static [u8], usize),
    /// A ping.
    Ping(&'static [u8]),
    /// The closing handshake.
    Close(u16, &'static str),
}

impl<'a> Pump<'a> {
    /// Takes over an open connection.
    ///
    /// # Errors
    ///
    /// stdin can't be used.
    pub fn new(
        config: &'a ClientConfig,
        runtime: &'a mut Runtime,
        opened: Opened,
        max_time: Option<Instant>,
    ) -> io::Result<Self> {
        let carried = Carried::begin(config, runtime)?;
        Ok(Self::resume(config, runtime, opened, max_time, carried))
    }

    /// Takes over a connection that follows another.
    pub fn resume(
        config: &'a ClientConfig,
        runtime: &'a mut Runtime,
        mut opened: Opened,
        max_time: Option<Instant>,
        carried: Carried,
    ) -> Self {
        let now = Instant::now();
        // Frames that came in the same segment as the 101.
        let witness = SessionEvidence::new(opened.link.split().0.rest(), now);
        let deflate = opened.report.agreed.deflate;
        let endpoint_config = EndpointConfig { deflate, ..config.endpoint.clone() };
        let Carried { mut stdin, feeder, goal, input_ended } = carried;
        // Events of its, and that of its end, may have come while the connection was being opened.
        stdin.iter_mut().for_each(|stdin| stdin.set_ready(true));
        let limits = config.open.limits;
        // --write-out tells how many frames were sent.
        let looking = runtime.reporter.looks_at_frames() || config.reach.write_out.is_some();
        let watch = looking.then(|| OutboundObserver::new(deflate.as_ref(), limits));
        let echo = config.echo.then(Echo::default);
        Self {
            config,
            runtime,
            link: opened.link,
            endpoint: Endpoint::new(endpoint_config, random::system(), now),
            inbound: opened.inbound,
            received: Counters::default(),
            watch,
            stdin,
            feeder,
            delivery: PayloadSink::new(config.output, config.display.terminal.stdout),
            echo,
            goal,
            script: VecDeque::new(),
            runner: None,
            unmet: false,
            // Frames that came in the same segment as the 101.
            more: true,
            answers: 0,
            input_ended: input_ended.then_some(now),
            first_frame: None,
            heard: now,
            max_time,
            overtime: false,
            signal: None,
            fault: None,
            witness,
            unpolled: 0,
            write_error: None,
        }
    }

    /// Gives a script instead of stdin; its steps are done one after the other.
    pub fn with_script(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.script = steps.into_iter().collect();
        self
    }

    /// Lines are carried out that come from a prompt or a script.
    pub fn with_conductor(mut self, runner: &'a mut ScriptRunner) -> Self {
        runner.set_up(&mut self.endpoint);
        self.runner = Some(runner);
        self.input_ended = None;
        self
    }

    /// Runs to the end.
    ///
    /// # Errors
    ///
    /// stdout, stderr or the poll failed; the connection's own troubles are in the outcome.
    pub fn run(mut self) -> io::Result<Outcome> {
        self.execute();
        self.next_step();
        loop {
            let now = Instant::now();
            self.take_received(now)?;
            self.take_stdin(now);
            self.conduct(now);
            self.do_what_is_due(now);
            self.send(now)?;
            self.runtime.stdout.flush()?;
            self.runtime.reporter.flush()?;
            if self.is_over() {
                return self.finish();
            }
            self.wait()?;
        }
    }

    /// Carries out lines, and what they ask of the session.
    fn conduct(&mut self, now: Instant) {
        let Self { runner: Some(runner), runtime, endpoint, link, .. } = self else { return };
        let line = self.write_error.is_none().then_some(Sender { endpoint, link });
        runner.run(&mut SingleConnection::new(runtime, line), now);
        runner.show_state(endpoint.state(), endpoint.received_close());
        if let Some(failure) = runner.take_failure() {
            self.unmet |= failure.unmet;
            self.give_up(failure.text, now);
            return;
        }
        match runner.request() {
            Some(SessionRequest::Quit | SessionRequest::Open) => self.close(CloseCode::Normal, now),
            Some(SessionRequest::Leave) if self.signal.is_none() => {
                self.signal = Some((Signal::Interrupt, now + SIGNAL_PATIENCE));
                self.close(CloseCode::Away, now);
            }
            Some(SessionRequest::Leave) => {}
            None if runner.is_exhausted() => {
                self.input_ended.get_or_insert(now);
            }
            None => self.input_ended = None,
        }
    }

    /// Sends the messages of `-x`.
    fn execute(&mut self) {
        let opcode = if self.config.binary { Data::Binary } else { Data::Text };
        for message in &self.config.execute {
            // The connection has just been opened, so it takes them.
            let _ = self.endpoint.send_message(opcode, message.as_bytes(), &mut self.link.tx);
        }
    }

    /// Does the next step of the script.
    fn next_step(&mut self) {
        let Some(step) = self.script.pop_front() else { return };
        let (endpoint, tx, now) = (&mut self.endpoint, &mut self.link.tx, Instant::now());
        // Once the peer has closed there is nothing left to show.
        let _ = match step {
            Step::Message(opcode, content, piece) => {
                let count = content.len().div_ceil(piece);
                content.chunks(piece).enumerate().try_for_each(|(at, piece)| {
                    endpoint.send_fragment(opcode, piece, at + 1 == count, tx)
                })
            }
            Step::Ping(payload) => endpoint.send_ping(payload, now, tx),
            Step::Close(code, reason) => endpoint.close(Some(code), reason, now, tx),
        };
    }

    /// Whether there is room for what more events would make. What stdin has made does not count:
    /// a peer that writes before it reads must be read, and so must its Close.
    fn has_room(&self) -> bool {
        let answers = self.answers < HIGH_WATER || self.write_error.is_some();
        !self.runtime.stdout.is_full() && answers
    }

    /// Takes events from what was received, a buffer's worth a round, so that stdin and timers get
    /// their turn.
    fn take_received(&mut self, now: Instant) -> io::Result<()> {
        self.runtime.stdout.flush()?;
        if self.more {
            self.take_events(now)?;
        }
        if self.runtime.stdout.is_full() && !self.overtime {
            // Our own reader is slow: that is no silence of the peer.
            self.heard = now;
            self.endpoint.touch();
            self.endpoint.keep_waiting(now);
            self.witness.stalls(now);
        }
        if self.more || !self.has_room() {
            return Ok(());
        }
        match self.link.fill() {
            Ok(Fill::Data) => {
                self.heard = now;
                self.witness.received(self.link.split().0.rest(), now);
                self.endpoint.touch();
                self.take_events(now)
            }
            Ok(Fill::Blocked) => match self.write_error.take() {
                Some(error) => self.end_of_stream(Some(error)),
                None => Ok(()),
            },
            Ok(Fill::End { truncated }) => {
                let how = truncated.then(|| "TLS ended without close_notify".to_owned());
                if truncated {
                    self.witness.truncated();
                }
                self.end_of_stream(how)
            }
            Err(error) => {
                self.witness.broke(&error);
                self.end_of_stream(Some(error.to_string()))
            }
        }
    }

    fn take_events(&mut self, now: Instant) -> io::Result<()> {
        let Self {
            link,
            runtime,
            inbound,
            endpoint,
            received,
            watch,
            delivery,
            echo,
            goal,
            runner,
            witness,
            ..
        } = self;
        let Runtime { stdout, reporter, .. } = &mut **runtime;
        let (mut input, tx) = link.split();
        let looking = reporter.looks_at_frames();
        let stamp = reporter.stamp();
        let mut answered = false;
        let only_content = !looking
            && echo.is_none()
            && !goal.is_set()
            && self.script.is_empty()
            && runner.is_none();
        let before = tx.len();
        let most = if self.write_error.is_some() { usize::MAX } else { HIGH_WATER };
        self.more = loop {
            if stdout.is_full() || self.answers + (tx.len() - before) >= most {
                break true;
            }
            if only_content && endpoint.is_receiving() {
                received.count_run(delivery.take_run(inbound, &mut input, stdout));
            }
            let Some(observed) = inbound.next_or_whole(&mut input) else { break false };
            let event = match observed {
                Observed::Whole(message) => {
                    received.count_whole(&message);
                    answered = true;
                    if endpoint.is_receiving() && !goal.is_met() {
                        delivery.take_whole(&message, stdout)?;
                        if echo.is_some() || goal.is_set() || runner.is_some() {
                            message.try_events(|event| {
                                echo.iter_mut().for_each(|echo| echo.take(&event, endpoint, tx));
                                goal.take(&event);
                                runner.iter_mut().for_each(|runner| runner.on_event(&event));
                                io::Result::Ok(())
                            })?;
                            goal.close_if_met(endpoint, now, tx);
                        }
                    }
                    if looking {
                        message.try_events(|event| {
                            let event = Event::Frame(Direction::ToClient, event);
                            reporter.event(&stamp, &event, stdout)
                        })?;
                        if let Some(watch) = watch.as_mut() {
                            watch.look(tx, reporter, stdout)?;
                        }
                    }
                    continue;
                }
                Observed::Frame(event) => event,
                Observed::Head(_) | Observed::HeadError(_) | Observed::Body(_) => continue,
            };
            received.count(&event);
            witness.take(&event);
            let round_trip = endpoint.receive(&event, now, tx);
            answered |= round_trip.is_some() || matches!(event, FrameEvent::Message(_));
            // A violation that fails the connection has ended the receiving by now.
            if endpoint.is_receiving() && !goal.is_met() {
                delivery.take(&event, stdout)?;
                if let Some(echo) = echo {
                    echo.take(&event, endpoint, tx);
                }
                goal.take(&event);
                goal.close_if_met(endpoint, now, tx);
                if let Some(runner) = runner {
                    runner.on_event(&event);
                }
            }
            if !looking {
                continue;
            }
            if let Some(time) = round_trip {
                reporter.event(&stamp, &Event::RoundTrip(time), stdout)?;
            }
            // What we sent in answer is shown after what it answers.
            let between = matches!(event, FrameEvent::End { .. } | FrameEvent::Message(_));
            reporter.event(&stamp, &Event::Frame(Direction::ToClient, event), stdout)?;
            if let (true, Some(watch)) = (between, watch.as_mut()) {
                watch.look(tx, reporter, stdout)?;
            }
        };
        self.answers += tx.len() - before;
        witness.look_around(&input, inbound.offset(), now);
        witness.counted(received.totals().messages + endpoint.data_sent(), now);
        let at = input.consumed();
        link.consumed(at);
        if self.first_frame.is_none() && received.totals().frames > 0 {
            self.first_frame = Some(now);
        }
        if answered {
            self.next_step();
        }
        Ok(())
    }

    fn end_of_stream(&mut self, how: Option<String>) -> io::Result<()> {
        if let Some(violation) = self.inbound.finish() {
            let event = FrameEvent::Violation(&violation);
            self.witness.take(&event);
            self.runtime.tell(&Event::Frame(Direction::ToClient, event))?;
            if how.is_none() {
                let detail = format!(
                    "end of stream inside frame #{}: {}",
                    violation.frame, violation.detail
                );
                self.endpoint.end_of_stream(Some(detail));
                return Ok(());
            }
        }
        self.endpoint.end_of_stream(how);
        Ok(())
    }

    /// Reads stdin once, if it has something and the socket has room.
    fn take_stdin(&mut self, now: Instant) {
        if !self.wants_stdin() {
            return;
        }
        let Some(stdin) = &mut self.stdin else { return };
        let (endpoint, tx) = (&mut self.endpoint, &mut self.link.tx);
        let result = match stdin.read(self.feeder.space()) {
            Ok(StdinRead::Blocked) => return,
            Ok(StdinRead::Data(n)) => self.feeder.filled(n, endpoint, now, tx),
            Ok(StdinRead::End) => {
                self.stdin = None;
                self.input_ended = Some(now);
                self.feeder.finish(endpoint, now, tx)
            }
            Err(error) => {
                self.give_up(format!("stdin: {}", plain_io(&error)), now);
                return;
            }
        };
        if let Err(error) = result {
            self.give_up(error.to_string(), now);
        }
    }

    fn wants_stdin(&self) -> bool {
        let room = self.link.tx.len() < HIGH_WATER && self.link.pending() < HIGH_WATER;
        let ready = self.stdin.as_ref().is_some_and(Stdin::is_ready);
        ready && room && self.endpoint.is_open() && self.write_error.is_none()
    }

    /// Ends because of a fault on this side.
    fn give_up(&mut self, fault: String, now: Instant) {
        self.stdin = None;
        self.fault.get_or_insert(fault);
        self.close(CloseCode::Away, now);
    }

    fn close(&mut self, code: CloseCode, now: Instant) {
        // It may be closing already, which is as good.
        let _ = self.endpoint.close(Some(code.into()), "", now, &mut self.link.tx);
    }

    /// Signals, deadlines, pings, and a reader of stdout that went away.
    fn do_what_is_due(&mut self, now: Instant) {
        if self.is_unread() {
            self.close(CloseCode::Normal, now);
        }
        let away = self.runner.as_ref().is_some_and(|runner| runner.is_away());
        let signal = self.runtime.signals.take();
        if let Some(signal) = signal.filter(|signal| !away || *signal != Signal::Interrupt) {
            match self.signal {
                Some(_) => self.endpoint.drop_connection(),
                None => {
                    self.signal = Some((signal, now + SIGNAL_PATIENCE));
                    self.close(CloseCode::Away, now);
                }
            }
        }
        if self.signal.is_some_and(|(_, at)| at <= now) {
            self.endpoint.drop_connection();
        }
        if self.max_time.is_some_and(|at| at <= now) && !self.overtime {
            self.overtime = true;
            self.endpoint.time_out(TimeoutKind::MaxTime, now, &mut self.link.tx);
        }
        if self.linger_ends().is_some_and(|at| at <= now) {
            self.close(CloseCode::Normal, now);
        }
        self.endpoint.tick(now, &mut self.link.tx);
    }

    /// When the peer will have been silent for `--linger` after the end of the input.
    fn linger_ends(&self) -> Option<Instant> {
        let (Linger::For(time), Some(ended)) = (self.config.linger, self.input_ended) else {
            return None;
        };
        // A script that ends with an expectation says itself when enough has come.
        let seen_all = self.runner.as_ref().is_some_and(|runner| runner.has_seen_all());
        let lingers = self.config.lines.as_ref().is_some_and(|lines| lines.lingers);
        let time = if seen_all && !lingers { Duration::ZERO } else { time };
        // Silence means nothing while the peer has not yet got what it could answer.
        let waiting =
            self.endpoint.is_open() && !self.more && (self.link.pending() == 0 || time.is_zero());
        waiting.then(|| self.heard.max(ended) + time)
    }

    /// Shows and sends what has been made.
    fn send(&mut self, now: Instant) -> io::Result<()> {
        let Runtime { stdout, reporter, .. } = &mut *self.runtime;
        if let Some(watch) = &mut self.watch {
            watch.look(&self.link.tx, reporter, stdout)?;
        }
        let before = self.link.pending();
        if self.write_error.is_none()
            && before > 0
            && let Err(error) = self.link.flush()
        {
            // What the peer sent before it went away is still to be read.
            self.witness.broke(&error);
            self.write_error = Some(error.to_string());
        }
        if let Some(watch) = &mut self.watch {
            watch.sent(self.link.tx.len());
        }
        let pending = self.link.pending();
        if pending < before {
            self.witness.sent(now);
            self.witness.counted(self.received.totals().messages + self.endpoint.data_sent(), now);
            self.endpoint.keep_waiting(now);
        }
        if pending == 0 {
            self.answers = 0;
        }
        Ok(())
    }

    /// Whether the reader of stdout is gone; who wants nothing there does not care.
    fn is_unread(&self) -> bool {
        self.config.output != OutputFormat::None && self.runtime.stdout.is_closed()
    }

    fn is_over(&self) -> bool {
        let done = self.endpoint.is_done() && self.link.pending() == 0;
        done || self.endpoint.state() == State::Closed
    }

    /// Waits until something can be done.
    fn wait(&mut self) -> io::Result<()> {
        let room = self.has_room();
        // The last write may have found the reader gone, which ends the session.
        let unread = self.is_unread() && self.endpoint.is_open();
        let sending = self.link.tx.len() < HIGH_WATER && self.link.pending() < HIGH_WATER;
        let conducting = self.runner.as_ref().is_some_and(|c| c.is_ready()) && sending;
        let busy = self.wants_stdin()
            || unread
            || conducting
            || room && (self.more || self.link.may_fill() || self.write_error.is_some());
        let deadline = match busy {
            true => Some(Instant::now()),
            false => {
                let signal = self.signal.map(|(_, at)| at);
                let max_time = self.max_time.filter(|_| !self.overtime);
                let runner = self.runner.as_ref().and_then(|runner| runner.deadline());
                let ours = [self.endpoint.deadline(), self.linger_ends(), max_time, signal, runner];
                ours.into_iter().flatten().min()
            }
        };
        // While there is work, looking for events now and then is enough: a system call less for
        // each buffer's worth.
        self.unpolled = if busy { self.unpolled + 1 } else { 0 };
        if busy && !self.unpolled.is_multiple_of(8) {
            return Ok(());
        }
        let Runtime { reactor, stdout, signals, .. } = &mut *self.runtime;
        for event in reactor.wait(deadline)? {
            match event.token() {
                SOCKET => self.link.ready(event),
                STDOUT => stdout.set_ready(event.is_write_closed()),
                SIGNAL => signals.set_ready(),
                STDIN | WAKER => {
                    let closed = event.is_read_closed() || event.is_error();
                    self.stdin.iter_mut().for_each(|stdin| stdin.set_ready(closed));
                    self.runner.iter_mut().for_each(|runner| runner.set_ready(closed));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Bytes of ours that were never sent, not counting the answer to the peer's Close: nobody waits
    /// for that once the peer is gone.
    fn unsent(&self) -> usize {
        /// Header and mask key, and what TLS puts around a record.
        const AROUND: usize = 6 + 64;
        let pending = self.link.pending();
        let answer = self.endpoint.sent_close().map_or(0, |body| body.to_payload().len() + AROUND);
        if pending > answer { pending } else { 0 }
    }

    /// Tells the end and empties stdout.
    fn finish(mut self) -> io::Result<Outcome> {
        let unsent = self.unsent();
        self.link.shutdown();
        let sent = self.watch.as_ref().map(|watch| watch.totals()).unwrap_or_default();
        let now = Instant::now();
        let ending = self.endpoint.ending(now, sent, self.received.totals());
        self.runtime.tell(&Event::End(&ending))?;
        let advice = self.explain(&ending, now)?;
        // After a signal, or at the end of `--max-time`, a reader that stalls is not waited for.
        let patience = match self.signal {
            Some(_) => Some(Instant::now() + SIGNAL_PATIENCE),
            None => self.max_time,
        };
        let signal = self.runtime.drain_stdout(patience)?.or(self.signal.map(|(signal, _)| signal));
        let unwritten = self.runtime.stdout.pending();
        // Half a message may be on stdout already; after the goal nobody waits for the rest.
        // Any other end than a clean one speaks for itself.
        let cut_short = Exit::of(&ending) == Exit::Success
            && self.inbound.inside_message()
            && !self.goal.is_met();
        let missed = !self.goal.is_met() && self.goal.is_set();
        if let Some(runner) = &mut self.runner {
            runner.disconnected(&describe(&ending));
            if let Some(failure) = runner.take_failure() {
                self.unmet |= failure.unmet;
                self.fault.get_or_insert(failure.text);
            }
        }
        let exit = match (signal, &self.fault, Exit::of(&ending)) {
            (Some(signal), ..) => signal.into(),
            (_, Some(_), _) if self.unmet => Exit::Unmet,
            (_, Some(_), _) => Exit::Failure,
            _ if unwritten > 0 => Exit::Timeout,
            (.., Exit::Success) if unsent > 0 || cut_short => Exit::Failure,
            _ if self.is_unread() => Exit::Success,
            (.., Exit::Success) if missed => Exit::Unmet,
            (.., exit) => exit,
        };
        self.runtime.reporter.flush()?;
        let Self { fault, stdin, feeder, goal, first_frame, .. } = self;
        let input_ended = self.input_ended.is_some();
        let carried = Carried { stdin, feeder, goal, input_ended };
        Ok(Outcome {
            ending,
            exit,
            fault,
            unsent,
            unwritten,
            cut_short,
            first_frame,
            carried,
            advice,
        })
    }

    /// Explains the end to machines; gives the text for people.
    fn explain(&mut self, ending: &Ending, now: Instant) -> io::Result<Vec<u8>> {
        let Runtime { trace, reporter, stdout, .. } = &mut *self.runtime;
        let found = self.witness.explain(trace, &self.endpoint, &self.inbound, ending, now);
        if matches!(ending.cause, Cause::Lost(_)) {
            trace.lifetimes.push(ending.duration);
        }
        let ours = self.fault.is_some() || self.signal.is_some() || self.goal.is_met();
        let over = ending.cause == Cause::Timeout(TimeoutKind::MaxTime);
        let fine = ours || over || Exit::of(ending) == Exit::Success;
        let mood = if fine { Mood::Fine } else { Mood::Failed };
        reporter.diagnose(&found, mood, stdout)?;
        let at_prompt = self.runner.as_ref().is_some_and(|c| c.prompt().is_some());
        Ok(reporter.advice(&found, mood, at_prompt))
    }
}
