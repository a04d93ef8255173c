//! What one connection of a run hands on to the next: input half read, goals half met.

use std::io;

use crate::behaviour::input::MessageSplitter;
use crate::behaviour::stop::StopCondition;
use crate::cli::InputFormat;
use crate::config::ClientConfig;
use crate::engine::runtime::Runtime;
use crate::net::reactor::STDIN;
use crate::net::stdio::{Stdin, StdinRead};

/// What outlives a connection where `--reconnect` opens another.
pub struct Carried {
    pub(crate) stdin: Option<Stdin>,
    pub(crate) feeder: MessageSplitter,
    pub(crate) goal: StopCondition,
    /// Nothing more comes from stdin, or it is not read.
    pub(crate) input_ended: bool,
}

impl Carried {
    /// For the first connection of a run.
    ///
    /// # Errors
    ///
    /// stdin can't be used.
    pub fn begin(config: &ClientConfig, runtime: &Runtime) -> io::Result<Self> {
        let stdin = match config.input {
            // The lines of a prompt or a script are the runner's.
            InputFormat::None | InputFormat::Commands | InputFormat::Prompt => None,
            _ => {
                let (registry, waker) = (runtime.reactor.registry(), runtime.reactor.waker());
                Some(Stdin::open(registry, STDIN, waker)?)
            }
        };
        let goal = StopCondition::new(config.exit_after, config.until.clone());
        let input_ended = config.input == InputFormat::None && !config.execute.is_empty();
        Ok(Self {
            stdin,
            feeder: MessageSplitter::new(config.input, config.binary),
            goal,
            input_ended,
        })
    }

    /// Whether stdin has not ended; its end may be all that was not read yet. What is read is
    /// lost: ask only when no connection follows.
    pub fn has_input_left(&mut self) -> bool {
        let Some(stdin) = &mut self.stdin else { return false };
        !matches!(stdin.read(self.feeder.space()), Ok(StdinRead::End))
    }

    /// Whether what ends a session early with success has come.
    pub fn has_met_goal(&self) -> bool {
        self.goal.is_met()
    }
}
