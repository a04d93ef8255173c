//! What can go wrong with a WebSocket connection, and how to explain it.
//!
//! The [catalogue](SECTIONS) has one [`CatalogueEntry`] for each symptom, with a stable code
//! (`W602`). [`classify()`] checks the [`Facts`] of an attempt in a fixed order, and makes
//! [`Diagnostic`]s of them. [`browser`] finds the entry for a browser's message. This module uses
//! no I/O, no clock and no terminal; `ui` prints diagnostics. docs/diagnosis.md says how a
//! diagnosis is made and how to add one.

mod answer;
pub mod browser;
mod catalogue;
mod certificate;
mod classify;
mod clue;
mod complaint;
mod conversation;
mod diagnostic;
pub mod facts;
mod heard;
mod inner;
mod own_request;
mod request_part;
mod said;
pub mod sniff;
pub mod system;
mod topic;
mod url;
mod wish;
mod xml;

pub use catalogue::{SECTIONS, Section, of_alert};
pub use classify::closing::of_close_code;
pub use classify::response::{BODY, of_status};
pub use classify::{PROBE_SUBPROTOCOL, WITHOUT_CLOSE, classify};
pub use clue::{Clue, suggested_subprotocols};
pub use diagnostic::{Diagnostic, Form, Place, Span, Supported};
pub use facts::Facts;
pub use heard::{is_ordinary, limits_pings, tells_outcome};
pub use said::{gives_reason, page_text, wants_tls};
pub use topic::{Topic, UnknownTopic, topic, topics};
pub use wish::{ClientProtocol, Wish};

/// How serious a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The session is impossible or has failed.
    Error,
    /// It works, but something is wrong.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The severity as a word in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// The part of a connection that an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The URL, the name, TCP, a proxy, and the first bytes.
    Reaching,
    /// TLS.
    Tls,
    /// A response other than a 101.
    Response,
    /// The 101, and the agreement in it.
    Agreement,
    /// The application protocol inside.
    Application,
    /// Frames.
    Frames,
    /// Close codes.
    CloseCode,
    /// Endings and timing.
    Ending,
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A fact of this run proves it.
    High,
    /// A fact of this run supports it.
    Medium,
    /// Only the symptom itself points to it.
    Low,
}

impl Confidence {
    /// The confidence as a word in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// A possible cause, with the clues that support it or rule it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LikelyCause {
    /// The cause: lower case, no full stop.
    pub text: &'static str,
    /// How sure it is if its clue was seen.
    pub confidence: Confidence,
    /// The clue that supports it; `None` if only the symptom does.
    pub clue: Option<Clue>,
    /// Each of these clues rules it out.
    pub unless: &'static [Clue],
    /// What to do about it, if that differs from the entry's help.
    pub help: Option<&'static str>,
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The stable name: `W` and three digits. The first digit is the layer.
    pub code: &'static str,
    /// The part of a connection that it is about.
    pub family: Family,
    /// How serious it is, unless the facts show otherwise.
    pub severity: Severity,
    /// One line of at most 80 columns, lower case, no full stop.
    pub title: &'static str,
    /// One sentence that explains it, lower case, no full stop.
    pub explanation: &'static str,
    /// One imperative sentence that says what to do, commands in backquotes, no full stop.
    pub help: &'static str,
    /// Its source (`RFC 6455 §5.2`), or how it was found.
    pub source: &'static str,
    /// Possible causes, the most frequent first; empty if the explanation says everything.
    pub causes: &'static [LikelyCause],
    /// How wscope recognises it: one sentence, lower case, no full stop.
    pub recognised: &'static str,
    /// Background for the long form: sentences with full stops; often empty.
    pub background: &'static str,
}

/// The entry with this code, in either letter case.
pub fn entry(code: &str) -> Option<&'static CatalogueEntry> {
    entries().find(|entry| entry.code.eq_ignore_ascii_case(code))
}

/// Every entry, in the order of the codes.
pub fn entries() -> impl Iterator<Item = &'static CatalogueEntry> {
    SECTIONS.iter().flat_map(|section| section.entries)
}
