//! Where a runner prints notes and errors: above the prompt, or on stderr.

use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::output::{secrets, stderr};
use crate::ui::prompt::Screen;
use crate::ui::sanitize::escaped;
use crate::ui::style::{Ink, Palette};
use crate::ui::wrap;

/// Prints notes and errors for the user who gave the lines.
#[derive(Clone)]
pub enum Notifier {
    /// Above the typed line.
    Screen(Screen, Palette),
    /// On stderr, for scripts and plain terminals.
    Stderr {
        /// Prints errors only.
        quiet: bool,
    },
}

impl Notifier {
    /// Prints a note.
    pub fn note(&self, text: &str) {
        match self {
            Self::Screen(..) => self.line(Ink::Info, "* ", text),
            Self::Stderr { quiet: false } => stderr::note(text),
            Self::Stderr { quiet: true } => {}
        }
    }

    /// Prints a note about one of many connections.
    pub fn of(&self, conn: u64, text: &str) {
        match self {
            Self::Screen(..) => self.line(Ink::Info, "* ", &format!("[{conn}] {text}")),
            Self::Stderr { .. } => stderr::of(conn, text),
        }
    }

    /// Prints a line about a connection, if no transcript shows it.
    pub fn remark(&self, reporter: &Reporter, conn: ConnId, text: &str) {
        if !reporter.has_transcript() && reporter.prints_warnings() {
            self.of(conn.0, text);
        }
    }

    /// Prints an error.
    pub fn error(&self, text: &str) {
        match self {
            Self::Screen(..) => self.line(Ink::Violation, "error: ", text),
            Self::Stderr { .. } => stderr::error(&text),
        }
    }

    /// Whether to print more: a terminal, or a reader of stderr, may be slower than the caller.
    pub fn has_room(&self) -> bool {
        match self {
            Self::Screen(screen, _) => !screen.is_full(),
            Self::Stderr { .. } => !stderr::is_full(),
        }
    }

    /// Prints whole lines that are ready for a terminal; wraps them to its width.
    pub fn text(&self, text: &[u8]) {
        self.ready(&self.folded(text.to_vec()));
    }

    /// Prints whole lines unchanged; they are safe for a terminal.
    pub fn ready(&self, text: &[u8]) {
        match self {
            Self::Screen(screen, _) => screen.print(text),
            Self::Stderr { .. } => stderr::write(text),
        }
    }

    /// Whole lines, wrapped between words if a terminal shows them.
    pub fn folded(&self, mut text: Vec<u8>) -> Vec<u8> {
        let columns = match self {
            Self::Screen(screen, _) => Some(screen.columns()),
            Self::Stderr { .. } => stderr::columns(),
        };
        if let Some(columns) = columns {
            wrap::fold_from(0, columns, &mut text);
        }
        text
    }

    /// Prints the explanation of an error; ready for a terminal, may be empty.
    pub fn advice(&self, text: &[u8]) {
        if !text.is_empty() {
            self.text(text);
        }
    }

    fn line(&self, ink: Ink, mark: &str, text: &str) {
        let Self::Screen(screen, palette) = self else { return };
        let mut out = Vec::new();
        let text = secrets::redact_sentence(text);
        for line in text.split('\n') {
            palette.begin(ink, &mut out);
            out.extend_from_slice(mark.as_bytes());
            out.extend_from_slice(escaped(line.as_bytes()).as_bytes());
            palette.end(&mut out);
            out.push(b'\n');
        }
        wrap::fold_from(0, screen.columns(), &mut out);
        screen.print(&out);
    }
}
