//! Parses dates in HTTP headers, in any form that servers write.
//!
//! The algorithm of RFC 6265 §5.1.1 parses all three forms of RFC 9110 §5.6.7, and many others. It
//! uses no clock.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// Parses a date as seconds since the Unix epoch, negative before it; `None` if it is not a date.
pub fn parse(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.as_bytes().split(|byte| is_delimiter(*byte)).filter(|t| !t.is_empty()) {
        // "If the found-time flag is not set and the token matches the time production …": the
        // first matching token counts, and each token is used only once.
        if time.is_none()
            && let Some(found) = time_of(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_of(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let (hour, minute, second) = time?;
    // "If the year-value is greater than or equal to 70 and less than or equal to 99, increment
    // the year-value by 1900", below 70 by 2000.
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year if year < 1601 => return None,
        year => year,
    };
    let small = |value: i16| i8::try_from(value).ok();
    let civil = DateTime::new(
        year,
        month?,
        small(day?)?,
        small(hour)?,
        small(minute)?,
        // A leap second, which RFC 9110 allows, becomes the second before it.
        small(if second == 60 { 59 } else { second })?,
        0,
    );
    Some(civil.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// `delimiter = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E`.
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// The digits at the beginning of a token, if their number is from `least` to `most`.
fn number(token: &[u8], least: usize, most: usize) -> Option<i16> {
    let len = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = token.get(..len).filter(|_| (least..=most).contains(&len))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `hms-time = time-field ":" time-field ":" time-field`, followed by any text.
fn time_of(token: &[u8]) -> Option<(i16, i16, i16)> {
    let mut fields = token.splitn(3, |byte| *byte == b':');
    let mut exact = || {
        let field = fields.next()?;
        number(field, 1, 2).filter(|_| field.iter().all(u8::is_ascii_digit))
    };
    let (hour, minute) = (exact()?, exact()?);
    Some((hour, minute, number(fields.next()?, 1, 2)?))
}

fn month_of(token: &[u8]) -> Option<i8> {
    let name = token.get(..3)?;
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    i8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_http_and_those_of_cookies() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "6-nov-1994 8:49:37",
            "1994 November 06th 08:49:37",
        ] {
            assert_eq!(parse(text), Some(784_111_777), "{text}");
        }
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse("31 Dec 2016 23:59:60 GMT"), Some(1_483_228_799));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "soon",
            "120",
            "06 Nov 1994",
            "31 Feb 2020 00:00:00",
            "1 Jan 1600 00:00:00",
            "1 Jan 2020 24:00:00",
            "1 Jan 2020 10:61:00",
            "1 Jan 20200 00:00:00",
            "é Jan",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
