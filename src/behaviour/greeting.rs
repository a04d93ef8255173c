//! `--send`: the messages that each client gets first.
//!
//! All clients share one open file, or stdin read once; each client keeps only its position.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use anyhow::{anyhow, bail};

use crate::behaviour::splitter::{Commands, MessageSplitter, To};
use crate::cli::InputFormat;
use crate::config::GreetingSource;
use crate::engine::behaviour::{Behaviour, Context, TURN_CONTENT};
use crate::engine::outbox::{Outbox, Producer};
use crate::net::files;
use crate::net::plain_io::plain_io;

/// The largest part of stdin, of a pipe or of a device that is kept in memory for future clients,
/// in bytes.
const IN_MEMORY: u64 = 64 << 20;

/// The first messages for every client.
#[derive(Clone)]
pub struct Greeting {
    content: GreetingContent,
    format: InputFormat,
    binary: bool,
    commands: Commands,
}

#[derive(Clone)]
enum GreetingContent {
    File(Rc<File>),
    /// Data that can be read only once: stdin, a pipe.
    Memory(Rc<[u8]>),
}

impl Greeting {
    /// Opens the source.
    ///
    /// # Errors
    ///
    /// It can't be read.
    pub fn open(
        source: &GreetingSource,
        format: InputFormat,
        binary: bool,
        commands: Commands,
    ) -> anyhow::Result<Self> {
        let memory = |path| match files::read(path, IN_MEMORY) {
            Ok(bytes) => Ok(GreetingContent::Memory(bytes.into())),
            Err(error) => Err(anyhow!("--send {error}")),
        };
        let content = match source {
            GreetingSource::File(path) if path.is_file() => match File::open(path) {
                Ok(file) => GreetingContent::File(Rc::new(file)),
                Err(error) => bail!("--send {}: {}", path.display(), plain_io(&error)),
            },
            GreetingSource::File(path) => memory(path)?,
            GreetingSource::Stdin => memory(Path::new("-"))?,
        };
        // Lines, unless another format is requested; then stdin itself is not read.
        let format = match format {
            InputFormat::None | InputFormat::Prompt | InputFormat::Commands => InputFormat::Lines,
            format => format,
        };
        Ok(Self { content, format, binary, commands })
    }

    /// A sender for a client.
    pub fn begin(&self) -> GreetingSender {
        let splitter = MessageSplitter::new(self.format, self.binary);
        GreetingSender {
            content: Some(self.content.clone()),
            offset: 0,
            splitter,
            commands: self.commands,
        }
    }
}

/// The position of a client in the messages.
pub struct GreetingSender {
    /// `None` once all is sent.
    content: Option<GreetingContent>,
    offset: u64,
    splitter: MessageSplitter,
    commands: Commands,
}

impl Behaviour for GreetingSender {
    fn streams(&self) -> bool {
        true
    }

    fn on_turn(&mut self, pending: usize, cx: &mut Context<'_>) -> Result<(), String> {
        let before = cx.sender.tx.len();
        let begun = self.offset;
        while let Some(content) = &self.content {
            let made = cx.sender.tx.len().saturating_sub(before);
            if !cx.sender.is_open() {
                self.content = None;
                break;
            }
            let read = usize::try_from(self.offset - begun).unwrap_or(TURN_CONTENT);
            // The compressed data may be small, but other connections wait for their turn.
            if read >= TURN_CONTENT
                || !cx.sender.outbox.has_room(Producer::Greeting, pending + made)
            {
                break;
            }
            let space = self.splitter.space();
            let read = match content {
                GreetingContent::File(file) => file.read_at(space, self.offset),
                GreetingContent::Memory(bytes) => {
                    let rest = usize::try_from(self.offset).ok().and_then(|at| bytes.get(at..));
                    let rest = rest.unwrap_or_default();
                    let n = rest.len().min(space.len());
                    space[..n].copy_from_slice(&rest[..n]);
                    Ok(n)
                }
            };
            let mut to = To {
                sender: &mut cx.sender,
                producer: Producer::Greeting,
                commands: self.commands,
            };
            let fed = match read {
                Ok(0) => self.splitter.finish(&mut to).map(|()| 0),
                Ok(n) => self.splitter.filled(n, &mut to).map(|()| n),
                Err(error) => {
                    self.content = None;
                    return Err(format!("--send: {}", plain_io(&error)));
                }
            };
            match fed {
                Ok(0) => self.content = None,
                Ok(n) => self.offset += n as u64,
                Err(error) => {
                    self.content = None;
                    return Err(format!("--send: {error}"));
                }
            }
        }
        Ok(())
    }

    fn is_ready(&self, outbox: &Outbox, pending: usize) -> bool {
        self.content.is_some() && outbox.has_room(Producer::Greeting, pending)
    }
}
