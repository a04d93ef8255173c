//! Facts about the terminal: whether there is one, its width, whether it has colours.
//!
//! The only part of this layer that asks the system. It changes nothing, and reads no environment
//! variable: whether `NO_COLOR` is set is an argument.

use std::io;

use crossterm::terminal;
use crossterm::tty::IsTty as _;

use crate::ui::wrap;

/// The width if the system does not report it, in columns.
pub const FALLBACK_WIDTH: usize = 80;

/// The width of lines that are not cut: larger than any payload that is shown as a whole, even in
/// hexadecimal.
pub const FULL_WIDTH: usize = 1 << 26;

/// When to write colours: `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Even in a pipe
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Decides for one stream. `no_color`: the variable `NO_COLOR` is set and not empty
    /// (<https://no-color.org>). `terminal`: the stream is a terminal.
    pub fn decide(self, no_color: bool, terminal: bool) -> bool {
        match self {
            Self::Auto => terminal && !no_color,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// The kinds of the standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input is a terminal.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// Standard input is a terminal, but a shell has put this process in the background. Reading
    /// from the terminal, or changing its mode, would stop the process.
    pub background: bool,
    /// Columns, [`FALLBACK_WIDTH`] without a terminal.
    pub width: usize,
}

impl Terminal {
    /// Asks the system. The width is the current one; call this again after it may have changed.
    pub fn look() -> Self {
        let stdout = io::stdout().is_tty();
        let stderr = io::stderr().is_tty();
        // Without a terminal, wscope does not ask, because crossterm would run `tput`.
        let width = if stdout || stderr { width(terminal::size()) } else { FALLBACK_WIDTH };
        let stdin = io::stdin().is_tty();
        let front = rustix::termios::tcgetpgrp(io::stdin());
        let background = stdin && front.is_ok_and(|front| front != rustix::process::getpgrp());
        Self { stdin, stdout, stderr, background, width }
    }

    /// Breaks lines for stdout between words; a terminal would break them inside words.
    pub fn fold(&self, text: &mut Vec<u8>) {
        if self.stdout {
            wrap::fold_from(0, self.width, text);
        }
    }

    /// Whether a user can answer: input and output are a terminal.
    pub fn is_interactive(&self) -> bool {
        self.stdin && self.stdout
    }
}

/// Some terminals, such as serial ones, report a width of zero.
fn width(size: io::Result<(u16, u16)>) -> usize {
    match size {
        Ok((columns, _)) if columns > 0 => columns.into(),
        _ => FALLBACK_WIDTH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_and_no_color_turns_them_off() {
        for (choice, no_color, terminal, expected) in [
            (ColorChoice::Auto, false, true, true),
            (ColorChoice::Auto, true, true, false),
            (ColorChoice::Auto, false, false, false),
            (ColorChoice::Always, true, false, true),
            (ColorChoice::Never, false, true, false),
        ] {
            assert_eq!(choice.decide(no_color, terminal), expected, "{choice:?}");
        }
    }

    #[test]
    fn a_terminal_without_columns_has_the_usual_ones() {
        assert_eq!(width(Ok((132, 43))), 132);
        assert_eq!(width(Ok((0, 0))), 80);
        assert_eq!(width(Err(io::Error::other("no terminal"))), 80);
    }
}
