//! What is compared with committed files, and written anew with `UPDATE=1`.

use std::fs;
use std::path::Path;

/// Compares a text and its JSON with the files `NAME.txt` and `NAME.jsonl` of a suite, or writes
/// them.
#[track_caller]
pub fn compare(suite: &str, name: &str, text: &str, json: &str) {
    for (extension, made) in [("txt", text), ("jsonl", json)] {
        let name = format!("tests/{suite}/golden/{name}.{extension}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, made).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let differs = found.lines().zip(made.lines()).find(|(a, b)| a != b);
        assert!(
            found == made,
            "{name} is old: {differs:#?}; run UPDATE=1 cargo test --test {suite}"
        );
    }
}
