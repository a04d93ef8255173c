//! `wscope man`: prints the generated manual page.

use std::io;

use crate::engine::exit::Exit;
use crate::net::stdio::write_stdout;
use crate::ui::terminal::Terminal;
use crate::ui::wrap;

/// The manual page, in roff.
pub const MAN: &str = include_str!("../../man/wscope.1");

/// Prints a text for users: on a terminal, breaks long lines between words.
pub fn print_for_people(text: &str) -> anyhow::Result<Exit> {
    let terminal = Terminal::look();
    match terminal.stdout {
        true => print(&wrap::fold(text, terminal.width)),
        false => print(text),
    }
}

/// Prints a text. If the reader closes the output, that is a success.
pub fn print(text: &str) -> anyhow::Result<Exit> {
    match write_stdout(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Success),
    }
}
