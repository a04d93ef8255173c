//! Which lens reads the messages of which connection.

use std::path::Path;
use std::sync::Arc;

use super::usage::UsageError;
use crate::cli::lens::{LensChoice, LensOptions};
use crate::lens::payload::schema::Schema;
use crate::net::files::read_text;

/// The lenses of connections.
#[derive(Clone, Debug, Default)]
pub struct LensConfig {
    /// The lens for paths without their own.
    pub choice: LensChoice,
    /// Paths of a server and their lenses.
    pub paths: Vec<(String, LensChoice)>,
    /// The schema of payloads that need one.
    pub schema: Option<Arc<Schema>>,
    /// A command that gets each message as a line, and answers with a line.
    pub command: Option<String>,
}

impl LensConfig {
    /// Takes the typed options, and reads the schema.
    pub fn resolve(options: &LensOptions, paths: &[String]) -> Result<Self, UsageError> {
        let paths = paths.iter().map(|pair| path(pair)).collect::<Result<_, _>>()?;
        let schema = match (&options.proto, &options.message) {
            (Some(file), Some(message)) => Some(schema(file, message)?.into()),
            _ => None,
        };
        let choice = match (options.lens, &schema) {
            (LensChoice::Auto, Some(_)) => LensChoice::of("protobuf").unwrap_or_default(),
            (choice, _) => choice,
        };
        Ok(Self { choice, paths, schema, command: options.decode_with.clone() })
    }

    /// No lens.
    pub fn off() -> Self {
        Self { choice: LensChoice::Off, ..Self::default() }
    }

    /// The choice for a connection to a path and query.
    pub fn choice_of(&self, url: &str) -> LensChoice {
        let path = url.split('?').next().unwrap_or_default();
        let own = self.paths.iter().find(|(name, _)| name == path);
        own.map_or(self.choice, |(_, choice)| *choice)
    }

    /// Whether the user named a lens. Then it reads messages even if no output needs their meaning.
    pub fn is_named(&self) -> bool {
        let named = |choice: &LensChoice| matches!(choice, LensChoice::Named(_));
        named(&self.choice) || self.paths.iter().any(|(_, choice)| named(choice))
    }
}

/// `/path=NAME`.
fn path(pair: &str) -> Result<(String, LensChoice), UsageError> {
    let wrong = |why: String| UsageError(format!("--lens-map {pair}: {why}"));
    let (path, name) = pair
        .split_once('=')
        .filter(|(path, _)| path.starts_with('/'))
        .ok_or_else(|| wrong("write /path=NAME".to_owned()))?;
    let choice = LensChoice::of(name).ok_or_else(|| wrong(unknown(name)))?;
    Ok((path.to_owned(), choice))
}

/// The error of an unknown lens.
pub fn unknown(name: &str) -> String {
    let names: Vec<_> = LensChoice::names().collect();
    format!("no lens is called {name}; there are {}", names.join(", "))
}

fn schema(file: &Path, message: &str) -> Result<Schema, UsageError> {
    let shown = file.display();
    let wrong = |why: String| UsageError(format!("--proto {shown}: {why}"));
    let name = file.file_name().ok_or_else(|| wrong("write the name of a file".to_owned()))?;
    // Imports are relative to the folder of the schema.
    let folder = file.parent().unwrap_or(Path::new(""));
    let name = name.to_string_lossy();
    let text = read_text(file).map_err(|error| wrong(error.fault.to_string()))?;
    let mut open = |import: &str| match import == name {
        true => Some(text.clone()),
        false => read_text(folder.join(import)).ok(),
    };
    Schema::parse(&name, message, &mut open).map_err(|error| wrong(error.to_string()))
}
