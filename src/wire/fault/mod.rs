//! Faults on demand: rules that a server or a client can break on purpose, to test the other side.
//!
//! A fault is a row of [`CATALOGUE`] with an argument and a time. This module makes its bytes; the
//! caller decides when and how slowly to send them. Uses no sockets and no clocks.

mod catalogue;
mod frames;
mod head;

use std::fmt;
use std::time::Duration;

use super::Role;

pub use catalogue::CATALOGUE;
pub use frames::{FaultPiece, Impossible, pieces};
pub use head::{endless_head, garbage, with_fault};

/// One row of [`CATALOGUE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// The name of the fault, as in `masked`.
    pub name: &'static str,
    /// What the fault does.
    pub kind: FaultKind,
    /// The argument after the name.
    pub argument: Argument,
    /// What the peer sees, in a few words.
    pub does: &'static str,
    /// The rule that it breaks, with its section; or the rule for the peer's reaction.
    pub rule: &'static str,
    /// The diagnostics that report it, as in `W601`; empty if none does.
    pub codes: &'static [&'static str],
    /// What a correct peer does.
    pub peer: &'static str,
}

impl FaultInfo {
    /// Why the fault does not apply to a role; `None` if it applies.
    pub fn unfit_for(&self, role: Role) -> Option<&'static str> {
        match (role, self.kind) {
            (Role::Client, FaultKind::Head(_) | FaultKind::Answer(_) | FaultKind::Pace(_)) => {
                Some("it is in a server's answer to the opening handshake")
            }
            (Role::Client, FaultKind::Frames(FrameFault::Masked)) => {
                Some("a client masks all its frames (RFC 6455 §5.1); unmasked is the fault")
            }
            (Role::Client, FaultKind::Behaviour(BehaviourFault::KeepTcp)) => {
                Some("it is the server that ends TCP (RFC 6455 §7.1.1)")
            }
            (Role::Server, FaultKind::Frames(FrameFault::Unmasked)) => {
                Some("a server masks no frame (RFC 6455 §5.1); masked is the fault")
            }
            _ => None,
        }
    }

    /// The faults that apply to a role, in the order of [`CATALOGUE`].
    pub fn of(role: Role) -> impl Iterator<Item = &'static Self> {
        CATALOGUE.iter().filter(move |info| info.unfit_for(role).is_none())
    }
}

/// What a fault does, by the part of the connection that it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The 101 is changed, but the connection counts as open.
    Head(HeadFault),
    /// Something other than a 101 is sent, and the connection never opens.
    Answer(AnswerFault),
    /// The 101 is right, but late.
    Pace(PaceFault),
    /// Bytes are inserted between the frames.
    Frames(FrameFault),
    /// This side does not do what it should, or ends what it should not end.
    Behaviour(BehaviourFault),
}

/// What is wrong with the 101.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is explained by its row of the catalogue
pub enum HeadFault {
    AcceptWrong,
    AcceptEmpty,
    AcceptLower,
    AcceptHex,
    AcceptOtherKey,
    AcceptTwice,
    AcceptMissing,
    UpgradeMissing,
    ConnectionMissing,
    SubprotocolUnoffered,
    SubprotocolTwice,
    ExtensionUnoffered,
    DeflateParameter,
    Http10,
    Body,
    LfOnly,
}

/// What is sent instead of a 101.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is explained by its row of the catalogue
pub enum AnswerFault {
    Status,
    Garbage,
    EndlessHead,
    Nothing,
    HalfHead,
}

/// How the 101 is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is explained by its row of the catalogue
pub enum PaceFault {
    Delay,
    Pause,
    Bytewise,
}

/// The data inserted between the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is explained by its row of the catalogue
pub enum FrameFault {
    Masked,
    Unmasked,
    Rsv1,
    Rsv2,
    Rsv3,
    Rsv1Control,
    Rsv1Continuation,
    ReservedData,
    ReservedControl,
    FragmentedControl,
    OversizedPing,
    Utf8Invalid,
    Utf8Fragments,
    Utf8Truncated,
    LengthTooLong,
    LengthTooShort,
    LengthNotMinimal,
    LengthTopBit,
    LengthAbsurd,
    OrphanContinuation,
    Interleaved,
    DataAfterClose,
    Close,
    CloseOneByte,
    CloseReasonUtf8,
    DeflateCorrupt,
    DeflateBomb,
    PingFlood,
    HttpText,
    TlsAlert,
    CutInFrame,
}

/// What this side does or does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is explained by its row of the catalogue
pub enum BehaviourFault {
    Rst,
    Fin,
    Drip,
    SlowReader,
    NeverRead,
    NoPong,
    NoCloseAnswer,
    KeepTcp,
    Silence,
    IdleEnd,
}

/// The kind of argument after the name of a fault and a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A number in a range.
    Number {
        /// The name of the number in the usage, as in `COUNT`.
        shown: &'static str,
        /// The default value.
        default: u64,
        /// The smallest value.
        least: u64,
        /// The largest value.
        most: u64,
    },
    /// A time.
    Time {
        /// The default value.
        default: Duration,
    },
    /// A text that may stand in a header.
    Text {
        /// The name of the text in the usage, as in `NAME`.
        shown: &'static str,
        /// The default value.
        default: &'static str,
    },
    /// `CODE` or `CODE:REASON`.
    Close {
        /// The default value.
        default: u16,
    },
    /// `bytes=N`: sent bytes, including a server's 101; or `messages=N`: received messages.
    Place,
}

impl Argument {
    /// The notation after the name, as in `[:CODE[:REASON]]`; empty for a fault without an
    /// argument.
    pub fn usage(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Number { shown, .. } | Self::Text { shown, .. } => format!("[:{shown}]"),
            Self::Time { .. } => "[:TIME]".to_owned(),
            Self::Close { .. } => "[:CODE[:REASON]]".to_owned(),
            Self::Place => "[:bytes=N|:messages=N]".to_owned(),
        }
    }

    /// The value without an argument.
    pub fn default_value(self) -> FaultValue {
        match self {
            Self::None | Self::Place => FaultValue::None,
            Self::Number { default, .. } => FaultValue::Number(default),
            Self::Time { default } => FaultValue::Time(default),
            Self::Text { default, .. } => FaultValue::Text(default.to_owned()),
            Self::Close { default } => FaultValue::Close(default, String::new()),
        }
    }
}

/// The argument of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultValue {
    /// No argument.
    None,
    /// A number, or a count of bytes.
    Number(u64),
    /// A time.
    Time(Duration),
    /// A text.
    Text(String),
    /// Code and reason of a Close.
    Close(u16, String),
}

/// When a fault is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Right after the opening handshake, or during it.
    #[default]
    Open,
    /// After this many messages of the peer have arrived and been answered.
    Message(u64),
}

/// A fault that was requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The row of the catalogue.
    pub info: &'static FaultInfo,
    /// The argument.
    pub value: FaultValue,
    /// When the fault is sent.
    pub when: When,
}

impl Fault {
    /// A fault without an argument, at its usual time.
    pub fn plain(info: &'static FaultInfo) -> Self {
        Self { info, value: info.argument.default_value(), when: When::Open }
    }

    /// The number in the argument; 0 if there is none.
    pub fn number(&self) -> u64 {
        match self.value {
            FaultValue::Number(number) => number,
            _ => 0,
        }
    }

    /// The time in the argument; zero if there is none.
    pub fn time(&self) -> Duration {
        match self.value {
            FaultValue::Time(time) => time,
            _ => Duration::ZERO,
        }
    }

    /// The text in the argument.
    pub fn text(&self) -> &str {
        match &self.value {
            FaultValue::Text(text) => text,
            _ => "",
        }
    }

    /// Whether permessage-deflate must not be agreed. With compression, RSV1 has a meaning, so the
    /// fault would be legal.
    pub fn declines_deflate(&self) -> bool {
        self.info.kind == FaultKind::Frames(FrameFault::Rsv1)
    }
}

/// The line printed when the fault is sent: `fault masked: a text message in a masked frame (RFC
/// 6455 §5.1, W601)`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FaultInfo { name, does, rule, codes, .. } = self.info;
        write!(f, "fault {name}: {does} ({rule}")?;
        codes.iter().try_for_each(|code| write!(f, ", {code}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::handshake::rules::RULES;
    use crate::wire::violation;

    #[test]
    fn names_are_unique_and_written_with_dashes() {
        for (at, info) in CATALOGUE.iter().enumerate() {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(info.name.chars().all(fits), "{}", info.name);
            assert!(!CATALOGUE[..at].iter().any(|other| other.name == info.name), "{}", info.name);
        }
    }

    #[test]
    fn every_row_names_the_rule_and_what_a_client_does() {
        for info in CATALOGUE {
            assert!(info.rule.contains("RFC "), "{}: {}", info.name, info.rule);
            for text in [info.does, info.rule, info.peer] {
                assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('|'), "{text}");
            }
        }
    }

    #[test]
    fn every_code_is_one_of_the_diagnostics() {
        // Diagnostics of refusals, of data that is not HTTP, and of an end without Close are not in
        // a table here.
        let others = ["W348", "W801", "W802"];
        for code in CATALOGUE.iter().flat_map(|info| info.codes) {
            let of_frames = violation::CATALOGUE.iter().any(|rule| rule.code == *code);
            let of_heads = RULES.iter().any(|rule| rule.code == Some(code));
            assert!(of_frames || of_heads || others.contains(code), "{code}");
        }
    }

    #[test]
    fn is_printed_with_its_rule() {
        let info = CATALOGUE.iter().find(|info| info.name == "masked").expect("a row");
        assert_eq!(
            Fault::plain(info).to_string(),
            "fault masked: a text message in a masked frame (RFC 6455 §5.1, W601)"
        );
    }
}
