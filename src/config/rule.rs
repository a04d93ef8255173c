//! `--rule`: what a proxy does with messages. This file parses and matches rules.
//!
//! `DIR [OPCODES] [/RE/] -> ACTION`, as in `< text /price/ -> drop`. The first rule that matches a
//! message decides what happens to it.

use std::time::Duration;

use super::usage::UsageError;
use crate::event::Direction;
use crate::net::files::read_text;
use crate::ui::notation;
use crate::ui::pattern::Pattern;
use crate::ui::suggest::did_you_mean;
use crate::wire::{Control, Data, OpCode, close};

/// A rule.
#[derive(Clone, Debug)]
pub struct ProxyRule {
    /// The text of the rule.
    text: String,
    /// The direction; `None`: both.
    direction: Option<Direction>,
    /// The opcodes; empty: text and binary.
    opcodes: Vec<OpCode>,
    /// The pattern; `None`: any content.
    pattern: Option<Pattern>,
    action: Action,
}

/// What happens to a message.
#[derive(Clone, Debug)]
pub enum Action {
    /// It is not forwarded.
    Drop,
    /// It waits for this time, and the messages after it wait, too.
    Delay(Duration),
    /// Each match is replaced.
    Replace(Pattern, Vec<u8>),
    /// It is forwarded twice.
    Copy,
    /// Both ends get a Close with this code instead.
    Close(u16),
    /// It waits until a line of the prompt forwards it.
    Hold,
    /// A request gets this status as its answer.
    Reject(u16),
}

/// The actions, by name.
const ACTIONS: [&str; 7] = ["drop", "delay", "replace", "dup", "close", "hold", "reject"];

/// The form of a rule, in words.
const FORM: &str = "write 'DIR [OPCODES] [/RE/] -> ACTION', as in '< text /price/ -> drop'; \
     DIR is > to the server, < to the client, or <>; ACTION is drop, delay 2s, \
     replace /RE/TEXT/, dup, close 1011, hold or reject STATUS";

/// The largest replacement of a message, in bytes.
pub const MAX_EDITED: usize = 16 << 20;

/// The longest latency.
const MAX_LATENCY: Duration = Duration::from_secs(600);

impl ProxyRule {
    /// Parses a rule.
    ///
    /// # Errors
    ///
    /// It is not a rule; a sentence says why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rest, direction, opcodes, pattern) = selection(text)?;
        let rest = rest.trim_start().strip_prefix("->");
        let rest = rest.ok_or_else(|| format!("rule {text:?}: there is no ->; {FORM}"))?;
        let action = action(rest.trim()).map_err(|why| format!("rule {text:?}: {why}"))?;
        if matches!(action, Action::Reject(_))
            && (direction != Some(Direction::ToServer) || !opcodes.is_empty())
        {
            let why = "reject applies only to requests: write '> /RE/ -> reject 403'";
            return Err(format!("rule {text:?}: {why}"));
        }
        Ok(Self { text: text.trim().to_owned(), direction, opcodes, pattern, action })
    }

    /// The rule that holds the messages that a text such as `> text /price/` selects; all messages
    /// for an empty text.
    ///
    /// # Errors
    ///
    /// It is not a valid selection; a sentence says why.
    pub fn hold(text: &str) -> Result<Self, String> {
        let (rest, direction, opcodes, pattern) = match text.trim() {
            "" => ("", None, Vec::new(), None),
            text => selection(text)?,
        };
        if !rest.trim().is_empty() {
            return Err(format!("{:?} does not select messages; {FORM}", rest.trim()));
        }
        let text = format!("{} -> hold", if text.trim().is_empty() { "<>" } else { text.trim() });
        Ok(Self { text, direction, opcodes, pattern, action: Action::Hold })
    }

    /// The action.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Whether the rule applies to frames of this kind, apart from their content.
    fn looks_at(&self, direction: Direction, opcode: OpCode) -> bool {
        let data = matches!(opcode, OpCode::Data(Data::Text | Data::Binary));
        !matches!(self.action, Action::Reject(_))
            && self.direction.is_none_or(|only| only == direction)
            && (self.opcodes.contains(&opcode) || self.opcodes.is_empty() && data)
    }

    fn matches(&self, content: &[u8]) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(content))
    }
}

/// The text as written.
impl std::fmt::Display for ProxyRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// All rules, with their numbers.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    all: Vec<(u64, ProxyRule)>,
    last: u64,
}

impl Rules {
    /// The rules of `--rule`, then the rules of the files of `--rules`.
    ///
    /// # Errors
    ///
    /// A text is not a rule, or a file can't be read.
    pub fn read(rules: &[String], files: &[std::path::PathBuf]) -> Result<Self, UsageError> {
        let mut all = Self::default();
        for text in rules {
            all.add(ProxyRule::parse(text).map_err(|why| UsageError(format!("--rule: {why}")))?);
        }
        for file in files {
            let name = file.display();
            let text = read_text(file).map_err(|error| UsageError(format!("--rules {error}")))?;
            for (at, line) in text.lines().enumerate() {
                if line.trim().is_empty() || line.trim_start().starts_with('#') {
                    continue;
                }
                let place = at + 1;
                let rule = ProxyRule::parse(line);
                all.add(rule.map_err(|why| UsageError(format!("--rules {name}:{place}: {why}")))?);
            }
        }
        Ok(all)
    }

    /// Adds a rule after the others; returns its number.
    pub fn add(&mut self, rule: ProxyRule) -> u64 {
        self.last += 1;
        self.all.push((self.last, rule));
        self.last
    }

    /// Removes a rule, or all rules; returns how many it removed.
    pub fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.all.len();
        self.all.retain(|(own, _)| id.is_some_and(|id| id != *own));
        before - self.all.len()
    }

    /// Removes the rules that hold messages.
    pub fn end_holding(&mut self) {
        self.all.retain(|(_, rule)| !matches!(rule.action, Action::Hold));
    }

    /// All rules with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &ProxyRule)> {
        self.all.iter().map(|(id, rule)| (*id, rule))
    }

    /// Whether `is` accepts the action of a rule.
    pub fn any(&self, is: impl Fn(&Action) -> bool) -> bool {
        self.all.iter().any(|(_, rule)| is(&rule.action))
    }

    /// Whether a rule may match a message or control frame of this kind.
    pub fn look_at(&self, direction: Direction, opcode: OpCode) -> bool {
        self.all.iter().any(|(_, rule)| rule.looks_at(direction, opcode))
    }

    /// Whether a rule may match a text or binary message in this direction.
    pub fn look_at_messages(&self, direction: Direction) -> bool {
        let data = [Data::Text, Data::Binary].map(OpCode::Data);
        data.into_iter().any(|opcode| self.look_at(direction, opcode))
    }

    /// The first rule that matches.
    pub fn find(
        &self,
        direction: Direction,
        opcode: OpCode,
        content: &[u8],
    ) -> Option<(u64, &ProxyRule)> {
        self.iter().find(|(_, rule)| rule.looks_at(direction, opcode) && rule.matches(content))
    }

    /// The status for a request, from the first rule that rejects it, and the number of the rule.
    pub fn reject(&self, head: &[u8]) -> Option<(u64, u16)> {
        self.iter().find_map(|(id, rule)| match rule.action {
            Action::Reject(status) if rule.matches(head) => Some((id, status)),
            _ => None,
        })
    }
}

/// The deliberate delays of a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pacing {
    /// The delay of each byte.
    latency: Duration,
    /// A random deviation of up to this time.
    jitter: Duration,
    /// Bytes per second; `None`: no limit.
    pub rate: Option<f64>,
}

impl Pacing {
    /// Parses `--latency MS[±J]` and `--throttle BYTES`.
    ///
    /// # Errors
    ///
    /// It is not a number of milliseconds.
    pub fn read(latency: Option<&str>, rate: Option<u64>) -> Result<Self, UsageError> {
        let rate = rate.map(|rate| rate as f64);
        let Some(text) = latency else { return Ok(Self { rate, ..Self::default() }) };
        let (time, jitter) =
            text.split_once('±').or_else(|| text.split_once("+-")).unwrap_or((text, "0"));
        let millis = |text: &str| {
            let text = text.trim();
            let number: f64 = text.strip_suffix("ms").unwrap_or(text).parse().ok()?;
            let time = Duration::try_from_secs_f64(number / 1000.0).ok()?;
            (time <= MAX_LATENCY).then_some(time)
        };
        match (millis(time), millis(jitter)) {
            (Some(latency), Some(jitter)) if jitter <= latency => {
                Ok(Self { latency, jitter, rate })
            }
            _ => Err(UsageError(format!(
                "--latency: {text:?} is not a latency; write milliseconds up to 600000, as in 200, or 200±50 or 200+-50, where the second is not larger"
            ))),
        }
    }

    /// Limits the rate to this many bytes per second, without another delay.
    pub fn of_rate(rate: f64) -> Self {
        Self { rate: Some(rate), ..Self::default() }
    }

    /// Whether there is a delay.
    pub fn takes_time(&self) -> bool {
        *self != Self::default()
    }

    /// The delay of the next data.
    pub fn delay(&self, random: [u8; 16]) -> Duration {
        let [a, b, ..] = random;
        let part = f64::from(u16::from_be_bytes([a, b])) / f64::from(u16::MAX);
        self.latency.saturating_sub(self.jitter) + self.jitter.mul_f64(2.0 * part)
    }
}

type Selection<'t> = (&'t str, Option<Direction>, Vec<OpCode>, Option<Pattern>);

/// The opcodes that a rule may name in `DIR [OPCODES] [/RE/]`.
const OPCODES: [&str; 5] = ["text", "binary", "close", "ping", "pong"];

fn selection(text: &str) -> Result<Selection<'_>, String> {
    let no = |why: String| format!("rule {text:?}: {why}");
    let (word, mut rest) = word(text);
    let direction = match word {
        ">" | "to-server" => Some(Direction::ToServer),
        "<" | "to-client" => Some(Direction::ToClient),
        "<>" | "both" => None,
        _ => return Err(no(format!("{word:?} is not a direction; {FORM}"))),
    };
    let mut opcodes = Vec::new();
    if !rest.is_empty() && !rest.starts_with(['/', '-']) {
        let (word, after) = self::word(rest);
        let read: Option<Vec<_>> = word.split(',').map(notation::opcode).collect();
        let known = |opcode: &OpCode| {
            !matches!(opcode, OpCode::Data(Data::Continue | Data::Reserved(_)))
                && !matches!(opcode, OpCode::Control(Control::Reserved(_)))
        };
        opcodes = read.filter(|all| all.iter().all(known)).ok_or_else(|| {
            let unknown = word.split(',').find(|one| notation::opcode(one).is_none());
            let near = did_you_mean("", unknown.unwrap_or_default(), OPCODES.iter().copied());
            let known = OPCODES.join(", ");
            no(format!("{word:?} is neither a list of opcodes ({known}) nor ->{near}"))
        })?;
        rest = after;
    }
    let mut pattern = None;
    if let Some(behind) = rest.strip_prefix('/') {
        let (expression, after) =
            delimited(behind).ok_or_else(|| no("the expression has no closing /".to_owned()))?;
        pattern = Some(compile(&expression).map_err(no)?);
        rest = after;
    }
    Ok((rest, direction, opcodes, pattern))
}

pub(super) fn compile(expression: &str) -> Result<Pattern, String> {
    Pattern::new(expression).map_err(|error| format!("/{expression}/: {error}"))
}

fn action(text: &str) -> Result<Action, String> {
    let (name, rest) = word(text);
    let alone = |action| match rest {
        "" => Ok(action),
        _ => Err(format!("{name} takes no argument")),
    };
    match name {
        "drop" => alone(Action::Drop),
        "dup" => alone(Action::Copy),
        "hold" => alone(Action::Hold),
        "delay" => notation::duration(rest).map(Action::Delay),
        "close" => {
            let code = notation::close_code(rest).filter(|code| close::may_be_sent(*code));
            let help = "1000 to 1003, 1007 to 1014 or 3000 to 4999";
            code.map(Action::Close)
                .ok_or_else(|| format!("close: {rest:?} is not a code that can be sent; {help}"))
        }
        "reject" => {
            let status = rest.parse().ok().filter(|status| (200..=599).contains(status));
            let status = status.map(Action::Reject);
            status.ok_or_else(|| format!("reject: {rest:?} is not a status from 200 to 599"))
        }
        "replace" => {
            let (find, with) =
                replacement(rest, |_| false).map_err(|why| format!("replace: {why}"))?;
            Ok(Action::Replace(find, with))
        }
        _ => Err(match did_you_mean("", name, ACTIONS.iter().copied()) {
            near if near.is_empty() => format!("{name:?} is not an action; {FORM}"),
            near => format!("{name:?} is not an action{near}"),
        }),
    }
}

/// Parses `/RE/TEXT/`. In TEXT, `${name}` is a group, or one of the `known` names.
pub(super) fn replacement(
    text: &str,
    known: impl Fn(&str) -> bool,
) -> Result<(Pattern, Vec<u8>), String> {
    let parts = text.strip_prefix('/').and_then(delimited);
    let parts = parts.and_then(|(find, rest)| Some((find, delimited(rest)?)));
    let Some((find, (with, ""))) = parts else {
        return Err("write /RE/TEXT/, with \\/ for a slash in either".to_owned());
    };
    let find = compile(&find)?;
    match find.unknown_group(&with, known) {
        Some(group) => Err(format!(
            "{find} has no group {group:?}; $$ is a dollar, ${{1}}a is group 1 and an a"
        )),
        None => Ok((find, with.into())),
    }
}

/// The first word, and the rest without the white space before it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_start())
}

/// A text up to its `/` (in which `\/` is a slash), and the rest.
pub(super) fn delimited(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((text[..end].replace("\\/", "/"), &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: OpCode = OpCode::Data(Data::Text);
    const PING: OpCode = OpCode::Control(Control::Ping);

    #[test]
    fn rules_are_read_and_matched() {
        let mut rules = Rules::default();
        for text in [
            "< text,ping /a\\/b/ -> drop",
            "> /x y/ -> delay 250ms",
            "> close -> dup",
            "<> -> replace /a(.)/${1}\\/b/",
        ] {
            rules.add(ProxyRule::parse(text).expect(text));
        }
        let found = |direction, opcode, content: &str| {
            rules.find(direction, opcode, content.as_bytes()).map(|(id, _)| id)
        };
        assert_eq!(found(Direction::ToClient, TEXT, "xa/b"), Some(1));
        assert_eq!(found(Direction::ToClient, PING, "a/b"), Some(1));
        assert_eq!(found(Direction::ToServer, TEXT, "x y"), Some(2));
        assert_eq!(found(Direction::ToServer, PING, "x y"), None);
        assert_eq!(found(Direction::ToServer, OpCode::Control(Control::Close), ""), Some(3));
        let (_, rule) = rules.find(Direction::ToServer, TEXT, b"ac").expect("rule 4");
        let Action::Replace(find, with) = rule.action() else { panic!("{rule:?}") };
        assert_eq!(find.replace(b"ac", with, 99).as_deref(), Some(&b"c/b"[..]));
        assert!(rules.look_at_messages(Direction::ToClient));
        assert_eq!((rules.remove(Some(9)), rules.remove(Some(1)), rules.remove(None)), (0, 1, 3));
    }

    #[test]
    fn requests_are_rejected_by_their_heads() {
        let mut rules = Rules::default();
        rules.add(ProxyRule::parse("> /GET \\/admin/ -> reject 403").expect("a rule"));
        assert_eq!(rules.reject(b"GET /admin HTTP/1.1\r\n\r\n"), Some((1, 403)));
        assert_eq!(rules.reject(b"GET / HTTP/1.1\r\n\r\n"), None);
        assert!(!rules.look_at(Direction::ToServer, TEXT));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_a_reason() {
        for (text, why) in [
            ("", "not a direction"),
            ("in /x/ -> drop", "not a direction"),
            ("> txt -> drop", "neither a list of opcodes"),
            ("> /x -> drop", "no closing /"),
            ("> /(/ -> drop", "unclosed group"),
            ("> /x/ drop", "no ->"),
            ("> -> explode", "not an action"),
            ("> -> drop it", "takes no argument"),
            ("> -> delay x", "not a time"),
            ("> -> close 1005", "not a code that can be sent"),
            ("> -> replace /x/", "write /RE/TEXT/"),
            ("< -> reject 403", "only to requests"),
            ("> -> reject 99", "not a status"),
        ] {
            let error = ProxyRule::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(ProxyRule::hold("> text /x/").is_ok() && ProxyRule::hold("").is_ok());
        assert!(ProxyRule::hold("> text -> drop").is_err());
    }
}
