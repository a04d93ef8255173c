//! The rules of `/on`: which messages are answered, and with what.
//!
//! A rule sees only messages of the peer, so that an answer never answers itself. If the peer
//! echoes the answers, a rule would answer without end; such a rule ends with an error.

use std::time::{Duration, Instant};

use crate::engine::outbox::Sender;
use crate::event::ConnId;
use crate::script::command::variables::Variables;
use crate::script::command::{Command, OnRule, parse_with};
use crate::script::runner::send;
use crate::session::endpoint::SendError;
use crate::ui::filter::ClientSet;
use crate::wire::Role;

/// The largest number of rules.
const MOST: usize = 100;

/// Answers in a row that the peer has sent back within [`WINDOW`].
const RETURNED: u32 = 100;

/// See [`RETURNED`].
const WINDOW: Duration = Duration::from_secs(1);

/// The largest number of errors that wait to be reported.
const ERRORS: usize = 16;

/// All rules, with their state.
#[derive(Debug, Default)]
pub struct AnswerRules {
    rules: Vec<AnswerRule>,
    last: u64,
    /// The values of `${NAME}`, in addition to the groups of a rule.
    variables: Variables,
    /// What went wrong, in words.
    errors: Vec<String>,
}

#[derive(Debug)]
struct AnswerRule {
    id: u64,
    rule: OnRule,
    target: ClientSet,
    /// The last answer, and the connection that got it.
    sent: Option<(ConnId, Vec<u8>)>,
    /// How often the answer was echoed, and since when.
    returned: u32,
    since: Option<Instant>,
}

impl AnswerRules {
    /// Adds a rule, and gives its description.
    ///
    /// # Errors
    ///
    /// There are too many rules; in words.
    pub(crate) fn add(&mut self, rule: OnRule, target: ClientSet) -> Result<String, String> {
        if self.rules.len() >= MOST {
            return Err(format!("/on: more than {MOST} rules; /off ends them"));
        }
        self.last += 1;
        let id = self.last;
        self.rules.push(AnswerRule { id, rule, target, sent: None, returned: 0, since: None });
        Ok(format!("answer {}; /off {id} ends it", self.rules[self.rules.len() - 1].describe()))
    }

    /// Ends one rule, or all; returns how many.
    pub(crate) fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.rules.len();
        self.rules.retain(|rule| id.is_some_and(|id| rule.id != id));
        before - self.rules.len()
    }

    /// A line for each rule.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.rules.iter().map(AnswerRule::describe).collect()
    }

    /// Sets the variables, as earlier lines have set them.
    pub(crate) fn set_variables(&mut self, variables: &Variables) {
        if self.variables != *variables {
            self.variables.clone_from(variables);
        }
    }

    /// Takes the errors.
    pub(crate) fn take_errors(&mut self) -> Vec<String> {
        std::mem::take(&mut self.errors)
    }

    /// Answers a message of the peer that begins with `content`.
    pub(crate) fn answer(&mut self, conn: ConnId, content: &[u8], sender: &mut Sender<'_>) {
        let mut ended = None;
        for rule in self.rules.iter_mut().filter(|rule| rule.target.includes(conn)) {
            let Some(groups) = rule.rule.pattern.captures(content) else { continue };
            let answer = match &rule.rule.command {
                Some(command) => Ok((**command).clone()),
                None => {
                    let mut variables = self.variables.clone();
                    let set = groups.iter().try_for_each(|(name, value)| {
                        let value = std::str::from_utf8(value);
                        value.map(|value| variables.set(name, value))
                    });
                    let role =
                        sender.endpoint.as_ref().map_or(Role::Client, |endpoint| endpoint.role());
                    set.map_err(|_| "a group of the message is not UTF-8".to_owned())
                        .and_then(|()| read(&rule.rule.line, role, &variables))
                }
            };
            let sent = answer.and_then(|command| {
                let bytes = send::content(&command)?.into_owned();
                match send::send(&command, &bytes, sender) {
                    // If the connection is closing, an answer is not needed.
                    Ok(_) | Err(SendError::NotOpen) => Ok(bytes),
                    Err(error) => Err(error.to_string()),
                }
            });
            match sent {
                Err(error) if self.errors.len() < ERRORS => {
                    self.errors.push(format!("/on {}: {error}", rule.rule.pattern));
                }
                Err(_) => {}
                Ok(bytes) => {
                    if rule.is_loop(conn, content, bytes) {
                        ended = Some(rule.id);
                    }
                }
            }
        }
        if let Some(id) = ended {
            let line = self.rules.iter().find(|rule| rule.id == id).map(AnswerRule::describe);
            self.remove(Some(id));
            self.errors.push(format!(
                "/on {} has ended: the peer sends its answers back, {RETURNED} within {} s",
                line.unwrap_or_default(),
                WINDOW.as_secs()
            ));
        }
    }
}

impl AnswerRule {
    fn describe(&self) -> String {
        format!("{}: {} {}", self.id, self.rule.pattern, self.rule.line)
    }

    /// Whether the peer has echoed the previous answer again and again.
    fn is_loop(&mut self, conn: ConnId, content: &[u8], answer: Vec<u8>) -> bool {
        let returned = self.sent.as_ref().is_some_and(|(to, sent)| *to == conn && sent == content);
        self.sent = Some((conn, answer));
        let now = Instant::now();
        match self.since {
            Some(since) if returned && now.saturating_duration_since(since) <= WINDOW => {
                self.returned += 1;
            }
            _ => (self.returned, self.since) = (u32::from(returned), Some(now)),
        }
        self.returned >= RETURNED
    }
}

/// The answer of a line with variables.
fn read(line: &str, role: Role, variables: &Variables) -> Result<Command, String> {
    parse_with(line, role, variables).map_err(|error| error.to_string())
}
