//! Which additional output is shown, and how it looks.

use super::environment::{columns, no_color};
use crate::cli::DisplayOptions;
use crate::event::Direction;
use crate::ui::HumanOptions;
use crate::ui::pretty::Pretty;
use crate::ui::style::Palette;
use crate::ui::terminal::{ColorChoice, FULL_WIDTH, Terminal};
use crate::ui::view::{Timestamps, View};
use crate::wire::Role;

/// Which additional output is shown, and how it looks.
#[derive(Clone, Copy, Debug)]
pub struct Display {
    /// Only errors.
    pub quiet: bool,
    /// 0, 1 (frames) or 2 (hex).
    pub verbose: u8,
    /// The kinds of the standard streams.
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
    /// Takes the typed options.
    pub fn resolve(options: &DisplayOptions, terminal: Terminal) -> Self {
        let DisplayOptions { quiet, verbose, color, pretty, width, .. } = *options;
        let plain = Self::plain(color, terminal);
        Self { quiet, verbose, width: width.or(plain.width), pretty, ..plain }
    }

    /// For a mode without a transcript.
    pub fn plain(color: ColorChoice, terminal: Terminal) -> Self {
        let (view, timestamps) = (View::default(), Timestamps::default());
        let (quiet, verbose, pretty) = (false, 0, Pretty::default());
        Self { quiet, verbose, terminal, width: columns(), color, view, timestamps, pretty }
    }

    /// The look of a transcript; `is_terminal`: its stream is a terminal. `role` is our role;
    /// `None` for a proxy.
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

    /// The width of a transcript's lines. If the stream is not a terminal, nothing is cut.
    pub fn columns(&self, is_terminal: bool) -> usize {
        self.width.unwrap_or(if is_terminal { self.terminal.width } else { FULL_WIDTH })
    }

    /// The width of text for users. Lines are broken only on a terminal.
    pub fn text_columns(&self, is_terminal: bool) -> usize {
        match (is_terminal, self.width) {
            (false, _) => FULL_WIDTH,
            (true, Some(FULL_WIDTH) | None) => self.terminal.width,
            (true, Some(columns)) => columns,
        }
    }

    /// The colours for a stream.
    pub fn palette(&self, is_terminal: bool) -> Palette {
        Palette { on: self.color.decide(no_color(), is_terminal) }
    }
}
