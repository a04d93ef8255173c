//! Schemas of Protocol Buffers from `.proto` files.
//!
//! The caller reads the files, not the lens. Another crate compiles and checks them; the schema
//! keeps only the data that is needed to read a message.

use std::collections::HashMap;

use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use protox::prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// The types that a message may hold.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The fields of each message; the first one is the whole message.
    messages: Vec<HashMap<u64, Field>>,
}

/// A field of a message.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) repeated: bool,
    pub(super) kind: Type,
}

/// The type of a field.
#[derive(Clone, Debug)]
pub(super) enum Type {
    Scalar(Scalar),
    Text,
    Bytes,
    /// By its index in the schema.
    Message(usize),
    /// A map, with the fields of its key and its value.
    Map(Box<[Field; 2]>),
}

/// A type that is a number on the wire.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Bool,
    Enum(Vec<(i32, String)>),
    Fixed32,
    Fixed64,
    SFixed32,
    SFixed64,
    Float,
    Double,
}

/// Why there is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The files are not valid.
    #[error("{0}")]
    Invalid(String),
    /// They do not contain the message.
    #[error("no message {name} in {file}; it has {}", .known.join(", "))]
    NoMessage {
        /// The requested name.
        name: String,
        /// The file.
        file: String,
        /// The messages that they contain.
        known: Vec<String>,
    },
}

impl Schema {
    /// Reads the schema of a message, as in `pkg.Type`, from a file. `open` returns the text of the
    /// file, and of those that it imports; Google's own are built in.
    pub fn parse(
        file: &str,
        message: &str,
        open: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Self, SchemaError> {
        let mut resolver = ChainFileResolver::new();
        resolver.add(Texts(gather(file, open)));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.open_file(file).map_err(|error| SchemaError::Invalid(placed(&error)))?;
        let pool = compiler.descriptor_pool();
        let Some(root) = pool.get_message_by_name(message) else {
            let known = pool.all_messages().filter(|message| !message.is_map_entry());
            return Err(SchemaError::NoMessage {
                name: message.to_owned(),
                file: file.to_owned(),
                known: known.map(|message| message.full_name().to_owned()).collect(),
            });
        };
        Ok(Self::of(root))
    }

    /// The schema of a message and of the messages inside it.
    fn of(root: MessageDescriptor) -> Self {
        let mut places = HashMap::from([(root.full_name().to_owned(), 0)]);
        let mut found = vec![root];
        let mut messages = Vec::new();
        while let Some(message) = found.get(messages.len()).cloned() {
            let mut place = |message: MessageDescriptor| {
                *places.entry(message.full_name().to_owned()).or_insert_with(|| {
                    found.push(message);
                    found.len() - 1
                })
            };
            let field =
                |field: FieldDescriptor| (field.number().into(), Field::of(&field, &mut place));
            messages.push(message.fields().map(field).collect());
        }
        Self { messages }
    }

    /// The index of the whole message.
    pub(super) fn root(&self) -> usize {
        0
    }

    pub(super) fn field(&self, message: usize, number: u64) -> Option<&Field> {
        self.messages.get(message)?.get(&number)
    }
}

impl Field {
    fn of(field: &FieldDescriptor, place: &mut impl FnMut(MessageDescriptor) -> usize) -> Self {
        let (number, name) = (field.number().into(), field.name().to_owned());
        Self { number, name, repeated: field.is_list(), kind: Type::of(field, place) }
    }
}

impl Type {
    fn of(field: &FieldDescriptor, place: &mut impl FnMut(MessageDescriptor) -> usize) -> Self {
        Self::Scalar(match field.kind() {
            Kind::Int32 => Scalar::Int32,
            Kind::Int64 => Scalar::Int64,
            Kind::Uint32 => Scalar::Uint32,
            Kind::Uint64 => Scalar::Uint64,
            Kind::Sint32 => Scalar::Sint32,
            Kind::Sint64 => Scalar::Sint64,
            Kind::Bool => Scalar::Bool,
            Kind::Fixed32 => Scalar::Fixed32,
            Kind::Fixed64 => Scalar::Fixed64,
            Kind::Sfixed32 => Scalar::SFixed32,
            Kind::Sfixed64 => Scalar::SFixed64,
            Kind::Float => Scalar::Float,
            Kind::Double => Scalar::Double,
            Kind::Enum(kind) => Scalar::Enum(
                kind.values().map(|value| (value.number(), value.name().to_owned())).collect(),
            ),
            Kind::String => return Self::Text,
            Kind::Bytes => return Self::Bytes,
            Kind::Message(entry) if field.is_map() => {
                let fields = [entry.map_entry_key_field(), entry.map_entry_value_field()];
                return Self::Map(Box::new(fields.map(|field| Field::of(&field, place))));
            }
            Kind::Message(message) => return Self::Message(place(message)),
        })
    }
}

impl Scalar {
    /// Its wire type.
    pub(super) fn wire(&self) -> u64 {
        match self {
            Self::Fixed64 | Self::SFixed64 | Self::Double => 1,
            Self::Fixed32 | Self::SFixed32 | Self::Float => 5,
            _ => 0,
        }
    }
}

/// An error after its file, line and column, as far as they are known.
fn placed(error: &protox::Error) -> String {
    // Its `Debug` output is `FILE:LINE:COLUMN: ` and the text; without a line, only the text.
    let text = format!("{error:?}");
    match error.file().filter(|file| !text.starts_with(&format!("{file}:"))) {
        Some(file) => format!("{file}: {text}"),
        None => text,
    }
}

/// The texts of the files, by name.
struct Texts(HashMap<String, String>);

/// Reads a file and its imports, each once.
fn gather(file: &str, open: &mut dyn FnMut(&str) -> Option<String>) -> HashMap<String, String> {
    let mut texts = HashMap::new();
    let mut wanted = vec![file.to_owned()];
    while let Some(name) = wanted.pop() {
        if texts.contains_key(&name) {
            continue;
        }
        let Some(text) = open(&name) else { continue };
        if let Ok(file) = File::from_source(&name, &text) {
            wanted.extend(file.file_descriptor_proto().dependency.iter().cloned());
        }
        texts.insert(name, text);
    }
    texts
}

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(message: &str, files: &[(&str, &str)]) -> Result<Schema, SchemaError> {
        Schema::parse(files[0].0, message, &mut |name| {
            files.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn imported_files_are_asked_for() {
        let a = "syntax = \"proto3\"; import \"b.proto\"; message A { B b = 1; A a = 2; }";
        let b = "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";
                 message B { google.protobuf.Timestamp at = 1; }";
        let schema = parse("A", &[("a.proto", a), ("b.proto", b)]).expect("valid");
        assert_eq!(schema.messages.len(), 3);
        let error = parse("A", &[("a.proto", a)]).expect_err("b.proto is missing");
        assert!(error.to_string().contains("b.proto"), "{error}");
    }

    #[test]
    fn errors_name_the_place() {
        let imports = "syntax = \"proto3\";\nimport \"b.proto\";\nmessage A {}";
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[("a.proto", "syntax = \"proto3\";\n\n  messag A {}")], "a.proto:3:3: expected"),
            (
                &[("a.proto", "syntax = \"proto3\";\nmessage A {\n  B b = 1;\n}")],
                "a.proto:3:3: name 'B' is not defined",
            ),
            (&[("a.proto", imports)], "a.proto:2:1: import 'b.proto' not found"),
            (&[("a.proto", imports), ("b.proto", "\n\nmessage {}")], "b.proto:3:9: expected"),
            (&[("a.proto", "message A {")], "a.proto: expected"),
        ];
        for (files, begin) in cases {
            let error = parse("A", files).expect_err("no schema").to_string();
            assert!(error.starts_with(begin), "{error}");
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let text = "syntax = \"proto3\"; message A {}";
        let error = parse("B", &[("a.proto", text)]).expect_err("no B");
        assert_eq!(error.to_string(), "no message B in a.proto; it has A");
        let error = parse("A", &[("a.proto", "messag A {}")]).expect_err("a misspelling");
        assert!(matches!(error, SchemaError::Invalid(_)), "{error}");
    }
}
