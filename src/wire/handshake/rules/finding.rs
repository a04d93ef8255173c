//! The result of a rule's function.

use crate::wire::head::Head;

/// The result of a rule's function. The rule's level turns it into an [`Outcome`](super::Outcome).
pub(super) enum Finding {
    Kept(String),
    Broken(String),
    /// A warning, whatever the rule's level.
    Odd(String),
    /// The rule does not apply, for this reason.
    Moot(&'static str),
}

impl Finding {
    pub(super) fn kept(text: impl Into<String>) -> Self {
        Self::Kept(text.into())
    }

    pub(super) fn broken(text: impl Into<String>) -> Self {
        Self::Broken(text.into())
    }

    /// `Kept` if `fine`, else `Broken`, with the text for each.
    pub(super) fn decide(
        fine: bool,
        kept: impl Into<String>,
        broken: impl FnOnce() -> String,
    ) -> Self {
        if fine { Self::Kept(kept.into()) } else { Self::Broken(broken()) }
    }

    /// `Kept` if `head` has the header `name` once; `Moot` without one.
    pub(super) fn at_most_once(head: &Head, name: &'static str) -> Self {
        match head.get_all(name).count() {
            0 => Self::Moot("the header is missing"),
            1 => Self::kept("once"),
            count => Self::broken(format!("{name} appears {count} times")),
        }
    }
}
