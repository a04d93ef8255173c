//! Protocol Buffers: <https://protobuf.dev/programming-guides/encoding/>.
//!
//! Without a schema a message is its field numbers with what their wire types show: a varint is an
//! integer, `fixed32(…)`, `fixed64(…)` and `group(…)` are marked, and bytes are a text if they can
//! be read, else a message if they are one. With a schema fields have names and types; what does
//! not fit the schema is shown as without.

use super::cursor::Cursor;
use super::schema::{Field, Scalar, Schema, Type};
use crate::lens::Value;

/// Reads bytes that are one message.
pub fn read(bytes: &[u8], schema: Option<&Schema>) -> Option<Value> {
    message(&mut Cursor::new(bytes), &Reader { schema }, schema.map(Schema::root), None)
        .map(Value::Map)
}

struct Reader<'s> {
    schema: Option<&'s Schema>,
}

/// The number of a type in a schema.
type Index = usize;

fn message(
    from: &mut Cursor<'_>,
    reader: &Reader<'_>,
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
            (Some(field), Some(value)) => (field.name.as_str().into(), value, field.repeated),
            _ => {
                from.rest = before;
                (number.into(), unknown(from, reader, number, wire)?, false)
            }
        };
        push(&mut entries, key, value, repeated);
    }
    group.is_none().then_some(entries)
}

/// Adds an entry. The values of a repeated field become a list, as do neighbours of one number.
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
fn unknown(from: &mut Cursor<'_>, reader: &Reader<'_>, number: u64, wire: u64) -> Option<Value> {
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

/// A value by its schema; `None` if it does not fit.
fn known(from: &mut Cursor<'_>, reader: &Reader<'_>, field: &Field, wire: u64) -> Option<Value> {
    match &field.kind {
        Type::Scalar(scalar) if scalar.wire() == wire => value(from, scalar),
        // Repeated numbers may be packed into one.
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

fn value(from: &mut Cursor<'_>, scalar: &Scalar) -> Option<Value> {
    Some(match scalar {
        Scalar::Signed => from.varint(10)?.cast_signed().into(),
        Scalar::Unsigned => from.varint(10)?.into(),
        Scalar::ZigZag => {
            let number = from.varint(10)?;
            ((number >> 1).cast_signed() ^ -(number & 1).cast_signed()).into()
        }
        Scalar::Bool => (from.varint(10)? != 0).into(),
        Scalar::Enum(names) => {
            let number = from.varint(10)?.cast_signed();
            let name = names.iter().find(|(of, _)| i64::from(*of) == number);
            name.map_or_else(|| number.into(), |(_, name)| name.as_str().into())
        }
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

/// The text that bytes are, if a person would call them one. A message often begins with a byte
/// that is a line feed: field 1, length-delimited.
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
            r#""price":1.0,"notes":[{"key":"n","value":1}],7:9,"state":7}"#,
        );
        let value = read(bytes, Some(&schema)).expect("a message");
        assert_eq!(value.to_string(), expected);
        let other = read(b"\x12\x01a", Some(&schema)).expect("a message");
        assert_eq!(other.to_string(), r#"{2:"a"}"#, "not of the schema's type");
    }
}
