//! How much is shown in addition to the output, and how.

use super::environment::{columns, no_color};
use crate::cli::DisplayOptions;
use crate::event::Direction;
use crate::ui::HumanOptions;
use crate::ui::pretty::Pretty;
use crate::ui::style::Palette;
use crate::ui::terminal::{ColorChoice, FULL_WIDTH, Terminal};
use crate::ui::view::{Timestamps, View};
use crate::wire::Role;

/// How much is shown in addition to the output, and how.
#[derive(Clone, Copy, Debug)]
pub struct Display {
    /// Nothing but errors.
    pub quiet: bool,
    /// 0, 1 (frames) or 2 (hex).
    pub verbose: u8,
    /// What the standard streams are.
    pub terminal: Terminal,
    /// The requested columns.
    pub width: Option<usize>,
    /// Whether to colour.
    pub color: ColorChoice,
    /// How traffic is shown.
    pub view: View,
    /// Which time is shown.
    pub timestamps: Timestamps,
    /// Whether JSON is shown pretty.
    pub pretty: Pretty,
}

impl Display {
    /// Takes what was typed.
    pub fn resolve(options: &DisplayOptions, terminal: Terminal) -> Self {
        let DisplayOptions { quiet, verbose, color, pretty, width, .. } = *options;
        let width = width.or_else(columns);
        let (view, timestamps) = (View::default(), Timestamps::default());
        Self { quiet, verbose, terminal, width, color, view, timestamps, pretty }
    }

    /// How a transcript looks on a stream that is a terminal, or is not.
    /// `role` is ours, if we are one of the ends.
    pub fn human(&self, role: Option<Role>, is_terminal: bool) -> HumanOptions {
        let sent = Direction::sent_by(role.unwrap_or(Role::Client));
        HumanOptions {
            show_connection: role != Some(Role::Client),
            all_rules: self.verbose > 0,
            width: self.columns(is_terminal),
            wraps: is_terminal,
            palette: self.palette(is_terminal),
            view: match self.view {
                View::Frames if self.verbose > 1 => View::Hex,
                view => view,
            },
            pretty: self.pretty,
            timestamps: self.timestamps,
            ..HumanOptions::new(sent)
        }
    }

    /// Columns of the lines of a transcript on a stream that is a terminal, or is not: without a
    /// screen, nothing is cut.
    pub fn columns(&self, is_terminal: bool) -> usize {
        self.width.unwrap_or(if is_terminal { self.terminal.width } else { FULL_WIDTH })
    }

    /// Columns of text for people on a stream that is a terminal, or is not: only for a screen lines
    /// are broken.
    pub fn text_columns(&self, is_terminal: bool) -> usize {
        match (is_terminal, self.width) {
            (false, _) => FULL_WIDTH,
            (true, Some(FULL_WIDTH) | None) => self.terminal.width,
            (true, Some(columns)) => columns,
        }
    }

    /// The colours of a stream that is a terminal, or is not.
    pub fn palette(&self, is_terminal: bool) -> Palette {
        Palette { on: self.color.decide(no_color(), is_terminal) }
    }
}
