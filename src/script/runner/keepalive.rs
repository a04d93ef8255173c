//! Keeps sessions alive as the protocol of their lens requires, and prints which message the other
//! side waits for.

use std::time::{Duration, Instant};

use crate::event::ConnId;
use crate::script::runner::{Connections, Notifier, send};
use crate::wire::Role;

/// How long the user has to send the message that the other side waits for, before wscope prints a
/// note.
const PATIENCE: Duration = Duration::from_secs(2);

/// The automatic messages in the protocol of a lens.
pub(super) struct KeepAlive {
    /// `/keepalive`
    pub(super) on: bool,
    /// When the next heartbeat is due.
    beat: Option<Instant>,
    /// The message that the other side waits for, and when wscope prints it.
    awaited: Option<(String, Option<Instant>)>,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { on: true, beat: None, awaited: None }
    }
}

impl KeepAlive {
    /// The next time at which there is something to do.
    pub(super) fn next(&self) -> Option<Instant> {
        let said = self.awaited.as_ref().and_then(|(_, at)| *at);
        self.beat.into_iter().chain(said).min()
    }

    /// Sends what is due, and prints which message the other side waits for. Without `beats`, sends
    /// only required answers, no heartbeats.
    pub(super) fn run(
        &mut self,
        connections: &mut dyn Connections,
        notifier: &Notifier,
        (has_user, beats): (bool, bool),
        now: Instant,
    ) {
        let (role, reporter) = (connections.role(), &mut connections.runtime().reporter);
        let (wall, conn) = (reporter.stamp().micros, reporter.connection());
        let (due, next) = reporter.lenses().due(wall, beats);
        let awaited = match has_user && role == Role::Client {
            true => reporter.lenses().awaited_by(conn, Role::Server),
            false => None,
        };
        for (conn, message) in due.iter().filter(|_| self.on) {
            let conn = if role == Role::Client { ConnId(1) } else { *conn };
            if let Some(mut sender) = connections.sender(conn, now) {
                // If the connection is closing, the message is not needed.
                let _ = send::outgoing(message, &mut sender);
            }
        }
        let until = |at: i64| Duration::from_micros((at - wall).try_into().unwrap_or(0));
        self.beat = next.filter(|_| self.on).map(|at| now + until(at));
        match (&mut self.awaited, awaited) {
            (Some((said, at)), Some(text)) if *said == text => {
                if at.is_some_and(|at| at <= now) {
                    notifier.note(&text);
                    *at = None;
                }
            }
            (place, awaited) => *place = awaited.map(|text| (text, Some(now + PATIENCE))),
        }
    }
}
