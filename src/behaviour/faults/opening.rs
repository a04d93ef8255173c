//! Faults in the answer to a request.

use std::borrow::Cow;

use crate::behaviour::faults::FaultInjector;
use crate::engine::opening::server::{Then, Wrong};
use crate::wire::fault::{
    AnswerFault, BehaviourFault, Fault, FaultKind, FaultValue, endless_head, garbage, with_fault,
};
use crate::wire::handshake::server::{Accepted, Refusal, ServerConfig};
use crate::wire::head::Head;

impl FaultInjector {
    /// The server's configuration, changed by the faults.
    pub fn config<'c>(&self, config: &'c ServerConfig) -> Cow<'c, ServerConfig> {
        match self.waiting.iter().any(Fault::declines_deflate) {
            true => Cow::Owned(ServerConfig { deflate: None, ..config.clone() }),
            false => Cow::Borrowed(config),
        }
    }

    /// Puts the faults into a 101, and returns the lines to report; or returns the data to send
    /// instead of a 101.
    ///
    /// # Errors
    ///
    /// The connection must not open.
    pub fn answer(&self, request: &Head, accepted: &mut Accepted) -> Result<Vec<String>, Wrong> {
        let mut reports = Vec::new();
        for fault in &self.waiting {
            match fault.info.kind {
                FaultKind::Head(_) => {
                    accepted.response = with_fault(fault, request, &accepted.response);
                    reports.push(fault.to_string());
                }
                FaultKind::Pace(_) => reports.push(fault.to_string()),
                _ => {}
            }
        }
        let instead = self.waiting.iter().find_map(|fault| instead(fault, &accepted.response));
        instead.map_or(Ok(reports), Err)
    }
}

fn instead(fault: &Fault, response: &[u8]) -> Option<Wrong> {
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
        // A cut inside the 101.
        FaultKind::Behaviour(behaviour @ (BehaviourFault::Rst | BehaviourFault::Fin)) => {
            match fault.value {
                FaultValue::Number(at) if at < response.len() as u64 => {
                    let then =
                        if behaviour == BehaviourFault::Rst { Then::Reset } else { Then::End };
                    (response[..at as usize].to_vec(), then)
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Wrong { bytes, why: fault.to_string(), then })
}
