//! The parameters of permessage-deflate (RFC 7692 §7): what a client offers, what a
//! server may answer, and what both then have agreed on. Text in, decisions out; the
//! compression itself is not known here. This file is the client's half, `server` the
//! other one.

use std::fmt;

use tungstenite::protocol::Role;

use crate::wire::handshake::grammar::Extension;
use element::{Half, ParamSet};

mod element;
mod fault;
mod server;

pub use fault::DeflateFault;
pub use server::{Negotiated, ServerDeflateConfig};

/// The extension's registered name (RFC 7692 §10.1). Compared case-sensitively, as
/// browsers do.
pub const NAME: &str = "permessage-deflate";

/// The largest window, 2^15 bytes: the default.
pub const MAX_WINDOW_BITS: u8 = 15;

/// The smallest window RFC 7692 can name, 2^8 bytes.
pub const MIN_WINDOW_BITS: u8 = 8;

/// The smallest window we can compress with. zlib turns 8 into 9 for raw deflate or
/// refuses it, so a stream for an 8-bit window cannot be made.
pub const MIN_COMPRESS_BITS: u8 = 9;

/// The `client_max_window_bits` of an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientMaxWindowBits {
    /// Not in the offer: the server may not limit the client's window.
    Absent,
    /// Without a value: the server may.
    #[default]
    Bare,
    /// With a value, 8–15: the server may, and the client will use no more than this.
    Bits(u8),
}

/// One element that a client offers (RFC 7692 §7.1). The default is what browsers send:
/// `permessage-deflate; client_max_window_bits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateOffer {
    /// Asks the server to compress each message on its own.
    pub server_no_context_takeover: bool,
    /// Hints that the client will compress each message on its own.
    pub client_no_context_takeover: bool,
    /// Limits the server's window, 8–15.
    pub server_max_window_bits: Option<u8>,
    /// Whether the server may limit the client's window.
    pub client_max_window_bits: ClientMaxWindowBits,
}

/// The parameters in force on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server starts each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts each message with an empty window.
    pub client_no_context_takeover: bool,
    /// The base-2 logarithm of the server's window, 8–15.
    pub server_max_window_bits: u8,
    /// The base-2 logarithm of the client's window, 8–15.
    pub client_max_window_bits: u8,
}

impl Default for DeflateParams {
    /// Both windows of 2^15 bytes, kept from message to message.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MAX_WINDOW_BITS,
            client_max_window_bits: MAX_WINDOW_BITS,
        }
    }
}

impl DeflateParams {
    /// The window that `role` compresses with, as a base-2 logarithm, 8–15.
    pub fn window_bits(&self, role: Role) -> u8 {
        match role {
            Role::Server => self.server_max_window_bits,
            Role::Client => self.client_max_window_bits,
        }
    }

    /// Whether `role` starts each of its messages with an empty window.
    pub fn no_context_takeover(&self, role: Role) -> bool {
        match role {
            Role::Server => self.server_no_context_takeover,
            Role::Client => self.client_no_context_takeover,
        }
    }
}

impl DeflateOffer {
    /// Reads one offered element, as a server does.
    ///
    /// # Errors
    ///
    /// All faults of the element; RFC 7692 §7 then has the server decline it.
    pub fn parse(element: &Extension) -> Result<Self, Vec<DeflateFault>> {
        let (set, faults) = ParamSet::read(element, Half::Offer);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            server_no_context_takeover: set.server_no_context_takeover,
            client_no_context_takeover: set.client_no_context_takeover,
            server_max_window_bits: set.server_max_window_bits,
            client_max_window_bits: set.client_max_window_bits,
        })
    }

    /// The element to send.
    pub fn to_extension(self) -> Extension {
        ParamSet {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: self.client_max_window_bits,
        }
        .to_extension()
    }

    /// Judges a server's answer to this offer, as a client does.
    ///
    /// # Errors
    ///
    /// All faults of the answer; RFC 7692 §7.1 then has the client fail the connection.
    pub fn check_response(&self, element: &Extension) -> Result<DeflateParams, Vec<DeflateFault>> {
        let (set, mut faults) = ParamSet::read(element, Half::Response);
        // RFC 7692 §7.1.1.1: "A server accepts an extension negotiation offer that
        // includes the "server_no_context_takeover" extension parameter by including
        // the "server_no_context_takeover" extension parameter in the corresponding
        // extension negotiation response".
        if self.server_no_context_takeover && !set.server_no_context_takeover {
            faults.push(DeflateFault::ServerNoContextTakeoverNotConfirmed);
        }
        // §7.1.2.1: "A server accepts an extension negotiation offer with this
        // parameter by including the "server_max_window_bits" extension parameter in
        // the extension negotiation response […] with the same or smaller value as the
        // offer."
        match (self.server_max_window_bits, set.server_max_window_bits) {
            (Some(offered), None) if !element.has(element::SERVER_MAX_WINDOW_BITS) => {
                faults.push(DeflateFault::ServerBitsNotConfirmed { offered });
            }
            (Some(offered), Some(got)) if got > offered => {
                faults.push(DeflateFault::ServerBitsAboveOffer { offered, got });
            }
            _ => {}
        }
        // §7.1.2.2: "If a received extension negotiation offer doesn't have the
        // "client_max_window_bits" extension parameter, the corresponding extension
        // negotiation response to the offer MUST NOT include the
        // "client_max_window_bits" extension parameter."
        let client_max_window_bits = match (self.client_max_window_bits, set.client_max_window_bits)
        {
            (ClientMaxWindowBits::Absent, ClientMaxWindowBits::Bits(bits)) => {
                faults.push(DeflateFault::ClientBitsNotOffered { bits });
                bits
            }
            // The client promised not to use more than its own hint, whatever the
            // server answers.
            (ClientMaxWindowBits::Bits(hint), ClientMaxWindowBits::Bits(bits)) => bits.min(hint),
            (_, ClientMaxWindowBits::Bits(bits)) => bits,
            (ClientMaxWindowBits::Bits(hint), _) => hint,
            _ => MAX_WINDOW_BITS,
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(DeflateParams {
            server_no_context_takeover: set.server_no_context_takeover,
            client_no_context_takeover: set.client_no_context_takeover
                || self.client_no_context_takeover,
            server_max_window_bits: set.server_max_window_bits.unwrap_or(MAX_WINDOW_BITS),
            client_max_window_bits,
        })
    }
}

impl fmt::Display for DeflateOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_extension().fmt(f)
    }
}

/// A server's answer measured against several offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The index of the offer it fits best; `None` if there were no offers.
    pub offer: Option<usize>,
    /// The parameters in force, or all that is wrong with the answer to that offer.
    pub outcome: Result<DeflateParams, Vec<DeflateFault>>,
}

impl Fit {
    /// Judges a server's answer when any number of elements were offered.
    ///
    /// An answer does not show which element it accepts, so it is measured against
    /// the one it fits best; without offers, against one that grants nothing.
    pub fn best(offers: &[DeflateOffer], element: &Extension) -> Self {
        let faults = |fit: &Self| fit.outcome.as_ref().err().map_or(0, Vec::len);
        offers
            .iter()
            .enumerate()
            .map(|(index, offer)| Self {
                offer: Some(index),
                outcome: offer.check_response(element),
            })
            .min_by_key(faults)
            .unwrap_or_else(|| Self {
                offer: None,
                outcome: DeflateOffer {
                    client_max_window_bits: ClientMaxWindowBits::Absent,
                    ..DeflateOffer::default()
                }
                .check_response(element),
            })
    }
}
