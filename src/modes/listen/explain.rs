//! Why a client was not let in, or did not stay: the catalogue's words, from the server's side.

use std::io;
use std::time::Duration;

use crate::diagnostics::facts::{CloseFacts, End, EndKind, TlsFault};
use crate::diagnostics::{Diagnostic, Facts, Severity, classify};
use crate::event::{Cause, ConnId, Ending, TimeoutKind};
use crate::modes::listen::shared::Shared;
use crate::session::Observer;
use crate::wire::Role;
use crate::wire::head::{Head, HeadKind};

/// Explains a refusal. `answer` is what the client is told; `securing` says that TLS was expected.
///
/// # Errors
///
/// stdout or the log failed.
pub(crate) fn refused(
    conn: ConnId,
    inbound: &Observer,
    answer: Option<&[u8]>,
    securing: bool,
    shared: &mut Shared,
) -> io::Result<()> {
    if !shared.looks() {
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
    tell(conn, &classify(&facts), shared)
}

/// Explains an end that was not in order; `idle` is the time since something last came.
///
/// # Errors
///
/// stdout or the log failed.
pub(crate) fn ended(
    conn: ConnId,
    ending: &Ending,
    idle: Duration,
    shared: &mut Shared,
) -> io::Result<()> {
    if !shared.looks() {
        return Ok(());
    }
    let mut facts = Facts::new(Role::Server);
    facts.close = CloseFacts::of(ending);
    if let Cause::Violation(violation) = &ending.cause {
        facts.violations = std::slice::from_ref(violation);
    }
    let how = match &ending.cause {
        Cause::Violation(_) => EndKind::Failed,
        Cause::Lost(how) if how.contains("reset") || how.contains("broken pipe") => EndKind::Reset,
        Cause::Lost(_) => EndKind::Fin,
        Cause::Timeout(TimeoutKind::Close) => EndKind::CloseTimeout,
        Cause::Timeout(TimeoutKind::Pong) => EndKind::Dead,
        Cause::Closed | Cause::Timeout(_) | Cause::Dropped => EndKind::Closed,
    };
    facts.end = Some(End { how, lifetime: ending.duration, idle, idle_data: idle, partial: 0 });
    tell(conn, &classify(&facts), shared)
}

/// Only what is wrong: a server has many clients, and most of them leave in order.
fn tell(conn: ConnId, found: &[Diagnostic], shared: &mut Shared) -> io::Result<()> {
    let wrong: Vec<Diagnostic> =
        found.iter().filter(|found| found.severity != Severity::Note).cloned().collect();
    let runtime = &mut shared.runtime;
    runtime.reporter.diagnose_for(conn, &wrong, &mut runtime.stdout)
}
