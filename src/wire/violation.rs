//! The only catalogue of the rules that a peer can break after the handshake.
//!
//! Decoder, endpoint, printers and docs read [`CATALOGUE`]. Each rule has a stable code, its
//! section, the close code with which wscope fails the connection, and one sentence.

use super::CloseCode;

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // each is explained by its row of the catalogue
pub enum ViolationKind {
    MaskedFrameFromServer,
    Rsv1WithoutExtension,
    Rsv2OrRsv3,
    Rsv1OnContinuation,
    Rsv1OnControl,
    ReservedDataOpcode,
    ReservedControlOpcode,
    FragmentedControl,
    ControlTooLong,
    NonMinimalLength,
    LengthTopBit,
    UnexpectedContinuation,
    ExpectedContinuation,
    InvalidUtf8,
    TruncatedUtf8,
    FrameAfterClose,
    CloseBodyOfOneByte,
    IllegalCloseCode,
    CloseReasonNotUtf8,
    InflateFailed,
    InflatedTooBig,
    MessageTooBig,
    CutInsideFrame,
    UnmaskedFrameFromClient,
    BeyondWindow,
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViolationRule {
    /// Which rule.
    pub kind: ViolationKind,
    /// The stable name of the diagnostic, as in `W602`.
    pub code: &'static str,
    /// A name for machines, as in `rsv1-without-extension`.
    pub name: &'static str,
    /// The section that is broken, as in `RFC 6455 §5.2`.
    pub section: &'static str,
    /// The code with which wscope fails the connection; `None` if the peer has already gone.
    pub close: Option<CloseCode>,
    /// One sentence that explains the rule, lower case, no full stop.
    pub explanation: &'static str,
}

use CloseCode::{Invalid, Protocol, Size};
use ViolationKind as K;

const fn rule(
    kind: K,
    code: &'static str,
    name: &'static str,
    section: &'static str,
    close: Option<CloseCode>,
    explanation: &'static str,
) -> ViolationRule {
    ViolationRule { kind, code, name, section, close, explanation }
}

/// Every rule, in the order of [`ViolationKind`].
#[rustfmt::skip]
pub const CATALOGUE: &[ViolationRule] = &[
    rule(K::MaskedFrameFromServer, "W601", "masked-frame-from-server", "RFC 6455 §5.1", Some(Protocol),
        "a server must not mask the frames it sends to the client"),
    rule(K::Rsv1WithoutExtension, "W602", "rsv1-without-extension", "RFC 6455 §5.2", Some(Protocol),
        "RSV1 is set but no extension was agreed that gives it a meaning"),
    rule(K::Rsv2OrRsv3, "W603", "rsv2-or-rsv3", "RFC 6455 §5.2", Some(Protocol),
        "RSV2 or RSV3 is set but no extension was agreed that gives it a meaning"),
    rule(K::Rsv1OnContinuation, "W604", "rsv1-on-continuation", "RFC 7692 §6.1", Some(Protocol),
        "only the first frame of a compressed message carries RSV1"),
    rule(K::Rsv1OnControl, "W605", "rsv1-on-control", "RFC 7692 §6.1", Some(Protocol),
        "control frames are never compressed, so they must not carry RSV1"),
    rule(K::ReservedDataOpcode, "W606", "reserved-data-opcode", "RFC 6455 §5.2", Some(Protocol),
        "opcodes 3 to 7 are reserved for data frames that are not yet defined"),
    rule(K::ReservedControlOpcode, "W607", "reserved-control-opcode", "RFC 6455 §5.2", Some(Protocol),
        "opcodes 11 to 15 are reserved for control frames that are not yet defined"),
    rule(K::FragmentedControl, "W608", "fragmented-control", "RFC 6455 §5.5", Some(Protocol),
        "control frames must not be fragmented"),
    rule(K::ControlTooLong, "W609", "control-too-long", "RFC 6455 §5.5", Some(Protocol),
        "control frames must have a payload of 125 bytes or less"),
    rule(K::NonMinimalLength, "W610", "non-minimal-length", "RFC 6455 §5.2", Some(Protocol),
        "the payload length must be written in the shortest form"),
    rule(K::LengthTopBit, "W611", "length-top-bit", "RFC 6455 §5.2", Some(Protocol),
        "the most significant bit of a 64-bit length must be 0; where the frame ends can't be known"),
    rule(K::UnexpectedContinuation, "W613", "unexpected-continuation", "RFC 6455 §5.4", Some(Protocol),
        "a continuation frame came while no message was open"),
    rule(K::ExpectedContinuation, "W614", "expected-continuation", "RFC 6455 §5.4", Some(Protocol),
        "a new message began before the fragments of the last one were finished"),
    rule(K::InvalidUtf8, "W615", "invalid-utf8", "RFC 6455 §8.1", Some(Invalid),
        "the payload of a text message must be UTF-8"),
    rule(K::TruncatedUtf8, "W616", "truncated-utf8", "RFC 6455 §8.1", Some(Invalid),
        "a text message must not end inside a character"),
    rule(K::FrameAfterClose, "W618", "frame-after-close", "RFC 6455 §5.5.1", None,
        "no data frame and no second Close may follow a Close frame"),
    rule(K::CloseBodyOfOneByte, "W619", "close-body-of-one-byte", "RFC 6455 §5.5.1", Some(Protocol),
        "the body of a Close frame is empty or begins with a code of two bytes"),
    rule(K::IllegalCloseCode, "W620", "illegal-close-code", "RFC 6455 §7.4", Some(Protocol),
        "this close code must not be sent"),
    rule(K::CloseReasonNotUtf8, "W621", "close-reason-not-utf8", "RFC 6455 §5.5.1", Some(Invalid),
        "the reason in a Close frame must be UTF-8"),
    rule(K::InflateFailed, "W624", "inflate-failed", "RFC 7692 §7.2.2", Some(Invalid),
        "the payload of a compressed message is not valid DEFLATE data"),
    rule(K::InflatedTooBig, "W625", "inflated-too-big", "RFC 6455 §10.4", Some(Size),
        "a compressed message inflates beyond the limit set here"),
    rule(K::MessageTooBig, "W626", "message-too-big", "RFC 6455 §10.4", Some(Size),
        "a message is longer than the limit set here"),
    rule(K::CutInsideFrame, "W627", "cut-inside-frame", "RFC 6455 §7.1.5", None,
        "the stream ended inside a frame"),
    rule(K::UnmaskedFrameFromClient, "W628", "unmasked-frame-from-client", "RFC 6455 §5.1", Some(Protocol),
        "a client must mask every frame it sends"),
    rule(K::BeyondWindow, "W631", "beyond-window", "RFC 7692 §7.1.2", Some(Invalid),
        "a compressed message refers back further than the agreed window"),
];

impl ViolationKind {
    /// The row of the catalogue.
    pub fn rule(self) -> &'static ViolationRule {
        &CATALOGUE[self as usize]
    }

    /// Whether the peer exceeded a limit of this side, and broke no rule of the RFC.
    pub fn is_limit(self) -> bool {
        self.rule().close == Some(Size)
    }
}

/// One violation, and its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame #{frame}, byte {offset}: {}{} ({}, {})", self.kind.rule().explanation, self.detail_suffix(), self.kind.rule().code, self.kind.rule().section)]
pub struct Violation {
    /// Which rule.
    pub kind: ViolationKind,
    /// Number of the frame in its direction, from 1.
    pub frame: u64,
    /// Bytes from the start of the direction's stream to the wrong byte, or to the frame's header
    /// if no single byte is wrong. For a text, `detail` has the position in the message.
    pub offset: u64,
    /// The observed bytes or value; may be empty.
    pub detail: String,
}

impl Violation {
    fn detail_suffix(&self) -> String {
        if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_in_the_order_of_the_kinds_and_names_are_unique() {
        for (at, rule) in CATALOGUE.iter().enumerate() {
            assert_eq!(rule.kind as usize, at, "{}", rule.name);
            assert_eq!(rule.kind.rule(), rule);
            assert!(rule.section.starts_with("RFC "));
            assert!(!rule.explanation.ends_with('.'));
            assert!(!CATALOGUE[..at].iter().any(|r| r.code == rule.code || r.name == rule.name));
        }
        assert_eq!(CATALOGUE.len(), ViolationKind::BeyondWindow as usize + 1);
    }

    #[test]
    fn prints_what_where_and_which_section() {
        let violation = Violation {
            kind: ViolationKind::IllegalCloseCode,
            frame: 3,
            offset: 120,
            detail: "1005".into(),
        };
        assert_eq!(
            violation.to_string(),
            "frame #3, byte 120: this close code must not be sent: 1005 (W620, RFC 6455 §7.4)"
        );
    }
}
