//! Protocol Buffers: <https://protobuf.dev/programming-guides/encoding/>.
//!
//! Without a schema, a message is shown as field numbers with values of their wire types: a varint
//! is an integer, `fixed32(…)`, `fixed64(…)` and `group(…)` are marked, and bytes are a text if
//! they are readable, otherwise a message if they can be parsed as one. With a schema, fields have
//! names and types; data that does not fit the schema is shown as without one.

use super::cursor::Cursor;
use super::schema::{Field, Scalar, Schema, Type};
use crate::lens::Value;

/// Parses bytes that are a single message.
pub fn read(bytes: &[u8], schema: Option<&Schema>) -> Option<Value> {
    message(&mut Cursor::new(bytes), &SchemaReader { schema }, schema.map(Schema::root), None)
        .map(Value::Map)
}

struct SchemaReader<'s> {
    schema: Option<&'s Schema>,
}

/// The index of a type in a schema.
type Index = usize;

fn message(
    from: &mut Cursor<'_>,
    reader: &SchemaReader<'_>,
    kind: Option<Index>,
    group: Option<u64>,
) -> Option<Vec<(Value, Value)>> {
    let mut entries = Vec::new();
    while !from.rest.is_empty() {
        from.count()?;
        let tag = from.varint(5)?;
        let (number, wire) = (tag >> 3, tag & 7);
        if number == 0 {
            return None;
        }
        if wire == 4 {
            return (group == Some(number)).then_some(entries);
        }
        let field = reader.schema.zip(kind).and_then(|(schema, kind)| schema.field(kind, number));
        let before = from.rest;
        let known = field.and_then(|field| known(from, reader, field, wire));
        let (key, value, repeated) = match (field, known) {
            (Some(field), Some(value)) => {
                let key = Value::from(field.name.as_str());
                match (&field.kind, entries.last_mut(), value) {
                    (Type::Map(_), Some((last, Value::Map(all))), Value::Map(more))
                        if *last == key =>
                    {
                        all.extend(more);
                        continue;
                    }
                    (_, _, value) => (key, value, field.repeated),
                }
            }
            _ => {
                from.rest = before;
                (number.into(), unknown(from, reader, number, wire)?, false)
            }
        };
        push(&mut entries, key, value, repeated);
    }
    group.is_none().then_some(entries)
}

/// Adds an entry. Values of a repeated field become a list, and so do adjacent values with the same
/// number.
fn push(entries: &mut Vec<(Value, Value)>, key: Value, value: Value, repeated: bool) {
    match entries.last_mut() {
        Some((last, Value::List(values))) if *last == key => match value {
            Value::List(more) if repeated => values.extend(more),
            value => values.push(value),
        },
        Some((last, first)) if *last == key => {
            *first = Value::List(vec![std::mem::replace(first, Value::Null), value]);
        }
        _ => match value {
            value @ Value::List(_) => entries.push((key, value)),
            value if repeated => entries.push((key, Value::List(vec![value]))),
            value => entries.push((key, value)),
        },
    }
}

/// A value without a schema.
fn unknown(
    from: &mut Cursor<'_>,
    reader: &SchemaReader<'_>,
    number: u64,
    wire: u64,
) -> Option<Value> {
    let marked = |mark: &str, value| Value::Marked(mark.to_owned(), Some(Box::new(value)));
    Some(match wire {
        0 => from.varint(10)?.into(),
        1 => marked("fixed64", u64::from_le_bytes(from.array()?).into()),
        2 => {
            let bytes = length_delimited(from)?;
            if let Some(text) = readable(bytes) {
                text.into()
            } else if let Some(entries) =
                from.inside(bytes, |from| message(from, reader, None, None))
            {
                Value::Map(entries)
            } else {
                bytes.into()
            }
        }
        3 => {
            let entries = from.deeper(|from| message(from, reader, None, Some(number)))?;
            marked("group", Value::Map(entries))
        }
        5 => marked("fixed32", u32::from_le_bytes(from.array()?).into()),
        _ => return None,
    })
}

/// A value according to its schema; `None` if it does not fit.
fn known(
    from: &mut Cursor<'_>,
    reader: &SchemaReader<'_>,
    field: &Field,
    wire: u64,
) -> Option<Value> {
    match &field.kind {
        Type::Map(fields) if wire == 2 => {
            let bytes = length_delimited(from)?;
            let entry = from.inside(bytes, |from| entry(from, reader, fields))?;
            Some(Value::Map(vec![entry]))
        }
        Type::Scalar(scalar) if scalar.wire() == wire => value(from, scalar),
        // Repeated numbers may be packed together.
        Type::Scalar(scalar) if wire == 2 && field.repeated => {
            let bytes = length_delimited(from)?;
            from.inside(bytes, |from| {
                let mut values = Vec::new();
                while !from.rest.is_empty() {
                    from.count()?;
                    values.push(value(from, scalar)?);
                }
                Some(Value::List(values))
            })
        }
        Type::Text if wire == 2 => {
            std::str::from_utf8(length_delimited(from)?).ok().map(Value::from)
        }
        Type::Bytes if wire == 2 => length_delimited(from).map(Value::from),
        Type::Message(kind) if wire == 2 => {
            let bytes = length_delimited(from)?;
            from.inside(bytes, |from| message(from, reader, Some(*kind), None)).map(Value::Map)
        }
        Type::Message(kind) if wire == 3 => from
            .deeper(|from| message(from, reader, Some(*kind), Some(field.number)))
            .map(Value::Map),
        _ => None,
    }
}

/// An entry of a map: a message with a key and a value; missing parts have their default.
fn entry(
    from: &mut Cursor<'_>,
    reader: &SchemaReader<'_>,
    fields: &[Field; 2],
) -> Option<(Value, Value)> {
    let [mut key, mut value] = [0, 1].map(|at| default(&fields[at].kind));
    while !from.rest.is_empty() {
        from.count()?;
        let tag = from.varint(5)?;
        let (number, wire) = (tag >> 3, tag & 7);
        match number {
            1 => key = known(from, reader, &fields[0], wire)?,
            2 => value = known(from, reader, &fields[1], wire)?,
            _ => drop(unknown(from, reader, number, wire)?),
        }
    }
    Some((key, value))
}

fn default(kind: &Type) -> Value {
    match kind {
        Type::Text => "".into(),
        Type::Bytes => Value::Bytes(Vec::new()),
        Type::Message(_) | Type::Map(_) => Value::Map(Vec::new()),
        Type::Scalar(Scalar::Bool) => false.into(),
        Type::Scalar(Scalar::Float | Scalar::Double) => Value::Float(0.0),
        Type::Scalar(Scalar::Enum(names)) => named(names, 0),
        Type::Scalar(_) => 0u8.into(),
    }
}

fn named(names: &[(i32, String)], number: i32) -> Value {
    let name = names.iter().find(|(of, _)| *of == number);
    name.map_or_else(|| i64::from(number).into(), |(_, name)| name.as_str().into())
}

/// A number. A 32-bit number with more bits is cut, as by its receivers: "you will get the same
/// effect as if you had cast the number to that type in C++" (Updating a message type).
fn value(from: &mut Cursor<'_>, scalar: &Scalar) -> Option<Value> {
    Some(match scalar {
        Scalar::Int32 => i64::from(from.varint(10)? as i32).into(),
        Scalar::Int64 => from.varint(10)?.cast_signed().into(),
        Scalar::Uint32 => (from.varint(10)? as u32).into(),
        Scalar::Uint64 => from.varint(10)?.into(),
        Scalar::Sint32 => {
            let number = from.varint(10)? as u32;
            i64::from((number >> 1).cast_signed() ^ -(number & 1).cast_signed()).into()
        }
        Scalar::Sint64 => {
            let number = from.varint(10)?;
            ((number >> 1).cast_signed() ^ -(number & 1).cast_signed()).into()
        }
        Scalar::Bool => (from.varint(10)? != 0).into(),
        Scalar::Enum(names) => named(names, from.varint(10)? as i32),
        Scalar::Fixed32 => u32::from_le_bytes(from.array()?).into(),
        Scalar::Fixed64 => u64::from_le_bytes(from.array()?).into(),
        Scalar::SFixed32 => i64::from(i32::from_le_bytes(from.array()?)).into(),
        Scalar::SFixed64 => i64::from_le_bytes(from.array()?).into(),
        Scalar::Float => Value::Float(f32::from_le_bytes(from.array()?).into()),
        Scalar::Double => Value::Float(f64::from_le_bytes(from.array()?)),
    })
}

fn length_delimited<'a>(from: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = from.varint(10)?;
    from.take(usize::try_from(len).ok()?)
}

/// The bytes as text, if they look like text to a user. A message often begins with the byte of a
/// line feed: field 1, length-delimited.
fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let odd = |c: char| c.is_control() && !['\n', '\r', '\t'].contains(&c);
    (!text.contains(odd) && !text.starts_with(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> Option<String> {
        read(bytes, None).map(|value| value.to_string())
    }

    #[test]
    fn the_examples_of_the_guide_are_read() {
        assert_eq!(shown(b"\x08\x96\x01").as_deref(), Some("{1:150}"));
        assert_eq!(shown(b"\x12\x07testing").as_deref(), Some(r#"{2:"testing"}"#));
        assert_eq!(shown(b"\x1a\x03\x08\x96\x01").as_deref(), Some("{3:{1:150}}"));
        assert_eq!(shown(b"\x0d\0\0\x80\x3f").as_deref(), Some("{1:fixed32(1065353216)}"));
        assert_eq!(shown(b"\x0b\x10\x01\x0c").as_deref(), Some("{1:group({2:1})}"));
        assert_eq!(shown(b"\x0a\x02\xff\xfe").as_deref(), Some("{1:h'fffe'}"));
        assert_eq!(shown(b"\x08\x01\x08\x02").as_deref(), Some("{1:[1,2]}"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [&b"\x00"[..], b"\x08", b"\x0a\x05abc", b"\x0b", b"\x0c", b"\x0f"] {
            assert_eq!(shown(bytes), None, "{bytes:?}");
        }
        assert_eq!(shown(&[0x0b; 1000]), None, "too deep");
    }

    #[test]
    fn a_schema_gives_names_and_types() {
        let text = r#"
            syntax = "proto3";
            package shop;
            enum State { NEW = 0; PAID = 1; }
            message Item { string name = 1; sint32 change = 2; }
            message Order {
                repeated uint32 codes = 1;
                State state = 2;
                repeated Item items = 3;
                bytes raw = 4;
                float price = 5;
                map<string, int64> notes = 6;
            }
        "#;
        let schema = Schema::parse("order.proto", "shop.Order", &mut |name| {
            (name == "order.proto").then(|| text.to_owned())
        })
        .expect("a valid schema");
        let bytes = b"\x0a\x03\x01\x96\x01\x10\x01\x1a\x05\x0a\x01a\x10\x03\x22\x01a\x2d\0\0\x80\x3f\x32\x05\x0a\x01n\x10\x01\x38\x09\x10\x07";
        let expected = concat!(
            r#"{"codes":[1,150],"state":"PAID","items":[{"name":"a","change":-2}],"raw":h'61',"#,
            r#""price":1.0,"notes":{"n":1},7:9,"state":7}"#,
        );
        let value = read(bytes, Some(&schema)).expect("a message");
        assert_eq!(value.to_string(), expected);
        let other = read(b"\x12\x01a", Some(&schema)).expect("a message");
        assert_eq!(other.to_string(), r#"{2:"a"}"#, "not of the schema's type");
    }

    #[test]
    fn a_map_has_the_keys_that_were_sent() {
        let text = "syntax = \"proto3\";
            message In { int32 n = 1; }
            message M { map<string, string> tags = 1; map<int32, In> by = 2; string end = 3; }";
        let schema = Schema::parse("m.proto", "M", &mut |_| Some(text.to_owned())).expect("valid");
        let bytes = b"\x0a\x0a\x0a\x05token\x12\x01s\x0a\x06\x0a\x01a\x12\x01b\x0a\x00\
                      \x12\x06\x08\x07\x12\x02\x08\x05\x1a\x01x";
        let value = read(bytes, Some(&schema)).expect("a message");
        let expected = r#"{"tags":{"token":"s","a":"b","":""},"by":{7:{"n":5}},"end":"x"}"#;
        assert_eq!(value.to_string(), expected);
    }

    #[test]
    fn numbers_of_32_bits_are_cut_to_them() {
        let text = "syntax = \"proto3\";
            enum E { A = 0; B = 1; }
            message M { int32 i = 1; uint32 u = 2; sint32 s = 3; E e = 4; int64 l = 5; }";
        let schema = Schema::parse("m.proto", "M", &mut |_| Some(text.to_owned())).expect("valid");
        let shown = |bytes: &[u8]| read(bytes, Some(&schema)).expect("a message").to_string();
        let minus_one = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        // 2^32 + 1
        let long = b"\x81\x80\x80\x80\x10";
        for (tag, negative, cut) in [
            (0x08, r#"{"i":-1}"#, r#"{"i":1}"#),
            (0x10, r#"{"u":4294967295}"#, r#"{"u":1}"#),
            (0x18, r#"{"s":-2147483648}"#, r#"{"s":-1}"#),
            (0x20, r#"{"e":-1}"#, r#"{"e":"B"}"#),
            (0x28, r#"{"l":-1}"#, r#"{"l":4294967297}"#),
        ] {
            assert_eq!(shown(&[&[tag], &minus_one[..]].concat()), negative);
            assert_eq!(shown(&[&[tag], &long[..]].concat()), cut);
        }
    }
}
