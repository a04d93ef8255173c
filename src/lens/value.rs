//! Values of all payload formats, with their order and types.
//!
//! A value is written as JSON if JSON has the type, otherwise in the diagnostic notation of CBOR,
//! RFC 8949 §8: `h'0102'`, `1(1363896240)`, `undefined`.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::secrets::{Named, Secrets};
use crate::wire::hex;

/// A value.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each is the type of its name
pub enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    /// Another JSON number, or one in an unusual notation: as written.
    Number(String),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// A type of one format: a mark such as `undefined`, or a mark around a value, such as
    /// `ext5(h'00')`.
    Marked(String, Option<Box<Value>>),
}

/// The relation of an object's entry to the other entries.
enum EntryPart {
    /// Another entry says that it is a secret.
    Secret,
    /// It is the name of the entry `value`.
    Name,
    /// Only its own key names it.
    Own,
}

impl Value {
    /// The value of a key in a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// The text of a key in a map.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The value at a path of keys and indices, separated by dots, as in `args.0`.
    pub fn path(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |value, step| match value {
            Self::List(values) => values.get(step.parse::<usize>().ok()?),
            _ => value.get(step),
        })
    }

    /// The text, if it is a text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is an integer in this range.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The number as an integer, because some encoders write integers as floats.
    pub fn as_integer(&self) -> Option<i128> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Float(number) if number.fract() == 0.0 => Some(*number as i128),
            Self::Number(text) => Self::Float(text.parse().ok()?).as_integer(),
            _ => None,
        }
    }

    /// The values, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// Whether it has content: not null, false or empty.
    pub fn says_something(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) => false,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(members) => !members.is_empty(),
            _ => true,
        }
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Masks secrets: values of keys with a secret name, and known values.
    pub(super) fn mask(&mut self, secrets: &Secrets<'_>) {
        match self {
            Self::List(values) => values.iter_mut().for_each(|value| value.mask(secrets)),
            Self::Map(entries) => {
                let part = Self::parts(entries, secrets);
                for (key, value) in entries {
                    let is_secret = || key.as_str().is_some_and(|key| (secrets.is_secret)(key));
                    match part(key, value) {
                        EntryPart::Secret => *value = secrets.mask.into(),
                        EntryPart::Own if is_secret() => *value = secrets.mask.into(),
                        EntryPart::Name | EntryPart::Own => value.mask(secrets),
                    }
                }
            }
            Self::Marked(_, Some(value)) => value.mask(secrets),
            Self::Text(text) => secrets.take_out_of(text, &Named::default()),
            Self::Number(text) => {
                if let Cow::Owned(cleaned) = (secrets.clean)(text) {
                    *self = cleaned.into();
                }
            }
            _ => {}
        }
    }

    /// Whether an object says in `key` or `name` (its own, or that of its `variable` in OCPP) that
    /// its `value` is a secret.
    fn names_secret(entries: &[(Self, Self)], secrets: &Secrets<'_>) -> bool {
        entries.iter().any(|(key, value)| match (key.as_str(), value) {
            (Some("key" | "name"), Self::Text(name)) => (secrets.is_secret)(name),
            (Some("variable"), Self::Map(inner)) => Self::names_secret(inner, secrets),
            _ => false,
        })
    }

    /// The relations of an object's entries.
    fn parts(
        entries: &[(Self, Self)],
        secrets: &Secrets<'_>,
    ) -> impl Fn(&Self, &Self) -> EntryPart + use<> {
        let is_pair = entries.iter().any(|(key, _)| key.as_str() == Some("value"));
        let is_named_secret = Self::names_secret(entries, secrets);
        move |key, value| match key.as_str() {
            Some("value" | "attributeValue") if is_named_secret => EntryPart::Secret,
            Some("key") if is_pair && matches!(value, Self::Text(_)) => EntryPart::Name,
            _ => EntryPart::Own,
        }
    }

    /// Notes the texts that objects have in `key` for their `value`, because another text may show
    /// only one of the two.
    pub(super) fn note_named(&self, secrets: &Secrets<'_>, named: &mut Named) {
        match self {
            Self::List(values) => values.iter().for_each(|value| value.note_named(secrets, named)),
            Self::Marked(_, Some(value)) => value.note_named(secrets, named),
            Self::Map(entries) => {
                let part = Self::parts(entries, secrets);
                for (key, value) in entries {
                    match part(key, value) {
                        EntryPart::Secret => named.secrets.push(value.written()),
                        EntryPart::Name => named.names.push(value.written()),
                        EntryPart::Own => value.note_named(secrets, named),
                    }
                }
            }
            _ => {}
        }
    }

    /// The form for a summary; a text without quotes.
    fn written(&self) -> String {
        let written = super::text::clipped(&self.beginning(), usize::MAX);
        match self {
            Self::Text(_) => {
                let content = written.strip_prefix('"').unwrap_or(&written);
                content.strip_suffix('"').unwrap_or(content).to_owned()
            }
            _ => written,
        }
    }

    /// A text without quotes, any other value as written.
    pub fn plain(&self) -> String {
        self.as_str().map_or_else(|| self.short(), str::to_owned)
    }

    /// The beginning of its written form, as long as a part of a summary.
    pub fn short(&self) -> String {
        super::text::brief(&self.beginning())
    }

    /// The beginning of its written form, at least as long as a summary.
    pub(super) fn beginning(&self) -> String {
        let mut beginning = BoundedWriter(String::new());
        // The error only means that it is full.
        let _ = write!(beginning, "{self}");
        beginning.0
    }

    /// Strict JSON; a type that JSON lacks is a string in diagnostic notation.
    pub fn json(&self) -> String {
        format!("{self:#}")
    }
}

/// Takes only the beginning of the output, so that a long value costs no more than a short one.
struct BoundedWriter(String);

impl Write for BoundedWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() > 1024 {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// In diagnostic notation; with `#`, in strict JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strict = f.alternate();
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) if value.is_finite() => write!(f, "{value:?}"),
            Self::Float(value) => {
                let name = match *value {
                    value if value.is_nan() => "NaN",
                    value if value > 0.0 => "Infinity",
                    _ => "-Infinity",
                };
                foreign(f, strict, name)
            }
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => quoted(f, text),
            Self::Bytes(bytes) => {
                if strict {
                    f.write_char('"')?;
                }
                write!(f, "h'{}", hex(bytes))?;
                f.write_str(if strict { "'\"" } else { "'" })
            }
            Self::List(values) => {
                f.write_char('[')?;
                separated(f, values, |f, value| value.fmt(f))?;
                f.write_char(']')
            }
            Self::Map(entries) => {
                f.write_char('{')?;
                separated(f, entries, |f, (key, value)| {
                    match key {
                        Self::Text(_) => key.fmt(f)?,
                        _ if strict => quoted(f, &key.to_string())?,
                        _ => key.fmt(f)?,
                    }
                    f.write_char(':')?;
                    value.fmt(f)
                })?;
                f.write_char('}')
            }
            Self::Marked(mark, None) => foreign(f, strict, mark),
            Self::Marked(mark, Some(value)) if strict => quoted(f, &format!("{mark}({value})")),
            Self::Marked(mark, Some(value)) => write!(f, "{mark}({value})"),
        }
    }
}

fn foreign(f: &mut fmt::Formatter<'_>, strict: bool, word: &str) -> fmt::Result {
    if strict { quoted(f, word) } else { f.write_str(word) }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    mut write: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_char(',')?;
        }
        write(f, item)?;
    }
    Ok(())
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if u32::from(c) < 0x20 => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Self::Integer(number as i128)
            }
        }
    )*};
}

from_integers!(u8, u16, u32, u64, usize, i64, i128);

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self::List(values.into_iter().collect())
    }
}

/// A map of texts to values, as JSON objects are.
impl<K: Into<Value>> FromIterator<(K, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_json_lacks_are_kept() {
        let value = Value::from_iter([
            ("bytes", Value::from(&[1u8, 255][..])),
            ("tag", Value::Marked("1".into(), Some(Box::new(Value::from(5u8))))),
            ("nothing", Value::Marked("undefined".into(), None)),
            ("nan", Value::Float(f64::NAN)),
            ("one", Value::Float(1.0)),
        ]);
        let expected = r#"{"bytes":h'01ff',"tag":1(5),"nothing":undefined,"nan":NaN,"one":1.0}"#;
        assert_eq!(value.to_string(), expected);
        let strict =
            r#"{"bytes":"h'01ff'","tag":"1(5)","nothing":"undefined","nan":"NaN","one":1.0}"#;
        assert_eq!(value.json(), strict);
        serde_json::from_str::<serde_json::Value>(&value.json()).expect("it is JSON");
    }

    #[test]
    fn a_key_of_any_type_is_a_string_in_json() {
        let value = Value::Map(vec![(Value::from(1u8), Value::Null)]);
        assert_eq!(value.to_string(), "{1:null}");
        assert_eq!(value.json(), r#"{"1":null}"#);
    }

    #[test]
    fn a_long_value_is_cut_where_it_is_written() {
        let value: Value = std::iter::repeat_n(Value::from("word"), 100_000).collect();
        assert!(value.short().chars().count() <= super::super::text::BRIEF);
    }

    #[test]
    fn a_path_leads_through_maps_and_lists() {
        let value = Value::from_iter([("a", Value::from_iter([Value::Null, Value::from(7u8)]))]);
        assert_eq!(value.path("a.1"), Some(&Value::from(7u8)));
        assert_eq!(value.path("a.2"), None);
    }
}
