//! The parameters of permessage-deflate (RFC 7692 §7): what a client offers, what a server may
//! answer, and the resulting agreement. It reads text and returns decisions; it does not compress.
//! This file has the client's half, `server` the server's half.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tungstenite::protocol::Role;

use crate::wire::handshake::grammar::{Extension, ExtensionParam};

/// The extension's registered name (RFC 7692 §10.1). Compared case-sensitively, as
/// browsers do.
pub const NAME: &str = "permessage-deflate";

/// The largest window, 2^15 bytes: the default.
pub const MAX_WINDOW_BITS: u8 = 15;

/// The smallest window RFC 7692 can name, 2^8 bytes.
pub const MIN_WINDOW_BITS: u8 = 8;

/// The smallest window with which wscope can compress. For raw DEFLATE, zlib changes 8 to 9 or
/// refuses it, so no stream for an 8-bit window is possible.
pub const MIN_COMPRESS_BITS: u8 = 9;

/// The `client_max_window_bits` of an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientMaxWindowBits {
    /// Not in the offer: the server may not limit the client's window.
    Absent,
    /// Without a value: the server may limit the client's window.
    #[default]
    Bare,
    /// With a value, 8–15: the server may limit the window, and the client will use no more than
    /// this value.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Parses one offered element, as a server does.
    ///
    /// # Errors
    ///
    /// All faults of the element; a server must decline such an element (RFC 7692 §7).
    pub fn parse(element: &Extension) -> Result<Self, Vec<DeflateFault>> {
        let (set, faults) = ParamSet::read(element, NegotiationHalf::Offer);
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
    /// All faults of the answer; the client must then fail the connection (RFC 7692 §7.1).
    pub fn check_response(&self, element: &Extension) -> Result<DeflateParams, Vec<DeflateFault>> {
        let (set, mut faults) = ParamSet::read(element, NegotiationHalf::Response);
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
            (Some(offered), None) if !element.has(SERVER_MAX_WINDOW_BITS) => {
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
            // The client promised not to exceed its own hint, whatever the server answers.
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

/// A server's answer, compared with several offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The index of the offer it fits best; `None` if there were no offers.
    pub offer: Option<usize>,
    /// The parameters in force, or all faults of the answer to that offer.
    pub outcome: Result<DeflateParams, Vec<DeflateFault>>,
}

impl Fit {
    /// Judges a server's answer when any number of elements were offered.
    ///
    /// An answer does not show which element it accepts. So it is compared with the element that
    /// fits best, or, without offers, with one that grants nothing.
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

/// Why an element is not acceptable. [`DeflateFault::code`] gives the diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeflateFault {
    /// A parameter RFC 7692 §7 does not define.
    #[error("unknown permessage-deflate parameter {name:?}")]
    UnknownParameter {
        /// The parameter as sent.
        name: String,
    },
    /// The element has a parameter twice.
    #[error("permessage-deflate parameter {name} is repeated")]
    RepeatedParameter {
        /// The parameter.
        name: String,
    },
    /// A `…_no_context_takeover` with a value.
    #[error("{name} takes no value, but has {value:?}")]
    FlagWithValue {
        /// The parameter.
        name: String,
        /// The value it has.
        value: String,
    },
    /// A `…_max_window_bits` without its required value.
    #[error("{name} needs a value from 8 to 15")]
    MissingValue {
        /// The parameter.
        name: String,
    },
    /// A window size that begins with 0.
    #[error("{name}={value} has a leading zero")]
    LeadingZero {
        /// The parameter.
        name: String,
        /// The value as sent.
        value: String,
    },
    /// A window size that is not a decimal integer from 8 to 15.
    #[error("{name}={value} is not a number from 8 to 15")]
    BadWindowBits {
        /// The parameter.
        name: String,
        /// The value as sent.
        value: String,
    },
    /// The response limits the client's window, but the client did not offer that.
    #[error("client_max_window_bits={bits} in the response was not offered")]
    ClientBitsNotOffered {
        /// The value in the response.
        bits: u8,
    },
    /// The response lacks the flag of the offer.
    #[error("server_no_context_takeover was offered and is not confirmed")]
    ServerNoContextTakeoverNotConfirmed,
    /// The response lacks the limit of the offer.
    #[error("server_max_window_bits={offered} was offered and is not confirmed")]
    ServerBitsNotConfirmed {
        /// The limit offered.
        offered: u8,
    },
    /// The response gives the server a larger window than offered.
    #[error("server_max_window_bits={got} is more than the {offered} offered")]
    ServerBitsAboveOffer {
        /// The limit offered.
        offered: u8,
        /// The value in the response.
        got: u8,
    },
}

impl DeflateFault {
    /// The code of the diagnostic that explains the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownParameter { .. } => "W422",
            Self::RepeatedParameter { .. } => "W423",
            Self::FlagWithValue { .. }
            | Self::MissingValue { .. }
            | Self::LeadingZero { .. }
            | Self::BadWindowBits { .. } => "W424",
            Self::ClientBitsNotOffered { .. } => "W425",
            Self::ServerNoContextTakeoverNotConfirmed => "W426",
            Self::ServerBitsNotConfirmed { .. } | Self::ServerBitsAboveOffer { .. } => "W427",
        }
    }
}

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The half of the negotiation that an element belongs to. The halves differ in one value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NegotiationHalf {
    Offer,
    Response,
}

/// The four parameters of one element.
struct ParamSet {
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    pub server_max_window_bits: Option<u8>,
    pub client_max_window_bits: ClientMaxWindowBits,
}

impl ParamSet {
    pub fn read(element: &Extension, half: NegotiationHalf) -> (Self, Vec<DeflateFault>) {
        let mut set = Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: ClientMaxWindowBits::Absent,
        };
        let mut faults = Vec::new();
        for (index, param) in element.params.iter().enumerate() {
            if element.params[..index].iter().any(|earlier| earlier.name == param.name) {
                faults.push(DeflateFault::RepeatedParameter { name: param.name.clone() });
            }
            if let Err(fault) = set.read_param(param, half) {
                faults.push(fault);
            }
        }
        (set, faults)
    }

    fn read_param(
        &mut self,
        param: &ExtensionParam,
        half: NegotiationHalf,
    ) -> Result<(), DeflateFault> {
        match param.name.as_str() {
            SERVER_NO_CONTEXT_TAKEOVER => {
                // A flag with a value still has the same meaning. So it counts as present, and is
                // not also reported as missing.
                self.server_no_context_takeover = true;
                flag(param)
            }
            CLIENT_NO_CONTEXT_TAKEOVER => {
                self.client_no_context_takeover = true;
                flag(param)
            }
            SERVER_MAX_WINDOW_BITS => {
                self.server_max_window_bits = Some(window_bits(param)?);
                Ok(())
            }
            CLIENT_MAX_WINDOW_BITS => {
                // RFC 7692 §7.1.2.2: only an offer may leave the value out.
                self.client_max_window_bits = match (&param.value, half) {
                    (None, NegotiationHalf::Offer) => ClientMaxWindowBits::Bare,
                    _ => ClientMaxWindowBits::Bits(window_bits(param)?),
                };
                Ok(())
            }
            _ => Err(DeflateFault::UnknownParameter { name: param.name.clone() }),
        }
    }

    pub fn to_extension(&self) -> Extension {
        let mut params = Vec::new();
        if self.server_no_context_takeover {
            params.push(ExtensionParam::new(SERVER_NO_CONTEXT_TAKEOVER, None));
        }
        if self.client_no_context_takeover {
            params.push(ExtensionParam::new(CLIENT_NO_CONTEXT_TAKEOVER, None));
        }
        if let Some(bits) = self.server_max_window_bits {
            let value = Some(bits.to_string());
            params.push(ExtensionParam::new(SERVER_MAX_WINDOW_BITS, value));
        }
        match self.client_max_window_bits {
            ClientMaxWindowBits::Absent => {}
            ClientMaxWindowBits::Bare => {
                params.push(ExtensionParam::new(CLIENT_MAX_WINDOW_BITS, None));
            }
            ClientMaxWindowBits::Bits(bits) => {
                let value = Some(bits.to_string());
                params.push(ExtensionParam::new(CLIENT_MAX_WINDOW_BITS, value));
            }
        }
        Extension { name: NAME.to_owned(), params }
    }
}

fn flag(param: &ExtensionParam) -> Result<(), DeflateFault> {
    match &param.value {
        None => Ok(()),
        Some(value) => {
            Err(DeflateFault::FlagWithValue { name: param.name.clone(), value: value.clone() })
        }
    }
}

/// RFC 7692 §7.1.2.1: the value is "a decimal integer value without leading zeroes
/// between 8 to 15, inclusive".
fn window_bits(param: &ExtensionParam) -> Result<u8, DeflateFault> {
    let name = param.name.clone();
    let Some(value) = &param.value else {
        return Err(DeflateFault::MissingValue { name });
    };
    let value = value.clone();
    if value.starts_with('0') && value.len() > 1 {
        return Err(DeflateFault::LeadingZero { name, value });
    }
    // `parse` would accept a leading `+`.
    match value.parse::<u8>() {
        Ok(bits @ MIN_WINDOW_BITS..=MAX_WINDOW_BITS) if !value.starts_with('+') => Ok(bits),
        _ => Err(DeflateFault::BadWindowBits { name, value }),
    }
}

/// A server's compression settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerDeflateConfig {
    /// Compress each of our messages independently, even if the client does not ask for it.
    pub server_no_context_takeover: bool,
    /// Ask the client to compress each of its messages independently.
    pub client_no_context_takeover: bool,
    /// Our largest window, 9–15; other values are changed to the nearest one in that range.
    pub server_max_window_bits: u8,
    /// The largest window of the client, 9–15. This is only a wish: a client that does not offer
    /// `client_max_window_bits` keeps 15.
    pub client_max_window_bits: u8,
}

impl Default for ServerDeflateConfig {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MAX_WINDOW_BITS,
            client_max_window_bits: MAX_WINDOW_BITS,
        }
    }
}

/// The server's answer to the offers of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Which of the given elements was accepted.
    pub index: usize,
    /// The parameters in force.
    pub params: DeflateParams,
    /// The element to answer with.
    pub response: Extension,
}

impl ServerDeflateConfig {
    /// Chooses the first acceptable element. Skips elements of other extensions, faulty elements,
    /// and elements that require this side to compress with a window of 8.
    ///
    /// RFC 7692 §5: "An element preceding another element has higher preference. It is
    /// RECOMMENDED that a server accepts PMCEs with higher preference if the server
    /// supports them."
    pub fn negotiate(&self, offered: &[Extension]) -> Option<Negotiated> {
        offered.iter().enumerate().filter(|(_, element)| element.name == NAME).find_map(
            |(index, element)| {
                let offer = DeflateOffer::parse(element).ok()?;
                let (params, response) = self.accept(&offer)?;
                Some(Negotiated { index, params, response })
            },
        )
    }

    fn accept(&self, offer: &DeflateOffer) -> Option<(DeflateParams, Extension)> {
        let limit = |bits: u8| bits.clamp(MIN_COMPRESS_BITS, MAX_WINDOW_BITS);
        let ours = limit(self.server_max_window_bits);
        let theirs = limit(self.client_max_window_bits);

        let server_bits = offer.server_max_window_bits.map_or(ours, |bits| bits.min(ours));
        if server_bits < MIN_COMPRESS_BITS {
            return None;
        }
        let hint = match offer.client_max_window_bits {
            ClientMaxWindowBits::Absent => None,
            ClientMaxWindowBits::Bare => Some(MAX_WINDOW_BITS),
            ClientMaxWindowBits::Bits(bits) => Some(bits),
        };
        let client_bits = hint.map_or(MAX_WINDOW_BITS, |hint| hint.min(theirs));
        let params = DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover
                || offer.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || offer.client_no_context_takeover,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        };
        // The answer contains only values that differ from the default, and values that must be
        // confirmed.
        let response = ParamSet {
            server_no_context_takeover: params.server_no_context_takeover,
            client_no_context_takeover: params.client_no_context_takeover,
            server_max_window_bits: (offer.server_max_window_bits.is_some()
                || server_bits < MAX_WINDOW_BITS)
                .then_some(server_bits),
            client_max_window_bits: if client_bits < MAX_WINDOW_BITS {
                ClientMaxWindowBits::Bits(client_bits)
            } else {
                ClientMaxWindowBits::Absent
            },
        };
        Some((params, response.to_extension()))
    }
}
