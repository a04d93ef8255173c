//! Faults on demand: rules that a server or a client can break on purpose, to test the other side.
//!
//! A fault is a row of [`CATALOGUE`] with an argument and a moment. This module makes its bytes;
//! the caller decides when and how slowly they are sent. Uses no sockets and no clocks.

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
    /// What it is called, as in `masked`.
    pub name: &'static str,
    /// What happens.
    pub kind: FaultKind,
    /// What may stand after the name.
    pub argument: Argument,
    /// What the peer sees, in a few words.
    pub does: &'static str,
    /// The rule it breaks, with its section; or the rule that says what the peer does about it.
    pub rule: &'static str,
    /// The diagnostics that name it, as in `W601`; empty if none does.
    pub codes: &'static [&'static str],
    /// What a correct peer does.
    pub peer: &'static str,
}

impl FaultInfo {
    /// Why it means nothing for a role; `None` if it means something.
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

    /// The faults of a role, in the order of [`CATALOGUE`].
    pub fn of(role: Role) -> impl Iterator<Item = &'static Self> {
        CATALOGUE.iter().filter(move |info| info.unfit_for(role).is_none())
    }
}

/// What a fault does, by the part of the connection it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The 101 is changed, but the connection counts as open.
    Head(HeadFault),
    /// Something other than a 101 is sent, and the connection never opens.
    Answer(AnswerFault),
    /// The 101 is right, but late.
    Pace(PaceFault),
    /// Bytes are put between the frames.
    Frames(FrameFault),
    /// This side does not do what it should, or ends what it should not.
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

/// What is put between the frames.
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

/// What this side does or leaves undone.
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

/// What may stand after the name of a fault, after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A number in a range.
    Number {
        /// What it counts, as in `COUNT`.
        shown: &'static str,
        /// Without an argument.
        default: u64,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A time.
    Time {
        /// Without an argument.
        default: Duration,
    },
    /// Any text that can stand in a header.
    Text {
        /// What it is, as in `NAME`.
        shown: &'static str,
        /// Without an argument.
        default: &'static str,
    },
    /// `CODE` or `CODE:REASON`.
    Close {
        /// Without an argument.
        default: u16,
    },
    /// `bytes=N`, of what is sent, a server's 101 included; or `messages=N`, of those received.
    Place,
}

impl Argument {
    /// Its notation after the name, as in `[:CODE[:REASON]]`; empty if there is none.
    pub fn usage(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Number { shown, .. } | Self::Text { shown, .. } => format!("[:{shown}]"),
            Self::Time { .. } => "[:TIME]".to_owned(),
            Self::Close { .. } => "[:CODE[:REASON]]".to_owned(),
            Self::Place => "[:bytes=N|:messages=N]".to_owned(),
        }
    }

    /// What is meant without an argument.
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
    /// There is none.
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
    /// Right after the opening handshake, or in it.
    #[default]
    Open,
    /// Once so many messages of the peer have arrived and have been answered.
    Message(u64),
}

/// A fault that was requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its row.
    pub info: &'static FaultInfo,
    /// Its argument.
    pub value: FaultValue,
    /// Its moment.
    pub when: When,
}

impl Fault {
    /// A fault without argument, at its usual moment.
    pub fn plain(info: &'static FaultInfo) -> Self {
        Self { info, value: info.argument.default_value(), when: When::Open }
    }

    /// The number in its argument; 0 if there is none.
    pub fn number(&self) -> u64 {
        match self.value {
            FaultValue::Number(number) => number,
            _ => 0,
        }
    }

    /// The time in its argument; none is not a time at all.
    pub fn time(&self) -> Duration {
        match self.value {
            FaultValue::Time(time) => time,
            _ => Duration::ZERO,
        }
    }

    /// The text in its argument.
    pub fn text(&self) -> &str {
        match &self.value {
            FaultValue::Text(text) => text,
            _ => "",
        }
    }

    /// Whether permessage-deflate must not be agreed, without which the fault would be none:
    /// RSV1 has a meaning there.
    pub fn declines_deflate(&self) -> bool {
        self.info.kind == FaultKind::Frames(FrameFault::Rsv1)
    }
}

/// As printed when it is sent:
/// `fault masked: a text message in a masked frame (RFC 6455 §5.1, W601)`.
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
        // Those of a refusal, of what is not HTTP, and of an end without Close have no table.
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
