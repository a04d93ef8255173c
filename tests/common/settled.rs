//! Output without what differs from run to run.

use regex::Regex;

/// Addresses, times, keys and durations as words.
pub fn settled(output: &str) -> String {
    let changing = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d\d:\d\d:\d\d\.\d{3}", "TIME"),
        (r"mask [0-9a-f]{8}", "mask KEY"),
        (r"(Sec-WebSocket-(?:Key|Accept)): \S+", "$1: VALUE"),
        (r"\d+\.\d{3} m?s", "DURATION"),
    ];
    changing.iter().fold(output.to_owned(), |text, (pattern, word)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *word).into_owned()
    })
}
