//! Facts about the terminal: whether there is one, its width, whether it has colours.
//!
//! The only part of this layer that asks the system. It changes nothing, and reads no environment
//! variable: whether `NO_COLOR` is set is an argument.

use std::io;

use crossterm::terminal;
use crossterm::tty::IsTty as _;

use crate::ui::wrap;

/// Columns where the system does not know.
pub const FALLBACK_WIDTH: usize = 80;

/// Columns of lines that are not cut: more than a payload takes that is shown whole, in hexadecimal
/// too.
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
    /// Decides for one stream. `no_color`: the variable `NO_COLOR` is present and not
    /// empty (<https://no-color.org>), `terminal` that the stream is one.
    pub fn decide(self, no_color: bool, terminal: bool) -> bool {
        match self {
            Self::Auto => terminal && !no_color,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// What the standard streams are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input is a terminal.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// Standard input is a terminal that belongs to other processes: a shell has put this one in the
    /// background. To read from it, or to change its mode, stops the process.
    pub background: bool,
    /// Columns, [`FALLBACK_WIDTH`] without a terminal.
    pub width: usize,
}

impl Terminal {
    /// Asks the system. The width is that of the moment; ask again after it may have changed.
    pub fn look() -> Self {
        let stdout = io::stdout().is_tty();
        let stderr = io::stderr().is_tty();
        // Without a terminal the question is not asked: crossterm would run `tput` for an answer.
        let width = if stdout || stderr { width(terminal::size()) } else { FALLBACK_WIDTH };
        let stdin = io::stdin().is_tty();
        let front = rustix::termios::tcgetpgrp(io::stdin());
        let background = stdin && front.is_ok_and(|front| front != rustix::process::getpgrp());
        Self { stdin, stdout, stderr, background, width }
    }

    /// Breaks lines for stdout at words; a terminal would break them inside words.
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

/// Some terminals, serial ones for example, report that they have no columns.
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
