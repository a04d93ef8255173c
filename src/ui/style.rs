//! The colours of the parts of a transcript; decided once, when a printer is created.
//!
//! The codes are defined here because the colours of `crossterm::style` read `NO_COLOR` from the
//! environment each time they are displayed, so `--color always` could not turn them on.

/// The kind of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Sent data: `>`.
    Sent,
    /// Received data: `<`.
    Received,
    /// Information: `*`.
    Info,
    /// A broken rule: `!`.
    Violation,
    /// Success: `✓`.
    Good,
    /// A key of JSON.
    Key,
    /// A string of JSON.
    String,
    /// A number of JSON.
    Number,
    /// `true`, `false` and `null`.
    Literal,
    /// Text that is less important than the lines around it.
    Dim,
}

/// Colours or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// Whether colour codes are written at all.
    pub on: bool,
}

impl Palette {
    /// Begins text of this kind.
    #[inline]
    pub fn begin(self, ink: Ink, out: &mut Vec<u8>) {
        out.extend_from_slice(self.code(ink).as_bytes());
    }

    /// Ends the text that [`Palette::begin`] began.
    #[inline]
    pub fn end(self, out: &mut Vec<u8>) {
        if self.on {
            out.extend_from_slice(RESET.as_bytes());
        }
    }

    /// Writes a text of this kind.
    pub fn paint(self, ink: Ink, text: impl AsRef<[u8]>, out: &mut Vec<u8>) {
        self.begin(ink, out);
        out.extend_from_slice(text.as_ref());
        self.end(out);
    }

    /// The number of bytes of the codes around a piece of text; they take no columns.
    pub fn invisible(self, ink: Ink) -> usize {
        if self.on { self.code(ink).len() + RESET.len() } else { 0 }
    }

    fn code(self, ink: Ink) -> &'static str {
        match (self.on, ink) {
            (false, _) => "",
            (true, Ink::Sent | Ink::Good | Ink::String) => "\x1b[32m",
            (true, Ink::Number) => "\x1b[33m",
            (true, Ink::Literal) => "\x1b[35m",
            (true, Ink::Received) => "\x1b[36m",
            (true, Ink::Info | Ink::Key) => "\x1b[34m",
            (true, Ink::Violation) => "\x1b[31m",
            (true, Ink::Dim) => "\x1b[2m",
        }
    }
}

const RESET: &str = "\x1b[0m";
