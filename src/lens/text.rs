//! Short texts for summaries.

use std::time::Duration;

/// The largest number of characters of a value in a summary.
pub(super) const BRIEF: usize = 60;

/// The beginning of a text, on one line.
pub(super) fn brief(text: &str) -> String {
    clipped(text, BRIEF)
}

/// At most this many characters; a cut text ends with `…`. Control characters become spaces.
pub(super) fn clipped(text: &str, most: usize) -> String {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    match text.char_indices().nth(most) {
        None => text.chars().map(one_line).collect(),
        Some(_) => text.chars().take(most - 1).map(one_line).chain(['…']).collect(),
    }
}

/// A text of at most this many characters, unchanged. Of a longer one, the beginning and a digest,
/// so that two texts that differ only at the end stay different.
pub(super) fn distinct(text: &str, most: usize) -> String {
    if text.len() <= most || text.chars().nth(most).is_none() {
        return clipped(text, most);
    }
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(text, &mut hasher);
    format!("{} {:016x}", clipped(text, most), std::hash::Hasher::finish(&hasher))
}

/// A number of things, as in `1 arg`, `2 args`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// As many of `all` things as fit into about this many characters, at least one, separated by
/// commas, followed by the number of the others.
pub(super) fn listed(things: impl Iterator<Item = String>, all: usize, most: usize) -> String {
    let (mut list, mut shown) = (String::new(), 0);
    for thing in things {
        let thing = brief(&thing);
        if shown > 0 && list.chars().count() + thing.chars().count() + 2 > most {
            break;
        }
        list.push_str(if shown > 0 { ", " } else { "" });
        list.push_str(&thing);
        shown += 1;
    }
    match all.saturating_sub(shown) {
        0 => list,
        more => format!("{list} +{more} more"),
    }
}

/// A time with a suitable precision: `35 ms`, `2.4 s`.
pub(super) fn span(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..1_000 => format!("{micros} µs"),
        micros @ 1_000..10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        micros @ 10_000..1_000_000 => format!("{} ms", micros / 1_000),
        micros if micros % 1_000_000 == 0 => format!("{} s", micros / 1_000_000),
        micros => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// A time given in milliseconds.
pub(super) fn millis(millis: u64) -> String {
    span(Duration::from_millis(millis))
}

/// Whether the path of a URL ends with `end`, with or without a slash.
pub(super) fn path_ends(url: &str, end: &str) -> bool {
    url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').ends_with(end)
}

/// The value of a parameter in the query of a URL, not decoded.
pub(super) fn query<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split(['&', '#']).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// For protocols without typical URLs.
pub(super) fn no_url(_: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(clipped("häß\nlich", 5), "häß …");
        assert_eq!(clipped("häß", 3), "häß");
    }

    #[test]
    fn a_list_says_how_much_it_leaves_out() {
        let list = |all: usize, most| listed((0..all).map(|n| format!("t/{n}")), all, most);
        assert_eq!(list(0, 9), "");
        assert_eq!(list(3, 20), "t/0, t/1, t/2");
        assert_eq!(list(5, 9), "t/0, t/1 +3 more");
        assert_eq!(listed(["x".repeat(99)].into_iter(), 2, 5).chars().count(), 60 + 8);
    }

    #[test]
    fn times_are_short() {
        assert_eq!(span(Duration::from_micros(35_400)), "35 ms");
        assert_eq!(span(Duration::from_micros(1_250)), "1.2 ms");
        assert_eq!(millis(25_000), "25 s");
        assert_eq!(millis(2_450), "2.5 s");
    }

    #[test]
    fn parts_of_a_url_are_found() {
        assert_eq!(query("/socket.io/?EIO=4&transport=websocket", "EIO"), Some("4"));
        assert!(path_ends("/cable/?x=1", "/cable"));
        assert!(!path_ends("/x?/cable", "/cable"));
    }
}
