//! From a URL to an open connection: the way, the request, the verdict; and where a redirect leads,
//! the same again.

pub mod deadline;
mod upgrade;
mod way;

use std::time::Instant;

use crate::config::OpenConfig;
use crate::engine::open_error::{OpenError, Pair};
use crate::engine::runtime::Runtime;
use crate::event::{Event, Phases};
use crate::net::link::Link;
use crate::net::random;
use crate::net::redirect::{RedirectError, RedirectOptions, Trail};
use crate::net::target::Target;
use crate::session::Observer;
use crate::wire::handshake::headers::HeaderError;
use crate::wire::handshake::request::RequestSpec;
use crate::wire::handshake::rules::Report;
use crate::wire::head::{Head, HeadKind};

/// An open connection.
pub struct Opened {
    /// The socket.
    pub link: Link,
    /// Of the server's direction, at its first frame.
    pub inbound: Observer,
    /// The request as it was sent.
    pub request: Head,
    /// The response as it came.
    pub response: Head,
    /// Every rule's verdict, and what was agreed.
    pub report: Report,
}

/// What a server's answer leads to.
enum Answer {
    Open(Box<Opened>),
    /// To another URL.
    Elsewhere(Box<Pair>),
}

/// Opens a connection, by way of redirects if they may be followed; the deadline of the whole run,
/// if any, cuts every phase short.
///
/// # Errors
///
/// Whatever stands between a URL and an open connection.
pub fn open(
    config: &OpenConfig,
    runtime: &mut Runtime,
    max_time: Option<Instant>,
) -> Result<Opened, OpenError> {
    let mut trail = Trail::new(config.target.clone());
    runtime.trace.hops.clear();
    for note in &config.target.notes {
        runtime.tell(&Event::Note(note))?;
    }
    loop {
        let target = trail.current().clone();
        runtime.trace.begin(&target);
        runtime.record.begin(&target, trail.hops());
        let from_jar = runtime.record.cookies_for(&target).filter(|_| config.keeps_cookies);
        let request = request(config, &target, from_jar.as_deref())?;
        let mut phases = Phases::default();
        let (link, clock) = way::go(config, &target, &mut phases, runtime, max_time)?;
        let answer =
            upgrade::upgrade(config, &mut trail, request, link, &clock, &mut phases, runtime)?;
        match (answer, config.redirects) {
            (Answer::Open(opened), _) => return Ok(*opened),
            (Answer::Elsewhere(pair), options) => {
                follow(&mut trail, pair, options.unwrap_or_default(), runtime)?;
            }
        }
    }
}

/// Goes where the response leads, and says so.
fn follow(
    trail: &mut Trail,
    pair: Box<Pair>,
    options: RedirectOptions,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    let status = pair.response.status_line().map_or(0, |line| line.code);
    let locations: Vec<String> = pair
        .response
        .headers()
        .filter(|field| field.name.eq_ignore_ascii_case(b"location"))
        .map(|field| String::from_utf8_lossy(field.value).into_owned())
        .collect();
    let locations: Vec<&str> = locations.iter().map(String::as_str).collect();
    let hop = trail.follow(status, &locations, options).map_err(|error| {
        if let RedirectError::Loop { to } | RedirectError::TooMany { to, .. } = &error {
            runtime.trace.hops.push(to.clone());
        }
        OpenError::Redirect { error, pair }
    })?;
    runtime.note(&format!("redirect {}: {status} to {}", trail.hops(), hop.target))?;
    for note in hop.notes.iter().chain(&hop.target.notes) {
        runtime.note(note)?;
    }
    runtime.reporter.next_connection();
    Ok(())
}

/// The request's head, exactly as it will be sent.
///
/// # Errors
///
/// Something can't be sent.
pub fn request(
    config: &OpenConfig,
    target: &Target,
    from_jar: Option<&str>,
) -> Result<Head, HeaderError> {
    let spec = RequestSpec {
        subprotocols: config.subprotocols.clone(),
        origin: config.origin.clone(),
        deflate: config.deflate,
        user_agent: Some(concat!("wscope/", env!("CARGO_PKG_VERSION")).to_owned()),
        headers: config.edits(target, from_jar)?,
        order: config.header_order.clone(),
        ..RequestSpec::new(&target.host_header, &target.resource_name, random::nonce())
    };
    Ok(Head::parse(HeadKind::Request, &spec.encode()?))
}
