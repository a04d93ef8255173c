//! `wscope man`: the committed page, as it was generated.

use std::io;

use crate::engine::exit::Exit;
use crate::net::stdio::write_stdout;

/// The manual page, in roff.
pub const MAN: &str = include_str!("../../man/wscope.1");

/// Prints a text; a closed reader is success.
pub fn print(text: &str) -> anyhow::Result<Exit> {
    match write_stdout(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Success),
    }
}
