//! Close codes, RFC 6455 §7.4 and the IANA registry: names, meanings, who may send them; and the
//! body of a Close frame.
//!
//! Codes are plain `u16` here, because a debugger must keep codes that tungstenite's [`CloseCode`]
//! would rewrite; [`CloseCode`] names the well-known ones elsewhere.
//!
//! [`CloseCode`]: super::CloseCode

use super::ViolationKind;

/// The longest reason: a control frame holds 125 bytes (§5.5) and the code takes two.
pub const MAX_REASON_LEN: usize = 123;

/// Who may put a code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSender {
    /// Either endpoint.
    Both,
    /// Clients only.
    Client,
    /// Servers and gateways only.
    Server,
    /// Nobody: "MUST NOT be set as a status code in a Close control frame" (§7.4.1).
    Nobody,
}

/// One code, or a range of them, as registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCodeInfo {
    /// First code of the range.
    pub first: u16,
    /// Last code of the range, often the same.
    pub last: u16,
    /// Short name, lower case, as in `going away`.
    pub name: &'static str,
    /// Its meaning in one sentence.
    pub meaning: &'static str,
    /// Who may send it.
    pub sender: CodeSender,
}

/// Every value a code can have, in ascending order, without gaps.
pub const REGISTRY: &[CloseCodeInfo] = &[
    row(
        0,
        999,
        "never used",
        "Codes below 1000 are not used (RFC 6455 §7.4.2).",
        CodeSender::Nobody,
    ),
    row(
        1000,
        1000,
        "normal closure",
        "The purpose of the connection has been fulfilled.",
        CodeSender::Both,
    ),
    row(
        1001,
        1001,
        "going away",
        "A server is going down, or a browser has left the page.",
        CodeSender::Both,
    ),
    row(1002, 1002, "protocol error", "The other side broke the protocol.", CodeSender::Both),
    row(
        1003,
        1003,
        "unsupported data",
        "The other side sent a type of data this one can't accept.",
        CodeSender::Both,
    ),
    row(
        1004,
        1004,
        "reserved",
        "Reserved; a meaning might be defined in the future.",
        CodeSender::Nobody,
    ),
    row(
        1005,
        1005,
        "no status received",
        "A local label for a Close frame without a code; never sent.",
        CodeSender::Nobody,
    ),
    row(
        1006,
        1006,
        "abnormal closure",
        "A local label for a connection that ended without a Close frame; never sent.",
        CodeSender::Nobody,
    ),
    row(
        1007,
        1007,
        "invalid payload data",
        "The data in a message did not match its type, such as text that is not UTF-8.",
        CodeSender::Both,
    ),
    row(
        1008,
        1008,
        "policy violation",
        "A message broke a policy of the side that closes.",
        CodeSender::Both,
    ),
    row(
        1009,
        1009,
        "message too big",
        "A message is too big for the side that closes.",
        CodeSender::Both,
    ),
    row(
        1010,
        1010,
        "mandatory extension",
        "The client needed an extension that the server did not agree to.",
        CodeSender::Client,
    ),
    row(
        1011,
        1011,
        "internal error",
        "The server met a condition that kept it from fulfilling the request.",
        CodeSender::Both,
    ),
    row(
        1012,
        1012,
        "service restart",
        "The service is restarting; reconnect after a random delay.",
        CodeSender::Both,
    ),
    row(
        1013,
        1013,
        "try again later",
        "The service is overloaded; reconnect later or elsewhere.",
        CodeSender::Both,
    ),
    row(
        1014,
        1014,
        "bad gateway",
        "A gateway got an invalid response from its upstream server.",
        CodeSender::Server,
    ),
    row(
        1015,
        1015,
        "TLS handshake",
        "A local label for a failed TLS handshake; never sent.",
        CodeSender::Nobody,
    ),
    row(
        1016,
        2999,
        "unassigned",
        "Reserved for the protocol, its extensions and future versions.",
        CodeSender::Nobody,
    ),
    row(3000, 3000, "unauthorized", "The endpoint must be authorized first.", CodeSender::Both),
    row(
        3001,
        3002,
        "registered use",
        "Reserved for libraries, frameworks and applications, registered with IANA.",
        CodeSender::Both,
    ),
    row(3003, 3003, "forbidden", "The endpoint is authorized but not permitted.", CodeSender::Both),
    row(
        3004,
        3007,
        "registered use",
        "Reserved for libraries, frameworks and applications, registered with IANA.",
        CodeSender::Both,
    ),
    row(3008, 3008, "timeout", "The endpoint took too long to respond.", CodeSender::Both),
    row(
        3009,
        3999,
        "registered use",
        "Reserved for libraries, frameworks and applications, registered with IANA.",
        CodeSender::Both,
    ),
    row(4000, 4999, "private use", "The meaning is defined by this application.", CodeSender::Both),
    row(
        5000,
        65535,
        "out of range",
        "Codes from 5000 up are outside the registry.",
        CodeSender::Nobody,
    ),
];

const fn row(
    first: u16,
    last: u16,
    name: &'static str,
    meaning: &'static str,
    sender: CodeSender,
) -> CloseCodeInfo {
    CloseCodeInfo { first, last, name, meaning, sender }
}

/// The registry's entry for `code`.
pub fn lookup(code: u16) -> &'static CloseCodeInfo {
    let at = REGISTRY.partition_point(|info| info.last < code);
    &REGISTRY[at]
}

/// Whether `code` may stand in a Close frame. Does not check who sends it, because Autobahn and all
/// implementations accept 1010 from servers and 1014 from clients.
pub fn may_be_sent(code: u16) -> bool {
    lookup(code).sender != CodeSender::Nobody
}

/// Whether the code means a regular end: no code, 1000 or 1001.
pub fn is_regular(code: Option<u16>) -> bool {
    matches!(code, None | Some(1000 | 1001))
}

/// The body of a Close frame, read without judging the code (§5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseBody {
    /// The code, if the body had the two bytes for it.
    pub code: Option<u16>,
    /// The bytes after the code, UTF-8 or not.
    pub reason: Vec<u8>,
}

/// How the body of a Close frame breaks the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseBodyFault {
    /// One byte, where the code needs two.
    OneByte,
    /// A code that may not be sent.
    Code(u16),
    /// The reason is not UTF-8.
    Reason(super::utf8::Utf8Error),
}

impl CloseBodyFault {
    /// The broken rule, and what was seen.
    pub fn breach(self) -> (ViolationKind, String) {
        match self {
            Self::OneByte => (ViolationKind::CloseBodyOfOneByte, String::new()),
            Self::Code(code) => {
                (ViolationKind::IllegalCloseCode, format!("{code} {}", lookup(code).name))
            }
            Self::Reason(error) => (ViolationKind::CloseReasonNotUtf8, error.to_string()),
        }
    }
}

impl CloseBody {
    /// Reads a Close frame's payload; a single byte counts as no code and one byte of reason.
    pub fn parse(payload: &[u8]) -> Self {
        match payload.split_first_chunk::<2>() {
            Some((code, reason)) => {
                Self { code: Some(u16::from_be_bytes(*code)), reason: reason.to_vec() }
            }
            None => Self { code: None, reason: payload.to_vec() },
        }
    }

    /// The first fault against §5.5.1 and §7.4, in the order of the bytes.
    pub fn fault(&self) -> Option<CloseBodyFault> {
        self.faults().next()
    }

    /// All faults against §5.5.1 and §7.4, in the order of the bytes.
    pub fn faults(&self) -> impl Iterator<Item = CloseBodyFault> {
        let code = match self.code {
            None => (!self.reason.is_empty()).then_some(CloseBodyFault::OneByte),
            Some(code) => (!may_be_sent(code)).then_some(CloseBodyFault::Code(code)),
        };
        let mut utf8 = super::utf8::Utf8Validator::default();
        // A single byte is not a reason.
        let reason = self.code.map_or(&[][..], |_| &self.reason);
        let error = utf8.push(reason).and_then(|()| utf8.finish()).err();
        code.into_iter().chain(error.map(CloseBodyFault::Reason))
    }

    /// The payload with this code and reason.
    pub fn to_payload(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(2 + self.reason.len());
        payload.extend(self.code.iter().flat_map(|code| code.to_be_bytes()));
        payload.extend_from_slice(&self.reason);
        payload
    }
}

/// Cuts a reason to the 123 bytes a Close frame can hold, at a character's boundary.
pub fn fit_reason(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON_LEN)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_covers_every_code_once() {
        assert_eq!(REGISTRY[0].first, 0);
        for pair in REGISTRY.windows(2) {
            assert_eq!(u32::from(pair[0].last) + 1, u32::from(pair[1].first));
        }
        assert_eq!(REGISTRY[REGISTRY.len() - 1].last, u16::MAX);
        for code in 0..=u16::MAX {
            let info = lookup(code);
            assert!((info.first..=info.last).contains(&code));
        }
    }

    #[test]
    fn labels_and_unassigned_codes_are_never_sent() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert!(!may_be_sent(code), "{code}");
        }
        for code in [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
            4000, 4999,
        ] {
            assert!(may_be_sent(code), "{code}");
        }
    }

    #[test]
    fn agrees_with_tungstenite_on_what_is_allowed_but_for_1014() {
        for code in (0..=u16::MAX).filter(|code| *code != 1014 && *code != 1004 && *code != 0) {
            assert_eq!(
                may_be_sent(code),
                crate::wire::CloseCode::from(code).is_allowed(),
                "{code}"
            );
        }
    }

    #[test]
    fn reads_bodies_of_every_length() {
        assert_eq!(CloseBody::parse(b""), CloseBody::default());
        assert_eq!(CloseBody::parse(b"\x03").fault(), Some(CloseBodyFault::OneByte));
        let body = CloseBody::parse(b"\x03\xe8bye");
        assert_eq!((body.code, &body.reason[..], body.fault()), (Some(1000), &b"bye"[..], None));
        assert_eq!(CloseBody::parse(b"\x03\xed").fault(), Some(CloseBodyFault::Code(1005)));
        assert!(matches!(
            CloseBody::parse(b"\x03\xe8\xff").fault(),
            Some(CloseBodyFault::Reason(_))
        ));
        assert!(matches!(
            CloseBody::parse(b"\x03\xe8\xe2\x82").fault(),
            Some(CloseBodyFault::Reason(_))
        ));
        assert_eq!(CloseBody::parse(b"\x03\xe8bye").to_payload(), b"\x03\xe8bye");
    }

    #[test]
    fn a_reason_is_cut_at_a_character() {
        let long = "é".repeat(100);
        assert_eq!(fit_reason(&long).len(), 122);
        assert_eq!(fit_reason("short"), "short");
    }
}
