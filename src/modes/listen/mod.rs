//! `wscope listen`: a server for any number of clients, in one loop.
//!
//! [`hub`] owns the clients; this sets it up, gives it rounds, reads stdin for it, and knows when
//! to end.

mod answer;
mod client;
mod clients;
mod explain;
mod greeting;
pub mod hub;
mod input;
mod opening;
mod session;
mod shared;
mod sniff;

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use mio::Events;

use self::greeting::Greeting;
use self::hub::{Hub, LISTEN};
use self::input::Input;
use self::shared::{Outbox, Shared};
use super::client::deliver::Delivery;
use super::client::desk::Desk;
use super::exit::Exit;
use super::report::Reporter;
use super::say;
use crate::cli::{Linger, OutputFormat};
use crate::config::{ListenConfig, Passphrase, TlsConfig};
use crate::event::{ConnId, Event};
use crate::net::descriptors;
use crate::net::link::Buffers;
use crate::net::listener::Listeners;
use crate::net::reactor::{SIGNAL, STDIN, STDOUT, WAKER};
use crate::net::tls::{Certificate, TlsServer};
use crate::wire::{CloseCode, Role};

/// After a signal, how long to wait for the clients' answers.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(1);

/// Descriptors for everything that is no client.
const OTHER_DESCRIPTORS: u64 = 64;

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
    let reporter = Reporter::of(Role::Server, config.output, &config.display);
    let mut desk = Desk::new(reporter).context("can't set up stdout and the event loop")?;
    desk.signals.listen(desk.reactor.registry())?;
    let listeners = Listeners::bind(&config.place, desk.reactor.registry(), LISTEN)?;
    if let (Some(tls), Some(out)) =
        (&tls, config.tls.as_ref().and_then(|tls| tls.certificate_out.as_ref()))
    {
        let pem = tls.certificate().pem.as_deref().unwrap_or_default();
        fs::write(out, pem).with_context(|| format!("--self-signed-out {}", out.display()))?;
    }
    announce(&config, &listeners, tls.as_ref().map(TlsServer::certificate), &mut desk)?;
    let delivery = Delivery::new(config.output, config.display.terminal.stdout);
    let shared = Shared {
        desk,
        buffers: Buffers::default(),
        tls,
        greeting,
        most_clients,
        delivery,
        outbox: Outbox::default(),
        dying: Vec::new(),
        messages: 0,
        ended: None,
        config,
    };
    let hub = Hub::new(shared, listeners);
    let input = Input::open(&hub.shared.config, &hub).context("can't read stdin")?;
    let started = Instant::now();
    let max_time = hub.shared.config.max_time.map(|time| started + time);
    let events = Events::with_capacity(EVENTS);
    let server = Server { hub, input, events, end: None, fault: None, max_time, unpolled: 0 };
    server.run().map_err(Into::into)
}

/// The loop.
struct Server {
    hub: Hub,
    input: Input,
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
            self.do_what_is_due(now);
            self.hub.shared.desk.stdout.flush()?;
            if let Some((exit, _)) = self.end
                && self.hub.is_empty()
                && self.hub.shared.dying.is_empty()
            {
                return self.leave(exit);
            }
            self.wait()?;
        }
    }

    /// Signals, deadlines, and whatever else ends the run.
    fn do_what_is_due(&mut self, now: Instant) {
        let signal = self.hub.shared.desk.signals.take();
        if let Some(signal) = signal {
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
        if config.output != OutputFormat::None && self.hub.shared.desk.stdout.is_closed() {
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
        }
    }

    /// With `--once`: when the client will have been silent for `--linger` after the input's end.
    fn linger_ends(&self) -> Option<Instant> {
        let config = &self.hub.shared.config;
        let (Linger::For(time), Some(ended), true) = (config.linger, self.input.ended, config.once)
        else {
            return None;
        };
        let open = self.hub.clients().find(|client| client.is_open())?;
        let heard = open.session()?.heard();
        (open.link.pending() == 0).then(|| heard.max(ended) + time)
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

    fn wait(&mut self) -> io::Result<()> {
        let busy = self.hub.is_busy() || self.input.is_wanted(&self.hub);
        // While there is work, looking for events now and then is enough.
        self.unpolled = if busy { self.unpolled + 1 } else { 0 };
        if busy && !self.unpolled.is_multiple_of(4) {
            return Ok(());
        }
        let now = Instant::now();
        let deadline = match busy {
            true => Some(now),
            false => {
                let patience = self.end.map(|(_, at)| at);
                let hub = self.hub.deadline(now);
                [hub, patience, self.max_time, self.linger_ends()].into_iter().flatten().min()
            }
        };
        let Self { hub, input, events, .. } = self;
        hub.shared.desk.reactor.wait_for(events, deadline)?;
        for event in events.iter() {
            match event.token() {
                STDOUT => hub.shared.desk.stdout.set_ready(event.is_write_closed()),
                SIGNAL => hub.shared.desk.signals.set_ready(),
                STDIN | WAKER => input.set_ready(event.is_read_closed() || event.is_error()),
                _ => hub.ready(event),
            }
        }
        Ok(())
    }

    /// Empties stdout and says what is left to say.
    fn leave(mut self, exit: Exit) -> io::Result<Exit> {
        let patience = match exit {
            Exit::Interrupted | Exit::Terminated | Exit::Timeout => {
                Some(Instant::now() + SIGNAL_PATIENCE)
            }
            _ => None,
        };
        let signal = self.hub.shared.desk.drain_stdout(patience)?;
        if let Some(fault) = &self.fault {
            say::error(fault);
        }
        Ok(signal.map_or(exit, Exit::from))
    }
}

fn set_up_tls(config: &TlsConfig) -> anyhow::Result<TlsServer> {
    let passphrase = match &config.passphrase {
        Passphrase::None => None,
        Passphrase::Given(text) => Some(text.clone()),
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
            say::note(&format!(
                "the limit of descriptors allows {possible} clients, not {most}; raise it with ulimit -n"
            ));
            most
        }
        Some(most) => most,
        None => possible,
    }
}

/// Says where it listens, before anybody can be let in.
fn announce(
    config: &ListenConfig,
    listeners: &Listeners,
    certificate: Option<&Certificate>,
    desk: &mut Desk,
) -> io::Result<()> {
    let scheme = if config.tls.is_some() { "wss" } else { "ws" };
    let path = config.server.admission.paths.first().map_or("/", String::as_str);
    let mut urls: Vec<String> =
        listeners.addresses().iter().map(|address| format!("{scheme}://{address}{path}")).collect();
    urls.extend(listeners.path().map(|file| format!("{scheme}+unix:{}", file.display())));
    let quiet = config.display.quiet;
    if !quiet && !config.place.is_local() {
        say::note("other machines can connect too, not only this one");
    }
    for url in &urls {
        if !quiet {
            say::line(&format!("listening on {url}"));
        }
        if config.output == OutputFormat::Json {
            let event = Event::Listening { url };
            desk.reporter.tell_of(ConnId(0), &event, &mut desk.stdout)?;
        }
    }
    if let Some(certificate) = certificate.filter(|certificate| certificate.pem.is_some())
        && !quiet
    {
        say::line(&format!("certificate fingerprint (SHA-256) {}", certificate.fingerprint));
    }
    desk.drain_stdout(None).map(drop)
}
