//! Mistyped URLs, and what was meant.

use super::TargetError;

/// The schemes that a slip is compared with, the longest first.
const SCHEMES: [&str; 4] = ["https", "http", "wss", "ws"];

/// The error of a text that is a URL but for a slip; `None` if it is not one of these.
///
/// What is to be written instead holds the rest of the text, unless that may hold a password or a
/// token.
pub(super) fn slip(text: &str) -> Option<TargetError> {
    let quote = text.chars().next().filter(|c| "\"'`<“”‘’«(".contains(*c));
    if let Some(quote) = quote {
        let bare = text.trim_matches(|c| "\"'`<>“”‘’«»()".contains(c));
        return Some(error(format!("a URL does not begin with {quote}"), "", bare));
    }
    let known = SCHEMES.into_iter().find(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let Some(scheme) = known else { return misspelled(text) };
    let after = &text[scheme.len()..];
    let rest = after.trim_start_matches(|c| ":;,./\\".contains(c));
    let marks = &after[..after.len() - rest.len()];
    let slashes = marks.chars().filter(|c| matches!(c, '/' | '\\')).count();
    match marks {
        _ if marks.starts_with("://") && slashes == 2 => return twice(rest),
        "" => return misspelled(text),
        // A host of this name, with a port or a path.
        "." | "/" => return None,
        ":" if is_port(rest) => return None,
        _ if rest.is_empty() && slashes >= 2 => return None,
        _ if slashes == 0 && !marks.contains([':', ';']) => return None,
        _ => {}
    }
    let fault = match (marks, slashes) {
        (":", _) => format!("two slashes are missing after `{scheme}:`"),
        (":/", _) => format!("a slash is missing after `{scheme}:/`"),
        ("//", _) => format!("a colon is missing after `{scheme}`"),
        (_, 3..) => format!("`{scheme}{marks}` has too many slashes"),
        _ => format!("a URL can't begin with `{scheme}{marks}`"),
    };
    Some(error(fault, scheme, rest))
}

/// `ws://ws://host`: one URL was pasted after the beginning of another.
fn twice(rest: &str) -> Option<TargetError> {
    let inner = SCHEMES.into_iter().find(|scheme| {
        let start = rest.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && rest[scheme.len()..].starts_with("://")
    })?;
    let rest = &rest[inner.len() + "://".len()..];
    Some(error("the URL has two schemes".to_owned(), inner, rest))
}

/// `wws://host`, `htp://host`.
fn misspelled(text: &str) -> Option<TargetError> {
    let (typed, rest) = text.split_once("://")?;
    let typed = typed.to_ascii_lowercase();
    let near = |scheme: &&str| strsim::osa_distance(&typed, scheme) == 1;
    let meant = SCHEMES.into_iter().rev().find(near)?;
    Some(error(format!("{typed}:// is not a scheme"), meant, rest))
}

fn error(fault: String, scheme: &str, rest: &str) -> TargetError {
    let secret = rest.contains(['@', '?', '\\']) || rest.is_empty();
    let rest = if secret { "HOST" } else { rest };
    let colon = if scheme.is_empty() { "" } else { "://" };
    TargetError::Mistyped { fault, write: format!("{scheme}{colon}{rest}") }
}

/// `9000`, `9000/path`.
fn is_port(text: &str) -> bool {
    let end = text.find(['/', '?']).unwrap_or(text.len());
    end > 0 && text[..end].bytes().all(|byte| byte.is_ascii_digit())
}
