//! `wscope listen`: a server for any number of clients, in one loop.
//!
//! [`hub`] owns the clients; this sets it up, gives it rounds, reads stdin for it, and knows when
//! to end.

pub mod client;
mod clients;
mod explain;
pub mod hub;
mod input;
pub mod opening;
mod session;
pub mod shared;
mod sniff;
mod stage;

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use mio::Events;

use crate::behaviour::greeting::Greeting;
use crate::cli::{InputFormat, Linger, OutputFormat};
use crate::config::{Faults, ListenConfig, TlsConfig};
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;
use crate::event::{ConnId, Event};
use crate::modes::listen::hub::{Hub, LISTEN};
use crate::modes::listen::input::Input;
use crate::modes::listen::shared::{Outbox, Shared};
use crate::net::descriptors;
use crate::net::link::Buffers;
use crate::net::listener::Listeners;
use crate::net::reactor::{SIGNAL, STDIN, STDOUT, WAKER};
use crate::net::signals::Signal;
use crate::net::tls::options::Passphrase;
use crate::net::tls::{Certificate, TlsServer};
use crate::output::payload::PayloadSink;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::script::runner::{self, ExpectQueue, Notifier, ScriptRunner, SessionRequest, Setup};
use crate::wire::{CloseCode, Role};

/// After a signal, how long to wait for the clients' answers.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(1);

/// Descriptors for everything that is no client.
const OTHER_DESCRIPTORS: u64 = 64;

/// What the prompt greets with.
const GREETING: &str =
    "A line goes to all clients, @3 hello to one (Ctrl-D or /quit leaves, /help for commands)";

/// Events taken from the poll at once.
const EVENTS: usize = 1024;

/// Runs a server.
///
/// # Errors
///
/// It can't listen, a file can't be used, or stdin, stdout or stderr failed.
pub fn run(config: ListenConfig) -> anyhow::Result<Exit> {
    let tls = config.tls.as_ref().map(set_up_tls).transpose()?;
    let greeting = config.send.as_ref();
    let greeting =
        greeting.map(|source| Greeting::open(source, config.input, config.binary)).transpose()?;
    let most_clients = most_clients(&config);
    let script = runner::script(config.lines.as_ref(), Role::Server)?;
    let mut reporter = Reporter::of(Role::Server, config.output, &config.display);
    if config.lines.is_some() {
        reporter = reporter.with_books(&config.display);
    }
    if config.input == InputFormat::Prompt {
        reporter = reporter.folded();
    }
    if let Some(path) = &config.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    let mut runtime = Runtime::new(reporter).context("can't set up stdout and the event loop")?;
    runtime.signals.listen(runtime.reactor.registry())?;
    let listeners = Listeners::bind(&config.place, runtime.reactor.registry(), LISTEN)?;
    if let (Some(tls), Some(out)) =
        (&tls, config.tls.as_ref().and_then(|tls| tls.certificate_out.as_ref()))
    {
        let pem = tls.certificate().pem.as_deref().unwrap_or_default();
        fs::write(out, pem).with_context(|| format!("--self-signed-out {}", out.display()))?;
    }
    let urls =
        announce(&config, &listeners, tls.as_ref().map(TlsServer::certificate), &mut runtime)?;
    let runner = config.lines.as_ref().map(|lines| {
        let setup = Setup {
            lines,
            input: config.input,
            binary: config.binary,
            display: &config.display,
            open: None,
            greeting: GREETING,
        };
        setup.runner(script, &mut runtime)
    });
    let runner = runner.transpose()?;
    let quiet = Notifier::Stderr { quiet: config.display.quiet };
    let delivery = PayloadSink::new(config.output, config.display.terminal.stdout);
    let shared = Shared {
        runtime,
        buffers: Buffers::default(),
        tls,
        greeting,
        most_clients,
        delivery,
        outbox: Outbox::default(),
        dying: Vec::new(),
        messages: 0,
        ear: runner.as_ref().map(|_| ExpectQueue::default()),
        notifier: runner.as_ref().map_or(quiet, |runner| runner.notifier().clone()),
        urls,
        membership_epoch: 0,
        ended: None,
        config,
    };
    let hub = Hub::new(shared, listeners);
    let input = Input::open(&hub.shared.config, &hub).context("can't read stdin")?;
    let started = Instant::now();
    let max_time = hub.shared.config.max_time.map(|time| started + time);
    let events = Events::with_capacity(EVENTS);
    let server = Server {
        hub,
        input,
        runner,
        membership_epoch: 0,
        events,
        end: None,
        fault: None,
        max_time,
        unpolled: 0,
    };
    server.run().map_err(Into::into)
}

/// The loop.
struct Server {
    hub: Hub,
    input: Input,
    /// Carries out the lines of a prompt or a script.
    runner: Option<ScriptRunner>,
    /// What of [`Shared::membership_epoch`] the runner knows.
    membership_epoch: u64,
    events: Events,
    /// It is coming to its end: what that amounts to, and when patience does.
    end: Option<(Exit, Instant)>,
    fault: Option<String>,
    max_time: Option<Instant>,
    /// Rounds since the poll was asked.
    unpolled: u32,
}

impl Server {
    fn run(mut self) -> io::Result<Exit> {
        loop {
            let now = Instant::now();
            self.hub.round(now)?;
            if let Err(fault) = self.input.take(&mut self.hub, now) {
                self.fault = Some(fault);
                self.finish(Exit::Failure, CloseCode::Away, now);
            }
            self.conduct(now);
            self.do_what_is_due(now);
            self.hub.shared.runtime.reporter.flush()?;
            self.hub.shared.runtime.stdout.flush()?;
            if let Some((exit, _)) = self.end
                && self.hub.is_empty()
                && self.hub.shared.dying.is_empty()
            {
                return self.leave(exit);
            }
            self.wait(now)?;
        }
    }

    /// Carries out lines, and what they ask of the server.
    fn conduct(&mut self, now: Instant) {
        let Self { hub, input, runner: Some(runner), membership_epoch, .. } = self else { return };
        if self.end.is_some() {
            return;
        }
        if *membership_epoch != hub.shared.membership_epoch {
            *membership_epoch = hub.shared.membership_epoch;
            let open = hub.clients().filter(|client| client.is_open());
            runner.set_clients(open.map(|c| (c.id().0, c.about().to_owned())).collect());
        }
        runner.run(hub, now);
        runner.show_clients();
        match runner.is_exhausted() {
            true => drop(input.ended.get_or_insert(now)),
            false => input.ended = None,
        }
        let asked = runner.request().cloned();
        if let Some(failure) = runner.take_failure() {
            self.fault = Some(failure.text);
            let exit = if failure.unmet { Exit::Unmet } else { Exit::Failure };
            return self.finish(exit, CloseCode::Away, now);
        }
        match asked {
            Some(SessionRequest::Quit) => self.finish(Exit::Success, CloseCode::Away, now),
            Some(SessionRequest::Leave) => {
                self.finish(Exit::Interrupted, CloseCode::Away, now);
                self.end = Some((Exit::Interrupted, now + SIGNAL_PATIENCE));
            }
            Some(SessionRequest::Open) | None => {}
        }
    }

    /// Signals, deadlines, and whatever else ends the run.
    fn do_what_is_due(&mut self, now: Instant) {
        let away = self.runner.as_ref().is_some_and(ScriptRunner::is_away);
        let signal = self.hub.shared.runtime.signals.take();
        if let Some(signal) = signal.filter(|signal| !away || *signal != Signal::Interrupt) {
            let exit = Exit::from(signal);
            match self.end {
                // The second one has no patience.
                Some((Exit::Interrupted | Exit::Terminated | Exit::HungUp, _)) => {
                    self.hub.drop_all(now)
                }
                _ => {
                    self.end = None;
                    self.finish(exit, CloseCode::Away, now);
                    self.end = Some((exit, now + SIGNAL_PATIENCE));
                }
            }
        }
        if self.max_time.is_some_and(|at| at <= now) {
            self.max_time = None;
            self.finish(Exit::Timeout, CloseCode::Away, now);
        }
        if let Some((_, patience)) = self.end {
            if patience <= now {
                self.hub.drop_all(now);
            }
            return;
        }
        let config = &self.hub.shared.config;
        if config.exit_after.is_some_and(|most| self.hub.shared.messages >= most) {
            return self.finish(Exit::Success, CloseCode::Normal, now);
        }
        if config.output != OutputFormat::None && self.hub.shared.runtime.stdout.is_closed() {
            return self.finish(Exit::Success, CloseCode::Away, now);
        }
        if config.once && self.hub.opened() > 0 {
            self.hub.stop_accepting();
            let over = self.hub.shared.ended.as_ref().map(Exit::of);
            match over {
                Some(exit) => self.end_at(exit, now),
                None if self.linger_ends().is_some_and(|at| at <= now) => {
                    self.close_all(CloseCode::Normal, now);
                }
                None => {}
            }
        } else if self.linger_ends().is_some_and(|at| at <= now) {
            self.finish(Exit::Success, CloseCode::Normal, now);
        }
    }

    /// When clients will have been silent for `--linger` after the end of a script, or with `--once`
    /// of the input. A script's end is the server's where nobody is there.
    fn linger_ends(&self) -> Option<Instant> {
        let config = &self.hub.shared.config;
        let scripted = self.runner.as_ref().is_some_and(ScriptRunner::is_scripted);
        let ended = self.input.ended.filter(|_| config.once || scripted)?;
        let mut last = None;
        for client in self.hub.clients().filter(|client| client.is_open()) {
            if client.link.pending() > 0 {
                return None;
            }
            last = last.max(client.session().map(|session| session.heard()));
        }
        match (last, config.linger) {
            (Some(heard), Linger::For(time)) => Some(heard.max(ended) + time),
            (Some(_), Linger::Forever) => None,
            (None, _) => (scripted && !config.once).then_some(ended),
        }
    }

    /// Ends the run once all clients have been closed in order.
    fn finish(&mut self, exit: Exit, code: CloseCode, now: Instant) {
        if self.end.is_none() {
            self.close_all(code, now);
            self.end_at(exit, now);
        }
    }

    fn close_all(&mut self, code: CloseCode, now: Instant) {
        self.hub.close_all(code, now);
    }

    fn end_at(&mut self, exit: Exit, now: Instant) {
        let patience = self.hub.shared.config.endpoint.close_timeout + SIGNAL_PATIENCE;
        self.end = Some((exit, now + patience));
    }

    fn wait(&mut self, now: Instant) -> io::Result<()> {
        let runner = self.runner.as_ref().filter(|_| self.end.is_none());
        let conducting = runner.is_some_and(|runner| runner.can_go_on(&self.hub));
        let busy = conducting || self.hub.is_busy() || self.input.is_wanted(&self.hub);
        // While there is work, looking for events now and then is enough.
        self.unpolled = if busy { self.unpolled + 1 } else { 0 };
        if busy && !self.unpolled.is_multiple_of(4) {
            return Ok(());
        }
        let deadline = match busy {
            true => Some(now),
            false => {
                let patience = self.end.map(|(_, at)| at);
                let lines = runner.and_then(ScriptRunner::deadline);
                let hub = self.hub.deadline(now);
                let ours = [hub, patience, self.max_time, self.linger_ends(), lines];
                ours.into_iter().flatten().min()
            }
        };
        let Self { hub, input, runner, events, .. } = self;
        hub.shared.runtime.reactor.wait_for(events, deadline)?;
        for event in events.iter() {
            match event.token() {
                STDOUT => hub.shared.runtime.stdout.set_ready(event.is_write_closed()),
                SIGNAL => hub.shared.runtime.signals.set_ready(),
                STDIN | WAKER => {
                    let closed = event.is_read_closed() || event.is_error();
                    input.set_ready(closed);
                    runner.iter_mut().for_each(|runner| runner.set_ready(closed));
                }
                _ => hub.ready(event),
            }
        }
        Ok(())
    }

    /// Empties stdout and says what is left to say.
    fn leave(mut self, exit: Exit) -> io::Result<Exit> {
        let mut exit = exit;
        if let Some(runner) = &mut self.runner {
            runner.disconnected("");
            if let (Some(failure), Exit::Success) = (runner.take_failure(), exit) {
                exit = if failure.unmet { Exit::Unmet } else { Exit::Failure };
                self.fault.get_or_insert(failure.text);
            }
            let Runtime { reporter, .. } = &mut self.hub.shared.runtime;
            reporter.flush()?;
            if let Some(prompt) = runner.take_prompt() {
                prompt.close();
                reporter.turn_back(&self.hub.shared.config.display);
            }
        }
        self.hub.shared.runtime.reporter.end_log().map_err(io::Error::other)?;
        let patience = match exit {
            Exit::Interrupted | Exit::Terminated | Exit::Timeout => {
                Some(Instant::now() + SIGNAL_PATIENCE)
            }
            _ => None,
        };
        let signal = self.hub.shared.runtime.drain_stdout(patience)?;
        if let Some(fault) = &self.fault {
            stderr::error(fault);
        }
        Ok(signal.map_or(exit, Exit::from))
    }
}

fn set_up_tls(config: &TlsConfig) -> anyhow::Result<TlsServer> {
    let passphrase = match &config.passphrase {
        Passphrase::Unknown => None,
        Passphrase::Given(secret) => Some(secret.reveal().to_owned()),
        Passphrase::File(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("--pass-file {}", path.display()))?;
            let line = text.lines().next().unwrap_or_default().to_owned();
            // C strings carry it to the library.
            anyhow::ensure!(!line.contains('\0'), "--pass-file {}: a NUL in it", path.display());
            Some(line)
        }
    };
    let made = TlsServer::new(&config.identity, passphrase.as_deref());
    made.map_err(|error| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n\nhelp: {help}"),
        None => error.into(),
    })
}

/// How many clients there may be: as asked for, or as descriptors allow.
fn most_clients(config: &ListenConfig) -> usize {
    let descriptors = descriptors::raise_limit().saturating_sub(OTHER_DESCRIPTORS);
    let possible = usize::try_from(descriptors).unwrap_or(usize::MAX).max(1);
    match config.max_clients {
        Some(most) if most > possible && !config.display.quiet => {
            stderr::note(&format!(
                "the limit of descriptors allows {possible} clients, not {most}; raise it with ulimit -n"
            ));
            most
        }
        Some(most) => most,
        None => possible,
    }
}

/// Says where it listens, before anybody can be let in; gives the URLs.
fn announce(
    config: &ListenConfig,
    listeners: &Listeners,
    certificate: Option<&Certificate>,
    runtime: &mut Runtime,
) -> io::Result<Vec<String>> {
    let scheme = if config.tls.is_some() { "wss" } else { "ws" };
    let path = config.server.admission.paths.first().map_or("/", String::as_str);
    let mut urls: Vec<String> =
        listeners.addresses().iter().map(|address| format!("{scheme}://{address}{path}")).collect();
    urls.extend(listeners.path().map(|file| format!("{scheme}+unix:{}", file.display())));
    let quiet = config.display.quiet;
    if !quiet && !config.place.is_local() {
        stderr::note("other machines can connect too, not only this one");
    }
    for url in &urls {
        if !quiet {
            stderr::line(&format!("listening on {url}"));
        }
        if config.output == OutputFormat::Json {
            let event = Event::Listening { url };
            runtime.reporter.tell_of(ConnId(0), &event, &mut runtime.stdout)?;
        }
    }
    if let Faults::Random { seed } = config.faults {
        stderr::line(&format!(
            "faults are drawn from seed {seed}: --fault random:{seed} repeats them"
        ));
    }
    if let Some(certificate) = certificate.filter(|certificate| certificate.pem.is_some())
        && !quiet
    {
        stderr::line(&format!("certificate fingerprint (SHA-256) {}", certificate.fingerprint));
    }
    runtime.drain_stdout(None)?;
    Ok(urls)
}
