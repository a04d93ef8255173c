//! The four parameters as text: one element of the extension list read and written.

use super::{ClientMaxWindowBits, DeflateFault, MAX_WINDOW_BITS, MIN_WINDOW_BITS, NAME};
use crate::wire::handshake::grammar::{Extension, ExtensionParam};

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
pub(super) const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// Which half of the negotiation an element belongs to; they differ in one value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Offer,
    Response,
}

/// The four parameters as they stand in one element.
pub(super) struct ParamSet {
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    pub server_max_window_bits: Option<u8>,
    pub client_max_window_bits: ClientMaxWindowBits,
}

impl ParamSet {
    pub fn read(element: &Extension, half: Half) -> (Self, Vec<DeflateFault>) {
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

    fn read_param(&mut self, param: &ExtensionParam, half: Half) -> Result<(), DeflateFault> {
        match param.name.as_str() {
            SERVER_NO_CONTEXT_TAKEOVER => {
                // A flag with a value still asks for the same, so it counts as present
                // and is not reported as missing on top.
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
                    (None, Half::Offer) => ClientMaxWindowBits::Bare,
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
    // `parse` would take a leading `+`.
    match value.parse::<u8>() {
        Ok(bits @ MIN_WINDOW_BITS..=MAX_WINDOW_BITS) if !value.starts_with('+') => Ok(bits),
        _ => Err(DeflateFault::BadWindowBits { name, value }),
    }
}
