//! The callbacks of the line editor: the prompt, hints, completions.
//!
//! Lines above the prompt are also printed when the prompt is drawn. At that moment, the line
//! editor has cleared its rows and will write the prompt at their beginning. Text written before
//! the prompt scrolls up, and the editor's count of rows and columns, which begins at the prompt,
//! stays correct.

use std::borrow::Cow;
use std::mem;
use std::panic;
use std::sync::Arc;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Result};
use unicode_width::UnicodeWidthStr as _;

use super::exchange::{Assist, Completion};
use super::screen::SharedScreen;
use super::typing::{ReadlineEnd, SharedTyping};
use crate::ui::sanitize;

/// The largest number of shown completions; the line editor counts them in 16 bits.
const MAX_COMPLETIONS: usize = 1000;

const HOME_AND_CLEAR: &[u8] = b"\x1b[H\x1b[J";
const DIM: &str = "\x1b[90m";
const RESET: &str = "\x1b[0m";

/// A panic payload that leaves the line editor: nothing else can end the reading of a line from
/// outside. See [`Helper::highlight_prompt`].
pub struct Leaving;

/// See the module.
pub struct Helper {
    pub assist: Box<dyn Assist>,
    pub typing: SharedTyping,
    pub shared: Arc<SharedScreen>,
}

impl rustyline::Helper for Helper {}

impl Highlighter for Helper {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        default: bool,
    ) -> Cow<'b, str> {
        self.typing.lock().searching = !default;
        let mut inner = self.shared.lock();
        if inner.leave {
            drop(inner);
            // No hook runs, because this is not a real panic. The line editor restores the
            // terminal.
            panic::resume_unwind(Box::new(Leaving));
        }
        let mut out = Vec::new();
        if inner.at_top {
            // The tick may have moved the cursor to the second row.
            out.extend_from_slice(HOME_AND_CLEAR);
            inner.at_top = inner.queue.is_empty();
        }
        self.shared.piece(&mut inner, &mut out);
        if !inner.queue.is_empty() {
            self.shared.announce(&mut inner);
        }
        if default {
            self.shared.palette.begin(inner.ink, &mut out);
            out.extend_from_slice(inner.state.as_bytes());
            self.shared.palette.end(&mut out);
            out.extend_from_slice(b" > ");
        } else {
            out.extend_from_slice(prompt.as_bytes());
        }
        Cow::Owned(into_text(out))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.shared.palette.on {
            Cow::Owned([DIM, hint, RESET].concat())
        } else {
            Cow::Borrowed(hint)
        }
    }

    /// The line editor calls it after each change of the line or the cursor, before it draws.
    fn highlight_char(&self, line: &str, pos: usize, _: CmdKind) -> bool {
        self.typing.lock().note(line, pos);
        false
    }
}

impl Hinter for Helper {
    type Hint = Shown;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Shown> {
        // Without colours, the hint would look like typed text.
        if !self.shared.palette.on || pos < line.len() {
            return None;
        }
        let hint = self.assist.hint(line, pos)?;
        (!hint.chars().any(char::is_control)).then_some(Shown(hint))
    }
}

/// A hint at what may follow, which can't be inserted.
pub struct Shown(String);

impl Hint for Shown {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        if mem::take(&mut self.typing.lock().continues) {
            let newline = Pair { display: String::new(), replacement: "\n".to_owned() };
            return Ok((pos.saturating_sub(1), vec![newline]));
        }
        // A list of completions is printed below the line. The next drawing must not wipe it.
        self.shared.lock().at_top = false;
        let (start, completions) = self.assist.complete(line, pos);
        if start > pos || !line.is_char_boundary(start) {
            return Ok((pos, Vec::new()));
        }
        // A file may have any name, but the line is drawn unescaped.
        let drawable = |text: &str| !text.chars().any(char::is_control);
        let completions = completions.into_iter().filter(|one| drawable(&one.replacement));
        let completions: Vec<_> = completions.take(MAX_COMPLETIONS).collect();
        Ok((start, laid_out(completions, self.shared.tty.size())))
    }
}

/// The list as shown: with descriptions, each in its own row, if there are enough rows. Otherwise,
/// the line editor puts several into a row.
fn laid_out(completions: Vec<Completion>, (columns, rows): (usize, usize)) -> Vec<Pair> {
    let shown = |one: &Completion| sanitize::escaped(one.shown.as_bytes());
    let widest = completions.iter().map(|one| shown(one).width()).max().unwrap_or(0);
    let described = completions.iter().any(|one| !one.description.is_empty());
    // The typed line, the last row, and one row of earlier output stay visible.
    let in_rows = described && completions.len() + 3 <= rows;
    let display = |one: &Completion| {
        let mut row = shown(one);
        if !in_rows {
            return row;
        }
        row.extend(std::iter::repeat_n(' ', widest - row.width() + 2));
        row.push_str(&sanitize::escaped(one.description.as_bytes()));
        while row.width() > columns.saturating_sub(3) {
            row.pop();
        }
        // Wider than half of the columns, so that the next one gets its own row.
        row.extend(std::iter::repeat_n(' ', (columns / 2).saturating_sub(row.width())));
        row
    };
    let pair = |one: Completion| Pair { display: display(&one), replacement: one.replacement };
    completions.into_iter().map(pair).collect()
}

impl Validator for Helper {
    /// Every line is valid; a line that is not entered is marked, as in a shell.
    fn validate(&self, _: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let key = match self.typing.lock().ending {
            ReadlineEnd::Entered => None,
            ReadlineEnd::GivenUp | ReadlineEnd::Interrupted => Some("^C".to_owned()),
            ReadlineEnd::Suspended(_) => Some("^Z".to_owned()),
        };
        Ok(ValidationResult::Valid(key))
    }
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
