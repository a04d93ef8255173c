//! Tested clients: each connects to the URL of a case and gets the bytes of the case; its reaction
//! is recorded. Clients connect by themselves, or a command starts them.

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::check::address::{Address, Number, read};
use crate::check::case::{Expectation, Needs};
use crate::check::facts::{CaseFacts, CaseOpening};
use crate::check::judge::{RETURN, RETURNS};
use crate::check::plan::{CheckRun, StopReason, Work};
use crate::check::request::{RequestPlace, edited};
use crate::check::trial::{CaseRun, Timing};
use crate::check::verdict::Verdict;
use crate::engine::acceptor::{ACCEPTS, ConnectionAcceptor};
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::lingering::Lingering;
use crate::engine::memory::Budget;
use crate::engine::opening::server::{
    HandshakeAnswer, OpeningProgress, ServerOpening, Then, Wrong,
};
use crate::engine::outbox::Producer;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task, run};
use crate::engine::slots::{SlotPart, token};
use crate::event::{ConnId, Event};
use crate::modes::check::battery::{LEAVING, MEMORY};
use crate::modes::check::commands::{Process, with_url};
use crate::modes::check::open::OpenTrial;
use crate::modes::check::transcripts::{Recorder, Transcripts, recorded};
use crate::net::child::Dying;
use crate::net::link::{Link, SocketLink};
use crate::net::listener::Listeners;
use crate::net::plain_io::plain_io;
use crate::net::random;
use crate::net::signals::Signal;
use crate::net::tls::TlsServer;
use crate::session::{EndpointConfig, Limits, Observer};
use crate::wire::deflate::params::ServerDeflateConfig;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::grammar::parse_subprotocols;
use crate::wire::handshake::server::{Refusal, ServerConfig, respond};
use crate::wire::head::Head;
use crate::wire::{Data, Role};

/// The page for browsers.
const PAGE: &str = include_str!("page.html");

/// Connections at the same time; more are dropped.
const MOST: usize = 256;

/// The time limit for a request.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client has to close after the answer to a harness's question.
const ANSWERED: Duration = Duration::from_secs(5);

/// How long the first client of a command may take, because it may have to be compiled.
const FIRST: Duration = Duration::from_secs(30);

/// Why a harness does not get a case.
const UNASKED: &str = "its response opens no connection, and a harness may not expect that; a pattern includes the \
     case";

/// This many ending processes do not delay the run.
const FEW: usize = 8;

/// How clients are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// They connect by themselves.
    Attach,
    /// A command for each case.
    Exec(String),
    /// One command, which reads URLs.
    Feed(String),
}

/// The waits for clients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// The time between two cases that are passed to commands.
    pub(super) delay: Duration,
    /// How long a client has to connect.
    pub(super) connect: Duration,
    /// When the run ends.
    pub(super) until: Option<Instant>,
    /// Whether an Autobahn harness also gets cases whose response opens no connection.
    pub(super) all_numbered: bool,
}

/// A run.
pub(super) struct Clients {
    /// The plan, and the results so far.
    pub(super) plan: CheckRun,
    /// The signal that stopped the run.
    pub(super) signal: Option<Signal>,
    driver: Driver,
    patience: Patience,
    acceptor: ConnectionAcceptor,
    tls: Option<TlsServer>,
    /// The URL without its path.
    base: String,
    entries: Vec<Option<Participant>>,
    calls: Vec<Call>,
    /// The index of the process of `--feed`.
    fed: Option<usize>,
    dying: Vec<Dying>,
    /// The cases by their number for a harness.
    numbered: Vec<usize>,
    timing: Timing,
    round_trips: Vec<Duration>,
    /// The keys of all requests so far.
    keys: BTreeSet<Vec<u8>>,
    endpoint: Arc<EndpointConfig>,
    connections: u64,
    /// A page or a harness will say when it is done.
    held: bool,
    /// A client has connected.
    visited: bool,
    /// A client whose connections are ended, and which may come back.
    drops: Option<Drops>,
    /// No case is passed to a command before this time.
    resumes: Option<Instant>,
    transcripts: Option<Transcripts>,
    judged: Option<(Work, Verdict)>,
    moved: bool,
    memory: Rc<Budget>,
}

/// The connections of one client that were ended one after the other.
struct Drops {
    work: Work,
    /// When they ended.
    times: Vec<Instant>,
    /// The time limit for the client to come back.
    until: Instant,
}

/// A case that was passed to a command.
struct Call {
    work: Work,
    token: String,
    /// Its client has connected.
    came: bool,
    deadline: Instant,
    /// The index of its own process.
    process: Option<usize>,
}

enum Participant {
    Visitor(Box<Visitor>),
    Process(Box<Process>),
}

/// A client that has connected.
struct Visitor {
    id: ConnId,
    stage: VisitorStage,
    recorder: Option<Recorder>,
}

enum VisitorStage {
    Opening(Box<ServerOpening>),
    /// A running case, and the token of its URL.
    Open(Box<OpenTrial>, Option<String>),
    /// All data has been sent; it closes the connection. The flag: the run ends after it.
    Leaving(Box<Connection>, Instant, bool),
    /// Everything has been sent; waits for the client's end.
    Lingering(Box<Lingering>),
}

/// What a request asked for.
enum CheckRequest {
    /// A case: the work, the token of its URL, the facts of the request.
    Case(Work, Option<String>, Box<CaseFacts>),
    /// A question of a harness: the answer, and whether it was the last question.
    Question(Option<String>, bool),
    /// A request that opens no connection.
    Nothing,
}

impl Clients {
    pub(super) fn new(
        plan: CheckRun,
        driver: Driver,
        (listeners, tls): (Listeners, Option<TlsServer>),
        base: String,
        patience: Patience,
        transcripts: Option<Transcripts>,
    ) -> Self {
        let opens = |at: &usize| {
            patience.all_numbered || !matches!(plan.cases()[*at].expect, Expectation::Fails)
        };
        let endpoint = EndpointConfig {
            lenient: true,
            keeps_transport: true,
            ..EndpointConfig::new(Role::Server)
        };
        Self {
            numbered: (0..plan.cases().len()).filter(opens).collect(),
            plan,
            signal: None,
            driver,
            patience,
            acceptor: ConnectionAcceptor::new(listeners),
            tls,
            base,
            entries: Vec::new(),
            calls: Vec::new(),
            fed: None,
            dying: Vec::new(),
            timing: Timing::of(Duration::ZERO),
            round_trips: Vec::new(),
            keys: BTreeSet::new(),
            endpoint: endpoint.into(),
            connections: 0,
            held: false,
            visited: false,
            drops: None,
            resumes: None,
            transcripts,
            judged: None,
            moved: false,
            memory: Budget::new(MEMORY),
        }
    }

    /// Serves clients until the run ends.
    pub(super) fn run(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        run(self, runtime)
    }

    fn free_slot(&mut self) -> usize {
        self.entries.iter().position(Option::is_none).unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        })
    }

    fn accept(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            let Some((stream, address)) = self.acceptor.accept(&runtime.notifier, now) else {
                break;
            };
            if self.entries.iter().flatten().count() >= MOST {
                continue;
            }
            let slot = self.free_slot();
            let socket = token(slot, SlotPart::Socket);
            // A socket that can't be registered is dropped; the client sees the end.
            let Ok(pipe) = self.tls.as_ref().map(TlsServer::accept).transpose() else { continue };
            let Ok(link) = SocketLink::without_buffer(stream, pipe, runtime.registry(), socket)
            else {
                continue;
            };
            self.connections += 1;
            let id = ConnId(self.connections);
            let opening = ServerOpening::new(id, address, link, Limits::default(), HANDSHAKE, now);
            let recorder = self.transcripts.as_ref().map(Transcripts::begin).transpose()?;
            let stage = VisitorStage::Opening(Box::new(opening));
            let visitor = Visitor { id, stage, recorder };
            self.entries[slot] = Some(Participant::Visitor(Box::new(visitor)));
        }
        Ok(())
    }

    /// Passes cases that may begin now to commands.
    fn hand_out(&mut self, runtime: &mut Runtime, now: Instant) {
        while self.driver != Driver::Attach
            && self.resumes.is_none_or(|at| at <= now)
            && self.dying.len() < FEW
        {
            let Some(work) = self.plan.start() else { return };
            let delay = self.patience.delay;
            self.resumes = (!delay.is_zero()).then(|| now + delay);
            let token = format!("{:08x}", random::number() & 0xffff_ffff);
            let url = format!("{}/c/{}/{token}", self.base, work.case.id);
            let wait = match self.visited {
                true => self.patience.connect,
                false => self.patience.connect.max(FIRST),
            };
            match self.bring(&url, runtime) {
                Ok(process) => {
                    let deadline = now + wait;
                    self.calls.push(Call { work, token, came: false, deadline, process });
                }
                Err(error) => self.nobody_came(work, format!("the command: {}", plain_io(&error))),
            }
        }
    }

    /// Passes a URL to a command. Returns the index of the process that runs only this case, if
    /// there is one.
    fn bring(&mut self, url: &str, runtime: &Runtime) -> io::Result<Option<usize>> {
        match self.driver.clone() {
            Driver::Attach => Ok(None),
            Driver::Exec(command) => {
                let slot = self.free_slot();
                let command = with_url(&command, url);
                let process = Process::spawn(&command, url, slot, runtime.registry())?;
                self.entries[slot] = Some(Participant::Process(Box::new(process)));
                Ok(Some(slot))
            }
            Driver::Feed(command) => {
                let slot = match self.fed {
                    Some(slot) => slot,
                    None => {
                        let slot = self.free_slot();
                        let process = Process::spawn(&command, url, slot, runtime.registry())?;
                        self.entries[slot] = Some(Participant::Process(Box::new(process)));
                        self.fed = Some(slot);
                        slot
                    }
                };
                if let Some(Some(Participant::Process(process))) = self.entries.get_mut(slot) {
                    process.tell(url);
                }
                Ok(None)
            }
        }
    }

    fn nobody_came(&mut self, work: Work, why: String) {
        let facts = CaseFacts { opening: CaseOpening::Unreachable(why), ..CaseFacts::default() };
        self.plan.finish(work, &facts);
        self.moved = true;
    }

    /// Checks calls for which no client has connected.
    fn look_after_calls(&mut self, now: Instant) {
        let late = |call: &Call| !call.came && call.deadline <= now;
        while let Some(at) = self.calls.iter().position(late) {
            let wait = self.patience.connect.as_secs_f64();
            self.give_up(at, format!("the command did not connect within {wait} s"), true, now);
        }
    }

    /// Gives up a call: no client connected in time, or the process has ended.
    fn give_up(&mut self, at: usize, why: String, late: bool, now: Instant) {
        let call = self.calls.remove(at);
        let is_it = |drops: &Drops| drops.work.place() == call.work.place();
        if self.drops.as_ref().is_some_and(is_it) {
            self.end_drops(late);
            return call.process.into_iter().for_each(|slot| self.end_process(slot, now));
        }
        if let Some(slot) = call.process {
            self.end_process(slot, now);
        }
        self.nobody_came(call.work, why);
    }

    /// Whether the case continues: its client may come back, and its next connection is ended, too.
    fn drops_again(&mut self, work: Work, token: Option<&str>, now: Instant) -> bool {
        let until = now + RETURN;
        let drops = self.drops.get_or_insert(Drops { work, times: Vec::new(), until });
        drops.times.push(now);
        drops.until = until;
        if drops.times.len() > RETURNS {
            return false;
        }
        let own = |call: &&mut Call| Some(call.token.as_str()) == token;
        if let Some(call) = self.calls.iter_mut().find(own) {
            (call.came, call.deadline) = (false, until);
        }
        self.moved = true;
        true
    }

    /// Ends the wait for a client that has come back often enough, or does not come back: the time
    /// limit has passed, or its process has ended.
    fn end_drops(&mut self, timed_out: bool) {
        let Some(Drops { work, times, .. }) = self.drops.take() else { return };
        let pauses = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let opening = CaseOpening::Open;
        let facts = CaseFacts { opening, round_trips: pauses, timed_out, ..CaseFacts::default() };
        self.plan.finish(work, &facts);
        self.moved = true;
    }

    fn end_process(&mut self, slot: usize, now: Instant) {
        if let Some(Some(Participant::Process(process))) =
            self.entries.get_mut(slot).map(Option::take)
        {
            self.dying.push(process.end(now));
        }
    }

    /// Gives a process a turn.
    fn look_at_process(&mut self, mut process: Box<Process>, slot: usize, now: Instant) {
        let Some((end, words)) = process.look() else {
            self.entries[slot] = Some(Participant::Process(process));
            return;
        };
        self.dying.push(process.end(now));
        self.moved = true;
        if self.fed == Some(slot) {
            self.fed = None;
        }
        let is_its = |call: &Call| call.process.is_none_or(|own| own == slot) && !call.came;
        for call in self.calls.iter_mut().filter(|call| call.process == Some(slot)) {
            call.process = None;
        }
        while let Some(at) = self.calls.iter().position(is_its) {
            self.give_up(at, format!("{end} before it connected{words}"), false, now);
        }
    }

    /// Notes that the harness is done.
    fn end_harness(&mut self) {
        self.held = false;
        self.plan.end();
        if self.plan.stopped().is_none() {
            let left = (0..self.plan.cases().len()).filter(|at| !self.numbered.contains(at));
            for at in left.collect::<Vec<_>>() {
                self.plan.skip(at, UNASKED);
            }
        }
    }

    /// Answers a request.
    fn answer(&mut self, head: &Head) -> (HandshakeAnswer, CheckRequest) {
        let line = head.request_line();
        let target =
            line.map_or_else(String::new, |line| String::from_utf8_lossy(line.target).into_owned());
        let upgrades = head.get("Upgrade").is_some() || head.get("Sec-WebSocket-Key").is_some();
        let attach = self.driver == Driver::Attach;
        match (read(&target), upgrades) {
            (Address::Root, false) if attach => page("text/html; charset=utf-8", PAGE),
            (Address::Cases, false) if attach => {
                self.held = true;
                let case = |case: &&'static crate::check::case::Case| json!({ "id": case.id, "title": case.title });
                data(&self.plan.cases().iter().map(case).collect())
            }
            (Address::Result(id), false) if attach => {
                let result = self.place(&Number::Id(id)).and_then(|at| self.plan.result(at));
                data(&result.map_or(
                    Value::Null,
                    |result| json!({ "verdict": result.verdict.name(), "got": result.got }),
                ))
            }
            (Address::Done, false) if attach => {
                self.held = false;
                self.plan.end();
                data(&Value::Bool(true))
            }
            (Address::Count, true) if attach => {
                self.held = true;
                self.question(head, Some(self.numbered.len().to_string()), false)
            }
            (Address::Info(number), true) if attach => {
                let text = self.place(&number).map(|at| {
                    let case = self.plan.cases()[at];
                    json!({ "id": case.id, "description": case.title }).to_string()
                });
                self.question(head, text, false)
            }
            (Address::Status(number), true) if attach => {
                let result = self.place(&number).and_then(|at| self.plan.result(at));
                let behaviour = behaviour(result.map(|result| result.verdict));
                self.question(head, Some(json!({ "behavior": behaviour }).to_string()), false)
            }
            (Address::Reports, true) if attach => self.question(head, None, true),
            (Address::Run(number), true) if attach => match self.place(&number) {
                Some(at) => self.claim(at, head),
                None => not_found("no case has this number"),
            },
            (Address::Case(id, _), true) if attach => match self.place(&Number::Id(id)) {
                Some(at) => self.claim(at, head),
                None => not_found("no case has this id, or it is not selected"),
            },
            (Address::Root | Address::Other, true) if attach => match self.next_place() {
                Some(at) => self.claim(at, head),
                None => not_found("every case already had its client"),
            },
            (Address::Case(_, Some(token)), true) => {
                let call = self.calls.iter_mut().find(|call| call.token == token && !call.came);
                match call {
                    Some(call) => {
                        call.came = true;
                        let work = call.work;
                        self.case(work, Some(token), head)
                    }
                    None => not_found("the case of this URL is over, or already has a client"),
                }
            }
            _ => not_found("there is nothing here; the URLs of cases are ws://HOST:PORT/ID"),
        }
    }

    /// The case for a client that names none. A client that comes back can't be distinguished from
    /// a new one, so cases whose clients come back run only if no other case is open.
    fn next_place(&self) -> Option<usize> {
        let returning = || self.drops.as_ref().and_then(|drops| drops.work.place());
        let usual = self.plan.next_open(|case| !case.expect.is_of_return());
        usual.or_else(returning).or_else(|| self.plan.next_open(|_| true))
    }

    fn place(&self, number: &Number) -> Option<usize> {
        match number {
            Number::Place(place) => self.numbered.get(place - 1).copied(),
            Number::Id(id) => self.plan.cases().iter().position(|case| case.id == id),
            Number::Unknown => None,
        }
    }

    /// Handles a client that has come for the case at this place.
    fn claim(&mut self, at: usize, head: &Head) -> (HandshakeAnswer, CheckRequest) {
        let returning = self.drops.as_ref().map(|drops| drops.work);
        let work = match returning.filter(|work| work.place() == Some(at)) {
            Some(work) => work,
            None => self.plan.claim(at),
        };
        self.case(work, None, head)
    }

    fn case(
        &mut self,
        work: Work,
        token: Option<String>,
        head: &Head,
    ) -> (HandshakeAnswer, CheckRequest) {
        self.visited = true;
        let compresses = matches!(work.case.needs, Needs::Deflate | Needs::Takeover);
        let deflate = compresses.then(ServerDeflateConfig::default);
        let mut facts = self.of_request(head);
        // Browsers require one of the subprotocols that they offer.
        let offered = parse_subprotocols(head.get_all("Sec-WebSocket-Protocol")).names;
        let subprotocols = offered.iter().take(1).cloned().collect();
        match respond(head, &ServerConfig { deflate, subprotocols, ..ServerConfig::default() }) {
            Ok(mut accepted) => {
                let place = RequestPlace {
                    target: "",
                    host: "",
                    name: "",
                    origin: "",
                    subprotocol: offered.first().map_or("", String::as_str),
                };
                accepted.response = edited(&accepted.response, work.case.open, place);
                let agreed = accepted.agreed.deflate;
                facts.opening = CaseOpening::Open;
                facts.deflate = agreed.is_some();
                facts.takeover = agreed.is_some_and(|it| !it.server_no_context_takeover);
                let asked = CheckRequest::Case(work, token, Box::new(facts));
                (HandshakeAnswer::Accept(accepted, Vec::new()), asked)
            }
            Err(refusal) => {
                let rule = refusal.rule.map(|rule| format!("{}: ", rule.title));
                let text = format!("{}{}", rule.unwrap_or_default(), refusal.reason);
                facts.opening = CaseOpening::Bad(text);
                let asked = CheckRequest::Case(work, token, Box::new(facts));
                (HandshakeAnswer::Refuse(refusal), asked)
            }
        }
    }

    fn question(
        &self,
        head: &Head,
        text: Option<String>,
        last: bool,
    ) -> (HandshakeAnswer, CheckRequest) {
        match respond(head, &ServerConfig::default()) {
            Ok(accepted) => {
                (HandshakeAnswer::Accept(accepted, Vec::new()), CheckRequest::Question(text, last))
            }
            Err(refusal) => (HandshakeAnswer::Refuse(refusal), CheckRequest::Nothing),
        }
    }

    /// The facts that a request shows.
    fn of_request(&mut self, head: &Head) -> CaseFacts {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut facts = CaseFacts {
            headers: head
                .headers()
                .map(|field| (text(field.name).to_ascii_lowercase(), text(field.value)))
                .collect(),
            ..CaseFacts::default()
        };
        if let Some(key) = head.get("Sec-WebSocket-Key") {
            let others = !self.keys.is_empty();
            let fresh = self.keys.insert(key.to_vec());
            facts.stale_key = others.then_some(!fresh);
        }
        facts
    }

    /// Gives a visitor a turn; returns its next state.
    fn step(
        &mut self,
        id: ConnId,
        stage: VisitorStage,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Option<VisitorStage>> {
        match stage {
            VisitorStage::Opening(mut opening) => {
                let mut asked = CheckRequest::Nothing;
                let mut answer = |head: &Head| {
                    let (answer, what) = self.answer(head);
                    asked = what;
                    answer
                };
                let (mut outputs, buffers) = runtime.outputs_and_buffers();
                match opening.advance(&mut answer, buffers, &mut outputs, now)? {
                    // Here, SOCKS5 is not recognised, and every request gets an answer.
                    OpeningProgress::Pending
                    | OpeningProgress::Asked(_)
                    | OpeningProgress::Socks => Ok(Some(VisitorStage::Opening(opening))),
                    OpeningProgress::Accepted(request) => {
                        let (link, inbound) = opening.into_parts();
                        let looks = runtime.reporter.looks_at_frames();
                        let agreed = &request.agreed;
                        let connection = self.connection(id, link, inbound, agreed, looks, now);
                        let stage = self.opened(asked, connection, now);
                        self.step(id, stage, runtime, now)
                    }
                    OpeningProgress::Refused { then, .. } => {
                        if let CheckRequest::Case(work, token, facts) = asked {
                            self.finish(work, token.as_deref(), &facts, now);
                        }
                        let (link, _) = opening.into_parts();
                        let lingering = match then {
                            Then::End => Lingering::begin(link, now),
                            Then::Drop | Then::Reset | Then::Nothing => None,
                        };
                        Ok(lingering.map(|it| VisitorStage::Lingering(Box::new(it))))
                    }
                }
            }
            VisitorStage::Open(mut open, token) => {
                if !open.turn(runtime, now)? {
                    return Ok(Some(VisitorStage::Open(open, token)));
                }
                let OpenTrial { work, mut connection, facts, pinged, .. } = *open;
                if let (Some(pinged), true) = (pinged, work.case.id == "h/control") {
                    self.round_trips.push(now.saturating_duration_since(pinged));
                    self.round_trips.sort_unstable();
                    self.timing = Timing::of(self.round_trips[self.round_trips.len() / 2]);
                }
                self.finish(work, token.as_deref(), &facts.borrow(), now);
                if let Some(endpoint) = connection.endpoint_mut() {
                    endpoint.end_transport();
                }
                // If it is already closing, no Close is needed.
                let _ = connection.sender(now).close(Some(1000), "");
                let stage = VisitorStage::Leaving(Box::new(connection), now + LEAVING, false);
                self.step(id, stage, runtime, now)
            }
            VisitorStage::Leaving(mut connection, until, last) => {
                runtime.give_turn(&mut connection, now)?;
                if !connection.is_over() && now < until {
                    return Ok(Some(VisitorStage::Leaving(connection, until, last)));
                }
                if connection.is_over() && runtime.reporter.looks_at_frames() {
                    runtime.report(id, &Event::End(&connection.ending(now)))?;
                }
                self.moved = true;
                if last {
                    self.end_harness();
                }
                let over = connection.is_over();
                let (link, in_order) = connection.into_link();
                let lingering = (over && in_order).then(|| Lingering::begin(link, now)).flatten();
                Ok(lingering.map(|it| VisitorStage::Lingering(Box::new(it))))
            }
            VisitorStage::Lingering(mut lingering) => {
                let over = lingering.turn(&mut runtime.buffers, now);
                self.moved |= over;
                Ok((!over).then_some(VisitorStage::Lingering(lingering)))
            }
        }
    }

    fn connection(
        &self,
        id: ConnId,
        link: Link,
        inbound: Observer,
        agreed: &Agreed,
        observed: bool,
        now: Instant,
    ) -> Connection {
        let setup = ConnectionSetup {
            observed,
            ..ConnectionSetup::new(id, agreed, Some(&self.endpoint), &self.memory)
        };
        Connection::new(link, inbound, &setup, now)
    }

    /// Continues after the handshake: with a case, or with the answer to a question.
    fn opened(
        &self,
        asked: CheckRequest,
        mut connection: Connection,
        now: Instant,
    ) -> VisitorStage {
        match asked {
            CheckRequest::Case(work, token, facts) => {
                let ends = matches!(work.case.expect, Expectation::Ends);
                if let Some(endpoint) = connection.endpoint_mut().filter(|_| ends) {
                    endpoint.end_transport();
                }
                let trial = CaseRun::new(work.case, self.timing, self.plan.echoes(), now);
                VisitorStage::Open(Box::new(OpenTrial::new(work, connection, *facts, trial)), token)
            }
            CheckRequest::Question(text, last) => {
                if let Some(endpoint) = connection.endpoint_mut() {
                    endpoint.end_transport();
                }
                // It has only just opened.
                if let Some(text) = text {
                    let sender = &mut connection.sender(now);
                    let _ = sender.fragment(Producer::Hand, Data::Text, text.as_bytes(), true);
                }
                let _ = connection.sender(now).close(Some(1000), "");
                VisitorStage::Leaving(Box::new(connection), now + ANSWERED, last)
            }
            CheckRequest::Nothing => VisitorStage::Leaving(Box::new(connection), now, false),
        }
    }

    fn finish(&mut self, work: Work, token: Option<&str>, facts: &CaseFacts, now: Instant) {
        let returns = work.case.expect.is_of_return() && facts.opening == CaseOpening::Open;
        if returns && self.drops_again(work, token, now) {
            return;
        }
        match returns {
            true => self.end_drops(false),
            false => self.judged = Some((work, self.plan.finish(work, facts))),
        }
        self.moved = true;
        let call = self.calls.iter().position(|call| Some(call.token.as_str()) == token);
        if let Some(call) = call.map(|at| self.calls.remove(at))
            && let Some(slot) = call.process
        {
            self.end_process(slot, now);
        }
    }

    /// Ends all processes, at once or in order.
    fn end_all(&mut self, kill: bool, now: Instant) {
        for slot in 0..self.entries.len() {
            if matches!(self.entries[slot], Some(Participant::Process(_))) {
                self.end_process(slot, now);
            }
        }
        if kill {
            self.dying.iter_mut().for_each(|dying| dying.kill(now));
        }
    }

    fn has_visitors(&self) -> bool {
        self.entries.iter().flatten().any(|entry| matches!(entry, Participant::Visitor(_)))
    }
}

/// Autobahn's word for a verdict.
fn behaviour(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass | Verdict::PassBare) => "OK",
        Some(Verdict::Warn) => "NON-STRICT",
        Some(Verdict::Fail | Verdict::Flaky) => "FAILED",
        Some(Verdict::Info) => "INFORMATIONAL",
        Some(Verdict::Skip | Verdict::Inconclusive) | None => "UNIMPLEMENTED",
    }
}

fn not_found(why: &str) -> (HandshakeAnswer, CheckRequest) {
    (HandshakeAnswer::Refuse(Refusal::new(404, &[], why)), CheckRequest::Nothing)
}

fn data(value: &Value) -> (HandshakeAnswer, CheckRequest) {
    page("application/json", &value.to_string())
}

/// A whole response that is not a handshake.
fn page(media_type: &str, body: &str) -> (HandshakeAnswer, CheckRequest) {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let bytes = [head.as_bytes(), body.as_bytes()].concat();
    let wrong = Wrong { bytes, why: "a page".to_owned(), then: Then::End };
    (HandshakeAnswer::Wrong(wrong), CheckRequest::Nothing)
}

impl Task for Clients {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.moved = false;
        if let Some(signal) = runtime.take_signal() {
            self.signal = Some(signal);
            self.plan.stop(StopReason::Signal);
        } else if self.patience.until.is_some_and(|at| at <= now)
            && (self.held || !self.plan.is_done())
        {
            self.plan.stop(StopReason::MaxTime);
        }
        self.dying.retain_mut(|dying| !dying.look(now));
        if self.plan.stopped().is_some() {
            self.calls.clear();
            self.end_all(true, now);
            for entry in self.entries.drain(..).flatten() {
                if let Participant::Visitor(visitor) = entry
                    && let Some(recorder) = visitor.recorder
                {
                    recorder.end()?;
                }
            }
            return Ok(());
        }
        self.accept(runtime, now)?;
        self.hand_out(runtime, now);
        for slot in 0..self.entries.len() {
            match self.entries[slot].take() {
                Some(Participant::Process(process)) => self.look_at_process(process, slot, now),
                Some(Participant::Visitor(visitor)) => {
                    let Visitor { id, stage, recorder } = *visitor;
                    let stepped = recorded(recorder, runtime, |runtime| {
                        (self.step(id, stage, runtime, now), self.judged.take())
                    });
                    self.entries[slot] = stepped?.map(|(stage, recorder)| {
                        Participant::Visitor(Box::new(Visitor { id, stage, recorder }))
                    });
                }
                None => {}
            }
        }
        self.look_after_calls(now);
        if self.calls.is_empty() && self.drops.as_ref().is_some_and(|drops| drops.until <= now) {
            self.end_drops(true);
        }
        if self.plan.is_done() && self.calls.is_empty() {
            self.end_all(false, now);
        }
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, now: Instant) -> NextRound {
        let idle = self.dying.is_empty() && !self.has_visitors();
        let over = self.plan.is_done() && self.calls.is_empty() && !self.held;
        if idle && (over || self.plan.stopped().is_some()) {
            return NextRound::Done;
        }
        let wants = |entry: &Participant| match entry {
            Participant::Process(process) => process.wants_turn(),
            Participant::Visitor(visitor) => match &visitor.stage {
                VisitorStage::Opening(opening) => opening.wants_turn(),
                VisitorStage::Open(open, _) => open.wants_turn(runtime, now),
                VisitorStage::Leaving(connection, ..) => {
                    connection.wants_turn(&runtime.stdout, &runtime.reporter)
                }
                VisitorStage::Lingering(lingering) => lingering.wants_turn(),
            },
        };
        if self.moved || self.acceptor.is_ready() || self.entries.iter().flatten().any(wants) {
            return NextRound::Now;
        }
        let due = |entry: &Participant| match entry {
            Participant::Process(process) => process.due(now),
            Participant::Visitor(visitor) => match &visitor.stage {
                VisitorStage::Opening(opening) => Some(opening.deadline()),
                VisitorStage::Open(open, _) => open.deadline(),
                VisitorStage::Leaving(connection, until, _) => {
                    connection.deadline().into_iter().chain([*until]).min()
                }
                VisitorStage::Lingering(lingering) => Some(lingering.deadline()),
            },
        };
        let entries = self.entries.iter().flatten().filter_map(due);
        let calls = self.calls.iter().filter(|call| !call.came).map(|call| call.deadline);
        let dying = self.dying.iter().map(Dying::deadline);
        // If a call waits longer, its own deadline counts.
        let drops = self.drops.as_ref().map(|drops| drops.until).filter(|at| *at > now);
        let others = self.resumes.filter(|at| *at > now).into_iter().chain(self.patience.until);
        let all = entries.chain(calls).chain(dying).chain(others);
        NextRound::Wait(all.chain(drops).chain(self.acceptor.deadline()).min())
    }

    fn ready(&mut self, ready: Ready<'_>) {
        let (slot, event) = match ready {
            Ready::Listener => return self.acceptor.set_ready(),
            Ready::Socket(slot, event) => (slot, Ok(event)),
            Ready::Pipe(slot, pipe) => (slot, Err(pipe)),
            Ready::Input { .. } => return,
        };
        match (self.entries.get_mut(slot).and_then(Option::as_mut), event) {
            (Some(Participant::Process(process)), Err(pipe)) => process.ready(pipe),
            (Some(Participant::Visitor(visitor)), Ok(event)) => match &mut visitor.stage {
                VisitorStage::Opening(opening) => opening.link.ready(event),
                VisitorStage::Open(open, _) => open.connection.ready(event),
                VisitorStage::Leaving(connection, ..) => connection.ready(event),
                VisitorStage::Lingering(lingering) => lingering.ready(event),
            },
            _ => {}
        }
    }
}
