//! stdin of a server: each message goes to every client, a JSON command to one or to all.

use std::io;
use std::time::Instant;

use crate::behaviour::input::{FeedError, MessageSplitter, Outlet};
use crate::cli::InputFormat;
use crate::config::ListenConfig;
use crate::event::ConnId;
use crate::modes::listen::hub::{Hub, Recipient};
use crate::net::reactor::STDIN;
use crate::net::stdio::{Stdin, StdinRead};
use crate::output::stderr;
use crate::script::json::{self, CommandError};
use crate::session::endpoint::SendError;
use crate::wire::Data;

/// stdin, until its end.
pub struct Input {
    stdin: Option<Stdin>,
    feeder: MessageSplitter,
    /// When it ended.
    pub ended: Option<Instant>,
}

impl Input {
    /// Prepares stdin.
    ///
    /// # Errors
    ///
    /// It is closed, or can't be registered.
    pub fn open(config: &ListenConfig, hub: &Hub) -> io::Result<Self> {
        let reactor = &hub.shared.runtime.reactor;
        let stdin = match config.input {
            // The lines of a prompt or a script are the runner's.
            InputFormat::None | InputFormat::Commands | InputFormat::Prompt => None,
            _ => Some(Stdin::open(reactor.registry(), STDIN, reactor.waker())?),
        };
        Ok(Self { stdin, feeder: MessageSplitter::new(config.input, config.binary), ended: None })
    }

    /// Notes that the poll says that it has something, or that its writers are gone.
    pub fn set_ready(&mut self, closed: bool) {
        self.stdin.iter_mut().for_each(|stdin| stdin.set_ready(closed));
    }

    /// Whether it would be read now. What comes before the first client waits for it.
    pub fn is_wanted(&self, hub: &Hub) -> bool {
        self.stdin.as_ref().is_some_and(Stdin::is_ready) && hub.has_audience()
    }

    /// Reads once, if somebody is there.
    ///
    /// # Errors
    ///
    /// stdin failed or holds what can't be sent, in a sentence.
    pub fn take(&mut self, hub: &mut Hub, now: Instant) -> Result<(), String> {
        if !self.is_wanted(hub) {
            return Ok(());
        }
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        let read = stdin.read(self.feeder.space());
        let everybody = &mut Everybody { hub, now };
        let fed = match read {
            Ok(StdinRead::Blocked) => Ok(()),
            Ok(StdinRead::Data(n)) => self.feeder.filled_for(n, everybody),
            Ok(StdinRead::End) => {
                self.stdin = None;
                self.ended = Some(now);
                self.feeder.finish_for(everybody)
            }
            Err(error) => {
                self.stdin = None;
                return Err(format!("stdin: {}", crate::net::link::plain_io(&error)));
            }
        };
        fed.map_err(|error: FeedError| {
            self.stdin = None;
            error.to_string()
        })
    }
}

/// All clients as one.
struct Everybody<'h> {
    hub: &'h mut Hub,
    now: Instant,
}

impl Outlet for Everybody<'_> {
    fn send(&mut self, opcode: Data, piece: &[u8], last: bool) -> Result<(), SendError> {
        self.hub.send(Recipient::All, opcode, piece, last, self.now);
        Ok(())
    }

    fn command(&mut self, line: &[u8]) -> Result<(), CommandError> {
        let (conn, command) = json::parse(line)?;
        let ids: Vec<ConnId> = match conn {
            Some(id) => vec![id],
            None => self.hub.clients().filter(|client| client.is_open()).map(|c| c.id()).collect(),
        };
        for id in ids {
            let Some((session, link)) =
                self.hub.client_mut(id).and_then(|client| client.open_mut())
            else {
                // It may just have left.
                stderr::note(&format!("there is no connection {} to send to", id.0));
                continue;
            };
            match json::send_to(&command, &mut session.endpoint, self.now, &mut link.tx) {
                Ok(()) => {}
                Err(CommandError::Send(SendError::NotOpen)) => {
                    stderr::note(&format!("connection {} is closing: nothing was sent", id.0));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
