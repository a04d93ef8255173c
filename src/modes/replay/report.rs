//! The output of a replay: text on stderr and stdout, or JSON on stdout.

use std::io;

use crate::behaviour::replay::ReplayLog;
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;
use crate::event::{ConnId, Stamp};
use crate::net::clock::wall_micros;
use crate::output::{secrets, stderr};
use crate::recording::Difference;
use crate::ui::JsonPrinter;
use crate::ui::number::counted;
use crate::ui::replay::ReplayTotals;
use crate::ui::terminal::Terminal;
use crate::wire::Role;

/// The number of connections whose failures are reported.
const TOLD: u64 = 5;

/// Reports the results of connections.
pub(super) struct ReplayReport {
    /// The totals of all connections.
    pub(super) totals: ReplayTotals,
    json: Option<JsonPrinter>,
    /// There are several connections, so lines have their numbers.
    many: bool,
    /// The number of failed connections that were reported.
    told: u64,
}

impl ReplayReport {
    /// A report without results.
    pub(super) fn new(json: bool, parallel: u32, repeat: u32) -> Self {
        let shows_all = secrets::redactor().shows_all();
        let printer = || JsonPrinter::new(Some(Role::Client)).with_secrets(shows_all);
        Self {
            totals: ReplayTotals::default(),
            json: json.then(printer),
            many: parallel > 1 || repeat > 1,
            told: 0,
        }
    }

    /// Whether there are several connections.
    pub(super) fn is_of_many(&self) -> bool {
        self.many
    }

    /// Counts a connection that has ended, and reports differences. Returns whether its failure may
    /// be reported.
    pub(super) fn ended(
        &mut self,
        conn: ConnId,
        log: &ReplayLog,
        failed: bool,
        runtime: &mut Runtime,
    ) -> bool {
        let totals = &mut self.totals;
        totals.sent += log.sent;
        totals.received += log.received;
        totals.latencies.add(&log.latencies);
        if let Some(differences) = &mut totals.differences {
            *differences += log.all_differences;
        }
        let tells = self.failed(failed);
        if !tells {
            return false;
        }
        for difference in &log.differences {
            self.differs(conn, difference, runtime);
        }
        let more = log.all_differences - log.differences.len() as u64;
        if more > 0 && self.json.is_none() {
            self.line(conn, &format!("{} more", counted(more, "difference")));
        }
        true
    }

    /// Counts a connection that may have failed; returns whether to report it.
    pub(super) fn failed(&mut self, failed: bool) -> bool {
        if !failed {
            return false;
        }
        self.totals.failed += 1;
        self.told += 1;
        self.told <= TOLD
    }

    /// Reports why a connection did not go as planned.
    pub(super) fn failure(&mut self, conn: ConnId, text: &str, exit: Exit, runtime: &mut Runtime) {
        match &mut self.json {
            Some(printer) => {
                let text = secrets::redact(text);
                let out = runtime.stdout.buffer();
                printer.replay_failure(&stamp(conn), &text, exit.code(), out);
            }
            None => self.line(conn, text),
        }
    }

    fn line(&self, conn: ConnId, text: &str) {
        match self.many {
            true => stderr::of(conn.0, text),
            false => stderr::error(&text),
        }
    }

    fn differs(&mut self, conn: ConnId, difference: &Difference, runtime: &mut Runtime) {
        let redact = |text: &str| secrets::redact(text).into_owned();
        let members = difference.members.iter().map(|(pointer, expected, received)| {
            (redact(pointer), expected.as_deref().map(redact), received.as_deref().map(redact))
        });
        let difference = Difference {
            text: redact(&difference.text),
            expected: difference.expected.as_deref().map(redact),
            received: difference.received.as_deref().map(redact),
            members: members.collect(),
            ..*difference
        };
        if let Some(printer) = &mut self.json {
            return printer.difference(&stamp(conn), &difference, runtime.stdout.buffer());
        }
        let Difference { text, expected, received, members, .. } = &difference;
        let number = if self.many { format!("[{}] ", conn.0) } else { String::new() };
        let mut lines = format!("wscope: {number}{text}\n");
        // The whole text is already escaped.
        for (name, text) in [("expected", expected), ("received", received)] {
            if let Some(text) = text {
                lines += &format!("  {name}  {text}\n");
            }
        }
        let nothing = "nothing".to_owned();
        for (pointer, expected, received) in members {
            let (expected, received) =
                (expected.as_ref().unwrap_or(&nothing), received.as_ref().unwrap_or(&nothing));
            lines += &format!("  {pointer}: expected {expected}, received {received}\n");
        }
        stderr::write(lines.as_bytes());
    }

    /// Reports the result of all connections.
    pub(super) fn finish(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        let untold = self.told.saturating_sub(TOLD);
        if untold > 0 && self.json.is_none() {
            stderr::error(&format!("{} failed too", counted(untold, "more connection")));
        }
        let out = runtime.stdout.buffer();
        match &mut self.json {
            Some(printer) => printer.replay_summary(&stamp(ConnId(0)), &self.totals, out),
            None => {
                let mut text = self.totals.summary().into_bytes();
                Terminal::look().fold(&mut text);
                out.extend_from_slice(&text);
            }
        }
        runtime.drain_stdout(None).map(|_| ())
    }
}

fn stamp(conn: ConnId) -> Stamp {
    Stamp { micros: wall_micros(), conn }
}
