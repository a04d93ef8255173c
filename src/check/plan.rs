//! In which order cases run, which run again, and when the run stops.
//!
//! Control connections come first, last, and after every case that may have crashed the server. A
//! case without an answer runs once more, alone, before its result counts. If clients connect by
//! themselves, they decide the order, and the plan only records which cases are still open.
//!
//! A server may answer a case and crash afterwards. So every case that has ended is a possible
//! cause until the server answers a connection that began later.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::time::Duration;

use super::case::{Case, Expectation, Needs, Obligation, Risk, Tested, rule};
use super::facts::{CaseFacts, CaseOpening, Seen};
use super::judge::judge;
use super::verdict::{Judgement, Verdict};
use crate::ui::number::counted;
use crate::wire::{Data, OpCode, Role};

/// Control connections before the first case. Their median gives the round trip.
const CONTROLS: usize = 3;

/// At most this many cases run again because they got no answer. If more cases get none, the cause
/// is not chance.
const SECOND_LOOKS: usize = 8;

/// A run with at most this many cases checks after each case, a moment later, whether the server is
/// alive.
pub const FEW: usize = 8;

/// A server that crashes because of its last case crashes within this time.
const MOMENT: Duration = Duration::from_millis(20);

/// The same time in a run of few cases.
const LONG_MOMENT: Duration = Duration::from_millis(200);

/// At most this many suspects are named.
const NAMED: usize = 6;

/// After this many refusals in a row, the run stops.
const REFUSALS: usize = 3;

/// A connection that must work: without one, no other result is meaningful.
pub static CONTROL: Case = Case::new(
    "h/control",
    "a valid handshake and a ping",
    rule("RFC 6455 §5.5.2", "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it already received a Close frame."),
    "a peer that does not open a connection and answer a ping can't be tested",
)
.autobahn("2.1");

/// Finds out whether the server echoes. It tests nothing, and is not a row of the table.
pub static ECHO: Case = Case::new("h/echo", "a text and a binary message", rule("", ""), "")
    .send(&["/text wscope check: is this echoed? ä € 😀", "/binary 00 ff fe 80"])
    .expect(Expectation::Learns);

/// The control connection for a client.
static CLIENT_CONTROL: Case = Case { tested: Tested::Client, ..CONTROL };

/// The control connection for a client that also tests whether the client echoes.
static MEETING: Case = Case { send: ECHO.send, ..CLIENT_CONTROL };

/// One connection to make.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// The case.
    pub case: &'static Case,
    /// What the facts of the connection are used for.
    pub purpose: Purpose,
    /// The number of the connection in the run, from 1; 0 before the connection begins.
    number: u64,
    /// The connection began when no earlier case could still crash the server.
    calm: bool,
}

impl Work {
    fn new(case: &'static Case, purpose: Purpose) -> Self {
        Self { case, purpose, number: 0, calm: false }
    }

    /// The place of its case in the table.
    pub fn place(&self) -> Option<usize> {
        match self.purpose {
            Purpose::Result(at) | Purpose::Again(at) | Purpose::Part(at) => Some(at),
            Purpose::Control | Purpose::Echo => None,
        }
    }

    /// Whether the connection finds out whether messages come back.
    pub fn asks_for_echo(&self) -> bool {
        self.case.send == ECHO.send
    }
}

/// What the facts of a connection are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To test whether the server still works.
    Control,
    /// To test whether the server echoes.
    Echo,
    /// The result of the case at this place.
    Result(usize),
    /// The repetition of the case at this place, alone.
    Again(usize),
    /// The part of one of several connections that run the same case at the same time.
    Part(usize),
}

/// Why a run stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// No control connection worked at the beginning, with the reason.
    Unusable(String, CaseOpening),
    /// The server stopped working: a sentence that names the case before.
    Died(String),
    /// The server refused several connections in a row.
    Refuses(String),
    /// `--max-time` has passed.
    MaxTime,
    /// A signal arrived.
    Signal,
    /// The clients ended before any case had run.
    Nothing,
    /// A case failed, with `--fail-fast`.
    FailFast,
}

impl StopReason {
    /// The reason in a sentence.
    pub fn describe(&self) -> String {
        match self {
            Self::Unusable(text, _) => format!("no connection to test on: {text}"),
            Self::Died(text) | Self::Refuses(text) => text.clone(),
            Self::MaxTime => "the time set by --max-time is over".to_owned(),
            Self::Nothing => "the clients ran no case".to_owned(),
            Self::Signal => "interrupted".to_owned(),
            Self::FailFast => "a case failed (--fail-fast)".to_owned(),
        }
    }
}

/// The result of a case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The case.
    pub case: &'static Case,
    /// Its verdict.
    pub judgement: Judgement,
}

impl CaseResult {
    /// How binding the rule is that decided the verdict.
    pub fn level(&self) -> Obligation {
        if self.judgement.why.is_some() { Obligation::Must } else { self.case.level }
    }

    /// What fails in practice.
    pub fn why(&self) -> &'static str {
        self.judgement.why.unwrap_or(self.case.why)
    }

    /// The rule that decided the verdict, unless the received data names it; otherwise what fails
    /// in practice.
    pub fn reason(&self) -> String {
        let rule = self.case.rule;
        let quoted = || format!("{}: {}", rule.section, rule.says);
        self.judgement.why.map_or_else(quoted, str::to_owned)
    }
}

/// The options of a run.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions {
    /// The tested end.
    pub tested: Role,
    /// Clients connect by themselves, for the cases that they name.
    pub awaits: bool,
    /// The number of connections at the same time.
    pub jobs: usize,
    /// How often each case runs.
    pub repeat: usize,
    /// Stop at the first case that failed.
    pub fail_fast: bool,
    /// WARN and PASS* count as failed.
    pub strict: bool,
    /// Whether the peer echoes; `None`: wscope tests it.
    pub echoes: Option<bool>,
    /// Whether the user named a subprotocol that the server knows.
    pub subprotocol: bool,
    /// Connections speak TLS.
    pub secure: bool,
    /// The delay between connections gives a server enough time to crash before the next one.
    pub slow: bool,
}

impl PlanOptions {
    /// Why the case is skipped: the options lack something that it needs.
    fn skips(self, case: &Case) -> Option<&'static str> {
        match case.needs {
            Needs::Subprotocol if !self.subprotocol => {
                Some("no --subprotocol that the server knows")
            }
            Needs::Tls if !self.secure => Some("the URL does not begin with wss://"),
            _ => None,
        }
    }
}

/// How a server ended a case. Each new way may have crashed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CaseEnding {
    /// Another status than 101.
    Refused,
    /// A Close, with its code if the code reports an error.
    Closed(Option<u16>),
    /// The connection ended without either.
    Dropped,
}

impl CaseEnding {
    fn of(facts: &CaseFacts) -> Option<Self> {
        match (&facts.opening, &facts.close) {
            (CaseOpening::Refused(_), _) => Some(Self::Refused),
            (CaseOpening::Open, Some(close)) => {
                Some(Self::Closed(close.code.filter(|code| [1002, 1007, 1009].contains(code))))
            }
            (CaseOpening::Dropped, _) => Some(Self::Dropped),
            _ => facts.ended.map(|_| Self::Dropped),
        }
    }
}

/// A case that has ended, and how many connections had begun until then.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    at: usize,
    begun: u64,
    /// No earlier case is the cause: after the earlier cases, the server had enough time to crash.
    sure: bool,
}

/// A run under way.
#[derive(Debug)]
pub struct CheckRun {
    options: PlanOptions,
    cases: Vec<&'static Case>,
    results: Vec<Option<Judgement>>,
    /// The work that runs one by one, before all other work.
    first: VecDeque<Work>,
    main: VecDeque<Work>,
    /// The work that runs one by one, after the cases.
    alone: VecDeque<Work>,
    /// Cases for which a client has arrived.
    claimed: BTreeSet<usize>,
    running: Vec<Work>,
    /// Connections that have begun.
    begun: u64,
    /// The running connection must run alone.
    exclusive: bool,
    echoes: bool,
    /// A control connection has worked.
    usable: bool,
    refusals: usize,
    /// Cases that have ended since the last proof that the server is alive.
    suspects: Vec<Suspect>,
    /// How the server ended cases that it survived.
    endings: BTreeSet<CaseEnding>,
    /// The delay before the next connection.
    pause: Option<Duration>,
    /// The delay has passed, and no case has ended since.
    paused: bool,
    /// The server was alive a moment after all cases had ended, and no case has begun since.
    calm: bool,
    stop: Option<StopReason>,
    /// Cases that run again before their result counts.
    unsure: BTreeSet<usize>,
    /// The results of the finished connections of the running case.
    parts: Vec<String>,
    /// The result of a control connection that was cut off; the next control connection decides.
    lapse: Option<String>,
    /// The verdict if the first control connection was cut off and the next one worked.
    lapsed: Option<Judgement>,
    /// The test for an echo was cut off, and runs again.
    echo_lapsed: bool,
}

impl CheckRun {
    /// Plans a run of these cases.
    pub fn new(mut cases: Vec<&'static Case>, options: PlanOptions) -> Self {
        let control = Work::new(control(options.tested), Purpose::Control);
        let mut first: VecDeque<Work> = std::iter::repeat_n(control, CONTROLS).collect();
        let asks = cases.iter().any(|case| matches!(case.expect, Expectation::Echoes(..)));
        if options.echoes.is_none() && asks {
            first.push_back(Work::new(&ECHO, Purpose::Echo));
        }
        let (mut main, mut alone) = (VecDeque::new(), VecDeque::new());
        let times = if options.awaits { 0 } else { options.repeat };
        if options.awaits {
            first.clear();
            let asks = asks && options.echoes.is_none();
            if asks && cases.iter().all(|case| case.id != CONTROL.id) {
                cases.insert(0, control.case);
            }
        }
        for _ in 0..times {
            for (at, case) in
                cases.iter().enumerate().filter(|(_, case)| options.skips(case).is_none())
            {
                let parts = case.connections > 1;
                let purpose = if parts { Purpose::Part(at) } else { Purpose::Result(at) };
                let work = Work::new(case, purpose);
                let alone_only = case.risk != Risk::Default || ["l", "t"].contains(&case.area());
                let queue = if alone_only || parts { &mut alone } else { &mut main };
                queue.extend(std::iter::repeat_n(work, case.connections.into()));
            }
        }
        Self {
            results: vec![None; cases.len()],
            cases,
            first,
            main,
            alone,
            claimed: BTreeSet::new(),
            running: Vec::new(),
            begun: 0,
            exclusive: false,
            echoes: options.echoes.unwrap_or_default(),
            options,
            usable: false,
            refusals: 0,
            suspects: Vec::new(),
            endings: BTreeSet::new(),
            pause: None,
            paused: false,
            calm: true,
            stop: None,
            unsure: BTreeSet::new(),
            parts: Vec::new(),
            lapse: None,
            lapsed: None,
            echo_lapsed: false,
        }
    }

    /// How many connections may run at the same time.
    pub fn jobs(&self) -> usize {
        self.options.jobs
    }

    /// The next connection, if one may begin now.
    pub fn start(&mut self) -> Option<Work> {
        let idle = self.running.is_empty();
        let work = if idle && let Some(work) = self.first.pop_front() {
            self.exclusive = true;
            work
        } else if self.first.is_empty()
            && !self.exclusive
            && self.running.len() < self.options.jobs
            && let Some(work) = self.main.pop_front()
        {
            work
        } else if idle || self.joins() {
            self.exclusive = true;
            self.alone.pop_front()?
        } else {
            return None;
        };
        Some(self.begin(work))
    }

    /// Whether the next waiting work belongs to the running case.
    fn joins(&self) -> bool {
        let Some(next) = self.alone.front() else { return false };
        let begun = self.running.len() + self.parts.len();
        matches!(next.purpose, Purpose::Part(_))
            && begun < usize::from(next.case.connections)
            && self.running.iter().all(|work| work.purpose == next.purpose)
    }

    fn begin(&mut self, work: Work) -> Work {
        self.begun += 1;
        let calm = match work.purpose {
            Purpose::Control => mem::take(&mut self.paused) && self.running.is_empty(),
            _ => mem::take(&mut self.calm),
        };
        let work = Work { number: self.begun, calm, ..work };
        self.running.push(work);
        work
    }

    /// The delay before the next connection; returns it once.
    pub fn pause(&mut self) -> Option<Duration> {
        let pause = self.pause.take();
        self.paused |= pause.is_some();
        pause
    }

    /// Whether everything is done.
    pub fn is_done(&self) -> bool {
        let open = self.options.awaits && self.stop.is_none() && self.next_open(|_| true).is_some();
        self.running.is_empty()
            && self.first.is_empty()
            && self.main.is_empty()
            && self.alone.is_empty()
            && !open
    }

    /// The cases, in order.
    pub fn cases(&self) -> &[&'static Case] {
        &self.cases
    }

    /// The first case without a result for which `is_such` is true, for a client that names no
    /// case.
    pub fn next_open(&self, is_such: impl Fn(&Case) -> bool) -> Option<usize> {
        let open = |at: &usize| self.results[*at].is_none() && !self.claimed.contains(at);
        (0..self.cases.len()).find(|at| open(at) && is_such(self.cases[*at]))
    }

    /// A client has arrived for a case.
    pub fn claim(&mut self, at: usize) -> Work {
        self.claimed.insert(at);
        let asks = self.options.echoes.is_none() && self.cases[at].id == CONTROL.id;
        let case = if asks { &MEETING } else { self.cases[at] };
        self.begin(Work::new(case, Purpose::Result(at)))
    }

    /// The result of a case, if there is one.
    pub fn result(&self, at: usize) -> Option<&Judgement> {
        self.results.get(at)?.as_ref()
    }

    /// Skips a case that these clients can't run.
    pub fn skip(&mut self, at: usize, why: &str) {
        self.results[at].get_or_insert_with(|| Judgement::new(Verdict::Skip, why));
    }

    /// The clients have ended: cases without a result will not get one.
    pub fn end(&mut self) {
        match self.results.iter().any(Option::is_some) {
            true => self.claimed.extend(0..self.cases.len()),
            false => self.stop(StopReason::Nothing),
        }
    }

    /// Whether messages come back.
    pub fn echoes(&self) -> bool {
        self.echoes
    }

    /// Stops the run: gives up running connections, and starts no others.
    pub fn stop(&mut self, why: StopReason) {
        self.stop.get_or_insert(why);
        self.first.clear();
        self.main.clear();
        self.alone.clear();
    }

    /// Why the run stopped.
    pub fn stopped(&self) -> Option<&StopReason> {
        self.stop.as_ref()
    }

    /// Takes the facts of a connection from [`CheckRun::start`] or [`CheckRun::claim`]; returns its own
    /// verdict.
    pub fn finish(&mut self, work: Work, facts: &CaseFacts) -> Verdict {
        self.running.retain(|own| own.number != work.number);
        (self.exclusive, self.paused) = (false, false);
        let judgement = judge(work.case, facts, self.echoes);
        let verdict = judgement.verdict;
        if self.options.awaits && work.asks_for_echo() {
            self.echoes |= is_echo(facts);
        }
        let refuses = !matches!(work.purpose, Purpose::Part(_))
            && matches!(
                facts.opening,
                CaseOpening::Unreachable(_) | CaseOpening::Refused(429 | 503)
            );
        self.refusals = if refuses { self.refusals + 1 } else { 0 };
        self.suspect(work, facts, verdict);
        match work.purpose {
            Purpose::Control => self.controlled(&judgement, facts),
            Purpose::Echo => {
                self.echoes = is_echo(facts);
                if is_cut(facts) && !self.echoes && !mem::replace(&mut self.echo_lapsed, true) {
                    self.first.push_front(Work::new(&ECHO, Purpose::Echo));
                }
            }
            Purpose::Result(at) => self.judged(at, work.case, judgement, facts),
            Purpose::Part(at) => self.take_part(at, work.case, judgement.got),
            Purpose::Again(at) => {
                self.unsure.remove(&at);
                let lost = matches!(facts.opening, CaseOpening::Unreachable(_));
                let first = self.results[at].take().filter(|_| !lost);
                self.results[at] = Some(merged(first, judgement));
                if lost && self.options.tested == Role::Server {
                    self.died(facts);
                }
            }
        }
        if self.refusals >= REFUSALS && self.usable && self.stop.is_none() {
            let text = match &facts.opening {
                CaseOpening::Unreachable(text) if self.options.tested == Role::Client => {
                    format!("{text}, {REFUSALS} times in a row")
                }
                CaseOpening::Refused(status) => format!(
                    "the server answered {status} {REFUSALS} times in a row, so the run stopped"
                ),
                _ => {
                    self.doubt("stopped accepting connections");
                    self.death("stopped accepting connections")
                }
            };
            self.stop(StopReason::Refuses(text));
        }
        let over = self.is_done() && self.stop.is_none() && self.usable;
        if over && !self.suspects.is_empty() {
            self.look_again();
        }
        verdict
    }

    /// Notes which cases may have crashed the server, and which have not.
    fn suspect(&mut self, work: Work, facts: &CaseFacts, verdict: Verdict) {
        let answered = match work.purpose {
            Purpose::Control => verdict == Verdict::Pass,
            _ => match facts.opening {
                // A gateway may answer with a 5xx status if its server has crashed.
                CaseOpening::Refused(500..) => !work.case.open.is_empty(),
                CaseOpening::Open
                | CaseOpening::Refused(_)
                | CaseOpening::Bad(_)
                | CaseOpening::Garbage(_) => true,
                _ => false,
            },
        };
        if work.purpose == Purpose::Control {
            self.calm |= answered && work.calm && work.number == self.begun;
        }
        if answered {
            self.suspects.retain(|suspect| suspect.begun >= work.number);
        }
        // A valid request without an answer does not crash a server.
        let harmless = !answered && work.case.open.is_empty();
        let Some(at) = work.place() else { return };
        let far = matches!(facts.opening, CaseOpening::Unable(_) | CaseOpening::Unreachable(_));
        // An answer, or the lack of one, does not prove that this case is the cause: a server may
        // crash a moment after the case before.
        let sure = work.calm || self.options.slow;
        if self.options.tested == Role::Server && !harmless && !far {
            self.suspects.push(Suspect { at, begun: self.begun, sure });
        }
    }

    /// Makes a control connection after a moment: a server may answer and then crash.
    fn look_again(&mut self) {
        if self.options.tested == Role::Server {
            self.pause = Some(if self.is_short() { LONG_MOMENT } else { MOMENT });
            self.control();
        }
    }

    /// Whether the run checks after each case that the server is alive.
    fn is_short(&self) -> bool {
        self.cases.len() * self.options.repeat <= FEW
    }

    fn controlled(&mut self, judgement: &Judgement, facts: &CaseFacts) {
        let got = judgement.got.clone();
        let about = |id| self.cases.iter().position(|case| case.id == id);
        if judgement.verdict == Verdict::Pass {
            self.usable = true;
            if let Some(first) = self.lapse.take() {
                let first = Judgement::new(Verdict::Fail, first);
                self.lapsed.get_or_insert_with(|| merged(Some(first), judgement.clone()));
            }
        } else if self.lapse.is_none() && is_cut(facts) && (self.usable || judgement.why.is_none())
        {
            self.lapse = Some(got);
            self.first.push_front(Work::new(control(self.options.tested), Purpose::Control));
        } else if !self.usable {
            // This verdict is certain even if no other verdict is.
            let breach = match facts.opening {
                CaseOpening::Bad(_) => Some(Judgement::of_own_breach(got.clone())),
                _ if facts.wrong_answer().is_some() || judgement.why.is_some() => {
                    Some(judgement.clone())
                }
                _ => None,
            };
            // Such a request of a client fails whatever case the client came for.
            let any = (self.options.tested == Role::Client).then_some(0);
            let at = about(CONTROL.id).or_else(|| about("f/ping")).or(any);
            if let (Some(breach), Some(at)) = (breach, at) {
                self.results[at] = Some(breach);
            }
            self.stop(StopReason::Unusable(got, facts.opening.clone()));
        } else {
            self.died(facts);
        }
    }

    fn judged(&mut self, at: usize, case: &'static Case, judgement: Judgement, facts: &CaseFacts) {
        let unreachable = matches!(facts.opening, CaseOpening::Unreachable(_));
        let silent = facts.timed_out || facts.opening == CaseOpening::Silent;
        // A server may drop connections now and then, for reasons other than the case.
        let cut = match judgement.verdict {
            Verdict::Fail => is_cut(facts),
            Verdict::Inconclusive => facts.opening == CaseOpening::Dropped,
            _ => false,
        };
        if self.options.awaits {
            return self.record(at, judgement);
        }
        let again = |work: &&Work| matches!(work.purpose, Purpose::Again(_));
        let unsure = (silent || cut) && self.alone.iter().filter(again).count() < SECOND_LOOKS;
        if (unreachable || unsure) && judgement.verdict != Verdict::Info {
            // A cut opening and a complete opening count as different results.
            let verdict = if cut { Verdict::Fail } else { judgement.verdict };
            let first = self.results[at].take();
            self.results[at] = match unreachable && first.is_some() {
                true => first,
                false => Some(merged(first, Judgement { verdict, ..judgement })),
            };
            self.unsure.insert(at);
            self.alone.push_back(Work::new(case, Purpose::Again(at)));
            self.look_again();
            return;
        }
        let few = self.is_short();
        let mut is_new = |ending| self.options.jobs == 1 && self.endings.insert(ending);
        let ended = CaseEnding::of(facts).is_some_and(|ending| few || is_new(ending));
        if ended || few && self.options.jobs == 1 {
            self.look_again();
        } else if judgement.verdict == Verdict::Fail || is_cut(facts) {
            self.control();
        } else if matches!(facts.opening, CaseOpening::Refused(429 | 503)) {
            // Checks whether the server now answers everything like this.
            self.control();
        }
        self.record(at, judgement);
    }

    /// Keeps the result of one of several connections; after the last one, decides the verdict.
    fn take_part(&mut self, at: usize, case: &'static Case, got: String) {
        self.parts.push(got);
        if self.parts.len() < usize::from(case.connections) {
            return;
        }
        let mut parts = mem::take(&mut self.parts);
        parts.sort_unstable();
        let counts = parts.chunk_by(|one, other| one == other);
        let text =
            |chunk: &[String]| format!("{}: {}", counted(chunk.len() as u64, "time"), chunk[0]);
        let got = counts.map(text).collect::<Vec<_>>().join("; ");
        self.record(at, Judgement::new(Verdict::Info, got));
    }

    /// Keeps a result. If two results of a case differ, the verdict is FLAKY.
    fn record(&mut self, at: usize, judgement: Judgement) {
        let failed = judgement.verdict.is_failure(self.options.strict);
        self.results[at] = Some(merged(self.results[at].take(), judgement));
        if failed && self.options.fail_fast {
            self.stop(StopReason::FailFast);
        }
    }

    /// Makes a control connection next, unless one is waiting already. A client gets none, because
    /// it keeps no state of the previous case.
    fn control(&mut self) {
        if self.options.tested == Role::Client {
            return;
        }
        if self.main.front().is_none_or(|work| work.purpose != Purpose::Control) {
            let case = control(self.options.tested);
            self.main.push_front(Work::new(case, Purpose::Control));
        }
    }

    /// Handles a control connection that failed after others had worked. For a client, only those
    /// before the first case count.
    fn died(&mut self, facts: &CaseFacts) {
        let what = match &facts.opening {
            CaseOpening::Refused(status @ (429 | 503)) => {
                let text = self.death(&format!("answered {status} to a valid handshake"));
                let cure = "if it limits connections, use -j 1 and --delay SECS";
                return self.stop(StopReason::Refuses(format!("{text}; {cure}")));
            }
            CaseOpening::Refused(status) => {
                let text = self.death(&format!("answered {status} to a valid handshake"));
                let cure = "if several servers share the address, test one of them";
                return self.stop(StopReason::Refuses(format!("{text}; {cure}")));
            }
            CaseOpening::Unreachable(text) if self.options.tested == Role::Client => {
                return self.stop(StopReason::Refuses(text.clone()));
            }
            CaseOpening::Unreachable(_) => "stopped accepting connections",
            _ => "stopped answering",
        };
        let text = self.death(what);
        self.doubt(what);
        self.stop(StopReason::Died(text));
    }

    /// The cases that may have crashed the server, and the running cases.
    fn suspects(&self) -> BTreeSet<usize> {
        let running = self.running.iter().filter_map(|work| work.place());
        self.suspects.iter().map(|suspect| suspect.at).chain(running).collect()
    }

    /// Sets the verdict of the cases that may have crashed the server: one of them did.
    fn doubt(&mut self, what: &str) {
        let suspects = self.suspects();
        let alone = suspects.len() == 1 && self.suspects.iter().all(|suspect| suspect.sure);
        for at in suspects {
            if let Some(result) = self.results[at].as_mut() {
                let got = format!("{}; then the server {what}", result.got);
                *result = match alone {
                    true => Judgement::of_death(got),
                    false => Judgement::new(Verdict::Inconclusive, got),
                };
                // This result is certain without a repetition.
                self.unsure.remove(&at);
            }
        }
    }

    /// What the server did last, and after which case.
    fn death(&self, what: &str) -> String {
        let suspects = self.suspects();
        let done = self.results.iter().flatten().count();
        let before = if done > suspects.len() { ", or a case before" } else { "" };
        let mut ids = suspects.iter().map(|at| self.cases[*at].id).collect::<Vec<_>>();
        let more = ids.len().saturating_sub(NAMED);
        ids.truncate(NAMED);
        let after = match (&ids[..], more) {
            ([], _) => String::new(),
            ([id], _) if self.suspects.iter().all(|suspect| suspect.sure) => format!(" after {id}"),
            ([id], _) => format!(" after {id}{before}"),
            (ids, 0) => format!(" after one of {}{before}", ids.join(", ")),
            (ids, more) => format!(" after one of {} and {more} more{before}", ids.join(", ")),
        };
        let peer = control(self.options.tested).peer();
        let known = self.suspects.iter().all(|suspect| suspect.sure) && ids.len() <= 1;
        let cure = if known { "" } else { "; -j 1 --delay 0.1 finds out which" };
        format!("the {peer} {what}{after} ({} done){cure}", counted(done as u64, "case"))
    }

    /// The result of each case; for those without one, the reason.
    pub fn outcomes(&self) -> Vec<CaseResult> {
        let unasked =
            if self.options.awaits { "no client connected for it" } else { "it did not run" };
        let why = self.stop.as_ref().map_or_else(|| unasked.to_owned(), StopReason::describe);
        let of = |(case, result): (&&'static Case, &Option<Judgement>)| CaseResult {
            case,
            judgement: result.clone().unwrap_or_else(|| match self.options.skips(case) {
                Some(why) => Judgement::new(Verdict::Skip, why),
                None => Judgement::new(Verdict::Inconclusive, why.clone()),
            }),
        };
        let mut outcomes: Vec<CaseResult> = self.cases.iter().zip(&self.results).map(of).collect();
        for at in &self.unsure {
            let got = format!("{}; it did not run again", outcomes[*at].judgement.got);
            outcomes[*at].judgement = Judgement::new(Verdict::Inconclusive, got);
        }
        for one in outcomes.iter_mut().filter(|one| one.case.id == CONTROL.id) {
            let known = [Verdict::Fail, Verdict::Flaky].contains(&one.judgement.verdict);
            if let Some(lapsed) = self.lapsed.as_ref().filter(|_| !known) {
                one.judgement = lapsed.clone();
            }
        }
        // A server may accept foreign origins or not, unless it refuses some of them.
        let refuses = outcomes.iter().any(|one| {
            let status = one.judgement.got.strip_prefix("HTTP status ");
            let status = status.and_then(|status| status.parse::<u16>().ok());
            // 429 reports too many connections, 408 a connection that is too slow.
            one.case.id == "o/evil"
                && status.is_some_and(|it| (400..500).contains(&it) && ![408, 429].contains(&it))
        });
        for one in outcomes.iter_mut().filter(|one| ["o/suffix", "o/prefix"].contains(&one.case.id))
        {
            if refuses && one.judgement.got == "101" {
                let got = "101, though the Origin of another site is refused";
                one.judgement = Judgement::new(Verdict::Warn, got);
            }
        }
        outcomes
    }
}

/// Merges the results of several runs. If they differ, lists the received data. A run without a
/// result does not count as a difference.
fn merged(first: Option<Judgement>, then: Judgement) -> Judgement {
    let Some(first) = first else { return then };
    let list = first.got.strip_prefix("once: ");
    let mut known = list.unwrap_or(&first.got).split("; then: ");
    let is_known = known.any(|got| got == then.got);
    match list {
        Some(_) if is_known => return first,
        None if is_known || first.verdict == then.verdict => return then,
        _ => {}
    }
    let unknown = [first.verdict, then.verdict].contains(&Verdict::Inconclusive);
    let verdict = match unknown && first.verdict != Verdict::Flaky {
        true => Verdict::Inconclusive,
        false => Verdict::Flaky,
    };
    let once = if list.is_some() { "" } else { "once: " };
    Judgement::new(verdict, format!("{once}{}; then: {}", first.got, then.got))
}

/// Whether the connection ended although more had to come.
fn is_cut(facts: &CaseFacts) -> bool {
    facts.opening == CaseOpening::Dropped || facts.ended.is_some() && facts.close.is_none()
}

/// The control connection for an end of this role.
fn control(tested: Role) -> &'static Case {
    match tested {
        Role::Server => &CONTROL,
        Role::Client => &CLIENT_CONTROL,
    }
}

/// Whether the server echoed both messages of [`ECHO`].
fn is_echo(facts: &CaseFacts) -> bool {
    let text = "wscope check: is this echoed? ä € 😀".as_bytes();
    facts.has_message(OpCode::Data(Data::Text), text)
        && facts.has_message(OpCode::Data(Data::Binary), b"\0\xff\xfe\x80")
}

/// Whether both echoes were received, so that the wait can end.
pub fn has_echoed(facts: &CaseFacts) -> bool {
    let is_message = |seen: &&Seen| matches!(seen, Seen::Message(..));
    facts.seen.iter().filter(is_message).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::{CANARIES, CaseEnd};

    static A: Case = Case::new("f/a", "a", rule("RFC", "says"), "why");
    static B: Case = Case::new("f/b", "b", rule("RFC", "says"), "why");
    static C: Case = Case::new("l/c", "c", rule("RFC", "says"), "why");

    const OPTIONS: PlanOptions = PlanOptions {
        tested: Role::Server,
        awaits: false,
        jobs: 4,
        repeat: 1,
        fail_fast: false,
        strict: false,
        echoes: None,
        subprotocol: false,
        secure: false,
        slow: false,
    };

    fn good() -> CaseFacts {
        let seen = vec![Seen::Pong(CANARIES[0].to_vec())];
        CaseFacts { opening: CaseOpening::Open, seen, ..CaseFacts::default() }
    }

    fn hang() -> CaseFacts {
        CaseFacts { opening: CaseOpening::Open, timed_out: true, ..CaseFacts::default() }
    }

    fn away() -> CaseFacts {
        CaseFacts { opening: CaseOpening::Unreachable("refused".into()), ..CaseFacts::default() }
    }

    fn plan(options: PlanOptions) -> CheckRun {
        let mut plan = CheckRun::new(vec![&A, &B, &C], options);
        for _ in 0..CONTROLS {
            let work = plan.start().expect("a control");
            assert!(work.purpose == Purpose::Control && plan.start().is_none());
            plan.finish(work, &good());
        }
        plan
    }

    /// A moment later, the server is still alive.
    #[track_caller]
    fn survives(plan: &mut CheckRun) {
        assert!(plan.pause().is_some(), "a moment");
        let control = plan.start().expect("a control");
        assert_eq!(control.purpose, Purpose::Control);
        plan.finish(control, &good());
    }

    fn verdicts(plan: &CheckRun) -> Vec<Verdict> {
        plan.outcomes().iter().map(|outcome| outcome.judgement.verdict).collect()
    }

    #[test]
    fn controls_come_first_then_cases_together_then_those_that_run_alone() {
        let mut plan = plan(OPTIONS);
        let (a, b) = (plan.start().expect("a"), plan.start().expect("b"));
        assert!((a.case.id, b.case.id) == ("f/a", "f/b") && plan.start().is_none());
        plan.finish(a, &good());
        assert!(plan.start().is_none(), "another still runs");
        plan.finish(b, &good());
        let c = plan.start().expect("c");
        plan.finish(c, &good());
        survives(&mut plan);
        assert!(plan.is_done() && plan.stopped().is_none());
        assert_eq!(verdicts(&plan), [Verdict::Pass; 3]);
    }

    #[test]
    fn what_got_no_answer_runs_once_more_and_alone() {
        for (again, verdict) in [(hang(), Verdict::Fail), (good(), Verdict::Flaky)] {
            let mut plan = plan(OPTIONS);
            let (a, b) = (plan.start().expect("a"), plan.start().expect("b"));
            plan.finish(a, &hang());
            plan.finish(b, &good());
            let control = plan.start().expect("a control");
            assert_eq!(control.purpose, Purpose::Control);
            plan.finish(control, &good());
            let c = plan.start().expect("c");
            plan.finish(c, &good());
            let work = plan.start().expect("a again");
            assert_eq!((work.purpose, work.case.id), (Purpose::Again(0), "f/a"));
            plan.finish(work, &again);
            survives(&mut plan);
            assert!(plan.is_done());
            assert_eq!(verdicts(&plan), [verdict, Verdict::Pass, Verdict::Pass]);
        }
    }

    #[test]
    fn a_limit_of_connections_makes_no_case_flaky() {
        let limited = CaseFacts { opening: CaseOpening::Refused(503), ..CaseFacts::default() };
        let mut plan = CheckRun::new(vec![&A], PlanOptions { jobs: 1, repeat: 2, ..OPTIONS });
        let mut limit = Some(limited);
        while let Some(work) = plan.start() {
            let facts = limit.take_if(|_| work.case.id == "f/a").unwrap_or_else(good);
            plan.finish(work, &facts);
        }
        assert_eq!(verdicts(&plan), [Verdict::Inconclusive]);
    }

    #[test]
    fn what_has_not_been_looked_at_twice_does_not_count() {
        let mut plan = plan(PlanOptions { jobs: 1, ..OPTIONS });
        let a = plan.start().expect("a");
        plan.finish(a, &hang());
        plan.stop(StopReason::Signal);
        assert_eq!(verdicts(&plan), [Verdict::Inconclusive; 3]);
        let got = &plan.outcomes()[0].judgement.got;
        assert!(got.ends_with("; it did not run again"), "{got}");
    }

    #[test]
    fn a_server_that_dies_is_one_sentence() {
        let mut plan = plan(PlanOptions { jobs: 1, ..OPTIONS });
        let a = plan.start().expect("a");
        let dead = CaseFacts {
            ended: Some(CaseEnd::Broken),
            opening: CaseOpening::Open,
            ..CaseFacts::default()
        };
        plan.finish(a, &dead);
        let control = plan.start().expect("a control");
        plan.finish(control, &away());
        assert!(plan.is_done());
        let text = "the server stopped accepting connections after f/a (1 case done)";
        assert_eq!(plan.stopped(), Some(&StopReason::Died(text.to_owned())));
        assert_eq!(verdicts(&plan), [Verdict::Fail, Verdict::Inconclusive, Verdict::Inconclusive]);
    }

    #[test]
    fn a_server_that_answers_the_case_and_then_dies_is_blamed_on_that_case() {
        let mut plan = plan(PlanOptions { jobs: 1, ..OPTIONS });
        let a = plan.start().expect("a");
        plan.finish(a, &good());
        // In a run of few cases, the server gets time to crash after each case, however the case
        // ended.
        assert!(plan.pause().is_some());
        let control = plan.start().expect("a control");
        plan.finish(control, &CaseFacts { opening: CaseOpening::Dropped, ..CaseFacts::default() });
        let control = plan.start().expect("another one, because that one was cut off");
        plan.finish(control, &away());
        let text = "the server stopped accepting connections after f/a (1 case done)";
        assert_eq!(plan.stopped(), Some(&StopReason::Died(text.to_owned())));
        assert_eq!(verdicts(&plan), [Verdict::Fail, Verdict::Inconclusive, Verdict::Inconclusive]);
        assert_eq!(plan.outcomes()[0].level(), Obligation::Must);
    }

    /// The server behind a gateway crashes, and the gateway answers.
    #[test]
    fn another_status_than_before_is_said_to_have_come_after_a_case() {
        for status in [502, 500, 404] {
            let mut plan = plan(PlanOptions { jobs: 1, ..OPTIONS });
            let a = plan.start().expect("a");
            plan.finish(a, &good());
            let control = plan.start().expect("a control");
            plan.finish(
                control,
                &CaseFacts { opening: CaseOpening::Refused(status), ..CaseFacts::default() },
            );
            let text = format!(
                "the server answered {status} to a valid handshake after f/a (1 case done); \
                 if several servers share the address, test one of them"
            );
            assert_eq!(plan.stopped(), Some(&StopReason::Refuses(text)));
            let rest = [Verdict::Pass, Verdict::Inconclusive, Verdict::Inconclusive];
            assert_eq!(verdicts(&plan), rest);
        }
    }

    fn cut() -> CaseFacts {
        CaseFacts { opening: CaseOpening::Dropped, ..CaseFacts::default() }
    }

    /// Runs the cases where each connection, by number from 1, shows this.
    fn ran(cases: Vec<&'static Case>, repeat: usize, facts: impl Fn(u64) -> CaseFacts) -> CheckRun {
        let mut plan = CheckRun::new(cases, PlanOptions { jobs: 1, repeat, ..OPTIONS });
        while let Some(work) = plan.start() {
            plan.finish(work, &facts(work.number));
        }
        plan
    }

    const ONCE: &str = "once: the connection ended without an answer; then: \
                        the connection stays open: a ping is answered";

    #[test]
    fn a_control_connection_that_is_cut_off_is_said_once_whichever_it_is() {
        for number in 1..=7 {
            let plan = ran(vec![&A, &CONTROL], 1, |at| if at == number { cut() } else { good() });
            assert_eq!(plan.stopped(), None, "{number}");
            let outcomes = plan.outcomes();
            let flaky: Vec<_> =
                outcomes.iter().filter(|one| one.judgement.verdict == Verdict::Flaky).collect();
            assert_eq!(flaky.len(), 1, "{number}");
            assert_eq!(flaky[0].judgement.got, ONCE, "{number}");
            assert_eq!(flaky[0].case.id, if number == 4 { "f/a" } else { CONTROL.id });
        }
        // However many cases it hits, and whichever these are.
        for every in [2, 3, 5] {
            let plan =
                ran(vec![&A, &CONTROL], 3, |at| if at % every == 0 { cut() } else { good() });
            assert_eq!(plan.stopped(), None, "{every}");
            for outcome in plan.outcomes() {
                let got = outcome.judgement.got;
                assert!(got.matches("once: ").count() <= 1, "{every}: {got}");
                assert!(got.matches("then: ").count() <= 1, "{every}: {got}");
            }
        }
    }

    #[test]
    fn two_control_connections_that_are_cut_off_at_the_beginning_end_the_run() {
        let plan = ran(vec![&A, &CONTROL], 1, |_| cut());
        let why = "the connection ended without an answer".to_owned();
        assert_eq!(plan.stopped(), Some(&StopReason::Unusable(why, CaseOpening::Dropped)));
        assert_eq!(plan.begun, 2);
        assert_eq!(verdicts(&plan), [Verdict::Inconclusive; 2]);
    }

    #[test]
    fn a_failure_of_the_control_case_is_not_forgotten_for_a_control_connection() {
        let wrong = CaseFacts { seen: vec![Seen::Violation("a bad frame".into())], ..good() };
        let plan = ran(vec![&CONTROL, &A], 1, |at| match at {
            4 => wrong.clone(),
            5 => cut(),
            _ => good(),
        });
        assert_eq!(verdicts(&plan), [Verdict::Fail, Verdict::Pass]);
    }

    #[test]
    fn results_that_differ_are_one_list() {
        let failed = CaseFacts { opening: CaseOpening::Open, ..CaseFacts::default() };
        let closed = CaseFacts { ended: Some(CaseEnd::InOrder), ..failed.clone() };
        let limited = CaseFacts { opening: CaseOpening::Refused(503), ..CaseFacts::default() };
        // Controls come between: the case has each second connection from the fourth.
        let plan = ran(vec![&A], 4, |at| match at {
            4 => good(),
            6 => failed.clone(),
            8 => limited.clone(),
            10 => closed.clone(),
            _ => good(),
        });
        let outcome = &plan.outcomes()[0].judgement;
        let got = "once: the connection stays open: a ping is answered; then: 101; \
                   then: HTTP status 503; then: the end of TCP without a Close";
        assert_eq!((outcome.verdict, &*outcome.got), (Verdict::Flaky, got));
    }

    /// Most cases do not test whether a valid handshake is accepted.
    #[test]
    fn a_case_whose_opening_is_cut_off_runs_again() {
        for (again, verdict) in [(good(), Verdict::Flaky), (cut(), Verdict::Inconclusive)] {
            let mut plan = plan(PlanOptions { jobs: 1, ..OPTIONS });
            while let Some(work) = plan.start() {
                let facts = match work.purpose {
                    Purpose::Result(1) => cut(),
                    Purpose::Again(1) => again.clone(),
                    _ => good(),
                };
                plan.finish(work, &facts);
            }
            assert_eq!(verdicts(&plan), [Verdict::Pass, verdict, Verdict::Pass]);
            let got = plan.outcomes()[1].judgement.got.clone();
            let same = "the connection ended without an answer";
            assert_eq!(got, if verdict == Verdict::Flaky { ONCE } else { same });
        }
    }

    #[test]
    fn the_test_for_an_echo_is_repeated_once_if_it_is_cut_off() {
        let text = "wscope check: is this echoed? ä € 😀".as_bytes().to_vec();
        let seen = vec![
            Seen::Message(OpCode::Data(Data::Text), text),
            Seen::Message(OpCode::Data(Data::Binary), b"\0\xff\xfe\x80".to_vec()),
        ];
        static ECHOES: Case = Case::new("m/a", "a", rule("RFC", "says"), "why")
            .expect(Expectation::Echoes(OpCode::Data(Data::Text), "x"));
        let echo = CaseFacts { opening: CaseOpening::Open, seen, ..CaseFacts::default() };
        for (cuts, echoes, times) in [(0, true, 1), (1, true, 2), (5, false, 2)] {
            let mut plan = CheckRun::new(vec![&ECHOES], PlanOptions { jobs: 1, ..OPTIONS });
            let mut asked = 0;
            while let Some(work) = plan.start() {
                asked += u32::from(work.purpose == Purpose::Echo);
                let facts = match work.purpose {
                    Purpose::Echo if asked <= cuts => cut(),
                    Purpose::Echo => echo.clone(),
                    _ => good(),
                };
                plan.finish(work, &facts);
            }
            assert_eq!((plan.echoes(), asked), (echoes, times));
        }
    }

    /// A server that drops connections now and then drops those of some cases.
    #[test]
    fn a_case_that_is_cut_off_runs_again_and_so_does_a_control_connection() {
        static KEEPS: Case =
            Case::new("x/a", "a", rule("RFC", "says"), "why").expect(Expectation::Accepted);
        let dropped = CaseFacts { opening: CaseOpening::Dropped, ..CaseFacts::default() };
        for lapses in [[false, false], [true, false], [false, true]] {
            let mut plan =
                CheckRun::new(vec![&CONTROL, &KEEPS], PlanOptions { jobs: 1, ..OPTIONS });
            let (mut left, mut controls) = (lapses, 0);
            while let Some(work) = plan.start() {
                controls += usize::from(work.purpose == Purpose::Control);
                let is_cut = match work.purpose {
                    Purpose::Control if controls > CONTROLS => mem::take(&mut left[0]),
                    Purpose::Result(1) => mem::take(&mut left[1]),
                    _ => false,
                };
                plan.finish(work, &if is_cut { dropped.clone() } else { good() });
            }
            assert_eq!(plan.stopped(), None);
            let wanted = lapses.map(|it| if it { Verdict::Flaky } else { Verdict::Pass });
            assert_eq!(verdicts(&plan), wanted);
        }
    }

    #[test]
    fn a_breach_in_the_first_handshake_is_a_failure_and_the_rest_is_not_known() {
        let bad = CaseFacts { opening: CaseOpening::Bad("no key".into()), ..CaseFacts::default() };
        let seen = vec![Seen::Violation("an unmasked frame".into())];
        let breaks = CaseFacts { seen, ..good() };
        for facts in [bad, breaks] {
            for (tested, cases, first) in [
                (Role::Server, [&CONTROL, &B], Verdict::Fail),
                (Role::Client, [&CLIENT_CONTROL, &B], Verdict::Fail),
                // A client sends the same request for every case.
                (Role::Client, [&A, &B], Verdict::Fail),
                (Role::Server, [&A, &B], Verdict::Inconclusive),
            ] {
                let mut plan = CheckRun::new(cases.to_vec(), PlanOptions { tested, ..OPTIONS });
                let control = plan.start().expect("a control");
                plan.finish(control, &facts);
                assert_eq!(verdicts(&plan), [first, Verdict::Inconclusive], "{facts:?}");
            }
        }
    }

    #[test]
    fn the_last_case_may_be_the_end_of_the_server_too() {
        let mut plan = CheckRun::new(vec![&A], PlanOptions { echoes: Some(false), ..OPTIONS });
        for _ in 0..=CONTROLS {
            let work = plan.start().expect("work");
            plan.finish(work, &good());
        }
        assert!(plan.pause().is_some() && !plan.is_done());
        let control = plan.start().expect("a control");
        plan.finish(control, &away());
        assert_eq!(verdicts(&plan), [Verdict::Fail]);
    }

    /// A plan of more cases than are looked after one by one.
    fn long_plan(options: PlanOptions) -> CheckRun {
        let mut plan = CheckRun::new(vec![&A, &B, &A, &B, &A, &B, &A, &B, &A, &B], options);
        for _ in 0..CONTROLS {
            let work = plan.start().expect("a control");
            plan.finish(work, &good());
        }
        plan
    }

    /// A delayed crash ends the connection of the next case, which did not cause it.
    #[test]
    fn a_case_that_another_may_have_ended_is_a_candidate_and_no_failure() {
        let dropped = CaseFacts {
            ended: Some(CaseEnd::Broken),
            opening: CaseOpening::Open,
            ..CaseFacts::default()
        };
        let refused = CaseFacts { opening: CaseOpening::Refused(400), ..CaseFacts::default() };
        // With one connection at a time, a control connection follows the first refusal, so the
        // second refusal is already known.
        for (jobs, looked) in [(1, true), (2, false)] {
            let mut plan = long_plan(PlanOptions { jobs, ..OPTIONS });
            let first = plan.start().expect("a case");
            plan.finish(first, &refused);
            if looked {
                survives(&mut plan);
            }
            let guilty = plan.start().expect("a case");
            plan.finish(guilty, &refused);
            let innocent = plan.start().expect("a case");
            plan.finish(innocent, &dropped);
            plan.pause();
            let control = plan.start().expect("a control");
            assert_eq!(control.purpose, Purpose::Control);
            plan.finish(control, &away());
            assert_eq!(verdicts(&plan), [Verdict::Inconclusive; 10], "{jobs} at a time");
            let text = plan.stopped().expect("it stopped").describe();
            assert!(text.contains(" after f/a, or a case before ("), "{text}");
            assert!(text.ends_with("; -j 1 --delay 0.1 finds out which"), "{text}");
        }
    }

    #[test]
    fn a_case_after_a_moment_in_which_the_server_lived_is_blamed() {
        let refused = CaseFacts { opening: CaseOpening::Refused(400), ..CaseFacts::default() };
        let dropped = CaseFacts {
            ended: Some(CaseEnd::Broken),
            opening: CaseOpening::Open,
            ..CaseFacts::default()
        };
        let mut plan = long_plan(PlanOptions { jobs: 1, ..OPTIONS });
        let first = plan.start().expect("a case");
        plan.finish(first, &refused);
        survives(&mut plan);
        let guilty = plan.start().expect("a case");
        plan.finish(guilty, &dropped);
        plan.pause();
        let control = plan.start().expect("a control");
        plan.finish(control, &away());
        assert_eq!(verdicts(&plan)[1], Verdict::Fail);
        let text = plan.stopped().expect("it stopped").describe();
        assert_eq!(text, "the server stopped accepting connections after f/b (2 cases done)");
    }

    #[test]
    fn repeated_connections_of_a_case_are_no_more_at_once_than_it_has() {
        static TWO: Case = Case::new("h/two", "two", rule("RFC", "says"), "why").connections(2);
        let mut plan = CheckRun::new(vec![&TWO], PlanOptions { jobs: 1, repeat: 2, ..OPTIONS });
        for _ in 0..CONTROLS {
            let work = plan.start().expect("a control");
            plan.finish(work, &good());
        }
        for _ in 0..2 {
            let (one, other) = (plan.start().expect("one"), plan.start().expect("the other"));
            assert!(plan.start().is_none());
            plan.finish(one, &good());
            assert!(plan.start().is_none(), "the next two wait for both");
            plan.finish(other, &good());
        }
        let got = "2 times: the connection stays open: a ping is answered";
        assert_eq!(plan.result(0).map(|result| &*result.got), Some(got));
    }

    /// The verdict on an Origin similar to the site's, if the Origin of another site led to this.
    #[track_caller]
    fn like_the_site(evil: &[CaseFacts]) -> Verdict {
        let find = |id| crate::check::catalogue::find(id, Role::Server).expect("a case");
        let cases = vec![find("o/evil"), find("o/suffix")];
        let options = PlanOptions { jobs: 1, repeat: evil.len(), ..OPTIONS };
        let (mut plan, mut evil) = (CheckRun::new(cases, options), evil.iter());
        while let Some(work) = plan.start() {
            match work.case.id {
                "o/evil" => plan.finish(work, evil.next().expect("as often")),
                _ => plan.finish(work, &good()),
            };
        }
        let outcomes = plan.outcomes();
        outcomes.iter().find(|one| one.case.id == "o/suffix").expect("it ran").judgement.verdict
    }

    #[test]
    fn an_origin_like_that_of_the_site_matters_where_another_is_refused_for_sure() {
        let refused =
            |status| CaseFacts { opening: CaseOpening::Refused(status), ..CaseFacts::default() };
        let cookie = ("set-cookie".to_owned(), "a=b".to_owned());
        let accepted = CaseFacts { headers: vec![cookie], ..good() };
        assert_eq!(like_the_site(&[refused(403)]), Verdict::Warn);
        for other in [accepted, good(), refused(429), refused(503), refused(500)] {
            assert_eq!(like_the_site(std::slice::from_ref(&other)), Verdict::Info, "{other:?}");
        }
        let dropped = CaseFacts { opening: CaseOpening::Dropped, ..CaseFacts::default() };
        assert_eq!(like_the_site(&[dropped]), Verdict::Info);
        assert_eq!(like_the_site(&[refused(503), good()]), Verdict::Info);
    }

    #[test]
    fn what_connections_do_at_the_same_time_is_counted() {
        static FIVE: Case = Case::new("h/five", "five", rule("RFC", "says"), "why").connections(2);
        let mut plan = CheckRun::new(vec![&FIVE], PlanOptions { jobs: 1, ..OPTIONS });
        for _ in 0..CONTROLS {
            let work = plan.start().expect("a control");
            plan.finish(work, &good());
        }
        let (one, other) = (plan.start().expect("one"), plan.start().expect("the other"));
        assert!(plan.start().is_none());
        plan.finish(one, &good());
        plan.finish(
            other,
            &CaseFacts { opening: CaseOpening::Refused(503), ..CaseFacts::default() },
        );
        let result = plan.result(0).expect("a result").clone();
        let got = "1 time: HTTP status 503; 1 time: the connection stays open: a ping is answered";
        assert_eq!(result, Judgement::new(Verdict::Info, got));
    }

    #[test]
    fn what_ended_with_a_dying_server_beside_others_is_not_judged() {
        let mut plan = plan(OPTIONS);
        let (a, b) = (plan.start().expect("a"), plan.start().expect("b"));
        let ended = Some(CaseEnd::Broken);
        let dropped = CaseFacts { opening: CaseOpening::Open, ended, ..CaseFacts::default() };
        plan.finish(a, &dropped);
        plan.finish(b, &dropped);
        let control = plan.start().expect("a control");
        plan.finish(control, &away());
        assert_eq!(verdicts(&plan), [Verdict::Inconclusive; 3]);
        let text = "the server stopped accepting connections after one of f/a, f/b (2 cases done); \
                    -j 1 --delay 0.1 finds out which";
        assert_eq!(plan.stopped(), Some(&StopReason::Died(text.to_owned())));
        let got = &plan.outcomes()[0].judgement.got;
        assert!(got.ends_with("; then the server stopped accepting connections"), "{got}");
    }

    #[test]
    fn without_a_subprotocol_to_name_its_case_is_skipped() {
        static NAMED: Case =
            Case::new("p/a", "a", rule("RFC", "says"), "why").needs(Needs::Subprotocol);
        for (subprotocol, verdict) in [(false, Verdict::Skip), (true, Verdict::Pass)] {
            let mut plan = CheckRun::new(vec![&NAMED], PlanOptions { subprotocol, ..OPTIONS });
            while let Some(work) = plan.start() {
                plan.finish(work, &good());
            }
            assert!(plan.is_done());
            assert_eq!(verdicts(&plan), [verdict]);
        }
    }

    #[test]
    fn without_a_control_nothing_runs() {
        let mut plan = CheckRun::new(vec![&A], OPTIONS);
        let control = plan.start().expect("a control");
        plan.finish(control, &away());
        assert!(plan.is_done() && matches!(plan.stopped(), Some(StopReason::Unusable(..))));
        assert_eq!(verdicts(&plan), [Verdict::Inconclusive]);
    }

    #[test]
    fn clients_that_come_by_themselves_choose_the_order() {
        let mut plan = CheckRun::new(vec![&A, &B, &C], PlanOptions { awaits: true, ..OPTIONS });
        assert!(plan.start().is_none() && !plan.is_done());
        let b = plan.claim(1);
        assert_eq!((b.case.id, plan.next_open(|_| true)), ("f/b", Some(0)));
        plan.finish(b, &hang());
        assert_eq!(plan.result(1).map(|result| result.verdict), Some(Verdict::Fail));
        let a = plan.claim(0);
        plan.finish(a, &good());
        assert!(!plan.is_done());
        plan.end();
        assert!(plan.is_done() && plan.stopped().is_none());
        assert_eq!(verdicts(&plan), [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive]);
    }

    #[test]
    fn a_client_that_does_not_come_once_ends_no_run() {
        let mut plan = plan(PlanOptions { tested: Role::Client, jobs: 1, ..OPTIONS });
        for _ in 0..2 {
            let work = plan.start().expect("work");
            let facts = if work.case.id == "f/a" { away() } else { good() };
            plan.finish(work, &facts);
        }
        let c = plan.start().expect("c");
        plan.finish(c, &good());
        let again = plan.start().expect("a again");
        plan.finish(again, &away());
        assert!(plan.is_done() && plan.stopped().is_none());
        assert_eq!(verdicts(&plan)[0], Verdict::Inconclusive);
    }

    #[test]
    fn repeated_runs_that_differ_are_flaky() {
        let mut plan = plan(PlanOptions { repeat: 2, jobs: 1, ..OPTIONS });
        let (mut runs, failed) =
            (0, CaseFacts { opening: CaseOpening::Open, ..CaseFacts::default() });
        while let Some(work) = plan.start() {
            runs += 1;
            let facts = if runs == 1 { failed.clone() } else { good() };
            plan.finish(work, &facts);
        }
        // Control connections check whether the server survived each case.
        assert_eq!(runs, 12);
        assert_eq!(verdicts(&plan), [Verdict::Flaky, Verdict::Pass, Verdict::Pass]);
    }
}
