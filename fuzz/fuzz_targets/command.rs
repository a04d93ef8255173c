//! The prompt: any line is a command, a text or an error on a character's boundary; completion and
//! hints take it with the cursor anywhere.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::script::command::completion::complete;
use wscope::script::command::completion::hint;
use wscope::script::command::{Command, Payload, parse};

fuzz_target!(|input: &[u8]| {
    let line = String::from_utf8_lossy(input);
    match parse(&line) {
        Ok(Command::Text(Payload::Bytes(bytes))) if !line.starts_with('/') => {
            assert_eq!(bytes, line.as_bytes(), "a plain line is sent as it is");
        }
        Ok(_) => {}
        Err(error) => {
            assert!(line.starts_with('/'), "only commands can be wrong");
            assert!(line.is_char_boundary(error.at), "{error}");
            assert!(!error.to_string().contains(char::is_control), "{error}");
        }
    }
    for pos in 0..=line.len() {
        let (start, found) = complete(&line, pos, &|path| vec![format!("{path} it's \"\\")]);
        assert!(start <= pos && line.is_char_boundary(start));
        assert!(found.iter().all(|candidate| !candidate.replacement.is_empty()));
        let _ = hint(&line, pos);
    }
});
