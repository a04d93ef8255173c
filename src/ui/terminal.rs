//! What the standard streams are: the only file of this layer that asks the system.

use crossterm::tty::IsTty;

use super::style::Palette;

/// Facts about the standard streams.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether stdin is a terminal.
    pub stdin: bool,
    /// Whether stdout is a terminal.
    pub stdout: bool,
    /// Whether stderr is a terminal.
    pub stderr: bool,
    /// Columns.
    pub width: usize,
}

impl Terminal {
    pub fn detect() -> Self {
        let stdin = std::io::stdin().is_tty();
        let stdout = std::io::stdout().is_tty();
        let stderr = std::io::stderr().is_tty();
        Self { stdin, stdout, stderr, width: 100 }
    }
    pub fn is_interactive(&self) -> bool {
        self.stdin && self.stdout
    }
    pub fn palette(&self) -> Palette {
        Palette::default()
    }
}
