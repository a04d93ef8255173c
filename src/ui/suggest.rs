//! Suggestions for a mistyped name.

/// The largest number of suggestions.
const MOST: usize = 3;

/// With fewer letters, too many names would match.
const SHORTEST: usize = 3;

/// The names that differ from `typed` by one or two typos, nearest first, at most three. Of these,
/// only those with the smallest distance. If there are none, the names that begin with `typed`.
pub fn near<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let names: Vec<&str> = names.into_iter().collect();
    let shortened = names.iter().filter(|name| name.starts_with(typed)).take(MOST);
    let shortened: Vec<&str> = shortened.copied().collect();
    // Two typos in a short word give another word.
    let allowed = if typed.chars().count() < 5 { 1 } else { 2 };
    // A missing, additional or changed character, or two swapped neighbours, count as one typo.
    let far = |name: &'a str| (strsim::osa_distance(typed, name), name);
    // Texts of a very different length are too far away, and may be very long.
    let similar = |name: &&str| typed.len().abs_diff(name.len()) <= 4 * allowed;
    let mut near: Vec<_> =
        names.into_iter().filter(similar).map(far).filter(|(far, _)| *far <= allowed).collect();
    near.sort_by_key(|(far, _)| *far);
    let best = near.first().map(|(far, _)| *far);
    if best.is_none() && typed.len() >= SHORTEST {
        return shortened;
    }
    near.into_iter()
        .take_while(|(far, _)| Some(*far) == best)
        .map(|(_, name)| name)
        .take(MOST)
        .collect()
}

/// `; did you mean a or b?`, or nothing: the end of a sentence about an unknown word. Writes each
/// name after `prefix`.
pub fn did_you_mean<'a>(
    prefix: &str,
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> String {
    let near: Vec<_> =
        near(typed, names).into_iter().map(|name| format!("{prefix}{name}")).collect();
    match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", near.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["header", "resolve", "retry", "proxy"];

    #[test]
    fn a_slip_is_recognised_whatever_kind_it_is() {
        for typed in ["heder", "headerr", "haeder", "heaDer"] {
            assert_eq!(near(typed, NAMES), ["header"], "{typed}");
        }
        assert!(near("colour", NAMES).is_empty());
    }

    #[test]
    fn a_sentence_is_ended_or_left_alone() {
        assert_eq!(did_you_mean("--", "retyr", NAMES), "; did you mean --retry?");
        assert_eq!(did_you_mean("--", "x", NAMES), "");
    }
}
