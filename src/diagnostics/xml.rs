//! XML elements as JSON objects, so that one set of rules judges both.

use serde_json::{Map, Value};

/// The deepest element that is read.
const DEPTH: usize = 4;

/// The attributes and the child elements of the root element. `None` if the text is not one whole
/// element.
pub(super) fn members(text: &str) -> Option<Map<String, Value>> {
    let mut rest = text.trim();
    while let Some(prolog) = rest.strip_prefix("<?").or_else(|| rest.strip_prefix("<!")) {
        rest = prolog.split_once('>')?.1.trim_start();
    }
    let (_, value, rest) = element(rest, DEPTH)?;
    let Value::Object(members) = value else { return None };
    rest.trim().is_empty().then_some(members)
}

/// The name and the content of the first element, and the text after it. An element without
/// attributes and elements is its text.
fn element(text: &str, depth: usize) -> Option<(&str, Value, &str)> {
    let (tag, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let (tag, closed) = match tag.strip_suffix('/') {
        Some(tag) => (tag, true),
        None => (tag, false),
    };
    let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let local = |name: &str| name.rsplit(':').next().unwrap_or_default().to_owned();
    let mut members = attributes_of(attributes)?;
    let mut said = String::new();
    loop {
        if closed {
            break;
        }
        let (before, after) = rest.split_at(rest.find('<')?);
        said.push_str(before.trim());
        if let Some(end) = after.strip_prefix("</") {
            let (ended, after) = end.split_once('>')?;
            if ended.trim() != name {
                return None;
            }
            rest = after;
            break;
        }
        let (child, value, after) = element(after, depth.checked_sub(1)?)?;
        members.insert(local(child), value);
        rest = after;
    }
    let value = match (members.is_empty(), said.is_empty()) {
        (true, _) => said.parse::<i64>().map_or(Value::String(said), Value::from),
        (false, true) => Value::Object(members),
        (false, false) => {
            members.insert("text".to_owned(), said.into());
            Value::Object(members)
        }
    };
    Some((name, value, rest))
}

/// The attributes of a tag. Namespaces are not content.
fn attributes_of(mut text: &str) -> Option<Map<String, Value>> {
    let mut members = Map::new();
    while let Some((name, rest)) = text.split_once('=') {
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = rest[1..].split_once(quote)?;
        let name = name.trim();
        if !name.starts_with("xmlns") {
            let number = value.parse::<i64>().map(Value::from);
            members.insert(name.to_owned(), number.unwrap_or_else(|_| value.into()));
        }
        text = after;
    }
    text.trim().is_empty().then_some(members)
}
