//! `--each`: the script runs once for each client, on that client alone.

use std::time::Instant;

use super::client::Client;
use super::client_script::ClientScript;
use super::connections::AllClients;
use super::hub::Hub;
use crate::cli::Linger;
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;
use crate::script::runner::SessionRequest;
use crate::wire::CloseCode;

/// What has become of a script.
enum Progress {
    /// It goes on, or its client is waited for.
    GoesOn,
    /// It is over.
    Over,
    /// It has failed: with this status, for this reason.
    Failed(Exit, String),
}

impl ClientScript {
    fn go_on(&mut self, hub: &mut Hub, runtime: &mut Runtime, now: Instant) -> Progress {
        let gone = hub.client(self.id).and_then(Client::connection).is_none();
        if gone {
            self.runner.disconnected("");
        }
        self.runner.run(&mut AllClients { hub, runtime }, now);
        while gone && self.runner.is_ready() {
            self.runner.run(&mut AllClients { hub, runtime }, now);
        }
        if let Some(failure) = self.runner.take_failure() {
            let exit = if failure.unmet { Exit::Unmet } else { Exit::Failure };
            return Progress::Failed(exit, failure.text);
        }
        if self.runner.request() == Some(&SessionRequest::Quit) {
            self.close(hub, CloseCode::Normal, now);
            return Progress::Over;
        }
        match (gone, self.runner.is_exhausted()) {
            (true, true) => return Progress::Over,
            (true, false) => {
                let text = "the connection ended before the script did".to_owned();
                return Progress::Failed(Exit::Failure, text);
            }
            (false, true) => drop(self.ended.get_or_insert(now)),
            (false, false) => self.ended = None,
        }
        if self.linger_ends(hub).is_some_and(|at| at <= now) {
            self.close(hub, CloseCode::Normal, now);
            return Progress::Over;
        }
        Progress::GoesOn
    }

    fn close(&self, hub: &mut Hub, code: CloseCode, now: Instant) {
        if let Some(client) = hub.client_mut(self.id) {
            // It may be closing already, which is as good.
            let _ = client.close(Some(code.into()), "", now);
        }
    }

    /// When the client will have been silent for `--linger` after the end of its script.
    fn linger_ends(&self, hub: &Hub) -> Option<Instant> {
        let Linger::For(time) = hub.shared.config.linger else { return None };
        let connection = hub.client(self.id).and_then(Client::connection)?;
        let waits = connection.is_open() && connection.backlog() == 0;
        self.ended.filter(|_| waits).map(|ended| connection.active().max(ended) + time)
    }
}

/// Carries out the scripts of all clients. Returns the status of the first that failed.
pub fn run(hub: &mut Hub, runtime: &mut Runtime, now: Instant) -> Option<Exit> {
    let mut failed = None;
    let mut scripts = std::mem::take(&mut hub.shared.scripts);
    scripts.retain_mut(|script| match script.go_on(hub, runtime, now) {
        Progress::GoesOn => true,
        Progress::Over => false,
        Progress::Failed(exit, text) => {
            runtime.notifier.error(&format!("[{}] {text}", script.id.0));
            script.close(hub, CloseCode::Away, now);
            failed.get_or_insert(exit);
            false
        }
    });
    hub.shared.scripts = scripts;
    failed
}

/// Whether a script has something to do at once.
pub fn is_ready(hub: &Hub) -> bool {
    hub.shared.scripts.iter().any(|script| script.runner.is_ready())
}

/// When a script has something to do.
pub fn deadline(hub: &Hub) -> Option<Instant> {
    let scripts = hub.shared.scripts.iter();
    scripts.flat_map(|script| [script.runner.deadline(), script.linger_ends(hub)]).flatten().min()
}
