//! The way to the server: name, socket, proxy, TLS; told step by step.

use std::time::Instant;

use crate::config::OpenConfig;
use crate::engine::open_error::OpenError;
use crate::engine::opening::deadline::{Deadline, apart, apart_until};
use crate::engine::runtime::Runtime;
use crate::event::{Direction, Event, Phases};
use crate::net::dial::Outcome;
use crate::net::link::Link;
use crate::net::plain_io::plain_io;
use crate::net::proxy::tunnel;
use crate::net::proxy::{Destination, Dialogue};
use crate::net::reactor::SOCKET;
use crate::net::route::{Hop, Route, connect_unix};
use crate::net::stream::Stream;
use crate::net::target::Target;
use crate::net::tls::TlsClient;

/// Goes it. What is left of the time for the handshake comes with the link.
///
/// # Errors
///
/// Whatever stands in the way.
pub(crate) fn go(
    config: &OpenConfig,
    target: &Target,
    phases: &mut Phases,
    runtime: &mut Runtime,
    max_time: Option<Instant>,
) -> Result<(Link, Deadline), OpenError> {
    let way = &config.transport;
    let route = way.route(target)?;
    runtime.trace.goes_by(&route);
    for note in route.notes() {
        runtime.tell(&Event::Note(&note))?;
    }
    // Files that can't be used are found out before anything is dialled.
    let tls = target.secure.then(|| TlsClient::new(&way.tls)).transpose()?;
    let to_proxy = match route.secure_proxy() {
        Some(proxy) => {
            let client = TlsClient::new(&way.proxy_tls()).map_err(OpenError::ProxyTls)?;
            Some(client.start(&proxy.host).map_err(OpenError::ProxyTls)?)
        }
        None => None,
    };

    let deadline = Deadline::within(config.connect_timeout, max_time);
    let stream = match &route.hop {
        Hop::Tcp(host) => dial(config, host, deadline.at, phases, runtime)
            .map_err(|error| on_the_way(error, &route))?,
        Hop::Unix(path) => {
            let (began, path) = (Instant::now(), path.clone());
            let what = "the server behind the Unix socket did not accept the connection";
            let stream = apart_until(runtime, &deadline, what, move || connect_unix(&path))??;
            phases.connect = began.elapsed();
            stream
        }
    };
    runtime.record.connected();
    let mut link =
        Link::over(stream, to_proxy, runtime.reactor.registry(), SOCKET).map_err(OpenError::Io)?;
    tell_ends(&link, &route, runtime)?;
    let clock = Deadline::within(config.handshake_timeout, max_time);
    runtime.signals.listen(runtime.reactor.registry())?;

    if route.proxy.is_some() {
        let began = Instant::now();
        through_proxy(config, &route, &mut link, &clock, runtime)?;
        phases.proxy = Some(began.elapsed());
        runtime.record.let_through();
        runtime.trace.let_through();
    }
    if let Some(tls) = tls {
        let began = Instant::now();
        link.start_tls(tls.start(&target.host)?);
        while !link.handshake()? {
            clock.wait(runtime, &mut link, "the TLS handshake was not completed")?;
        }
        phases.tls = Some(began.elapsed());
        if let Some(facts) = link.tls().and_then(|tls| tls.facts()).cloned() {
            runtime.record.secured(&facts);
            runtime.tell(&Event::Tls(&facts))?;
        }
    }
    Ok((link, clock))
}

/// What keeps us from a proxy is the proxy's failure, not the server's.
fn on_the_way(error: OpenError, route: &Route) -> OpenError {
    match (&route.proxy, error) {
        (Some(proxy), error @ (OpenError::Resolve { .. } | OpenError::Dial(_))) => {
            OpenError::ProxyAway { proxy: proxy.to_string(), error: Box::new(error) }
        }
        (_, error) => error,
    }
}

/// Looks the name up and connects to one of its addresses.
fn dial(
    config: &OpenConfig,
    host: &Destination,
    deadline: Instant,
    phases: &mut Phases,
    runtime: &mut Runtime,
) -> Result<Stream, OpenError> {
    let began = Instant::now();
    let (way, asked) = (config.transport.clone(), host.clone());
    let addresses = apart(runtime, move || way.addresses(&asked, deadline))??;
    phases.resolve = began.elapsed();
    runtime.record.resolved();
    runtime.tell(&Event::Resolved { host: &host.host, addresses: &addresses })?;

    let began = Instant::now();
    let way = config.transport.clone();
    let dialed = apart(runtime, move || way.dial(&addresses, deadline))?;
    let attempts = match &dialed {
        Ok(dialed) => &dialed.attempts,
        Err(error) => &error.attempts,
    };
    runtime.trace.dialled(attempts);
    for attempt in attempts {
        let error = match &attempt.outcome {
            Outcome::Connected => continue,
            Outcome::Failed(error) => plain_io(error),
            Outcome::Unanswered => "no answer".to_owned(),
        };
        runtime.tell(&Event::AddressFailed { address: attempt.addr, error: &error })?;
    }
    let stream = dialed?.stream;
    phases.connect = began.elapsed();
    stream.set_nonblocking(true).map_err(OpenError::Io)?;
    Ok(Stream::Tcp(mio::net::TcpStream::from_std(stream)))
}

fn tell_ends(link: &Link, route: &Route, runtime: &mut Runtime) -> Result<(), OpenError> {
    let (local, peer) = match &route.hop {
        Hop::Unix(path) => ("a Unix socket".to_owned(), path.display().to_string()),
        Hop::Tcp(_) => {
            let (local, peer) = link.addresses().map_err(OpenError::Io)?;
            runtime.record.ends(local, peer);
            (local.to_string(), peer.to_string())
        }
    };
    runtime.tell(&Event::Connected { local: &local, peer: &peer })?;
    Ok(())
}

/// Asks the proxy for a way to the server; what was said is told even if it says no.
fn through_proxy(
    config: &OpenConfig,
    route: &Route,
    link: &mut Link,
    clock: &Deadline,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    while !link.handshake().map_err(OpenError::of_proxy)? {
        clock.wait(runtime, link, "the TLS handshake with the proxy was not completed")?;
    }
    if let Some(facts) = link.tls().and_then(|tls| tls.facts()).cloned() {
        runtime.tell(&Event::Tls(&facts))?;
    }
    let (way, asked, deadline) = (config.transport.clone(), route.clone(), clock.at);
    let Some(mut dialogue) = apart(runtime, move || way.dialogue(&asked, deadline))?? else {
        return Ok(());
    };
    if let Some(request) = dialogue.request() {
        runtime.tell(&Event::Head(Direction::ToServer, request))?;
    }
    let result = talk(link, &mut dialogue, clock, runtime);
    if let Some(response) = dialogue.response() {
        runtime.tell(&Event::Head(Direction::ToClient, response))?;
    }
    result
}

fn talk(
    link: &mut Link,
    dialogue: &mut Dialogue,
    clock: &Deadline,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    while !tunnel::advance(link, dialogue)? {
        clock.wait(runtime, link, "the proxy did not open the way to the server")?;
    }
    Ok(())
}
