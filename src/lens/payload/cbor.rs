//! CBOR, RFC 8949.

use super::cursor::Cursor;
use crate::lens::Value;

/// The byte that ends an item of indefinite length, §3.2.1.
const BREAK: u8 = 0xff;

/// Parses bytes that are a single data item.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let mut cursor = Cursor::new(bytes);
    item(&mut cursor).filter(|_| cursor.rest.is_empty())
}

fn item(from: &mut Cursor<'_>) -> Option<Value> {
    from.count()?;
    let head = from.u8()?;
    let (major, info) = (head >> 5, head & 0x1f);
    if major == 7 {
        return simple_or_float(from, info);
    }
    let argument = argument(from, info)?;
    Some(match (major, argument) {
        (0, Some(number)) => number.into(),
        (1, Some(number)) => Value::Integer(-1 - i128::from(number)),
        (2, _) => string(from, 2, argument)?.as_slice().into(),
        (3, _) => String::from_utf8(string(from, 3, argument)?).ok()?.into(),
        (4, _) => Value::List(from.deeper(|from| items(from, argument, item))?),
        (5, _) => Value::Map(
            from.deeper(|from| items(from, argument, |from| Some((item(from)?, item(from)?))))?,
        ),
        (6, Some(tag)) => {
            let value = from.deeper(item)?;
            match bignum(tag, &value) {
                Some(number) => Value::Integer(number),
                None => Value::Marked(tag.to_string(), Some(Box::new(value))),
            }
        }
        _ => return None,
    })
}

/// An integer of more than 64 bits, §3.4.3: tag 2 (or 3 if it is negative), and its bytes. `None`
/// for more than 127 bits.
fn bignum(tag: u64, value: &Value) -> Option<i128> {
    let Value::Bytes(bytes) = value else { return None };
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let mut whole = [0; 16];
    whole.get_mut(16usize.checked_sub(bytes.len() - start)?..)?.copy_from_slice(&bytes[start..]);
    let number = i128::try_from(u128::from_be_bytes(whole)).ok()?;
    match tag {
        2 => Some(number),
        3 => Some(-1 - number),
        _ => None,
    }
}

/// The argument of a head; `Some(None)` is an indefinite length.
fn argument(from: &mut Cursor<'_>, info: u8) -> Option<Option<u64>> {
    Some(Some(match info {
        0..24 => info.into(),
        24 => from.u8()?.into(),
        25 => from.u16()?.into(),
        26 => from.u32()?.into(),
        27 => from.u64()?,
        31 => return Some(None),
        _ => return None,
    }))
}

/// The bytes of a string: of known length, or in chunks of the same major type, §3.2.3.
fn string(from: &mut Cursor<'_>, major: u8, len: Option<u64>) -> Option<Vec<u8>> {
    if let Some(len) = len {
        return from.take(usize::try_from(len).ok()?).map(<[u8]>::to_vec);
    }
    let mut whole = Vec::new();
    loop {
        match from.u8()? {
            BREAK => return Some(whole),
            head if head >> 5 == major => {
                let len = argument(from, head & 0x1f)??;
                whole.extend_from_slice(from.take(usize::try_from(len).ok()?)?);
            }
            _ => return None,
        }
    }
}

/// This many items, or all items up to the break.
fn items<T>(
    from: &mut Cursor<'_>,
    len: Option<u64>,
    mut read: impl FnMut(&mut Cursor<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let mut items = Vec::new();
    loop {
        match len {
            Some(len) if items.len() as u64 == len => return Some(items),
            None if from.rest.first() == Some(&BREAK) => {
                from.u8()?;
                return Some(items);
            }
            _ => items.push(read(from)?),
        }
    }
}

fn simple_or_float(from: &mut Cursor<'_>, info: u8) -> Option<Value> {
    Some(match info {
        20 => false.into(),
        21 => true.into(),
        22 => Value::Null,
        23 => Value::Marked("undefined".to_owned(), None),
        0..20 => Value::Marked(format!("simple({info})"), None),
        24 => Value::Marked(format!("simple({})", from.u8().filter(|value| *value >= 32)?), None),
        25 => Value::Float(half(from.u16()?)),
        26 => Value::Float(f32::from_bits(from.u32()?).into()),
        27 => Value::Float(f64::from_bits(from.u64()?)),
        _ => return None,
    })
}

/// A half-precision number, RFC 8949 appendix D.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Writes a value. Leaves out a mark of another format, but writes the marked value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Marked(_, None) => out.push(0xf6),
        Value::Bool(value) => out.push(0xf4 + u8::from(*value)),
        Value::Integer(number) => match (u64::try_from(*number), u64::try_from(-1 - *number)) {
            (Ok(number), _) => head(out, 0, number),
            (_, Ok(number)) => head(out, 1, number),
            _ => {
                let (tag, number) = if *number < 0 { (3, -1 - *number) } else { (2, *number) };
                let bytes = number.to_be_bytes();
                let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
                head(out, 6, tag);
                write(&Value::Bytes(bytes[start..].to_vec()), out);
            }
        },
        Value::Number(text) => write(&Value::Float(text.parse().unwrap_or(f64::NAN)), out),
        Value::Float(number) => {
            out.push(0xfb);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Text(text) => {
            head(out, 3, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Bytes(bytes) => {
            head(out, 2, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Value::List(values) => {
            head(out, 4, values.len() as u64);
            values.iter().for_each(|value| write(value, out));
        }
        Value::Map(entries) => {
            head(out, 5, entries.len() as u64);
            for (key, value) in entries {
                write(key, out);
                write(value, out);
            }
        }
        Value::Marked(_, Some(value)) => write(value, out),
    }
}

fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    if argument < 24 {
        out.push(major << 5 | argument as u8);
    } else {
        out.push(major << 5 | 27);
        out.extend_from_slice(&argument.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        // RFC 8949 appendix A.
        let examples: [(&[u8], &str); 21] = [
            (b"\x00", "0"),
            (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff", "-18446744073709551616"),
            (b"\xc2\x49\x01\0\0\0\0\0\0\0\0", "18446744073709551616"),
            (b"\xc3\x49\x01\0\0\0\0\0\0\0\0", "-18446744073709551617"),
            (b"\xf9\x3c\x00", "1.0"),
            (b"\xf9\x7b\xff", "65504.0"),
            (b"\xf9\x00\x01", "5.960464477539063e-8"),
            (b"\xf9\xc4\x00", "-4.0"),
            (b"\xf9\x7c\x00", "Infinity"),
            (b"\xf9\x7e\x00", "NaN"),
            (b"\xfa\x47\xc3\x50\x00", "100000.0"),
            (b"\xf7", "undefined"),
            (b"\xf8\xff", "simple(255)"),
            (b"\xc1\x1a\x51\x4b\x67\xb0", "1(1363896240)"),
            (b"\x44\x01\x02\x03\x04", "h'01020304'"),
            (b"\x63\xc3\xbc\x61", "\"üa\""),
            (b"\xa2\x01\x02\x03\x04", "{1:2,3:4}"),
            (b"\x5f\x42\x01\x02\x43\x03\x04\x05\xff", "h'0102030405'"),
            (b"\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff", "[1,[2,3],[4,5]]"),
            (b"\xbf\x61\x61\x01\x61\x62\x9f\x02\x03\xff\xff", r#"{"a":1,"b":[2,3]}"#),
        ];
        for (bytes, expected) in examples {
            let value = read(bytes).unwrap_or_else(|| panic!("{expected}"));
            assert_eq!(value.to_string(), expected);
            assert_eq!(read(&bytes[..bytes.len() - 1]), None, "{expected} cut");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bytes in [&b"\xff"[..], b"\x1c", b"\x61\xff", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"] {
            assert_eq!(read(bytes), None);
        }
        assert_eq!(read(&[0xc1; 1000]), None, "too deep");
    }

    #[test]
    fn what_is_written_is_read() {
        let text = r#"{"a":[1,-1,300,true,null,"é",1.5,-70000],"b":{},"c":[7111111111111111111111111117,-18446744073709551617]}"#;
        let value = crate::lens::payload::json::read(text).expect("JSON");
        let mut bytes = Vec::new();
        write(&value, &mut bytes);
        assert_eq!(read(&bytes), Some(value));
    }
}
