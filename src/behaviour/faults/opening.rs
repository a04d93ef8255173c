//! Faults in the answer to a request.

use std::borrow::Cow;
use std::io;
use std::time::{Duration, Instant};

use crate::behaviour::faults::FaultInjector;
use crate::modes::listen::client::{Client, Stage};
use crate::modes::listen::opening::tell_response;
use crate::modes::listen::shared::Shared;
use crate::wire::fault::{
    AnswerFault, Conduct, Fault, FaultKind, Value, endless_head, garbage, spoil,
};
use crate::wire::handshake::server::{Accepted, Refusal, ServerConfig};
use crate::wire::head::Head;

/// Longer answers are told by their fault alone.
const TOLD: usize = 16 * 1024;

/// A client that is answered nothing may stay so long.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What is sent instead of a 101.
pub struct Instead {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What it is, in a sentence.
    pub why: String,
    /// What follows.
    pub then: Then,
}

/// What follows on what was sent instead of a 101.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The end of the stream.
    End,
    /// A reset.
    Reset,
    /// Nothing, until the client goes.
    Nothing,
}

impl FaultInjector {
    /// The server's choices, as far as the faults leave them to it.
    pub fn config<'c>(&self, config: &'c ServerConfig) -> Cow<'c, ServerConfig> {
        match self.waiting.iter().any(Fault::declines_deflate) {
            true => Cow::Owned(ServerConfig { deflate: None, ..config.clone() }),
            false => Cow::Borrowed(config),
        }
    }

    /// Spoils a 101, and gives what is to be told; or what is sent in its place.
    ///
    /// # Errors
    ///
    /// The connection is not to be opened.
    pub fn answer(&self, request: &Head, accepted: &mut Accepted) -> Result<Vec<String>, Instead> {
        let mut told = Vec::new();
        for fault in &self.waiting {
            match fault.info.kind {
                FaultKind::Head(_) => {
                    accepted.response = spoil(fault, request, &accepted.response);
                    told.push(fault.to_string());
                }
                FaultKind::Pace(_) => told.push(fault.to_string()),
                _ => {}
            }
        }
        let instead = self.waiting.iter().find_map(|fault| instead(fault, &accepted.response));
        instead.map_or(Ok(told), Err)
    }
}

impl Client {
    /// Answers wrongly, on purpose, and does not open the connection.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn refuse_on_purpose(
        &mut self,
        instead: &Instead,
        shared: &mut Shared,
        now: Instant,
    ) -> io::Result<()> {
        let Instead { bytes, why, then } = instead;
        if shared.looks() && bytes.starts_with(b"HTTP/") && bytes.len() <= TOLD {
            tell_response(self.id, bytes, shared)?;
        }
        if *then == Then::End {
            return self.refuse(Some(bytes), why, shared, now);
        }
        self.refuse(None, why, shared, now)?;
        self.link.tx.extend_from_slice(bytes);
        // Whatever comes of it, the client is told no more.
        let sent = self.link.flush();
        match then {
            Then::Nothing if sent.is_ok() => self.stage = Stage::Leaving { until: now + PATIENCE },
            _ => self.link.abort(),
        }
        Ok(())
    }
}

fn instead(fault: &Fault, response: &[u8]) -> Option<Instead> {
    let (bytes, then) = match fault.info.kind {
        FaultKind::Answer(kind) => match kind {
            AnswerFault::Status => {
                let status = u16::try_from(fault.number()).unwrap_or(503);
                (Refusal::new(status, &[], fault.to_string()).response, Then::End)
            }
            AnswerFault::Garbage => (garbage().to_vec(), Then::End),
            AnswerFault::EndlessHead => {
                let size = usize::try_from(fault.number()).unwrap_or(usize::MAX);
                (endless_head(response, size), Then::Nothing)
            }
            AnswerFault::Nothing => (Vec::new(), Then::Nothing),
            AnswerFault::HalfHead => (response[..response.len() / 2].to_vec(), Then::Nothing),
        },
        // A cut inside of the 101.
        FaultKind::Conduct(conduct @ (Conduct::Rst | Conduct::Fin)) => match fault.value {
            Value::Number(at) if at < response.len() as u64 => {
                let then = if conduct == Conduct::Rst { Then::Reset } else { Then::End };
                (response[..at as usize].to_vec(), then)
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(Instead { bytes, why: fault.to_string(), then })
}
