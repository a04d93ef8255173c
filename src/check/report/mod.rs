//! The results of a run, for people and for machines.

mod github;
mod json;
mod junit;
mod list;
mod results;
#[cfg(test)]
mod sample;
mod tap;
mod text;

pub use list::{Catalogue, show};
pub use results::Results;

use crate::ui::style::Palette;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultsFormat {
    /// For people.
    Text,
    /// An object for each case, then one with the counts.
    Json,
    /// A file of JUnit.
    Junit,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// Annotations of GitHub's.
    Github,
}

impl ResultsFormat {
    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "json" => Self::Json,
            "junit" => Self::Junit,
            "tap" => Self::Tap,
            "github" => Self::Github,
            _ => return None,
        })
    }
}

/// Writes results.
pub fn write(results: &Results<'_>, format: ResultsFormat, palette: Palette) -> Vec<u8> {
    match format {
        ResultsFormat::Text => text::write(results, palette),
        ResultsFormat::Json => json::write(results).into_bytes(),
        ResultsFormat::Junit => junit::write(results).into_bytes(),
        ResultsFormat::Tap => tap::write(results).into_bytes(),
        ResultsFormat::Github => github::write(results).into_bytes(),
    }
}
