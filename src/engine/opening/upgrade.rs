//! Request, response and verdict, over a link that reaches the server.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::config::OpenConfig;
use crate::engine::open_error::{OpenError, Pair};
use crate::engine::opening::deadline::Deadline;
use crate::engine::opening::{Answer, Opened};
use crate::engine::runtime::Runtime;
use crate::event::{Direction, Event, Observed, Phases};
use crate::net::link::{Fill, Link};
use crate::net::redirect::{Trail, is_redirect};
use crate::net::target::Target;
use crate::net::tls::options::ServerName;
use crate::session::Observer;
use crate::ui::sanitize;
use crate::wire::handshake::rules::{self, Context, Report, Sni, UrlFacts};
use crate::wire::head::Head;

/// How much of a refusal's body is read and shown.
const MAX_BODY: usize = 64 * 1024;

/// Interim responses before the final one. No server has a use for more, and an endless series of
/// them is an attack.
const MAX_INTERIM: usize = 16;

/// What was waited for in vain.
const NO_ANSWER: &str = "the server did not answer the handshake";
const HALF_ANSWER: &str = "the server began its response and did not end it";

/// How long to wait for more of a body that does not say how long it is.
const BODY_PATIENCE: Duration = Duration::from_secs(2);

/// Asks, and judges the answer.
///
/// # Errors
///
/// There is none, or none that opens a connection or leads on.
pub(crate) fn upgrade(
    config: &OpenConfig,
    trail: &mut Trail,
    request: Head,
    mut link: Link,
    clock: &Deadline,
    phases: &mut Phases,
    runtime: &mut Runtime,
) -> Result<Answer, OpenError> {
    let target = trail.current().clone();
    let asked = Instant::now();
    link.tx.extend_from_slice(request.raw());
    runtime.tell(&Event::Head(Direction::ToServer, &request))?;
    let mut inbound = Observer::before_handshake(Direction::ToClient, config.limits);
    let mut interim = 0;
    let response = loop {
        let response = read_head(&mut link, &mut inbound, runtime, clock)?;
        runtime.tell(&Event::Head(Direction::ToClient, &response))?;
        // "a client MUST be able to parse one or more 1xx responses received prior to a final
        // response" (RFC 9110 §15.2); 101 is final here.
        match response.status_line().map(|line| line.code) {
            Some(100 | 102..=199) => {
                interim += 1;
                if interim > MAX_INTERIM {
                    return Err(OpenError::OnlyInterim(interim));
                }
                inbound = Observer::before_handshake(Direction::ToClient, config.limits);
            }
            _ => break response,
        }
    };
    phases.upgrade = asked.elapsed();
    runtime.tell(&Event::Timing(phases))?;
    runtime.record.answered(&response);
    if config.keeps_cookies && runtime.record.keep_cookies(&target, &response) {
        trail.cookies_changed();
    }

    let report = judge(config, &target, &request, &response);
    runtime.tell(&Event::Judged(&report))?;
    let Some(status) = response.status_line() else {
        return Err(OpenError::NotHttp(first_bytes(response.raw()).to_vec()));
    };
    if status.code != 101 {
        if config.redirects.is_some() && is_redirect(status.code) {
            return Ok(Answer::Elsewhere(Box::new(Pair { request, response, report })));
        }
        let status = format!("{} {}", status.code, sanitize::escaped(status.reason));
        inbound.expect_body();
        let body = read_body(&mut link, &mut inbound, runtime, clock, &response);
        let shown = runtime.reporter.prints_notes() || !runtime.reporter.prints_warnings();
        let redactor = runtime.reporter.redactor();
        let body = match shown {
            true => String::new(),
            false => quote(&redactor.head(&response), &redactor.bytes(&body)),
        };
        let pair = Box::new(Pair { request, response, report });
        return Err(OpenError::Refused { status: status.trim_end().to_owned(), body, pair });
    }
    let broken: Vec<String> = report
        .fatal()
        .map(|verdict| {
            let text = sanitize::escaped(verdict.text.as_bytes());
            format!("{text} ({})", verdict.rule.id)
        })
        .collect();
    if !broken.is_empty() {
        let list = broken.join("; ");
        let pair = Box::new(Pair { request, response, report });
        return Err(OpenError::BadHandshake { list, pair });
    }
    inbound.expect_frames(report.agreed.deflate.as_ref());
    runtime.record.agreed(&report.agreed);
    runtime.tell(&Event::Open(&report.agreed))?;
    Ok(Answer::Open(Box::new(Opened { link, inbound, request, response, report })))
}

/// Judges the pair by every rule.
fn judge(config: &OpenConfig, target: &Target, request: &Head, response: &Head) -> Report {
    let host = target.host_header.strip_suffix(&format!(":{}", target.port));
    let is_address = target.host.parse::<std::net::IpAddr>().is_ok();
    let context = Context {
        url: Some(UrlFacts {
            secure: target.secure,
            host: host.unwrap_or(&target.host_header),
            port: target.port,
            resource: &target.resource_name,
            fragment: None,
            loopback: target.is_loopback(),
        }),
        // "Literal IPv4 and IPv6 addresses are not permitted" in SNI (RFC 6066 §3).
        sni: match (&config.transport.tls.server_name, target.secure) {
            (ServerName::Other(name), true) => Sni::Sent(name),
            (ServerName::Unsent, true) => Sni::Missing,
            (ServerName::Host, true) if !is_address => Sni::Sent(&target.host),
            _ => Sni::Unseen,
        },
        ..Context::new(request, Some(response))
    };
    rules::check(&context)
}

fn read_head(
    link: &mut Link,
    inbound: &mut Observer,
    runtime: &mut Runtime,
    clock: &Deadline,
) -> Result<Head, OpenError> {
    let mut received = 0;
    loop {
        link.flush()?;
        let (mut input, _) = link.split();
        let found = match inbound.next(&mut input) {
            Some(Observed::Head(head)) => Some(Ok(head.clone())),
            Some(Observed::HeadError(error)) => Some(Err(OpenError::Head(*error))),
            _ => None,
        };
        let at = input.consumed();
        link.consumed(at);
        if let Some(found) = found {
            return found;
        }
        if let Some(parser) = inbound.partial_head() {
            received = parser.raw().len();
            runtime.trace.received(received);
            if parser.not_http() {
                return Err(OpenError::NotHttp(first_bytes(parser.raw()).to_vec()));
            }
        }
        match link.fill()? {
            Fill::Data => {
                // A server that never stops sending must not keep time and signals from counting.
                clock.look(Instant::now(), NO_ANSWER, runtime, link)?;
            }
            Fill::End { .. } => {
                return Err(OpenError::Closed { received });
            }
            Fill::Blocked if received > 0 => clock.wait(runtime, link, HALF_ANSWER)?,
            Fill::Blocked => clock.wait(runtime, link, NO_ANSWER)?,
        }
    }
}

/// The body of a refusal: by its length, to the end of the stream, or as far as patience goes.
fn read_body(
    link: &mut Link,
    inbound: &mut Observer,
    runtime: &mut Runtime,
    clock: &Deadline,
    response: &Head,
) -> Vec<u8> {
    let announced = response
        .get("content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    // The last chunk says that no more comes (RFC 9112 §7.1); who keeps the connection would be
    // waited for in vain.
    let chunked = response.has_token("Transfer-Encoding", "chunked");
    let enough = announced.unwrap_or(MAX_BODY).min(MAX_BODY);
    let clock = clock.sooner(Instant::now() + BODY_PATIENCE);
    let mut body = Vec::new();
    while body.len() < enough {
        let (mut input, _) = link.split();
        while let Some(Observed::Body(bytes)) = inbound.next(&mut input) {
            body.extend_from_slice(&bytes[..bytes.len().min(enough - body.len())]);
        }
        let at = input.consumed();
        link.consumed(at);
        if body.len() >= enough || (chunked && body.ends_with(b"0\r\n\r\n")) {
            break;
        }
        match link.fill() {
            Ok(Fill::Data) => {}
            Ok(Fill::Blocked) if clock.wait(runtime, link, "the body did not come").is_ok() => {}
            _ => break,
        }
    }
    if !body.is_empty() {
        // A failing stderr must not hide the refusal itself.
        let _ = runtime.tell(&Event::Body(&body));
    }
    body
}

/// Head and body of a refusal, escaped and indented for stderr.
fn quote(response: &Head, body: &[u8]) -> String {
    let mut text = String::new();
    let head = response.raw().trim_ascii_end();
    let lines =
        head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines {
        let _ = write!(text, "\n< {}", sanitize::escaped(line));
    }
    if !body.is_empty() {
        let _ = write!(text, "\n<");
        for line in body.trim_ascii_end().split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let _ = write!(text, "\n< {}", sanitize::escaped(line));
        }
    }
    text
}

fn first_bytes(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(64)]
}
