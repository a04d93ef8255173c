//! The builder for the tables of the catalogue. An entry begins with its code and title; the
//! methods add its texts.

use crate::diagnostics::{CatalogueEntry, Clue, Confidence, Family, LikelyCause, Severity};

/// The source of facts that no document has.
pub(super) const KNOWN: &str = "widely known";
/// The source of facts that were measured on real servers for this catalogue.
pub(super) const MEASURED: &str = "measured on real servers";
/// The source of rules that browsers follow beyond the RFC.
pub(super) const WHATWG: &str = "WHATWG WebSockets Standard";
pub(super) const IANA: &str = "IANA WebSocket Close Code Number Registry";

pub(super) const fn error(code: &'static str, title: &'static str) -> CatalogueEntry {
    blank(code, Severity::Error, title)
}

pub(super) const fn warning(code: &'static str, title: &'static str) -> CatalogueEntry {
    blank(code, Severity::Warning, title)
}

pub(super) const fn note(code: &'static str, title: &'static str) -> CatalogueEntry {
    blank(code, Severity::Note, title)
}

pub(super) const fn blank(
    code: &'static str,
    severity: Severity,
    title: &'static str,
) -> CatalogueEntry {
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

/// The family of a code, from its first digit.
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

/// A cause that this clue proves.
pub(super) const fn high(text: &'static str, clue: Clue) -> LikelyCause {
    LikelyCause { text, confidence: Confidence::High, clue: Some(clue), unless: &[], help: None }
}

/// A cause that this clue supports.
pub(super) const fn medium(text: &'static str, clue: Clue) -> LikelyCause {
    LikelyCause { text, confidence: Confidence::Medium, clue: Some(clue), unless: &[], help: None }
}

/// A cause to which only the symptom points.
pub(super) const fn low(text: &'static str) -> LikelyCause {
    LikelyCause { text, confidence: Confidence::Low, clue: None, unless: &[], help: None }
}

impl LikelyCause {
    /// Names the cause only if this clue was seen.
    pub(super) const fn with(mut self, clue: Clue) -> Self {
        self.clue = Some(clue);
        self
    }

    /// Each of these clues rules the cause out.
    pub(super) const fn unless(mut self, clues: &'static [Clue]) -> Self {
        self.unless = clues;
        self
    }

    /// Gives the cause its own help.
    pub(super) const fn cure(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }
}

impl CatalogueEntry {
    /// Sets a family that differs from that of the code.
    pub(super) const fn about(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    pub(super) const fn because(mut self, explanation: &'static str) -> Self {
        self.explanation = explanation;
        self
    }

    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub(super) const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    pub(super) const fn causes(mut self, causes: &'static [LikelyCause]) -> Self {
        self.causes = causes;
        self
    }

    pub(super) const fn seen(mut self, recognised: &'static str) -> Self {
        self.recognised = recognised;
        self
    }

    pub(super) const fn more(mut self, background: &'static str) -> Self {
        self.background = background;
        self
    }
}
