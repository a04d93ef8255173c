//! The catalogue's tables, one file for each section.
//!
//! A table only holds texts. Where `wire` has a table of its own (violations), the texts are taken
//! from there.

use super::{CatalogueEntry, Confidence, Family, LikelyCause, Severity};

mod close_codes;
mod disconnects;
mod endpoints;
mod extensions;
mod frames;
mod reaching;
mod refusals;
mod statuses;
mod switching;
mod tls;

pub use tls::of_alert;

/// Entries that are listed together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// What they are about.
    pub title: &'static str,
    /// In the order of their codes.
    pub entries: &'static [CatalogueEntry],
}

/// The whole catalogue, in the order of the codes.
pub const SECTIONS: &[Section] = &[
    Section { title: "URL, name, TCP, proxy, first bytes", entries: reaching::ENTRIES },
    Section { title: "TLS", entries: tls::ENTRIES },
    Section { title: "Pages and redirects instead of 101", entries: statuses::ENTRIES },
    Section { title: "Error statuses instead of 101", entries: refusals::ENTRIES },
    Section { title: "The 101 and the subprotocol", entries: switching::ENTRIES },
    Section { title: "Extensions, and what follows the 101", entries: extensions::ENTRIES },
    Section { title: "Another protocol inside", entries: endpoints::ENTRIES },
    Section { title: "Frames", entries: frames::ENTRIES },
    Section { title: "Close codes", entries: close_codes::ENTRIES },
    Section { title: "Endings and timing", entries: disconnects::ENTRIES },
];

/// Known without a document to cite.
const KNOWN: &str = "widely known";
/// Seen on the servers the catalogue was made with.
const MEASURED: &str = "measured on real servers";
/// What browsers do beyond the RFC.
const WHATWG: &str = "WHATWG WebSockets Standard";
const IANA: &str = "IANA WebSocket Close Code Number Registry";

const fn error(code: &'static str, title: &'static str) -> CatalogueEntry {
    blank(code, Severity::Error, title)
}

const fn warning(code: &'static str, title: &'static str) -> CatalogueEntry {
    blank(code, Severity::Warning, title)
}

const fn note(code: &'static str, title: &'static str) -> CatalogueEntry {
    blank(code, Severity::Note, title)
}

const fn blank(code: &'static str, severity: Severity, title: &'static str) -> CatalogueEntry {
    CatalogueEntry {
        code,
        family: family_of(code),
        severity,
        title,
        explanation: "",
        help: "",
        source: "",
        causes: &[],
        recognised: "",
        background: "",
    }
}

/// The family that the first digit of a code stands for.
const fn family_of(code: &str) -> Family {
    match code.as_bytes() {
        [b'W', b'0' | b'1', ..] => Family::Reaching,
        [b'W', b'2', ..] => Family::Tls,
        [b'W', b'3', ..] => Family::Response,
        [b'W', b'4', ..] => Family::Agreement,
        [b'W', b'5', ..] => Family::Application,
        [b'W', b'6', ..] => Family::Frames,
        [b'W', b'7', ..] => Family::CloseCode,
        _ => Family::Ending,
    }
}

const fn high(text: &'static str) -> LikelyCause {
    LikelyCause { confidence: Confidence::High, text }
}

const fn medium(text: &'static str) -> LikelyCause {
    LikelyCause { confidence: Confidence::Medium, text }
}

const fn low(text: &'static str) -> LikelyCause {
    LikelyCause { confidence: Confidence::Low, text }
}

impl CatalogueEntry {
    /// Another family than its code says.
    const fn about(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    const fn because(mut self, explanation: &'static str) -> Self {
        self.explanation = explanation;
        self
    }

    const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    const fn causes(mut self, causes: &'static [LikelyCause]) -> Self {
        self.causes = causes;
        self
    }

    const fn seen(mut self, recognised: &'static str) -> Self {
        self.recognised = recognised;
        self
    }

    const fn more(mut self, background: &'static str) -> Self {
        self.background = background;
        self
    }
}
