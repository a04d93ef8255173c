//! `--exec`: runs a process for each client. The process gets the client's messages on stdin, and
//! writes the answers to stdout.

use std::io;
use std::time::{Duration, Instant};

use crate::behaviour::splitter::{MessageSplitter, To};
use crate::cli::InputFormat;
use crate::engine::behaviour::{Behaviour, Context, Pipe, TURN_CONTENT};
use crate::engine::outbox::{Outbox, Producer, Sender};
use crate::event::{CommandEnd, FrameEvent};
use crate::net::child::{Child, ChildRead, Dying};
use crate::net::stdio::Stdout;
use crate::wire::{CloseCode, Data};

/// How long to wait for the end of a process after the end of its stdout. A process that continues
/// without stdout has no more answers.
const BEFORE_CLOSE: Duration = Duration::from_secs(1);

/// The time between two checks of a process whose stdout has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// The lines of the process are messages, not commands.
fn none(_: &[u8], _: &mut Sender<'_>) -> Result<(), String> {
    Ok(())
}

/// The process of one client.
pub struct Exec {
    child: Option<Child>,
    splitter: MessageSplitter,
    /// The separator after each message on its stdin.
    separator: Option<u8>,
    /// When its stdout ended, and when to check for its end again.
    finished: Option<Finished>,
}

/// A process whose stdout has ended.
#[derive(Clone, Copy)]
struct Finished {
    close_at: Instant,
    look_at: Instant,
}

impl Exec {
    /// Takes over a process. It gets a line for each message, or, with `raw`, only the bytes.
    pub fn new(child: Child, raw: bool, binary: bool) -> Self {
        let format = if raw { InputFormat::Chunks } else { InputFormat::Lines };
        Self {
            child: Some(child),
            splitter: MessageSplitter::new(format, binary || raw),
            separator: (!raw).then_some(b'\n'),
            finished: None,
        }
    }

    fn can_read(&self) -> bool {
        self.finished.is_none() && self.child.as_ref().is_some_and(Child::may_read)
    }

    /// Closes the connection after the end of the process is known; with 1011 if the process
    /// failed.
    fn close(&mut self, cx: &mut Context<'_>) {
        let now = cx.sender.now;
        let (Some(child), Some(finished)) = (&mut self.child, &mut self.finished) else { return };
        if now < finished.look_at || !cx.sender.is_open() {
            return;
        }
        let (code, reason) = match child.look_for_end() {
            None if now < finished.close_at => return finished.look_at = now + PAUSE,
            None | Some(CommandEnd::Status(0)) => (CloseCode::Normal, String::new()),
            Some(end) => (CloseCode::Error, end.to_string()),
        };
        // The connection is open.
        let _ = cx.sender.close(Some(code.into()), &reason);
    }
}

impl Behaviour for Exec {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, _: Data, content: &[u8], _: &mut Context<'_>) -> io::Result<()> {
        if let Some(child) = &mut self.child {
            let stdin = child.stdin();
            stdin.extend_from_slice(content);
            stdin.extend(self.separator);
        }
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, _: &mut Context<'_>) -> io::Result<()> {
        if let Some(child) = &mut self.child {
            match event {
                FrameEvent::Data(bytes) => child.stdin().extend_from_slice(bytes),
                FrameEvent::Message(_) => child.stdin().extend(self.separator),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_full(&self, _: &Stdout) -> bool {
        self.child.as_ref().is_some_and(Child::is_full)
    }

    fn held(&self) -> usize {
        self.child.as_ref().map_or(0, Child::waiting)
    }

    fn on_turn(&mut self, pending: usize, cx: &mut Context<'_>) -> Result<(), String> {
        let Some(child) = &mut self.child else { return Ok(()) };
        child.flush();
        let failed = |error: &dyn std::fmt::Display| format!("--exec: {error}");
        let before = cx.sender.tx.len();
        // The compressed data may be small, but other connections wait for their turn.
        let mut content = 0;
        while content < TURN_CONTENT
            && self.finished.is_none()
            && child.may_read()
            && cx.sender.is_open()
        {
            let made = cx.sender.tx.len().saturating_sub(before);
            if !cx.sender.outbox.has_room(Producer::Process, pending + made) {
                break;
            }
            let read = child.read(self.splitter.space()).map_err(|error| failed(&error))?;
            let mut to = To { sender: &mut cx.sender, producer: Producer::Process, commands: none };
            match read {
                ChildRead::Data(n) => {
                    content += n;
                    self.splitter.filled(n, &mut to).map_err(|error| failed(&error))?;
                }
                ChildRead::Blocked => break,
                ChildRead::End => {
                    self.splitter.finish(&mut to).map_err(|error| failed(&error))?;
                    let now = cx.sender.now;
                    self.finished = Some(Finished { close_at: now + BEFORE_CLOSE, look_at: now });
                }
            }
        }
        self.close(cx);
        Ok(())
    }

    fn is_ready(&self, outbox: &Outbox, pending: usize) -> bool {
        self.can_read() && outbox.has_room(Producer::Process, pending)
    }

    fn deadline(&self) -> Option<Instant> {
        self.finished.map(|finished| finished.look_at)
    }

    fn pipe_ready(&mut self, pipe: Pipe) {
        let Some(child) = &mut self.child else { return };
        match pipe {
            Pipe::Stdin => child.set_writable(),
            Pipe::Stdout => child.set_readable(),
        }
    }

    fn ended(&mut self, now: Instant) -> Option<Dying> {
        self.child.take().map(|child| child.end(now))
    }
}
