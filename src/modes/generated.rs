//! `wscope man`: the committed page, as it was generated.

use std::io::{self, Write as _};

use crate::engine::exit::Exit;

/// The manual page, in roff.
pub const MAN: &str = include_str!("../../man/wscope.1");

/// Prints a text; a closed reader is success.
pub fn print(text: &str) -> anyhow::Result<Exit> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Success),
    }
}
