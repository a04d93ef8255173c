//! What is taken out of meanings before they are shown.

use std::borrow::Cow;

/// What is secret, and what is shown instead.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// Whether what goes by this name is secret.
    pub is_secret: &'a dyn Fn(&str) -> bool,
    /// A text without the secrets that are known by their value.
    pub clean: &'a dyn for<'t> Fn(&'t str) -> Cow<'t, str>,
    /// What is shown in the place of a secret.
    pub mask: &'a str,
}

/// A text with `mask` in place of the values whose JSON name is a secret's, as in `"token":"…"`, also
/// where the JSON is itself in a string. `None` if there is none.
pub(super) fn mask_quoted(
    text: &str,
    is_secret: &dyn Fn(&str) -> bool,
    mask: &str,
) -> Option<String> {
    let (mut masked, mut done) = (String::new(), 0);
    let mut at = 0;
    while let Some(begin) = text[at..].find('"').map(|quote| at + quote + 1) {
        at = begin;
        let Some(end) = text[begin..].find('"').map(|quote| begin + quote) else { break };
        let name = text[begin..end].trim_end_matches('\\');
        let quote = if name.len() < end - begin { "\\\"" } else { "\"" };
        let Some(value) = text[end + 1..].trim_start().strip_prefix(':').map(str::trim_start)
        else {
            continue;
        };
        if !is_secret(name) {
            continue;
        }
        let start = text.len() - value.len();
        let (from, to) = match value.strip_prefix(quote) {
            Some(string) => (start + quote.len(), start + quote.len() + string_end(string, quote)),
            None => {
                let ends = |c: char| ",]} ".contains(c);
                (start, start + value.find(ends).unwrap_or(value.len()))
            }
        };
        masked.push_str(&text[done..from]);
        masked.push_str(mask);
        (done, at) = (to, to);
        // Behind the quote that ends it.
        at += text[to..].find('"').filter(|_| from > start).map_or(0, |quote| quote + 1);
    }
    (done > 0).then(|| masked + &text[done..])
}

/// Where a string ends; what a backslash precedes does not end it.
fn string_end(string: &str, quote: &str) -> usize {
    let ends = string.match_indices(quote).map(|(at, _)| at);
    let mut ends = ends.filter(|at| quote.len() > 1 || !string[..*at].ends_with('\\'));
    ends.next().unwrap_or(string.len())
}
