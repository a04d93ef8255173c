//! The data that the prompt and the program exchange.

use std::io;

/// What completes a line and hints at what may follow. Called in the editor thread at each key, so it
/// must be quick.
pub trait Assist: Send {
    /// What may stand at the cursor, which is `pos` bytes into the line. Each replaces the text from
    /// the position given back up to the cursor.
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Completion>);

    /// What may follow the line; shown after the cursor, never inserted.
    fn hint(&self, line: &str, pos: usize) -> Option<String>;

    /// Whether a line may be kept in the history; those that look as if they held a secret are not,
    /// whatever this returns.
    fn may_keep(&self, _line: &str) -> bool {
        true
    }
}

/// One of several completions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// As the list shows it.
    pub shown: String,
    /// The text that is inserted into the line.
    pub replacement: String,
    /// What it means, in a few words; may be empty.
    pub description: String,
}

/// What the user did.
#[derive(Debug)]
pub enum PromptInput {
    /// Entered a line: without its end, verbatim otherwise; may hold newlines.
    Line(String),
    /// Edited a text, or why there is none: a sentence for the user.
    Edited(Result<String, String>),
    /// Pressed Ctrl-C with nothing typed.
    Interrupted,
    /// Pressed Ctrl-D with nothing typed, or left the terminal.
    End,
    /// The terminal failed; no line will come any more.
    Failed(io::Error),
}

/// What the prompt does next. Asked for after each [`PromptInput`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptAction {
    /// Reads a line.
    Read,
    /// Clears the screen and reads a line.
    Clear,
    /// Shows this, made harmless for a terminal, in a pager if it does not fit; reads a line.
    Page(Vec<u8>),
    /// Lets the user edit this text; gives [`PromptInput::Edited`].
    Edit(String),
    /// Ends.
    Leave,
}
