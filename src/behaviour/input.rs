//! Sends stdin as messages, to one or more connections.

use std::io;
use std::time::Instant;

use crate::behaviour::splitter::{FeedError, MessageSplitter, Outlet};
use crate::cli::InputFormat;
use crate::engine::runtime::Runtime;
use crate::net::plain_io::plain_io;
use crate::net::stdio::{Stdin, StdinRead};

/// stdin until its end. It outlives connections.
pub struct StdinInput {
    stdin: Option<Stdin>,
    splitter: MessageSplitter,
    /// When it ended; at once if it is not read.
    pub ended: Option<Instant>,
}

impl StdinInput {
    /// Prepares stdin, unless a runner reads it as lines of a prompt or a script.
    ///
    /// # Errors
    ///
    /// It is closed, or can't be registered.
    pub fn open(format: InputFormat, binary: bool, runtime: &Runtime) -> io::Result<Self> {
        let stdin = match format {
            InputFormat::None | InputFormat::Commands | InputFormat::Prompt => None,
            _ => Some(runtime.open_stdin()?),
        };
        Ok(Self { stdin, splitter: MessageSplitter::new(format, binary), ended: None })
    }

    /// Notes that the poll reports data, or that the writers have closed it.
    pub fn set_ready(&mut self, closed: bool) {
        self.stdin.iter_mut().for_each(|stdin| stdin.set_ready(closed));
    }

    /// Whether a read could return something.
    pub fn is_ready(&self) -> bool {
        self.stdin.as_ref().is_some_and(Stdin::is_ready)
    }

    /// Reads once, and sends the completed messages. After an error, it reads nothing more.
    ///
    /// # Errors
    ///
    /// stdin failed, or contains data that can't be sent; a sentence says why.
    pub fn take(&mut self, outlet: &mut impl Outlet, now: Instant) -> Result<(), String> {
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        let fed = match stdin.read(self.splitter.space()) {
            Ok(StdinRead::Blocked) => Ok(()),
            Ok(StdinRead::Data(n)) => self.splitter.filled(n, outlet),
            Ok(StdinRead::End) => {
                self.stdin = None;
                self.ended = Some(now);
                self.splitter.finish(outlet)
            }
            Err(error) => {
                self.stdin = None;
                return Err(format!("stdin: {}", plain_io(&error)));
            }
        };
        fed.map_err(|error: FeedError| {
            self.stdin = None;
            error.to_string()
        })
    }

    /// The note about a line, if there is one.
    pub fn take_note(&mut self) -> Option<String> {
        self.stdin.as_mut().and_then(Stdin::take_cut_line)
    }

    /// Notes the end of the connection. If it ended inside a message of stdin, skips the rest of
    /// the message, because another connection can't continue it. Returns whether it did.
    pub fn abandon_message(&mut self) -> bool {
        self.splitter.abandon_message()
    }

    /// Stops reading.
    pub fn close(&mut self) {
        self.stdin = None;
    }

    /// Whether stdin has not ended; only its end may be unread. It drops the data that it reads, so
    /// call it only if no connection follows.
    pub fn has_more(&mut self) -> bool {
        let Some(stdin) = &mut self.stdin else { return false };
        !matches!(stdin.read(self.splitter.space()), Ok(StdinRead::End))
    }
}
