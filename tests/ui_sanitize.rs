//! Nothing that acts on a terminal gets through the sanitiser, and nothing harmless is changed.

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;
use wscope::ui::sanitize::{escape_into, escaped, fit_quoted, is_hidden, quote_into};

fn quoted(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    quote_into(bytes, &mut out);
    String::from_utf8(out).expect("what is printed is UTF-8")
}

fn fitted(bytes: &[u8], truncated: bool, columns: usize) -> String {
    let mut out = Vec::new();
    fit_quoted(bytes, truncated, columns, &mut out);
    String::from_utf8(out).expect("what is printed is UTF-8")
}

#[test]
fn the_table() {
    for (bytes, expected) in [
        (&b"plain text"[..], "plain text"),
        (b"\"quotes\" and \\", "\"quotes\" and \\"),
        (b"\n\r\t\0\x1b", r"\n\r\t\0\e"),
        (b"\x01\x07\x7f", r"\u{1}\u{7}\u{7f}"),
        (b"\x9b2J", r"\x9b2J"),
        ("\u{9b}2J\u{85}".as_bytes(), r"\u{9b}2J\u{85}"),
        (b"\xe2\x82", r"\xe2\x82"),
        (b"a\xffb\xc0\xafc", r"a\xffb\xc0\xafc"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
        ("\u{202e}\u{2066}\u{200f}\u{61c}".as_bytes(), r"\u{202e}\u{2066}\u{200f}\u{61c}"),
        (
            "\u{200b}\u{200d}\u{2060}\u{feff}\u{fff9}".as_bytes(),
            r"\u{200b}\u{200d}\u{2060}\u{feff}\u{fff9}",
        ),
        ("\u{2028}\u{2029}".as_bytes(), r"\u{2028}\u{2029}"),
        ("\u{fdd0}\u{ffff}\u{10fffe}".as_bytes(), r"\u{fdd0}\u{ffff}\u{10fffe}"),
        ("\u{e0001}\u{e0041}".as_bytes(), r"\u{e0001}\u{e0041}"),
        ("grün 日本語 ✓ ❤\u{fe0f} e\u{301}".as_bytes(), "grün 日本語 ✓ ❤\u{fe0f} e\u{301}"),
        ("private \u{e000}, unassigned \u{378}".as_bytes(), "private \u{e000}, unassigned \u{378}"),
    ] {
        assert_eq!(escaped(bytes), expected);
    }
}

#[test]
fn quotes_can_not_be_faked() {
    assert_eq!(quoted(br#"end" fake"#), r#""end\" fake""#);
    assert_eq!(quoted(br"\n is not a newline"), r#""\\n is not a newline""#);
    assert_eq!(quoted(b""), r#""""#);
}

#[test]
fn special_bytes_are_found_at_every_place_of_a_block() {
    for at in 0..100 {
        let mut bytes = [b'x'; 100];
        bytes[at] = 0x1b;
        let expected = format!("{}\\e{}", "x".repeat(at), "x".repeat(99 - at));
        assert_eq!(escaped(&bytes), expected);
        bytes[at] = b'"';
        assert_eq!(quoted(&bytes), format!("\"{}\"", expected.replace("\\e", "\\\"")));
    }
}

#[test]
fn fits_into_columns() {
    for (bytes, truncated, columns, expected) in [
        (&b"Hello"[..], false, 7, r#""Hello""#),
        (b"Hello", false, 6, r#""Hel…""#),
        (b"Hello", true, 8, r#""Hello…""#),
        (b"Hello", true, 7, r#""Hell…""#),
        (b"", false, 2, r#""""#),
        (b"", true, 3, r#""…""#),
        (b"Hello", false, 0, r#""…""#),
        (b"a\nb", false, 6, r#""a\nb""#),
        (b"a\nb", false, 5, r#""a…""#),
        ("日本語".as_bytes(), false, 8, r#""日本語""#),
        ("日本語".as_bytes(), false, 7, r#""日本…""#),
        ("日本語".as_bytes(), false, 6, r#""日…""#),
        // A character that the preview's end cuts is not shown as bytes.
        (b"gr\xc3", true, 20, r#""gr…""#),
        (b"gr\xc3", false, 20, r#""gr\xc3""#),
        (b"gr\xff", true, 20, r#""gr\xff…""#),
    ] {
        assert_eq!(fitted(bytes, truncated, columns), expected, "{columns} columns");
    }
}

/// What the contract forbids, written down apart from the program's own table.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2064 | 0x2066..=0x2069
            | 0xfeff | 0xfff9..=0xfffb | 0xfdd0..=0xfdef | 0xe0000..=0xe007f)
        || u32::from(c) & 0xfffe == 0xfffe
}

#[test]
fn the_table_of_hidden_characters_covers_the_contract() {
    for c in '\0'..=char::MAX {
        assert!(is_hidden(c) || !is_forbidden(c), "{c:?}");
    }
    for c in ' '..='~' {
        assert!(!is_hidden(c));
    }
    for c in ('\u{fe00}'..='\u{fe0f}').chain('\u{e0100}'..='\u{e01ef}') {
        assert!(!is_hidden(c), "a variation selector: {c:?}");
    }
}

/// Any bytes, with text and hostile characters more often than chance gives.
fn foreign() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        any::<String>().prop_map(String::into_bytes),
        "[ -~]{0,40}".prop_map(String::into_bytes),
        prop_oneof![
            Just('\u{202e}'),
            Just('\u{9b}'),
            Just('\u{2028}'),
            Just('\u{e0041}'),
            Just('\u{1b}')
        ]
        .prop_map(|c| c.to_string().into_bytes()),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn output_is_never_dangerous(bytes in foreign()) {
        for text in [escaped(&bytes), quoted(&bytes), fitted(&bytes, false, 40)] {
            prop_assert!(!text.chars().any(is_forbidden), "{text:?}");
        }
    }

    #[test]
    fn printable_ascii_passes_unchanged(text in "[ -~]{0,200}") {
        let mut out = b"before".to_vec();
        escape_into(text.as_bytes(), &mut out);
        prop_assert_eq!(&out[6..], text.as_bytes());
    }

    #[test]
    fn a_fitted_preview_fits(bytes in foreign(), truncated: bool, columns in 3usize..60) {
        let text = fitted(&bytes, truncated, columns);
        prop_assert!(text.width() <= columns, "{text:?} has {} columns", text.width());
        prop_assert!(text.starts_with('"') && text.ends_with('"'));
    }

    #[test]
    fn what_fits_is_not_cut(bytes in foreign()) {
        let whole = quoted(&bytes);
        // Each byte takes at most eight columns, as \u{10ffff} would for one of four.
        prop_assert_eq!(fitted(&bytes, false, bytes.len() * 8 + 2), whole);
    }
}
