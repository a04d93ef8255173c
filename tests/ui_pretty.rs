//! JSON on several lines is the same JSON, and what is none is left alone.

use proptest::prelude::*;
use serde_json::Value;
use wscope::ui::pretty::{MAX_DEPTH, MAX_LEN, append};
use wscope::ui::style::Palette;

fn pretty(text: impl AsRef<[u8]>) -> Option<String> {
    let mut out = b"kept".to_vec();
    let done = append(text.as_ref(), 0, usize::MAX, Palette::default(), &mut out);
    let text = String::from_utf8(out.split_off(4)).expect("UTF-8");
    assert!(out == b"kept" && (done.is_some() || text.is_empty()));
    done.map(|()| text)
}

/// `text` without the white space between its tokens.
fn minified(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let is_wanted = |c: &char| {
        let end = *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        quoted ^= end;
        quoted || !matches!(c, ' ' | '\t' | '\r' | '\n')
    };
    text.chars().filter(is_wanted).collect()
}

#[test]
fn order_duplicates_and_spelling_stay() {
    let text = r#" {"z":1.50e+01,"a" : [ ], "a":{},"b":[true,null,[-0]] ,"\u0041\n":"é/\/"} "#;
    let expected = r#"{
  "z": 1.50e+01,
  "a": [],
  "a": {},
  "b": [
    true,
    null,
    [
      -0
    ]
  ],
  "\u0041\n": "é/\/"
}"#;
    assert_eq!(pretty(text).as_deref(), Some(expected));
    assert_eq!(pretty("  5\n").as_deref(), Some("5"));
}

#[test]
fn lines_behind_the_first_are_indented() {
    let mut out = Vec::new();
    append(b"[1]", 4, usize::MAX, Palette::default(), &mut out).expect("JSON");
    assert_eq!(out, b"[\n      1\n    ]");
}

#[test]
fn what_a_line_has_no_room_for_is_cut_and_counted() {
    let mut out = Vec::new();
    let text = format!(r#"{{"a":"{}","b":1,"c":["{}"]}}"#, "x".repeat(100), "漢".repeat(12));
    append(text.as_bytes(), 2, 30, Palette::default(), &mut out).expect("JSON");
    let expected = r#"{
    "a": "xxxxxxxxxxx… +90 B,
    "b": 1,
    "c": [
      "漢漢漢漢漢漢漢… +16 B
    ]
  }"#;
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn tokens_have_their_colours() {
    let mut out = Vec::new();
    append(br#"{"a":["b",1,null]}"#, 0, usize::MAX, Palette { on: true }, &mut out).expect("JSON");
    let expected = "{\n  \x1b[34m\"a\"\x1b[0m: [\n    \x1b[32m\"b\"\x1b[0m,\n    \
                    \x1b[33m1\x1b[0m,\n    \x1b[35mnull\x1b[0m\n  ]\n}";
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[1 2]",
        "1 2",
        "tru",
        "truer",
        "nul",
        "'a'",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u123",
        "\"\t\"",
        "\"\n\"",
        "-",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "NaN",
        "[}",
        "{]",
        "[1}",
        "\u{feff}1",
        "\u{a0}1",
        "1\0",
        "[]]",
        "{}{}",
    ] {
        assert_eq!(pretty(text), None, "{text:?}");
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text:?}");
    }
    assert_eq!(pretty(b"\"\xff\""), None);
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(pretty(nested(MAX_DEPTH)).is_some());
    assert!(pretty(nested(MAX_DEPTH + 2)).is_none());
    assert!(pretty("[".repeat(MAX_LEN)).is_none());
    assert!(pretty(format!("\"{}\"", "x".repeat(MAX_LEN - 2))).is_some());
    assert!(pretty(format!("\"{}\"", "x".repeat(MAX_LEN - 1))).is_none());
}

#[test]
fn hidden_characters_become_escapes_of_json() {
    let text = "[\"\u{202e}\u{7f}\u{9b}\u{e0041}\\u001b\"]";
    let shown = pretty(text).expect("JSON");
    assert_eq!(shown, "[\n  \"\\u202e\\u007f\\u009b\\udb40\\udc41\\u001b\"\n]");
    let value = |text| serde_json::from_str::<Value>(text).expect("JSON");
    assert_eq!(value(&shown), value(text));
}

/// JSON as anybody might spell it.
fn json() -> impl Strategy<Value = String> {
    let white = "[ \t\r\n]{0,2}";
    let string = r#""([ -!#-\[\]-~à-ü日本]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,8}""#;
    let number = "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?";
    let leaf = prop_oneof![string, number, "true|false|null"];
    let tree = leaf.prop_recursive(5, 40, 5, move |inner| {
        let item = (white, inner, white).prop_map(|(a, item, b)| format!("{a}{item}{b}"));
        let entry = (white, string, white, item.clone())
            .prop_map(|(a, key, b, item)| format!("{a}{key}{b}:{item}"));
        prop_oneof![
            proptest::collection::vec(item, 0..5)
                .prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(entry, 0..5)
                .prop_map(|items| format!("{{{}}}", items.join(","))),
        ]
    });
    (white, tree, white).prop_map(|(a, tree, b)| format!("{a}{tree}{b}"))
}

proptest! {
    #[test]
    fn only_white_space_changes(text in json()) {
        let shown = pretty(&text);
        prop_assert!(shown.is_some(), "{text:?}");
        prop_assert_eq!(minified(&shown.unwrap_or_default()), minified(&text));
    }

    #[test]
    fn agrees_with_serde_on_what_is_json(text in "[\\[\\]{}:,\" \\\\0-9a-f.eEtrun+-]{0,12}") {
        // serde reads numbers into a double; one that is too large for it is JSON even so.
        let valid = match serde_json::from_str::<Value>(&text) {
            Ok(_) => true,
            Err(error) if error.to_string().starts_with("number out of range") => return Ok(()),
            // serde refuses escapes of lone surrogates; RFC 8259 §8.2 allows them.
            Err(error) if error.to_string().contains("surrogate") => return Ok(()),
            Err(error) if error.to_string().contains("hex escape") => return Ok(()),
            Err(_) => false,
        };
        prop_assert_eq!(pretty(&text).is_some(), valid, "{:?}", text);
    }

    #[test]
    fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..200), text: String) {
        let quoted = serde_json::to_string(&text).expect("a string");
        for shown in [pretty(&bytes), pretty(&text), pretty(&quoted)].into_iter().flatten() {
            prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        }
        prop_assert!(pretty(&quoted).is_some());
    }
}
