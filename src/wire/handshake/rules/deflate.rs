//! The rules for negotiating permessage-deflate (RFC 7692 §5, §7). `deflate::params` parses and
//! matches the elements; this file assigns the errors to rules.

use super::facts::HandshakeFacts;
use super::finding::Finding::{self, Moot};
use super::response::switched;
use crate::wire::deflate::params::{ClientMaxWindowBits, DeflateFault};

const NOT_OFFERED: Finding = Moot("permessage-deflate was not offered");
const NOT_ACCEPTED: &str = "permessage-deflate was not accepted";

/// Known extensions that mark compressed messages or frames with RSV1.
const RSV1_USERS: [&str; 6] = [
    "permessage-deflate",
    "permessage-bzip2",
    "permessage-snappy",
    "deflate-frame",
    "x-webkit-deflate-frame",
    "perframe-deflate",
];

pub(super) fn offer_param(facts: &HandshakeFacts<'_>) -> Finding {
    no_offer_fault(facts, is_unknown)
}

pub(super) fn offer_value(facts: &HandshakeFacts<'_>) -> Finding {
    no_offer_fault(facts, is_bad_value)
}

pub(super) fn offer_once(facts: &HandshakeFacts<'_>) -> Finding {
    no_offer_fault(facts, is_repeated)
}

/// RFC 7692 §5: "It is RECOMMENDED that a server accepts PMCEs with higher preference if
/// the server supports them."
pub(super) fn fallback(facts: &HandshakeFacts<'_>) -> Finding {
    let _ = switched!(facts);
    let deflate = &facts.deflate;
    if deflate.offered.len() < 2 {
        return Moot("fewer than two permessage-deflate offers");
    }
    let Some(first) = deflate.offered.iter().position(Result::is_ok) else {
        return Moot("no acceptable offer");
    };
    match &deflate.fit {
        None => Finding::broken(format!("offer {} would have been acceptable", first + 1)),
        Some(fit) if fit.outcome.is_err() => Moot("the answer fits no offer"),
        Some(fit) => match fit.offer {
            Some(0) => Finding::kept("the first acceptable offer"),
            _ => Finding::broken(format!("offer {} was passed over", first + 1)),
        },
    }
}

pub(super) fn answer_param(facts: &HandshakeFacts<'_>) -> Finding {
    no_answer_fault(facts, is_unknown)
}

pub(super) fn answer_value(facts: &HandshakeFacts<'_>) -> Finding {
    no_answer_fault(facts, is_bad_value)
}

pub(super) fn answer_once(facts: &HandshakeFacts<'_>) -> Finding {
    match facts.deflate.answers.len() {
        0 | 1 => no_answer_fault(facts, is_repeated),
        count => Finding::broken(format!("permessage-deflate accepted {count} times")),
    }
}

/// RFC 7692 §7.1.1.1: the server confirms by including the parameter in its response.
pub(super) fn takeover_ack(facts: &HandshakeFacts<'_>) -> Finding {
    match facts.deflate.matched() {
        None => Moot(NOT_ACCEPTED),
        Some((offer, _)) if !offer.server_no_context_takeover => {
            Moot("server_no_context_takeover was not offered")
        }
        Some(_) => no_answer_fault(facts, |fault| {
            *fault == DeflateFault::ServerNoContextTakeoverNotConfirmed
        }),
    }
}

/// RFC 7692 §7.1.2.1: "with the same or smaller value as the offer".
pub(super) fn server_bits_le(facts: &HandshakeFacts<'_>) -> Finding {
    server_bits(facts, |fault| matches!(fault, DeflateFault::ServerBitsAboveOffer { .. }))
}

/// RFC 7692 §7.1.2.1: the server accepts by including the parameter in its response.
pub(super) fn server_bits_ack(facts: &HandshakeFacts<'_>) -> Finding {
    server_bits(facts, |fault| matches!(fault, DeflateFault::ServerBitsNotConfirmed { .. }))
}

/// RFC 7692 §7.1.2.2: without the parameter in the offer, the response "MUST NOT include
/// the "client_max_window_bits" extension parameter."
pub(super) fn client_bits_offered(facts: &HandshakeFacts<'_>) -> Finding {
    if client_bits(facts).is_none() {
        return Moot("client_max_window_bits is not in the response");
    }
    no_answer_fault(facts, |fault| matches!(fault, DeflateFault::ClientBitsNotOffered { .. }))
}

/// A value above the client's own hint has no effect; the client uses its hint.
pub(super) fn client_bits_le(facts: &HandshakeFacts<'_>) -> Finding {
    let hint = facts.deflate.matched().map(|(offer, _)| offer.client_max_window_bits);
    match (hint, client_bits(facts)) {
        (Some(ClientMaxWindowBits::Bits(hint)), Some(Some(bits))) => {
            Finding::decide(bits <= hint, format!("{bits} for the {hint} hinted"), || {
                format!("client_max_window_bits={bits} is more than the {hint} hinted")
            })
        }
        _ => Moot("no hint was answered"),
    }
}

/// RFC 7692 §5: accepted extensions must not conflict. Two extensions that use RSV1 conflict.
pub(super) fn rsv(facts: &HandshakeFacts<'_>) -> Finding {
    let _ = switched!(facts);
    let accepted = facts.accepted_extensions.as_deref().unwrap_or_default();
    if accepted.is_empty() {
        return Moot("no extension accepted");
    }
    let users: Vec<&str> = accepted
        .iter()
        .map(|extension| extension.name.as_str())
        .filter(|name| RSV1_USERS.contains(name))
        .collect();
    Finding::decide(users.len() < 2, "no conflict", || {
        format!("{} all use RSV1", users.join(" and "))
    })
}

fn is_unknown(fault: &DeflateFault) -> bool {
    matches!(fault, DeflateFault::UnknownParameter { .. })
}

fn is_repeated(fault: &DeflateFault) -> bool {
    matches!(fault, DeflateFault::RepeatedParameter { .. })
}

fn is_bad_value(fault: &DeflateFault) -> bool {
    matches!(
        fault,
        DeflateFault::FlagWithValue { .. }
            | DeflateFault::MissingValue { .. }
            | DeflateFault::LeadingZero { .. }
            | DeflateFault::BadWindowBits { .. }
    )
}

fn no_offer_fault(facts: &HandshakeFacts<'_>, concerns: fn(&DeflateFault) -> bool) -> Finding {
    let offered = &facts.deflate.offered;
    if offered.is_empty() {
        return NOT_OFFERED;
    }
    let mut faults = offered.iter().filter_map(|offer| offer.as_ref().err()).flatten();
    match faults.find(|fault| concerns(fault)) {
        None => Finding::kept("fine"),
        Some(fault) => Finding::broken(fault.to_string()),
    }
}

fn no_answer_fault(
    facts: &HandshakeFacts<'_>,
    concerns: impl Fn(&DeflateFault) -> bool,
) -> Finding {
    if facts.deflate.answers.is_empty() {
        return Moot(NOT_ACCEPTED);
    }
    let mut faults = facts.deflate.answer_faults().iter();
    match faults.find(|fault| concerns(fault)) {
        None => Finding::kept("fine"),
        Some(fault) => Finding::broken(fault.to_string()),
    }
}

fn server_bits(facts: &HandshakeFacts<'_>, concerns: impl Fn(&DeflateFault) -> bool) -> Finding {
    match facts.deflate.matched() {
        None => Moot(NOT_ACCEPTED),
        Some((offer, _)) if offer.server_max_window_bits.is_none() => {
            Moot("server_max_window_bits was not offered")
        }
        Some(_) => no_answer_fault(facts, concerns),
    }
}

/// The `client_max_window_bits` of the answer, and its value if that is a number.
fn client_bits(facts: &HandshakeFacts<'_>) -> Option<Option<u8>> {
    let answer = facts.deflate.answers.first()?;
    let mut params = answer.params.iter();
    let param = params.find(|param| param.name == "client_max_window_bits")?;
    Some(param.value.as_deref().and_then(|value| value.parse().ok()))
}
