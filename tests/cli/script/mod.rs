//! `--input commands`, `--script` and `-x --commands`: the lines of the prompt without a prompt.
//! What goes on the wire is checked byte by byte by a scripted peer.

mod answers;
mod asking;
mod bounds;
mod finding;
mod flow;
mod frames;
mod reconnecting;
mod sending;
mod settings;
mod variables;

use crate::harness::Test;

/// Lines of stdin, carried out one after the other; the Close follows at once.
pub(crate) fn script_of(lines: &str) -> Test {
    Test::new().args(["--input", "commands", "-w", "0"]).stdin(lines)
}

/// Exactly these bytes arrive before the client's Close; this is printed on stderr.
#[track_caller]
fn puts_on_the_wire(line: &str, bytes: &'static [u8], said: &str) {
    script_of(line)
        .peer(move |p| {
            p.open();
            let heard = p.receive_raw(bytes.len());
            assert_eq!(heard.escape_ascii().to_string(), bytes.escape_ascii().to_string());
            p.answer_close(1000);
        })
        .stderr(said)
        .status(0);
}
