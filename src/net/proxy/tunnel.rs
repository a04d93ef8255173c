//! Runs a dialogue with a proxy over a link until the tunnel is open.
//!
//! The link may use TLS to the proxy; the TLS handshake comes first. The caller waits for events.

use super::{Dialogue, ProxyError};
use crate::net::link::{Fill, SocketLink};
use crate::net::transport::TransportError;

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// The proxy refuses, or is not a proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The socket failed, or TLS with the proxy failed.
    #[error(transparent)]
    Link(#[from] TransportError),
}

/// Continues the dialogue as far as possible without waiting; `true` if the tunnel is open. Data
/// after the proxy's last message stays in the link.
pub fn advance(link: &mut SocketLink, dialogue: &mut Dialogue) -> Result<bool, TunnelError> {
    loop {
        let (input, tx) = link.split();
        let fed = dialogue.feed(input.rest())?;
        tx.append(&mut dialogue.take_output());
        let at = input.consumed() + fed.consumed;
        link.consumed(at);
        link.flush()?;
        if fed.open {
            return Ok(true);
        }
        match link.fill()? {
            Fill::Data => {}
            Fill::Blocked => return Ok(false),
            Fill::End { .. } => return Err(dialogue.ended().into()),
        }
    }
}
