//! MessagePack: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use super::cursor::Cursor;
use crate::lens::Value;

/// Reads bytes that are one value.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let mut cursor = Cursor::new(bytes);
    value(&mut cursor).filter(|_| cursor.rest.is_empty())
}

fn value(from: &mut Cursor<'_>) -> Option<Value> {
    from.count()?;
    Some(match from.u8()? {
        small @ 0x00..=0x7f => small.into(),
        head @ 0x80..=0x8f => return map(from, u32::from(head & 0x0f)),
        head @ 0x90..=0x9f => return list(from, u32::from(head & 0x0f)),
        head @ 0xa0..=0xbf => return text(from, u32::from(head & 0x1f)),
        0xc0 => Value::Null,
        0xc2 => false.into(),
        0xc3 => true.into(),
        head @ 0xc4..=0xc6 => {
            let len = length(from, head - 0xc4)?;
            from.take(len as usize)?.into()
        }
        head @ 0xc7..=0xc9 => {
            let len = length(from, head - 0xc7)?;
            return extension(from, len);
        }
        0xca => Value::Float(f32::from_bits(from.u32()?).into()),
        0xcb => Value::Float(f64::from_bits(from.u64()?)),
        0xcc => from.u8()?.into(),
        0xcd => from.u16()?.into(),
        0xce => from.u32()?.into(),
        0xcf => from.u64()?.into(),
        0xd0 => i64::from(i8::from_be_bytes(from.array()?)).into(),
        0xd1 => i64::from(i16::from_be_bytes(from.array()?)).into(),
        0xd2 => i64::from(i32::from_be_bytes(from.array()?)).into(),
        0xd3 => i64::from_be_bytes(from.array()?).into(),
        head @ 0xd4..=0xd8 => return extension(from, 1 << (head - 0xd4)),
        head @ 0xd9..=0xdb => {
            let len = length(from, head - 0xd9)?;
            return text(from, len);
        }
        head @ (0xdc | 0xdd) => {
            let len = length(from, head - 0xdc + 1)?;
            return list(from, len);
        }
        head @ (0xde | 0xdf) => {
            let len = length(from, head - 0xde + 1)?;
            return map(from, len);
        }
        negative @ 0xe0..=0xff => i64::from(negative.cast_signed()).into(),
        // "never used"
        0xc1 => return None,
    })
}

/// A length in 1, 2 or 4 bytes.
fn length(from: &mut Cursor<'_>, power: u8) -> Option<u32> {
    match power {
        0 => from.u8().map(u32::from),
        1 => from.u16().map(u32::from),
        _ => from.u32(),
    }
}

fn text(from: &mut Cursor<'_>, len: u32) -> Option<Value> {
    let bytes = from.take(len as usize)?;
    // A string may hold any bytes; older encoders put binary into it.
    Some(std::str::from_utf8(bytes).map_or_else(|_| bytes.into(), Value::from))
}

fn list(from: &mut Cursor<'_>, len: u32) -> Option<Value> {
    from.deeper(|from| (0..len).map(|_| value(from)).collect::<Option<Vec<_>>>()).map(Value::List)
}

fn map(from: &mut Cursor<'_>, len: u32) -> Option<Value> {
    let entries = |from: &mut Cursor<'_>| {
        (0..len).map(|_| Some((value(from)?, value(from)?))).collect::<Option<Vec<_>>>()
    };
    from.deeper(entries).map(Value::Map)
}

fn extension(from: &mut Cursor<'_>, len: u32) -> Option<Value> {
    let kind = from.u8()?.cast_signed();
    let content = from.take(len as usize)?.into();
    Some(Value::Marked(format!("ext{kind}"), Some(Box::new(content))))
}

/// Writes a value; a mark of another format is left out, what it marks is written.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Marked(_, None) => out.push(0xc0),
        Value::Bool(value) => out.push(0xc2 + u8::from(*value)),
        Value::Integer(number) => match (u64::try_from(*number), i64::try_from(*number)) {
            (Ok(small @ 0..0x80), _) => out.push(small as u8),
            (Ok(number), _) => put(out, 0xcf, &number.to_be_bytes()),
            (_, Ok(number)) => put(out, 0xd3, &number.to_be_bytes()),
            _ => put(out, 0xcb, &(*number as f64).to_be_bytes()),
        },
        Value::Float(number) => put(out, 0xcb, &number.to_be_bytes()),
        Value::Text(text) => {
            put(out, 0xdb, &(text.len() as u32).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        Value::Bytes(bytes) => {
            put(out, 0xc6, &(bytes.len() as u32).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        Value::List(values) => {
            put(out, 0xdd, &(values.len() as u32).to_be_bytes());
            values.iter().for_each(|value| write(value, out));
        }
        Value::Map(entries) => {
            put(out, 0xdf, &(entries.len() as u32).to_be_bytes());
            for (key, value) in entries {
                write(key, out);
                write(value, out);
            }
        }
        Value::Marked(_, Some(value)) => write(value, out),
    }
}

fn put(out: &mut Vec<u8>, head: u8, bytes: &[u8]) {
    out.push(head);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> Option<String> {
        read(bytes).map(|value| value.to_string())
    }

    #[test]
    fn the_example_of_msgpack_org_is_read() {
        let bytes = b"\x82\xa7compact\xc3\xa6schema\x00";
        assert_eq!(shown(bytes).as_deref(), Some(r#"{"compact":true,"schema":0}"#));
    }

    #[test]
    fn types_are_kept() {
        let bytes = b"\x97\xc4\x02\x00\xff\xd4\x05\x07\xcb\x3f\xf8\0\0\0\0\0\0\xff\xd1\xff\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc0";
        let expected = "[h'00ff',ext5(h'07'),1.5,-1,-256,18446744073709551615,null]";
        assert_eq!(shown(bytes).as_deref(), Some(expected));
    }

    #[test]
    fn what_claims_more_than_it_has_is_refused() {
        assert_eq!(read(b"\xdd\xff\xff\xff\xff"), None);
        assert_eq!(read(b"\xdb\xff\xff\xff\xff"), None);
        assert_eq!(read(&[0x91; 1000]), None, "too deep");
        assert_eq!(read(b"\x00\x00"), None, "two values");
        assert_eq!(read(b"\xc1"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let text = r#"{"a":[1,-1,300,true,null,"é",1.5,-70000],"b":{}}"#;
        let value = crate::lens::payload::json::read(text).expect("JSON");
        let mut bytes = Vec::new();
        write(&value, &mut bytes);
        assert_eq!(read(&bytes), Some(value));
    }
}
