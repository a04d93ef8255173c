//! Why a client was not accepted, or did not stay: diagnostics from the server's side.

use std::io;
use std::time::Instant;

use crate::diagnostics::facts::TlsFault;
use crate::diagnostics::{Diagnostic, Facts, Severity, WITHOUT_CLOSE, Wish, classify, sniff};
use crate::engine::connection::Connection;
use crate::engine::opening::server::{ServerOpening, is_foreign};
use crate::engine::runtime::Runtime;
use crate::event::{ConnId, Ending};

use crate::wire::Role;
use crate::wire::head::{Head, HeadKind};

/// Explains a refusal. `answer` is the answer to the client; `securing` means that TLS was not
/// complete.
///
/// # Errors
///
/// stdout or the log failed.
pub fn refused(
    conn: ConnId,
    opening: &mut ServerOpening,
    answer: Option<&[u8]>,
    securing: bool,
    runtime: &mut Runtime,
) -> io::Result<()> {
    if securing && answer.is_none() {
        return print(conn, &opening.explain_tls(false), runtime);
    }
    let inbound = &opening.inbound;
    let mut facts = Facts::new(Role::Server);
    let first = inbound.partial_head().map_or(&[][..], |head| head.raw());
    let response = answer.map(|bytes| Head::parse(HeadKind::Response, bytes));
    let is_http = answer.is_some_and(|bytes| bytes.starts_with(b"HTTP/"));
    if securing && is_http {
        facts.tls.fault = Some(TlsFault::PlainRequest);
    } else if first.starts_with(&[22, 3]) {
        // The client expects TLS, but the port has no TLS.
        facts.tls.fault = Some(TlsFault::NotTls(b""));
    } else if let (Some(request), true) = (inbound.head().filter(|head| is_http1(head)), is_http) {
        let response = response.as_ref();
        facts.request = Some(request);
        facts.response = response;
        let head = response.map_or(0, |head| head.raw().len());
        facts.body = answer.and_then(|bytes| bytes.get(head..)).unwrap_or_default();
    }
    print(conn, &classify(&facts), runtime)
}

/// Whether a head is an HTTP request, with or without the PROXY protocol before it. The answer itself
/// names any other protocol.
fn is_http1(head: &Head) -> bool {
    !is_foreign(head.raw()) || sniff::is_proxy_protocol(head.raw())
}

/// Explains an unclean end. Without a transcript, the line about the end is enough, unless the
/// client did not get what it wanted, did not answer pings, or left after a silence.
///
/// # Errors
///
/// stdout or the log failed.
pub fn ended(
    connection: &Connection,
    ending: &Ending,
    wish: Option<&Wish>,
    runtime: &mut Runtime,
    now: Instant,
) -> io::Result<()> {
    let facts = Facts { wish, ..Facts::new(Role::Server) };
    let mut found = connection.explain(facts, ending, now);
    if !runtime.reporter.looks_at_frames() {
        // If wscope gave up, the line says so.
        found.retain(|found| match found.entry.code {
            "W366" | "W367" | "W803" | "W804" => true,
            // The size of our message is not in the line.
            "W709" => found.is_supported(),
            // The line about the end says already that there was no Close.
            "W801" => found.title != WITHOUT_CLOSE,
            code => code == "W818" && found.severity == Severity::Error,
        });
    }
    print(connection.id(), &found, runtime)
}

/// Prints only errors and warnings, because a server has many clients, and most of them leave in
/// order. Without a transcript, prints the first one as a line.
fn print(conn: ConnId, found: &[Diagnostic], runtime: &mut Runtime) -> io::Result<()> {
    let wrong: Vec<Diagnostic> =
        found.iter().filter(|found| found.severity != Severity::Note).cloned().collect();
    if let Some(first) = wrong.first() {
        let why = match first.is_supported() {
            true => format!("{}: {}", first.title, first.suspects()),
            false => first.title.to_string(),
        };
        runtime.remark(conn, &format!("{why}; {}", first.help));
    }
    runtime.reporter.diagnose_for(conn, &wrong, &mut runtime.stdout)
}
