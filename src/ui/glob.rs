//! Patterns with `*`, as in shells.

/// Whether `text` as a whole matches `pattern`; `*` matches any characters.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The first match leaves the most text for the other parts.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(glob("a*c", "abbc") && glob("*", "") && glob("a*", "a") && glob("*b*", "abc"));
        assert!(glob("a", "a") && glob("**", "x") && glob("a*b*c", "abbbc") && glob("*ab", "aab"));
        assert!(!glob("a*c", "abcd") && !glob("a", "ab") && !glob("a*a", "a") && !glob("", "a"));
    }
}
