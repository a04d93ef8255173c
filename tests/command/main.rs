//! The commands of the prompt: what each line means, what is wrong with it and where, what is
//! proposed while it is typed.

mod any_line;
mod completion;
mod errors;
mod frames;
mod illegal;
mod lines;
mod slips;
mod targets;

use wscope::script::command::{Command, Payload, parse};

/// The command of a line that is one.
fn parsed(line: &str) -> Command {
    parse(line).unwrap_or_else(|error| panic!("{line}: byte {}: {error}", error.at))
}

/// What is debugged, to compare commands that hold regular expressions too.
fn debugged(line: &str) -> String {
    format!("{:?}", parsed(line))
}

fn bytes(bytes: impl AsRef<[u8]>) -> Payload {
    Payload::Bytes(bytes.as_ref().to_vec())
}
