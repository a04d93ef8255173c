//! `--each`: runs the script once for each client, for that client only.

use std::time::Instant;

use super::client::Client;
use super::client_script::ClientScript;
use super::connections::AllClients;
use super::hub::Hub;
use crate::behaviour::stay::{Leave, SessionProgress};
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;
use crate::script::runner::SessionRequest;
use crate::wire::CloseCode;

/// The progress of a script.
enum ScriptProgress {
    /// It continues, or waits for its client.
    GoesOn,
    /// It has ended.
    Over,
    /// It has failed, with this status and reason.
    Failed(Exit, String),
}

impl ClientScript {
    fn go_on(&mut self, hub: &mut Hub, runtime: &mut Runtime, now: Instant) -> ScriptProgress {
        let gone = hub.client(self.id).and_then(Client::connection).is_none();
        if gone {
            self.runner.disconnected("");
        }
        self.runner.run(&mut AllClients { hub, runtime }, now);
        while gone && self.runner.is_ready() {
            self.runner.run(&mut AllClients { hub, runtime }, now);
        }
        if let Some(failure) = self.runner.take_failure() {
            return ScriptProgress::Failed(failure.exit(), failure.text);
        }
        if self.runner.request() == Some(&SessionRequest::Quit) {
            self.close(hub, CloseCode::Normal, now);
            return ScriptProgress::Over;
        }
        match (gone, self.runner.is_exhausted()) {
            (true, true) => return ScriptProgress::Over,
            (true, false) => {
                let text = "the connection ended before the script did".to_owned();
                return ScriptProgress::Failed(Exit::Failure, text);
            }
            (false, true) => drop(self.ended.get_or_insert(now)),
            (false, false) => self.ended = None,
        }
        if self.leaves(hub).is_some_and(|at| at <= now) {
            self.close(hub, CloseCode::Normal, now);
            return ScriptProgress::Over;
        }
        ScriptProgress::GoesOn
    }

    fn close(&self, hub: &mut Hub, code: CloseCode, now: Instant) {
        if let Some(client) = hub.client_mut(self.id) {
            // If it is already closing, no Close is needed.
            let _ = client.close(Some(code.into()), "", now);
        }
    }

    /// When the connection ends after the end of its script.
    fn leaves(&self, hub: &Hub) -> Option<Instant> {
        let (stay, ended) = (&hub.shared.config.stay, self.ended?);
        let connection = hub.client(self.id).and_then(Client::connection)?;
        let talk = connection.talk();
        let progress = SessionProgress {
            input_ended: Some(ended),
            heard: talk.heard,
            answered: talk.answered,
            settled: (connection.backlog() == 0).then_some(talk.left),
            expects: false,
            satisfied: self.runner.has_seen_all(),
        };
        let by_clock = Leave::by_clock(stay, None, Some(ended));
        let ways = by_clock.into_iter().chain(Leave::by_silence(stay, &progress));
        ways.map(|(at, _)| at).min().filter(|_| connection.is_open())
    }
}

/// Runs the scripts of all clients. Returns the status of the first one that failed.
pub fn run(hub: &mut Hub, runtime: &mut Runtime, now: Instant) -> Option<Exit> {
    let mut failed = None;
    let mut scripts = std::mem::take(&mut hub.shared.scripts);
    scripts.retain_mut(|script| match script.go_on(hub, runtime, now) {
        ScriptProgress::GoesOn => true,
        ScriptProgress::Over => false,
        ScriptProgress::Failed(exit, text) => {
            runtime.notifier.error(&format!("[{}] {text}", script.id.0));
            script.close(hub, CloseCode::Away, now);
            failed.get_or_insert(exit);
            false
        }
    });
    hub.shared.scripts = scripts;
    failed
}

/// Whether a script can continue now.
pub fn is_ready(hub: &Hub) -> bool {
    hub.shared.scripts.iter().any(|script| script.runner.is_ready())
}

/// When a script must continue.
pub fn deadline(hub: &Hub) -> Option<Instant> {
    let scripts = hub.shared.scripts.iter();
    scripts.flat_map(|script| [script.runner.deadline(), script.leaves(hub)]).flatten().min()
}
