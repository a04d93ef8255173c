//! MessagePack: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use super::cursor::Cursor;
use crate::lens::Value;

/// Parses bytes that are a single value.
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
    // A string may contain any bytes; older encoders store binary data in it.
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

/// Writes a value. Leaves out a mark of another format, but writes the marked value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Marked(_, None) => out.push(0xc0),
        Value::Bool(value) => out.push(0xc2 + u8::from(*value)),
        Value::Integer(number) => integer(*number, out),
        Value::Number(text) => write(&Value::Float(text.parse().unwrap_or(f64::NAN)), out),
        Value::Float(number) => put(out, 0xcb, &number.to_be_bytes()),
        Value::Text(text) => {
            head(out, text.len(), Some((0xa0, 32)), [Some(0xd9), Some(0xda), Some(0xdb)]);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Bytes(bytes) => {
            head(out, bytes.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)]);
            out.extend_from_slice(bytes);
        }
        Value::List(values) => {
            head(out, values.len(), Some((0x90, 16)), [None, Some(0xdc), Some(0xdd)]);
            values.iter().for_each(|value| write(value, out));
        }
        Value::Map(entries) => {
            head(out, entries.len(), Some((0x80, 16)), [None, Some(0xde), Some(0xdf)]);
            for (key, value) in entries {
                write(key, out);
                write(value, out);
            }
        }
        Value::Marked(_, Some(value)) => write(value, out),
    }
}

/// "serializers SHOULD use the format which represents the data in the smallest number of bytes"
/// (MessagePack specification, Serialization).
fn integer(number: i128, out: &mut Vec<u8>) {
    match number {
        -32..=127 => out.push(number as i8 as u8),
        128..=0xff => put(out, 0xcc, &[number as u8]),
        0x100..=0xffff => put(out, 0xcd, &(number as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => put(out, 0xce, &(number as u32).to_be_bytes()),
        -0x80..=-33 => put(out, 0xd0, &(number as i8).to_be_bytes()),
        -0x8000..=-0x81 => put(out, 0xd1, &(number as i16).to_be_bytes()),
        -0x8000_0000..=-0x8001 => put(out, 0xd2, &(number as i32).to_be_bytes()),
        _ => match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => put(out, 0xcf, &number.to_be_bytes()),
            (_, Ok(number)) => put(out, 0xd3, &number.to_be_bytes()),
            _ => put(out, 0xcb, &(number as f64).to_be_bytes()),
        },
    }
}

/// Writes a length in its smallest form: inside the first byte, or after it in one, two or four
/// bytes.
fn head(out: &mut Vec<u8>, len: usize, inside: Option<(u8, usize)>, behind: [Option<u8>; 3]) {
    match (inside, behind) {
        (Some((base, less)), _) if len < less => out.push(base + len as u8),
        (_, [Some(first), ..]) if len <= 0xff => put(out, first, &[len as u8]),
        (_, [_, Some(first), _]) if len <= 0xffff => put(out, first, &(len as u16).to_be_bytes()),
        (_, [.., last]) => put(out, last.unwrap_or(0xc6), &(len as u32).to_be_bytes()),
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

    #[test]
    fn what_is_written_is_short_and_reads_the_same() {
        let written = |json: &str| {
            let value = crate::lens::payload::json::read(json).expect("JSON");
            let mut out = Vec::new();
            write(&value, &mut out);
            assert_eq!(read(&out).expect("MessagePack").to_string(), value.to_string());
            out
        };
        assert_eq!(written(r#"{"compact":true,"schema":0}"#), b"\x82\xa7compact\xc3\xa6schema\x00");
        assert_eq!(written("[-1,-32]"), b"\x92\xff\xe0");
        for (number, len) in [
            (127, 1),
            (128, 2),
            (255, 2),
            (256, 3),
            (65_535, 3),
            (65_536, 5),
            (i64::from(u32::MAX), 5),
            (1 << 32, 9),
            (-33, 2),
            (-128, 2),
            (-129, 3),
            (-32_768, 3),
            (-32_769, 5),
            (-(1 << 31), 5),
            (-(1 << 31) - 1, 9),
        ] {
            assert_eq!(written(&number.to_string()).len(), len, "{number}");
        }
        for (len, head) in [(31, 1), (32, 2), (255, 2), (256, 3), (65_535, 3), (65_536, 5)] {
            let text = format!("{:?}", "x".repeat(len));
            assert_eq!(written(&text).len(), len + head, "{len}");
        }
        assert_eq!(written(&format!("[{}0]", "0,".repeat(14))).len(), 16);
        assert_eq!(written(&format!("[{}0]", "0,".repeat(15))).len(), 19);
    }
}
