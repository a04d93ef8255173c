//! `--send`: what each client is sent first.
//!
//! One open file, or stdin read once, serves all; each client keeps only how far it is.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{anyhow, bail};

use crate::behaviour::input::MessageSplitter;
use crate::cli::InputFormat;
use crate::config::GreetingSource;
use crate::net::files;
use crate::net::link::HIGH_WATER;
use crate::net::plain_io::plain_io;
use crate::session::Endpoint;

/// The most bytes of stdin, a pipe or a device, which are kept in memory for clients to come.
const IN_MEMORY: u64 = 64 << 20;

/// The messages for everybody.
#[derive(Clone)]
pub struct Greeting {
    content: Content,
    format: InputFormat,
    binary: bool,
}

#[derive(Clone)]
enum Content {
    File(Rc<File>),
    /// What can be read once only: stdin, a pipe.
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
    ) -> anyhow::Result<Self> {
        let memory = |path| match files::read(path, IN_MEMORY) {
            Ok(bytes) => Ok(Content::Memory(bytes.into())),
            Err(error) => Err(anyhow!("--send {error}")),
        };
        let content = match source {
            GreetingSource::File(path) if path.is_file() => match File::open(path) {
                Ok(file) => Content::File(Rc::new(file)),
                Err(error) => bail!("--send {}: {}", path.display(), plain_io(&error)),
            },
            GreetingSource::File(path) => memory(path)?,
            GreetingSource::Stdin => memory(Path::new("-"))?,
        };
        // Lines unless another format is asked for; stdin itself is not read then.
        let format = match format {
            InputFormat::None | InputFormat::Prompt | InputFormat::Commands => InputFormat::Lines,
            format => format,
        };
        Ok(Self { content, format, binary })
    }

    /// Begins for a client.
    pub fn begin(&self) -> Sending {
        let feeder = MessageSplitter::new(self.format, self.binary);
        Sending { content: self.content.clone(), offset: 0, feeder }
    }
}

/// How far a client has been sent it.
pub struct Sending {
    content: Content,
    offset: u64,
    feeder: MessageSplitter,
}

impl Sending {
    /// Sends as much as there is room for; true at the end.
    ///
    /// # Errors
    ///
    /// The file can't be read, or holds what can't be sent; in a sentence.
    pub fn go_on(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        tx: &mut Vec<u8>,
    ) -> Result<bool, String> {
        while tx.len() < HIGH_WATER {
            let space = self.feeder.space();
            let n = match &self.content {
                Content::File(file) => {
                    file.read_at(space, self.offset).map_err(|error| plain_io(&error))?
                }
                Content::Memory(bytes) => {
                    let rest = usize::try_from(self.offset).ok().and_then(|at| bytes.get(at..));
                    let rest = rest.unwrap_or_default();
                    let n = rest.len().min(space.len());
                    space[..n].copy_from_slice(&rest[..n]);
                    n
                }
            };
            self.offset += n as u64;
            let fed = match n {
                0 => self.feeder.finish(endpoint, now, tx),
                n => self.feeder.filled(n, endpoint, now, tx),
            };
            fed.map_err(|error| error.to_string())?;
            if n == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
