//! Keys that have another meaning than in the line editor, and pasted text.
//!
//! A handler gets every key before the line editor. It returns the action, or leaves the key to the
//! line editor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustyline::{
    CharSearch, Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers,
    Movement, RepeatCount,
};

use super::paste_store::PasteStore;
use super::screen::SharedScreen;

/// The largest line in bytes; after that, typed text is ignored. The line editor counts rows in 16
/// bits, and a row may have a single column.
const MAX_LINE: usize = 32 * 1024;

/// The state of the line while it is edited.
#[derive(Debug, Default)]
pub struct Typing {
    /// The last drawn line.
    pub draft: String,
    /// The cursor in it, in bytes.
    pub pos: usize,
    /// The texts of its labels.
    pub pastes: PasteStore,
    /// How it ends.
    pub ending: ReadlineEnd,
    /// The next completion replaces a backslash with a line end.
    pub continues: bool,
    /// The prompt is that of a search.
    pub searching: bool,
    /// The received part of a paste that is arriving.
    paste: Option<String>,
}

/// How the reading of a line ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadlineEnd {
    /// The line is entered.
    #[default]
    Entered,
    /// Ctrl-C gave up a line or a search.
    GivenUp,
    /// Ctrl-C, but there was nothing to give up: it is for the program that reads the line.
    Interrupted,
    /// Ctrl-Z, with the cursor this many bytes into the line. Reading continues later.
    Suspended(usize),
}

/// A [`Typing`] that the helper, the key handler and the history share. All run in the editor
/// thread; the line editor's traits require that they can run in any thread.
#[derive(Clone, Debug, Default)]
pub struct SharedTyping(Arc<Mutex<Typing>>);

impl SharedTyping {
    pub fn lock(&self) -> MutexGuard<'_, Typing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handler of all keys.
#[derive(Debug)]
pub struct Keys {
    pub typing: SharedTyping,
    pub shared: Arc<SharedScreen>,
}

impl ConditionalEventHandler for Keys {
    fn handle(
        &self,
        event: &Event,
        _: RepeatCount,
        _: bool,
        ctx: &EventContext<'_>,
    ) -> Option<Cmd> {
        let &KeyEvent(code, modifiers) = event.get(0)?;
        let mut typing = self.typing.lock();
        if let Some(paste) = &mut typing.paste {
            match (code, modifiers) {
                (KeyCode::BracketedPasteEnd, _) => return Some(typing.end_of_paste()),
                // A way out if the end of a paste is lost. Terminals remove this key from pastes.
                (KeyCode::Char('C'), Modifiers::CTRL) => typing.paste = None,
                _ => {
                    push_key(code, modifiers, paste);
                    return Some(Cmd::Noop);
                }
            }
        }
        (typing.ending, typing.continues) = (ReadlineEnd::Entered, false);
        let line = ctx.line();
        let enters = [(KeyCode::Enter, Modifiers::NONE), (KeyCode::Char('J'), Modifiers::CTRL)];
        let continues = ctx.pos() == line.len() && is_continued(line);
        // From now on, the line editor restores the terminal, where Ctrl-C is a signal. The signal
        // may arrive before the line.
        self.shared.lock().entered = enters.contains(&(code, modifiers)) && !continues;
        match (code, modifiers) {
            (KeyCode::BracketedPasteStart, _) => {
                typing.paste = Some(String::new());
                Some(Cmd::Noop)
            }
            (KeyCode::BracketedPasteEnd, _) => Some(Cmd::Noop),
            // Accepting the line removes the hint; the validator adds `^C` or `^Z`.
            (KeyCode::Char('C'), Modifiers::CTRL) => {
                let nothing = line.is_empty() && !typing.searching;
                typing.ending =
                    if nothing { ReadlineEnd::Interrupted } else { ReadlineEnd::GivenUp };
                Some(Cmd::AcceptLine)
            }
            // The line editor would stop the process from a thread that may run for another moment,
            // and put the terminal back into raw mode under the shell.
            (KeyCode::Char('Z'), Modifiers::CTRL) => {
                typing.ending = ReadlineEnd::Suspended(ctx.pos());
                Some(Cmd::AcceptLine)
            }
            (KeyCode::Char('L'), Modifiers::CTRL) => {
                self.shared.lock().at_top = true;
                None
            }
            (KeyCode::Enter, Modifiers::ALT) => Some(Cmd::Newline),
            (KeyCode::Enter, Modifiers::NONE) | (KeyCode::Char('J'), Modifiers::CTRL)
                if continues =>
            {
                // The only command that replaces text and leaves the cursor after it.
                typing.continues = true;
                Some(Cmd::Complete)
            }
            // A label is deleted as a whole, because half of a label would be sent as text.
            (KeyCode::Backspace, Modifiers::NONE)
                if typing.pastes.ends_with_label(line.get(..ctx.pos())?) =>
            {
                let bracket = CharSearch::Backward('[');
                Some(Cmd::Kill(Movement::ViCharSearch(1, bracket)))
            }
            (KeyCode::Char(_), Modifiers::NONE) | (KeyCode::Char('Y'), Modifiers::CTRL)
                if line.len() >= MAX_LINE =>
            {
                Some(Cmd::Noop)
            }
            _ => None,
        }
    }
}

impl Typing {
    /// Begins a line with `left` before the cursor and `right` after it. Its labels are kept, and
    /// so is a paste that is arriving.
    pub fn begin(&mut self, left: &str, right: &str) {
        self.draft = [left, right].concat();
        self.pos = left.len();
        (self.ending, self.searching) = (ReadlineEnd::Entered, false);
    }

    /// The line before the cursor and after it.
    pub fn halves(&self) -> (String, String) {
        let (left, right) = self.draft.split_at_checked(self.pos).unwrap_or((&self.draft, ""));
        (left.to_owned(), right.to_owned())
    }

    /// Clears the line.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Notes the drawn line.
    pub fn note(&mut self, line: &str, pos: usize) {
        self.draft.clear();
        self.draft.push_str(line);
        self.pos = pos;
    }

    fn end_of_paste(&mut self) -> Cmd {
        let text = self.paste.take().unwrap_or_default();
        // A terminal sends line ends in the same way as the Enter key.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text.is_empty() {
            return Cmd::Noop;
        }
        Cmd::Insert(1, self.pastes.fold("pasted", text))
    }
}

/// Whether the line continues in another line: it ends with an odd number of backslashes, as in a
/// shell.
fn is_continued(line: &str) -> bool {
    let backslashes = line.bytes().rev().take_while(|&byte| byte == b'\\').count();
    backslashes % 2 == 1
}

/// Appends what the terminal sent for a key.
fn push_key(code: KeyCode, modifiers: Modifiers, text: &mut String) {
    if modifiers.contains(Modifiers::ALT) {
        text.push('\x1b');
    }
    match code {
        KeyCode::Char(c @ '@'..='_') if modifiers.contains(Modifiers::CTRL) => {
            text.push(char::from(c as u8 & 0x1f));
        }
        KeyCode::Char(c) => text.push(c),
        KeyCode::Enter => text.push('\r'),
        KeyCode::Tab => text.push('\t'),
        KeyCode::Backspace => text.push('\x7f'),
        KeyCode::Esc => text.push('\x1b'),
        // Sequences that are not text; terminals remove them from pastes.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_number_of_backslashes_continues() {
        for (line, expected) in
            [("", false), ("a", false), ("a\\", true), ("a\\\\", false), ("\\\\\\", true)]
        {
            assert_eq!(is_continued(line), expected, "{line}");
        }
    }

    #[test]
    fn a_pasted_key_is_the_text_that_it_was() {
        let text = "aÄ\t\r\n\0\x01\x1a\x1b\x1d\x1f\x7f€";
        let mut pasted = String::new();
        for c in text.chars() {
            let KeyEvent(code, modifiers) = KeyEvent::new(c, Modifiers::NONE);
            push_key(code, modifiers, &mut pasted);
        }
        assert_eq!(pasted, text);
    }

    #[test]
    fn ends_of_lines_are_newlines() {
        let mut typing = Typing { paste: Some("a\rb\r\nc\nd".to_owned()), ..Typing::default() };
        assert_eq!(typing.end_of_paste(), Cmd::Insert(1, "a\nb\nc\nd".to_owned()));
        assert_eq!(typing.end_of_paste(), Cmd::Noop);
    }
}
