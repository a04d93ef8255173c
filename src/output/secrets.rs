//! The secrets of this run, for all output except events: notes, errors, answers.
//!
//! They belong to the process, because the command line names them.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use crate::ui::redact::Redactor;

static SECRETS: RwLock<Redactor> = RwLock::new(Redactor::new());

/// Sets the secrets.
pub fn publish(redactor: &Redactor) {
    *SECRETS.write().unwrap_or_else(PoisonError::into_inner) = redactor.clone();
}

/// The secrets so far.
pub fn redactor() -> Redactor {
    SECRETS.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A text without secrets: see [`Redactor::text`].
pub fn redact(text: &str) -> Cow<'_, str> {
    SECRETS.read().unwrap_or_else(PoisonError::into_inner).text(text)
}

/// A sentence of wscope without secrets: see [`Redactor::sentence`].
pub fn redact_sentence(text: &str) -> Cow<'_, str> {
    SECRETS.read().unwrap_or_else(PoisonError::into_inner).sentence(text)
}
