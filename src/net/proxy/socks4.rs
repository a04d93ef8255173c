//! SOCKS4 and its extension SOCKS4a, with which the proxy looks up the name. Memos describe them,
//! not RFCs: "SOCKS: A protocol for TCP proxy across firewalls" and "SOCKS 4A: A Simple Extension
//! to SOCKS 4 Protocol", both by Ying-Da Lee.

use std::net::IpAddr;

use super::{Credentials, Destination, DialogueProgress, ProxyError};

/// The memo: "90: request granted".
const GRANTED: u8 = 90;

/// The length of the only answer: VN, CD, DSTPORT, DSTIP.
const REPLY: usize = 8;

/// One request, one answer.
pub(super) struct Socks4 {
    pub(super) output: Vec<u8>,
    /// The number of bytes taken from the proxy.
    pub(super) received: usize,
    failed: Option<ProxyError>,
}

impl Socks4 {
    pub(super) fn new(
        destination: &Destination,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProxyError> {
        let unspeakable = |what| ProxyError::Unspeakable { protocol: "SOCKS4", what };
        // VN, CD (CONNECT), DSTPORT, DSTIP, USERID, NUL.
        let mut output = vec![4, 1];
        output.extend(destination.port.to_be_bytes());
        let name = match destination.host.parse() {
            Ok(IpAddr::V4(address)) => {
                output.extend(address.octets());
                None
            }
            Ok(IpAddr::V6(_)) => return Err(unspeakable("an IPv6 address")),
            // "the client should set the first three bytes of DSTIP to NULL and the last byte to a
            // non-zero value" (SOCKS 4A).
            Err(_) => {
                output.extend([0, 0, 0, 1]);
                Some(destination.host.as_bytes())
            }
        };
        if let Some(Credentials { user, password }) = credentials {
            if !password.is_empty() {
                return Err(unspeakable("a password"));
            }
            output.extend(user);
        }
        output.push(0);
        if let Some(name) = name {
            output.extend(name);
            output.push(0);
        }
        let nuls = if name.is_some() { 2 } else { 1 };
        if output[8..].iter().filter(|byte| **byte == 0).count() != nuls {
            return Err(unspeakable("a NUL in a name"));
        }
        Ok(Self { output, received: 0, failed: None })
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<DialogueProgress, ProxyError> {
        let mut consumed = 0;
        for byte in bytes {
            if self.failed.is_some() || self.received == REPLY {
                break;
            }
            self.failed = match (self.received, *byte) {
                // The memo: "VN is the version of the reply code and should be 0".
                (0, 0) | (1, GRANTED) => None,
                (0, found) => Some(ProxyError::NotSocks {
                    version: 4,
                    what: "the version of the reply",
                    found,
                    expected: "0",
                }),
                (1, code) => Some(ProxyError::SocksRefused { version: 4, code }),
                _ => None,
            };
            consumed += 1;
            self.received += 1;
        }
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => Ok(DialogueProgress { consumed, open: self.received == REPLY }),
        }
    }
}
