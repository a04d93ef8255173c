//! Sends a line to its clients, and finds the client of a reply.

use std::time::Instant;

use crate::event::ConnId;
use crate::script::command::{Command, FieldTest};
use crate::script::runner::lines::SourceLocation;
use crate::script::runner::{Connections, LineOrigin, ScriptRunner, Settings, replies, send};
use crate::session::Endpoint;
use crate::session::endpoint::SendError;
use crate::ui::filter::ClientSet;
use crate::ui::sanitize::escaped;
use crate::wire::Role;
use crate::wire::close::CloseBody;

const NOT_CONNECTED: &str =
    "not connected; /reconnect connects again, /open URL connects elsewhere";

const OPENING: &str = "the connection is still being opened";

const NO_DIRECTION: &str = "name the direction: @3> hello goes to the server, @3< hello to the client of connection 3, \
     @> and @< to those of the last one, @all> and @all< to all";

pub(crate) const ONE_DIRECTION: &str =
    "only what passes wscope proxy has two directions: write @3 without > and <";

const NOBODY: &str = "no client is connected";

impl ScriptRunner {
    /// The clients of `target` that are connected. Reports those that are not.
    pub(crate) fn resolve(
        &mut self,
        of: &LineOrigin,
        connections: &dyn Connections,
    ) -> Vec<ConnId> {
        let LineOrigin { target, location } = of;
        if connections.relays() && target.direction().is_none() {
            self.fail(location, NO_DIRECTION, false);
            return Vec::new();
        }
        self.those_present(of, connections)
    }

    /// Like [`Self::resolve`]; for relayed connections, both directions.
    fn those_present(&mut self, of: &LineOrigin, connections: &dyn Connections) -> Vec<ConnId> {
        let LineOrigin { target, location } = of;
        let present = connections.present(target);
        match target {
            ClientSet::Only(ids) => {
                for id in ids.iter().filter(|id| !present.contains(id)) {
                    self.fail(location, &replies::missing(*id, connections), false);
                }
            }
            _ if !present.is_empty() => {}
            _ if self.role == Role::Client => {
                let why = if self.opening { OPENING } else { NOT_CONNECTED };
                self.fail(location, why, false);
            }
            _ if self.scripted => {
                self.fail(location, &format!("{NOBODY}; /await waits for a client"), false);
            }
            _ => self.notifier.note(NOBODY),
        }
        present
    }

    /// The clients of `target` that can get messages. If there is none, it has reported an error.
    pub(crate) fn open_clients(
        &mut self,
        of: &LineOrigin,
        connections: &dyn Connections,
    ) -> Option<Vec<ConnId>> {
        let mut ids = self.resolve(of, connections);
        let connected = !ids.is_empty();
        ids.retain(|id| connections.endpoint(*id).is_some_and(Endpoint::is_open));
        if connected && ids.is_empty() {
            self.fail(&of.location, &SendError::NotOpen.to_string(), false);
        }
        Some(ids).filter(|ids| !ids.is_empty())
    }

    /// An /expect that is typed after a line that sends waits for an answer to that line.
    pub(crate) fn expect_answers(&mut self, location: &SourceLocation) {
        if *location == SourceLocation::Typed && !self.scripted {
            self.expect_queue.clear();
        }
    }

    /// Sends the data of a command to `target`. Returns whether that worked for all clients; it has
    /// already reported errors.
    pub(crate) fn send(
        &mut self,
        command: &Command,
        of: &LineOrigin,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> bool {
        let location = &of.location;
        self.expect_answers(location);
        // If the transcript shows frames, it also shows the broken rules of the catalogue.
        let shown_anyway = connections.reporter().prints_violations();
        let ids = self.resolve(of, connections);
        if ids.is_empty() {
            return false;
        }
        let mut all_sent = true;
        let content = match send::content(command) {
            Ok(content) => content,
            Err(error) => {
                self.fail(location, &error, false);
                return false;
            }
        };
        for id in ids {
            let Some(mut sender) = connections.sender(id, now) else { continue };
            let sent = send::send(command, &content, &mut sender);
            match sent {
                Ok(note) => {
                    let note = note.filter(|note| !note.starts_with('W') || !shown_anyway);
                    note.iter().for_each(|note| self.notifier.note(&self.named(id, note)));
                }
                Err(error) => {
                    self.fail(location, &self.named(id, &error.to_string()), false);
                    all_sent = false;
                }
            }
        }
        all_sent
    }

    /// Closes both directions of relayed connections. Returns whether that worked for all; it has
    /// already reported errors.
    pub(crate) fn close_both(
        &mut self,
        body: &CloseBody,
        of: &LineOrigin,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> bool {
        let ids = self.those_present(of, connections);
        let mut all_closed = !ids.is_empty();
        for id in ids {
            if !connections.close_both(id, body, now) {
                let error = self.named(id, "a Close has passed already");
                self.fail(&of.location, &error, false);
                all_closed = false;
            }
        }
        all_closed
    }

    /// Sends the messages of a line in the protocol of the lens. If the line waits for an answer,
    /// returns the test for the answer. Returns `None` if sending did not work for all of `target`;
    /// it has already reported errors.
    pub(crate) fn speak(
        &mut self,
        word: &str,
        line: &str,
        of: &LineOrigin,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> Option<Option<FieldTest>> {
        let LineOrigin { target, location } = of;
        self.expect_answers(location);
        let ids = self.open_clients(of, connections)?;
        let (mut all_sent, mut answer) = (true, None);
        for id in ids {
            let of_lens = lens_id(id, connections);
            let lenses = connections.runtime().reporter.lenses();
            if *location == SourceLocation::Typed {
                lenses.forget_received(target);
            }
            let sent = lenses.speak(of_lens, word, line).map_err(|error| error.to_string());
            let sent = sent.and_then(|messages| {
                answer =
                    messages.iter().find_map(|message| FieldTest::of(message.answer.as_deref()?));
                let Some(mut sender) = connections.sender(id, now) else { return Ok(()) };
                messages.iter().try_for_each(|message| {
                    send::outgoing(message, &mut sender).map_err(|error| error.to_string())
                })
            });
            if let Err(error) = sent {
                let error = format!("/{word}: {}", escaped(error.as_bytes()));
                self.fail(location, &self.named(id, &error), false);
                all_sent = false;
            }
        }
        all_sent.then_some(answer)
    }

    /// A text about one of many clients, with its number.
    fn named(&self, id: ConnId, text: &str) -> String {
        match self.role {
            Role::Client => text.to_owned(),
            Role::Server => format!("[{id}] {text}"),
        }
    }

    /// Sets the endpoints of `target`, or describes their settings.
    pub(crate) fn set(
        &mut self,
        command: &Command,
        of: &LineOrigin,
        connections: &mut dyn Connections,
    ) -> Option<String> {
        let target = &of.target;
        let present = match target {
            // The setting also applies to clients that connect later.
            ClientSet::All => connections.present(target),
            _ => match self.resolve(of, connections) {
                present if present.is_empty() => return None,
                present => present,
            },
        };
        let changes = changes(command);
        if changes {
            if *target == ClientSet::All {
                self.settings.note(command);
                connections.set_defaults(&self.settings);
            }
            for id in &present {
                if let Some(endpoint) = connections.endpoint_mut(*id) {
                    set(command, endpoint);
                }
            }
        }
        let endpoint = present.first().and_then(|id| connections.endpoint(*id));
        self.confirm(changes, describe(command, &self.settings, endpoint))
    }

    /// The connection that a reply describes: the named one, the only one, or the one that sent
    /// something last.
    ///
    /// # Errors
    ///
    /// There is no connection, or the line names several; in words.
    pub(crate) fn single(
        &self,
        target: &ClientSet,
        connections: &dyn Connections,
    ) -> Result<ConnId, String> {
        match (self.role, target) {
            (Role::Client, _) => Ok(ConnId(1)),
            (_, ClientSet::Only(ids)) => match ids[..] {
                [id] => Ok(id.pair()),
                _ => Err("this command is about one client; write @3 before it".to_owned()),
            },
            (_, _) => match connections.present(target)[..] {
                [id] => Ok(id.pair()),
                _ => connections
                    .reporter()
                    .last_received()
                    .ok_or_else(|| "no client has connected yet".to_owned()),
            },
        }
    }
}

/// The number of a connection in the lenses: lines of a client always mean its first number.
pub(crate) fn lens_id(id: ConnId, connections: &dyn Connections) -> ConnId {
    match connections.role() {
        Role::Client => connections.reporter().connection(),
        Role::Server => id,
    }
}

impl Settings {
    /// Sets the endpoint of a new connection.
    pub fn apply(&self, endpoint: &mut Endpoint) {
        let Self { auto_pong, auto_close, compress } = *self;
        // Until a command sets it, the command line decides.
        if let Some(auto_pong) = auto_pong {
            endpoint.set_auto_pong(auto_pong);
        }
        endpoint.set_auto_close(auto_close);
        endpoint.set_compress(compress);
    }

    /// Remembers the setting of a command.
    pub(crate) fn note(&mut self, command: &Command) {
        match command {
            Command::AutoPong(Some(choice)) => self.auto_pong = Some(*choice),
            Command::AutoClose(Some(on)) => self.auto_close = *on,
            Command::Compress(Some(on)) => self.compress = *on,
            _ => {}
        }
    }
}

/// Whether a command changes a setting (or only asks for it).
pub(crate) fn changes(command: &Command) -> bool {
    matches!(
        command,
        Command::AutoPong(Some(_)) | Command::AutoClose(Some(_)) | Command::Compress(Some(_))
    )
}

/// Applies the setting to an open connection.
pub(crate) fn set(command: &Command, endpoint: &mut Endpoint) {
    match command {
        Command::AutoPong(Some(choice)) => endpoint.set_auto_pong(*choice),
        Command::AutoClose(Some(on)) => endpoint.set_auto_close(*on),
        Command::Compress(Some(on)) => endpoint.set_compress(*on),
        _ => {}
    }
}

/// Describes a setting: of a connection, or, without one, of future connections.
pub(crate) fn describe(
    command: &Command,
    settings: &Settings,
    endpoint: Option<&Endpoint>,
) -> String {
    match command {
        Command::AutoPong(_) => {
            let set = settings.auto_pong.unwrap_or_default();
            replies::auto_pong(endpoint.map_or(set, Endpoint::auto_pong))
        }
        Command::AutoClose(_) => {
            replies::auto_close(endpoint.map_or(settings.auto_close, Endpoint::auto_close))
        }
        _ => {
            let agreed = endpoint.map(|endpoint| endpoint.compresses().is_some());
            let on = endpoint.and_then(Endpoint::compresses);
            replies::compress(on.unwrap_or(settings.compress), agreed)
        }
    }
}
