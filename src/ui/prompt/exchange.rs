//! The data that the prompt and the program exchange.

use std::io;

/// Completes a line, and gives hints. The editor thread calls it at each key, so it must be fast.
pub trait Assist: Send {
    /// The possible completions at the cursor, `pos` bytes into the line. Each one replaces the
    /// text from the returned position to the cursor.
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Completion>);

    /// The possible continuation of the line; shown after the cursor, but not inserted.
    fn hint(&self, line: &str, pos: usize) -> Option<String>;

    /// Whether the history may keep a line. It never keeps a line that looks like a secret,
    /// whatever this returns.
    fn may_keep(&self, _line: &str) -> bool {
        true
    }
}

/// One of several completions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The text in the list.
    pub shown: String,
    /// The text that is inserted into the line.
    pub replacement: String,
    /// What it means, in a few words; may be empty.
    pub description: String,
}

/// What the user did.
#[derive(Debug)]
pub enum PromptInput {
    /// Entered a line: unchanged, without its end; may contain newlines.
    Line(String),
    /// Edited a text. Without a text, a sentence for the user says why.
    Edited(Result<String, String>),
    /// Pressed Ctrl-C with nothing typed.
    Interrupted,
    /// Pressed Ctrl-D with nothing typed, or left the terminal.
    End,
    /// The terminal failed; no line will come any more.
    Failed(io::Error),
}

/// What the prompt does next. The caller sets it after each [`PromptInput`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptAction {
    /// Reads a line.
    Read,
    /// Clears the screen and reads a line.
    Clear,
    /// Shows this text (safe for a terminal), in a pager if it does not fit; then reads a line.
    Page(Vec<u8>),
    /// Lets the user edit this text; returns [`PromptInput::Edited`].
    Edit(String),
    /// Ends.
    Leave,
}
