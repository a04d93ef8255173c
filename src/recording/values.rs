//! Values that differ between runs of a recorded session: values that the other end chooses, and
//! values of the user.
//!
//! A pattern captures a value both in the recording and in the run. In messages that are sent
//! later, the value of the run replaces the recorded one. If a pattern matches several messages,
//! the first match in the run belongs to the first one in the recording, and so on.

use std::borrow::Cow;
use std::rc::Rc;

use super::plan::ReplayPlan;
use crate::ui::pattern::Pattern;

/// The largest result of a replacement in bytes.
const MOST: usize = 64 << 20;

/// The requested rules.
#[derive(Clone, Debug, Default)]
pub struct ValueRules {
    /// The values of `${NAME}`.
    pub set: Vec<(String, String)>,
    /// Names, each with the pattern whose first group is the value.
    pub captures: Vec<(String, Pattern)>,
    /// Patterns, each with the text that replaces its matches.
    pub replace: Vec<(Pattern, Vec<u8>)>,
}

impl ValueRules {
    /// The first capture that matches no recorded message.
    pub fn unmatched(&self, plan: &ReplayPlan) -> Option<&(String, Pattern)> {
        self.captures.iter().find(|(_, pattern)| {
            !plan.awaited.iter().any(|message| pattern.is_match(&message.content))
        })
    }

    /// Whether the rules change no messages.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.captures.is_empty() && self.replace.is_empty()
    }
}

/// The values that a run knows so far.
#[derive(Debug)]
pub struct Values {
    rules: Rc<ValueRules>,
    captured: Vec<Captured>,
}

/// The values that one pattern has captured.
#[derive(Clone, Debug, Default)]
struct Captured {
    /// The number of examined recorded messages.
    looked_at: usize,
    /// Recorded values, each with its replacement.
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The last value of the run.
    last: Option<Vec<u8>>,
}

impl Values {
    /// Before any value is known.
    pub fn new(rules: &Rc<ValueRules>) -> Self {
        let captured = vec![Captured::default(); rules.captures.len()];
        Self { rules: Rc::clone(rules), captured }
    }

    /// Searches for values in a received message.
    pub fn received(&mut self, plan: &ReplayPlan, content: &[u8]) {
        for ((_, pattern), captured) in self.rules.captures.iter().zip(&mut self.captured) {
            let Some(value) = pattern.first_group(content) else { continue };
            captured.last = Some(value.to_vec());
            // The corresponding recorded message is the next one that matches.
            let recorded = &plan.awaited[captured.looked_at.min(plan.awaited.len())..];
            for message in recorded {
                captured.looked_at += 1;
                if let Some(old) = pattern.first_group(&message.content) {
                    captured.pairs.retain(|(other, _)| other != old);
                    if !old.is_empty() && old != value {
                        captured.pairs.push((old.to_vec(), value.to_vec()));
                    }
                    break;
                }
            }
        }
    }

    /// The first capture that matched nothing in the run.
    pub fn missing(&self) -> Option<&str> {
        let mut all = self.rules.captures.iter().zip(&self.captured);
        all.find(|(_, captured)| captured.last.is_none()).map(|((name, _), _)| name.as_str())
    }

    /// A recorded message with the captured values of this run.
    pub fn renewed<'c>(&self, content: &'c [u8]) -> Cow<'c, [u8]> {
        let pairs = self.captured.iter().flat_map(|captured| &captured.pairs);
        let mut pairs: Vec<_> = pairs.map(|(old, new)| (&old[..], &new[..])).collect();
        // If two values begin at the same position, the longer one counts.
        pairs.sort_by_key(|(old, _)| std::cmp::Reverse(old.len()));
        put(content, &pairs)
    }

    /// The message to send instead of a recorded one.
    pub fn to_send<'c>(&self, content: &'c [u8]) -> Cow<'c, [u8]> {
        let mut content = self.renewed(content);
        let captures = self.rules.captures.iter().zip(&self.captured);
        let captured = captures.filter_map(|((name, _), one)| Some((name, one.last.as_deref()?)));
        let set = self.rules.set.iter().map(|(name, value)| (name, value.as_bytes()));
        let named: Vec<(Vec<u8>, &[u8])> = captured
            .chain(set)
            .map(|(name, value)| (format!("${{{name}}}").into_bytes(), value))
            .collect();
        for (pattern, with) in &self.rules.replace {
            // In a replacement text, a dollar begins the name of a group.
            let plain: Vec<(&[u8], Vec<u8>)> =
                named.iter().map(|(name, value)| (&name[..], dollars(value))).collect();
            let plain: Vec<_> = plain.iter().map(|(name, value)| (*name, &value[..])).collect();
            if let Some(replaced) = pattern.replace(&content, &put(with, &plain), MOST) {
                content = Cow::Owned(replaced);
            }
        }
        let variables: Vec<_> = named.iter().map(|(name, value)| (&name[..], *value)).collect();
        match put(&content, &variables) {
            Cow::Borrowed(_) => content,
            Cow::Owned(changed) => Cow::Owned(changed),
        }
    }
}

/// Escapes a text so that no dollar begins the name of a group.
fn dollars(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|byte| [*byte].into_iter().chain((*byte == b'$').then_some(b'$')))
        .collect()
}

/// Replaces the first value of each pair with the second, in one pass.
fn put<'c>(content: &'c [u8], pairs: &[(&[u8], &[u8])]) -> Cow<'c, [u8]> {
    if !pairs.iter().any(|(old, _)| memchr::memmem::find(content, old).is_some()) {
        return Cow::Borrowed(content);
    }
    let (mut made, mut rest) = (Vec::with_capacity(content.len()), content);
    while let Some((&byte, behind)) = rest.split_first() {
        match pairs.iter().find(|(old, _)| rest.starts_with(old)) {
            Some((old, new)) if made.len() + new.len() <= MOST => {
                made.extend_from_slice(new);
                rest = &rest[old.len()..];
            }
            _ => {
                made.push(byte);
                rest = behind;
            }
        }
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::RecordedMessage;
    use crate::wire::Data;

    fn plan(awaited: &[&str]) -> ReplayPlan {
        let message =
            |text: &&str| RecordedMessage { opcode: Data::Text, content: text.as_bytes().to_vec() };
        ReplayPlan { awaited: awaited.iter().map(message).collect(), ..ReplayPlan::default() }
    }

    fn rules(captures: &[(&str, &str)], set: &[(&str, &str)]) -> ValueRules {
        let pattern = |text: &str| Pattern::new(text).expect(text);
        ValueRules {
            set: set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            captures: captures.iter().map(|(name, text)| ((*name).into(), pattern(text))).collect(),
            replace: Vec::new(),
        }
    }

    fn sent(values: &Values, text: &str) -> String {
        String::from_utf8_lossy(&values.to_send(text.as_bytes())).into_owned()
    }

    #[test]
    fn the_value_of_the_run_takes_the_place_of_the_recorded_one() {
        let plan = plan(&["hello", "token=old1", "token=old2"]);
        let rules = Rc::new(rules(&[("t", "token=(.*)")], &[]));
        let mut values = Values::new(&rules);
        assert_eq!(sent(&values, "use old1"), "use old1");
        assert_eq!(values.missing(), Some("t"));
        values.received(&plan, b"token=new$1");
        assert_eq!(sent(&values, "use old1, not old2; ${t}"), "use new$1, not old2; new$1");
        values.received(&plan, b"nothing");
        values.received(&plan, b"token=new2");
        assert_eq!(sent(&values, "old1 old2 ${t}"), "new$1 new2 new2");
        assert_eq!(&*values.renewed(b"token=old2"), b"token=new2");
        values.received(&plan, b"token=more");
        assert_eq!((sent(&values, "old2 ${t}"), values.missing()), ("new2 more".to_owned(), None));
    }

    #[test]
    fn the_longer_of_two_values_is_meant() {
        let plan = plan(&["a=1 b=12"]);
        let rules = Rc::new(rules(&[("a", "a=([0-9]+)"), ("b", "b=([0-9]+)")], &[]));
        let mut values = Values::new(&rules);
        values.received(&plan, b"a=7 b=8");
        assert_eq!(sent(&values, "1 12 121"), "7 8 87");
    }

    #[test]
    fn variables_are_put_in_by_name_and_in_what_replaces() {
        let mut rules = rules(&[], &[("user", "a$2b")]);
        let pattern = Pattern::new("(name)=([a-z]+)").expect("a pattern");
        rules.replace.push((pattern, b"$1=${user}".to_vec()));
        let values = Values::new(&Rc::new(rules));
        assert_eq!(sent(&values, "name=someone ${user} ${other}"), "name=a$2b a$2b ${other}");
    }

    #[test]
    fn a_capture_that_the_recording_does_not_have_is_found() {
        let rules = rules(&[("a", "x"), ("b", "y")], &[]);
        assert_eq!(rules.unmatched(&plan(&["x", "y"])).map(|(name, _)| &**name), None);
        assert_eq!(rules.unmatched(&plan(&["x"])).map(|(name, _)| &**name), Some("b"));
    }
}
