//! What a server does with the messages of a client: back, to all others, to a process, to stdout.
//!
//! A message that came whole passes through at once. One that came in pieces streams back if it
//! is only echoed; whoever else wants it gets it whole.

use std::io;

use crate::behaviour::echo::Echo;
use crate::config::{ListenBehaviour, ListenConfig};
use crate::event::{ConnId, FrameEvent, WholeMessage};
use crate::modes::listen::shared::Shared;
use crate::net::child::Child;
use crate::session::observer::Run;
use crate::session::{Endpoint, Observer};
use crate::wire::decoder::Input;
use crate::wire::{Data, OpCode};

/// Memory kept between messages that come in pieces.
const KEPT: usize = 4 * 1024;

/// What a client's messages go through.
pub enum Answerer {
    /// Nobody wants them.
    Nobody,
    /// Back, piece by piece.
    Stream(Echo),
    /// Whole, to whoever wants them.
    Whole {
        /// Of the message that is coming in.
        opcode: Data,
        /// What came of it so far.
        content: Vec<u8>,
    },
}

/// The ways out that a client itself has.
pub struct Ways<'w> {
    /// Its number.
    pub conn: ConnId,
    /// Frames for the client.
    pub endpoint: &'w mut Endpoint,
    /// Their bytes.
    pub tx: &'w mut Vec<u8>,
    /// Its process.
    pub child: Option<&'w mut Child>,
}

impl Answerer {
    /// As asked for; `delivers` if stdout gets messages, or somebody else wants them.
    pub fn new(config: &ListenConfig, delivers: bool) -> Self {
        match config.answer {
            ListenBehaviour::Nothing if !delivers => Self::Nobody,
            ListenBehaviour::Echo if !delivers => Self::Stream(Echo::default()),
            _ => Self::Whole { opcode: Data::Text, content: Vec::new() },
        }
    }

    /// Takes a run of small messages, if nobody wants more of them than to see them go back.
    #[inline]
    pub fn take_run(
        &self,
        inbound: &mut Observer,
        input: &mut Input<'_>,
        most: usize,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
    ) -> Run {
        match self {
            Self::Nobody => inbound.take_masked_run(input, most, |_, _| {}),
            Self::Stream(_) => inbound.take_masked_run(input, most, |opcode, content| {
                // Once the connection is closing nobody waits for it.
                let _ = endpoint.send_message(opcode, content, tx);
            }),
            Self::Whole { .. } => Run::default(),
        }
    }

    /// Takes a message that came whole.
    ///
    /// # Errors
    ///
    /// stdout failed.
    #[inline]
    pub fn take_whole(
        &mut self,
        message: &WholeMessage<'_>,
        ways: Ways<'_>,
        shared: &mut Shared,
    ) -> io::Result<()> {
        shared.messages += 1;
        let opcode = data_opcode(message.header.opcode);
        match self {
            Self::Nobody => Ok(()),
            Self::Stream(_) => {
                // Once the connection is closing nobody waits for it.
                let _ = ways.endpoint.send_message(opcode, message.content, ways.tx);
                Ok(())
            }
            Self::Whole { .. } => answer(opcode, message.content, ways, shared),
        }
    }

    /// Takes an event of a message that comes in pieces.
    ///
    /// # Errors
    ///
    /// stdout failed.
    pub fn take(
        &mut self,
        event: &FrameEvent<'_>,
        ways: Ways<'_>,
        shared: &mut Shared,
    ) -> io::Result<()> {
        let ends = matches!(event, FrameEvent::Message(_));
        shared.messages += u64::from(ends);
        match self {
            Self::Nobody => {}
            Self::Stream(echo) => {
                echo.take(event, ways.endpoint, ways.tx);
                if ends {
                    echo.release();
                }
            }
            Self::Whole { opcode, content } => match event {
                FrameEvent::Data(bytes) => content.extend_from_slice(bytes),
                FrameEvent::Message(info) => {
                    *opcode = data_opcode(info.opcode);
                    answer(*opcode, content, ways, shared)?;
                    content.clear();
                    content.shrink_to(KEPT);
                }
                _ => {}
            },
        }
        Ok(())
    }
}

/// Hands a whole message to whoever wants it.
fn answer(opcode: Data, content: &[u8], ways: Ways<'_>, shared: &mut Shared) -> io::Result<()> {
    if let Some(ear) = &mut shared.ear {
        ear.push(ways.conn, content);
    }
    shared.delivery.take_message(content, &mut shared.runtime.stdout)?;
    // Once the connection is closing nobody waits for an answer.
    let _ = match &shared.config.answer {
        ListenBehaviour::Nothing => Ok(()),
        ListenBehaviour::Echo => ways.endpoint.send_message(opcode, content, ways.tx),
        ListenBehaviour::Broadcast => {
            shared.outbox.post(opcode, content);
            Ok(())
        }
        ListenBehaviour::Reply(text) => {
            let opcode = if shared.config.binary { Data::Binary } else { Data::Text };
            ways.endpoint.send_message(opcode, text.as_bytes(), ways.tx)
        }
        ListenBehaviour::Exec { raw, .. } => {
            if let Some(child) = ways.child {
                let stdin = child.stdin();
                stdin.extend_from_slice(content);
                stdin.extend((!raw).then_some(b'\n'));
            }
            Ok(())
        }
    };
    Ok(())
}

fn data_opcode(opcode: OpCode) -> Data {
    match opcode {
        OpCode::Data(opcode) => opcode,
        OpCode::Control(_) => Data::Binary,
    }
}
