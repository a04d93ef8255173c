//! Everything that can be wrong with a permessage-deflate element.

use thiserror::Error;

/// Why an element is not acceptable. [`DeflateFault::code`] gives the diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeflateFault {
    /// A parameter RFC 7692 §7 does not define.
    #[error("unknown permessage-deflate parameter {name:?}")]
    UnknownParameter {
        /// The parameter as sent.
        name: String,
    },
    /// A parameter stands in the element twice.
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
    /// A `…_max_window_bits` that needs a value and has none.
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
    /// A window size that is no decimal integer from 8 to 15.
    #[error("{name}={value} is not a number from 8 to 15")]
    BadWindowBits {
        /// The parameter.
        name: String,
        /// The value as sent.
        value: String,
    },
    /// The response limits the client, which did not offer that.
    #[error("client_max_window_bits={bits} in the response was not offered")]
    ClientBitsNotOffered {
        /// The value in the response.
        bits: u8,
    },
    /// The response lacks the flag the offer asked for.
    #[error("server_no_context_takeover was offered and is not confirmed")]
    ServerNoContextTakeoverNotConfirmed,
    /// The response lacks the limit the offer asked for.
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
    /// The code of the diagnostic that explains it.
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
