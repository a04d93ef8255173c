//! Why a client was not accepted, or did not stay: the texts of the catalogue, from the server's
//! side.

use std::io;
use std::time::Instant;

use crate::diagnostics::facts::TlsFault;
use crate::diagnostics::{Diagnostic, Facts, Severity, Wish, classify};
use crate::engine::connection::Connection;
use crate::engine::runtime::Runtime;
use crate::event::{ConnId, Ending};
use crate::session::Observer;
use crate::wire::Role;
use crate::wire::head::{Head, HeadKind};

/// Explains a refusal. `answer` is what the client gets; `securing` means that TLS was expected.
///
/// # Errors
///
/// stdout or the log failed.
pub fn refused(
    conn: ConnId,
    inbound: &Observer,
    answer: Option<&[u8]>,
    securing: bool,
    runtime: &mut Runtime,
) -> io::Result<()> {
    if !runtime.reporter.looks_at_frames() {
        return Ok(());
    }
    let mut facts = Facts::new(Role::Server);
    let first = inbound.partial_head().map_or(&[][..], |head| head.raw());
    let response = answer.map(|bytes| Head::parse(HeadKind::Response, bytes));
    let is_http = answer.is_some_and(|bytes| bytes.starts_with(b"HTTP/"));
    if securing && is_http {
        facts.tls.fault = Some(TlsFault::PlainRequest);
    } else if first.starts_with(&[22, 3]) {
        // The client expects TLS where there is none.
        facts.tls.fault = Some(TlsFault::NotTls(b""));
    } else if let (Some(request), true) = (inbound.head(), is_http) {
        let response = response.as_ref();
        facts.request = Some(request);
        facts.response = response;
        let head = response.map_or(0, |head| head.raw().len());
        facts.body = answer.and_then(|bytes| bytes.get(head..)).unwrap_or_default();
    }
    print(conn, &classify(&facts), runtime)
}

/// Explains an end that was not in order; gives what the client wanted and did not get, and what to do
/// about that, for the line that says that it left.
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
) -> io::Result<Option<String>> {
    let facts = Facts { wish, ..Facts::new(Role::Server) };
    let found = connection.explain(facts, ending, now);
    if runtime.reporter.looks_at_frames() {
        print(connection.id(), &found, runtime)?;
    }
    let wanted = found.iter().find(|found| matches!(found.entry.code, "W366" | "W367"));
    Ok(wanted.map(|found| format!("{}: {}", found.title, found.help)))
}

/// Only what is wrong: a server has many clients, and most of them leave in order.
fn print(conn: ConnId, found: &[Diagnostic], runtime: &mut Runtime) -> io::Result<()> {
    let wrong: Vec<Diagnostic> =
        found.iter().filter(|found| found.severity != Severity::Note).cloned().collect();
    runtime.reporter.diagnose_for(conn, &wrong, &mut runtime.stdout)
}
