//! A curl command as pasted: any text is a connection or a refusal, and what a shell is told in
//! quotes is read back as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::config::from_curl::{FromCurl, split};
use wscope::config::plan::quoted;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match FromCurl::parse(text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(from) => {
            // What becomes headers can be sent: no line ends among them.
            for edit in &from.headers {
                assert!(!edit.value().unwrap_or_default().contains(['\r', '\n', '\0']));
            }
            for word in from.to_arguments() {
                assert!(word.to_string_lossy().starts_with("--"));
            }
        }
    }
    let words = split(&format!("x {} y", quoted(text))).expect("one command").words;
    assert_eq!(words, ["x", text, "y"]);
    assert!(!quoted(text).contains(char::is_control));
});
