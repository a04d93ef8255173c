//! The configuration file: one option on each line, as in curl's, and profiles.
//!
//! ```text
//! # every run
//! connect-timeout 3
//! [dev]
//! url = "ws://localhost:9000/chat"
//! header = "Authorization: Bearer \"x\""
//! --insecure
//! ```
//!
//! Any text gives a list of settings and a list of errors with their lines. This file knows no
//! options, and reads no files.

use thiserror::Error;

/// The longest name of an option in bytes: several times the longest real name.
const LONGEST_NAME: usize = 100;

/// The error of a value that begins with a quote.
pub(super) const OPEN_QUOTE: &str = "a quote is not closed on its line";

/// A parsed file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConfigFile {
    /// The part before the first profile: for every run.
    pub common: Vec<Setting>,
    /// The profiles in their order.
    pub profiles: Vec<Profile>,
    /// The invalid lines.
    pub faults: Vec<LineFault>,
}

/// `[name]` and the lines after it.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Its settings in their order.
    pub settings: Vec<Setting>,
}

/// An option and its value. It has no `Debug`, because the value may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// The long name without dashes.
    pub name: String,
    /// The value, if there is one.
    pub value: Option<String>,
    /// Counted from 1.
    pub line: usize,
}

/// A line that is not a setting, a profile or a comment.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct LineFault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl ConfigFile {
    /// Parses a whole file.
    pub fn parse(text: &str) -> Self {
        let mut file = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            if let Err(what) = file.line(line.trim(), line_number) {
                file.faults.push(LineFault { line: line_number, what });
            }
        }
        file
    }

    /// Finds a profile; if several have the same name, all their settings count.
    pub fn profile<'a>(&'a self, name: &'a str) -> Option<impl Iterator<Item = &'a Setting>> {
        let of_that_name = move |profile: &&Profile| profile.name == name;
        let found = self.profiles.iter().any(|profile| of_that_name(&profile));
        found.then(|| self.profiles.iter().filter(of_that_name).flat_map(|p| &p.settings))
    }

    fn line(&mut self, line: &str, number: usize) -> Result<(), &'static str> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default().trim();
            let behind = rest.split_once(']').ok_or("a profile's ] is missing")?.1.trim();
            if !is_name(name, "-_.") {
                return Err("a profile's name has only letters, digits, - _ and .");
            }
            if !behind.is_empty() && !behind.starts_with('#') {
                return Err("unexpected text after the ] of a profile");
            }
            self.profiles.push(Profile { name: name.to_owned(), settings: Vec::new() });
            return Ok(());
        }
        let setting = setting(line, number)?;
        match self.profiles.last_mut() {
            Some(profile) => profile.settings.push(setting),
            None => self.common.push(setting),
        }
        Ok(())
    }
}

fn setting(line: &str, number: usize) -> Result<Setting, &'static str> {
    let bare = line.strip_prefix("--").unwrap_or(line);
    if bare.starts_with('-') {
        return Err("options are written with their long names here");
    }
    let end = bare.find(|c: char| c.is_whitespace() || c == '=' || c == ':').unwrap_or(bare.len());
    let (name, rest) = bare.split_at(end);
    if !is_name(name, "-.") || name.len() > LONGEST_NAME {
        return Err("this is not the name of an option");
    }
    let rest = rest.trim_start();
    let separated = rest.strip_prefix(['=', ':']);
    let text = separated.unwrap_or(rest).trim_start();
    let value = match text.strip_prefix('"') {
        Some(inner) => Some(unquoted(inner)?),
        // The rest of the line, with `#` and spaces, because most values are headers and URLs.
        None if !text.is_empty() || separated.is_some() => Some(text.to_owned()),
        None => None,
    };
    Ok(Setting { name: name.to_owned(), value, line: number })
}

/// A value after its opening quote; only a comment may follow the closing quote.
fn unquoted(text: &str) -> Result<String, &'static str> {
    let (value, behind) = in_quotes(text);
    let behind = behind.ok_or(OPEN_QUOTE)?.trim_start();
    match behind.is_empty() || behind.starts_with('#') {
        true => Ok(value),
        false => Err("unexpected text after the closing quote"),
    }
}

/// The text after an opening quote, with `\"`, `\\`, `\n`, `\r` and `\t` as in curl's files; and
/// the text after the closing quote, if there is one.
pub(super) fn in_quotes(text: &str) -> (String, Option<&str>) {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return (value, Some(chars.as_str())),
            '\n' => break,
            '\\' => value.extend(chars.next().map(|escaped| match escaped {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            })),
            c => value.push(c),
        }
    }
    (value, None)
}

fn is_name(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}# every run
connect-timeout 3
--header = \"A: \\\"b\\\\\\tc\" # said
  header X-Color: #fff

insecure
[ dev ] # near
url = ws://localhost:9000/chat#x
origin:
subprotocol: \"\"
[dev]
no-pong\r
";

    fn printed(settings: impl IntoIterator<Item = Setting>) -> Vec<String> {
        let print = |s: Setting| format!("{} {} {:?}", s.line, s.name, s.value);
        settings.into_iter().map(print).collect()
    }

    #[test]
    fn settings_and_profiles() {
        let file = ConfigFile::parse(FILE);
        assert!(file.faults.is_empty(), "{:?}", file.faults);
        let dev: Vec<Setting> = file.profile("dev").expect("there").cloned().collect();
        assert!(file.profile("Dev").is_none());
        assert_eq!(
            printed(file.common),
            [
                r#"2 connect-timeout Some("3")"#,
                r#"3 header Some("A: \"b\\\tc")"#,
                r##"4 header Some("X-Color: #fff")"##,
                "6 insecure None",
            ]
        );
        assert_eq!(
            printed(dev),
            [
                r##"8 url Some("ws://localhost:9000/chat#x")"##,
                r#"9 origin Some("")"#,
                r#"10 subprotocol Some("")"#,
                "12 no-pong None",
            ]
        );
    }

    #[test]
    fn faults_have_their_lines() {
        let file =
            ConfigFile::parse("-k\n\n[x\n[a b]\n[a] b\nq \"x\nq \"x\\\nq \"x\" y\n= x\nok\n");
        let faults: Vec<String> = file.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "line 1: options are written with their long names here",
                "line 3: a profile's ] is missing",
                "line 4: a profile's name has only letters, digits, - _ and .",
                "line 5: unexpected text after the ] of a profile",
                "line 6: a quote is not closed on its line",
                "line 7: a quote is not closed on its line",
                "line 8: unexpected text after the closing quote",
                "line 9: this is not the name of an option",
            ]
        );
        assert_eq!(printed(file.common), ["10 ok None"]);
    }

    #[test]
    fn the_example_of_the_manual_is_read() {
        let page = include_str!("../../docs/config.md");
        let example = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
        let file = ConfigFile::parse(example.expect("an example"));
        assert!(file.faults.is_empty(), "{:?}", file.faults);
        let dev: Vec<Setting> = file.profile("dev").expect("there").cloned().collect();
        assert_eq!(printed(file.common)[1], r#"3 header Some("X-Team: \"red\"")"#);
        assert_eq!(printed(dev)[1], r##"7 header Some("Authorization: Bearer abc#1")"##);
    }

    #[test]
    fn any_piece_of_a_file_is_read() {
        for end in (0..FILE.len()).filter(|end| FILE.is_char_boundary(*end)) {
            ConfigFile::parse(&FILE[..end]);
            ConfigFile::parse(&FILE[end..]);
        }
    }
}
