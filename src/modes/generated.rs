//! `wscope completions` and `wscope man`: the committed files, as they were generated.

use std::io::{self, Write as _};

use crate::cli::Shell;
use crate::engine::exit::Exit;

/// The manual page, in roff.
pub const MAN: &str = include_str!("../../man/wscope.1");

/// The completion script of a shell.
pub fn completions(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../completions/wscope.bash"),
        Shell::Zsh => include_str!("../../completions/_wscope"),
        Shell::Fish => include_str!("../../completions/wscope.fish"),
        Shell::PowerShell => include_str!("../../completions/_wscope.ps1"),
        Shell::Elvish => include_str!("../../completions/wscope.elv"),
    }
}

/// Prints a text; a closed reader is success.
pub fn print(text: &str) -> anyhow::Result<Exit> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Success),
    }
}
