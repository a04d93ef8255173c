//! From a line to a command: the dispatch through the table, and the commands with simple
//! arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::config::rule::ProxyRule;
use crate::event::Direction;
use crate::lens::{self, SpeechArguments};
use crate::net::target::Target;
use crate::script::command::entry::Args;
use crate::script::command::error::{ParseError, ParseFault, shown};
use crate::script::command::payload::{self, Plain};
use crate::script::command::table::{self, CommandEntry, Nesting, SHOWN};
use crate::script::command::target;
use crate::script::command::variables::{self, Scope, Variables};
use crate::script::command::words::Word;
use crate::script::command::{
    AutoPong, Command, Expected, FieldTest, FilterChange, LensChoice, LogChange, OnRule, Payload,
    RuleChange, Show,
};
use crate::ui::filter::{ClientSet, Filter};
use crate::ui::notation::{self, TIMES, duration, number, on_off, opcode};
use crate::ui::pattern::Pattern;
use crate::ui::pretty::Pretty;
use crate::ui::sanitize;
use crate::ui::view::{Timestamps, View};
use crate::wire::Role;
use crate::wire::handshake::headers::HeaderEdit;

/// The shortest interval of `/every`: a shorter one would leave no time for anything else.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// How long `/expect-not` waits without a TIMEOUT.
const EXPECT_NOT_TIMEOUT: Duration = Duration::from_secs(1);

/// How many frames `/show frames` shows without N.
const FRAMES_SHOWN: usize = 20;

/// How long `/await` waits without a TIMEOUT. It is long, because users start clients by hand.
const AWAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Parses a line of a client. A line has the same meaning in a script and at the prompt.
///
/// A line that begins with `/` is a command, `//` begins a text with a slash, `/#` a comment; every
/// other line is a text message, verbatim.
///
/// # Errors
///
/// [`ParseError`]: the line begins with a slash and is not a command that can be carried out.
pub fn parse(line: &str) -> Result<Command, ParseError> {
    parse_for(line, Role::Client)
}

/// [`parse`] for a side. A line of a server may begin with `@` and the numbers of clients; the line
/// for these clients follows: `@3 hello`, `@3,5 /ping`.
///
/// # Errors
///
/// Those of [`parse`]; also if the text after `@` names no clients.
pub fn parse_for(line: &str, role: Role) -> Result<Command, ParseError> {
    command(Word { at: 0, text: line }, None, role, Scope::default())
}

/// [`parse_for`], with each `${NAME}` replaced by the value of the variable.
///
/// # Errors
///
/// Those of [`parse_for`]; also if a variable is not set.
pub fn parse_with(line: &str, role: Role, variables: &Variables) -> Result<Command, ParseError> {
    let line = Word { at: 0, text: line };
    // The variables of an answer are set only when a message arrives.
    let words = match line.text.contains("${") && !is_comment(line) && !has_answer(line, role) {
        true => variables::words(line, variables)?,
        false => Vec::new(),
    };
    command(line, None, role, Scope::new(variables, &words))
}

fn is_comment(line: Word<'_>) -> bool {
    line.text.starts_with("/#")
}

/// Whether a line is an `/on`, with or without a target before it.
fn has_answer(line: Word<'_>, role: Role) -> bool {
    let to = |word: &Word<'_>| word.text == "/to" || word.text.starts_with(target::SIGN);
    let mut words = line.words().peekable();
    if role == Role::Server
        && let Some(first) = words.next_if(to)
        && first.text == "/to"
    {
        words.next();
    }
    words.next().is_some_and(|word| word.text == "/on")
}

/// The filter that `/filter TEXT` sets; `None` shows everything.
///
/// # Errors
///
/// As [`parse`]. Columns count from the beginning of `text`.
pub fn filter_for(text: &str, role: Role) -> Result<Option<Filter>, ParseError> {
    let entry = table::find("filter").expect("there is such a command");
    let mut args = Args::new(entry, role, Scope::default(), Word { at: 0, text });
    match filter(&mut args)? {
        Command::Filter(FilterChange::Only(filter)) => Ok(Some(filter)),
        Command::Filter(FilterChange::Off) => Ok(None),
        _ => Err(args.missing("FILTER")),
    }
}

/// Parses a command, alone or inside `outer`.
fn command(
    line: Word<'_>,
    outer: Option<&'static CommandEntry>,
    role: Role,
    scope: Scope<'_>,
) -> Result<Command, ParseError> {
    if role == Role::Server && line.text.starts_with(target::SIGN) {
        return addressed(line, outer, scope);
    }
    let message = |text| {
        let text = scope.text(text)?.into_owned();
        Ok(Command::Text(Payload::Bytes(text.into_bytes())))
    };
    let Some(after_slash) = line.strip("/") else {
        return if line.text.is_empty() { Ok(Command::Nothing) } else { message(line) };
    };
    if after_slash.text.starts_with('/') {
        return message(after_slash);
    }
    if after_slash.text.starts_with('#') {
        return Ok(Command::Nothing);
    }
    let name_len = after_slash.text.find(char::is_whitespace).unwrap_or(after_slash.text.len());
    let name = &after_slash.text[..name_len];
    let entry = table::find(name).ok_or_else(|| unknown(name, role, line.at))?;
    if let Some(reason) = entry.side.refuses(role) {
        return Err(ParseFault::OtherSide { name: entry.name, reason }.at(line.at));
    }
    if let Some(outer) = outer {
        let refused = |reason| {
            ParseFault::Nested { outer: outer.name, inner: entry.name, reason }.at(line.at)
        };
        match entry.nesting {
            Nesting::No(reason) => return Err(refused(reason)),
            Nesting::NotInItself(reason) if outer.name == entry.name => {
                return Err(refused(reason));
            }
            Nesting::NotInItself(_) | Nesting::Yes => {}
        }
    }
    let mut args = Args::new(entry, role, scope, after_slash.skip(name_len));
    (entry.parse)(&mut args)
}

/// `@TARGET LINE`, the short form of `/to TARGET LINE`.
fn addressed(
    line: Word<'_>,
    outer: Option<&'static CommandEntry>,
    scope: Scope<'_>,
) -> Result<Command, ParseError> {
    let len = line.text.find(char::is_whitespace).unwrap_or(line.text.len());
    let target = target::parse(scope.word(Word { text: &line.text[..len], ..line }))?;
    let rest = line.skip(len);
    let rest = rest.skip(rest.text.chars().next().map_or(0, char::len_utf8));
    to(target, rest, outer, line.at, scope)
}

/// A line for some clients. Inside another command, the line is required, and only one of the two
/// names clients.
fn to(
    target: ClientSet,
    line: Word<'_>,
    outer: Option<&'static CommandEntry>,
    at: usize,
    scope: Scope<'_>,
) -> Result<Command, ParseError> {
    let command = match command(line, outer, Role::Server, scope)? {
        Command::Nothing if line.text.is_empty() => None,
        Command::To { .. } => return Err(ParseFault::Twice("the target").at(line.at)),
        ref command if !command.takes_target() => return Err(ParseFault::NoTarget.at(line.at)),
        command => Some(Box::new(command)),
    };
    match (outer, &command) {
        (Some(outer), None) => {
            let reason = "a line must follow the target";
            Err(ParseFault::Nested { outer: outer.name, inner: "to", reason }.at(at))
        }
        _ => Ok(Command::To { target, command }),
    }
}

/// `/to TARGET [LINE]`.
pub(crate) fn to_clients(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let word = args.need("TARGET")?;
    to(target::parse(word)?, args.rest(), None, word.at, args.scope)
}

/// `/kick TARGET [CODE] [REASON]`: a Close for these clients.
pub(crate) fn kick(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let target = target::parse(args.need("TARGET")?)?;
    let command = Some(Box::new(crate::script::command::frame::close(args)?));
    Ok(Command::To { target, command })
}

/// `/rule [RULE | off [N]]`.
pub(crate) fn rule(args: &mut Args<'_>) -> Result<Command, ParseError> {
    if args.peek().is_none() {
        return Ok(Command::Rule(RuleChange::Ask));
    }
    if args.take_if("off") {
        let id = number_or_nothing(args, "a rule")?;
        return alone(Command::Rule(RuleChange::Remove(id)), args);
    }
    let text = args.trimmed();
    let rule = ProxyRule::parse(&args.scope.text(text)?);
    let rule = rule.map_err(|why| ParseFault::Rule(why).at(text.at))?;
    Ok(Command::Rule(RuleChange::Add(Box::new(rule))))
}

/// `/hold [DIR [OPCODES] [/RE/] | off]`.
pub(crate) fn hold(args: &mut Args<'_>) -> Result<Command, ParseError> {
    if args.take_if("off") {
        return alone(Command::Rule(RuleChange::EndHolding), args);
    }
    let text = args.trimmed();
    let rule = ProxyRule::hold(&args.scope.text(text)?);
    let rule = rule.map_err(|why| ParseFault::Rule(why).at(text.at))?;
    Ok(Command::Rule(RuleChange::Add(Box::new(rule))))
}

/// `/await [N] [TIMEOUT]`.
pub(crate) fn wait_for_clients(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let mut count = 1;
    if let Some(word) = args.peek()
        && let Some(n) = number(word.text)
    {
        args.word();
        let n = usize::try_from(n).ok().filter(|n| *n > 0);
        count = n.ok_or_else(|| word.not("not a number of clients", "a number from 1 up"))?;
    }
    let timeout = match args.peek() {
        Some(_) => time(args, "TIMEOUT")?,
        None => AWAIT_TIMEOUT,
    };
    alone(Command::Await { count, timeout }, args)
}

fn unknown(name: &str, role: Role, at: usize) -> ParseError {
    // A name of this length can't be a typo; the error message must stay short.
    let name: String = name.chars().take(40).collect();
    ParseFault::UnknownCommand { near: table::suggest(&name, role), name }.at(at)
}

/// A command without arguments.
pub(crate) fn alone(command: Command, args: &Args<'_>) -> Result<Command, ParseError> {
    args.end().map(|()| command)
}

/// The rest of the line as a payload; text, unless it begins with a notation.
pub(crate) fn text(args: &Args<'_>) -> Result<Payload, ParseError> {
    payload::parse(args.rest(), Plain::Text, args.scope)
}

/// The rest of the line as a payload; hex, unless it begins with a notation.
pub(crate) fn bytes(args: &Args<'_>) -> Result<Payload, ParseError> {
    payload::parse(args.rest(), Plain::Hex, args.scope)
}

/// `/file PATH [text|binary]`.
pub(crate) fn file(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let path = PathBuf::from(args.path("PATH")?);
    let text = match args.word() {
        None => false,
        Some(word) => match word.text {
            "text" => true,
            "binary" => false,
            _ => {
                let accepted = "text or binary; a path with spaces is written in quotes";
                return Err(word.not("not a type of message", accepted));
            }
        },
    };
    alone(Command::File { path, text }, args)
}

/// `/autopong [on|off|delay TIME]`.
pub(crate) fn autopong(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let choice = match args.word() {
        None => None,
        Some(Word { text: "delay", .. }) => Some(AutoPong::Delay(time(args, "a time")?)),
        Some(word) => match on_off(word.text) {
            Some(true) => Some(AutoPong::On),
            Some(false) => Some(AutoPong::Off),
            None => return Err(word.not("not a way to answer pings", "on, off or delay 2s")),
        },
    };
    alone(Command::AutoPong(choice), args)
}

/// `[on|off]`.
pub(crate) fn switch(args: &mut Args<'_>) -> Result<Option<bool>, ParseError> {
    let Some(word) = args.word() else { return Ok(None) };
    let on = on_off(word.text).ok_or_else(|| word.not("not a switch", "on or off"))?;
    args.end().map(|()| Some(on))
}

/// `/every INTERVAL COMMAND`.
pub(crate) fn every(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let word = args.need("INTERVAL")?;
    let interval = duration(word.text).ok().filter(|interval| *interval >= MIN_INTERVAL);
    let interval =
        interval.ok_or_else(|| word.not("not an interval", format!("{TIMES}; at least 1ms")))?;
    let line = args.trimmed().text.to_owned();
    Ok(Command::Every { interval, command: Box::new(nested(args)?), line })
}

/// `/repeat N COMMAND`.
pub(crate) fn repeat(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let word = args.need("N")?;
    let count = number(word.text).filter(|count| *count > 0);
    let count = count.ok_or_else(|| word.not("not a count", "a number from 1 up"))?;
    Ok(Command::Repeat { count, command: Box::new(nested(args)?) })
}

/// The command inside another one, without white space before it. If a text would be a command with
/// a slash before it, the slash was probably forgotten, so it is an error.
fn nested(args: &Args<'_>) -> Result<Command, ParseError> {
    let line = args.trimmed();
    match command(line, Some(args.entry), args.role, args.scope)? {
        Command::Nothing => Err(args.missing("COMMAND")),
        Command::Text(_) if !line.text.starts_with('/') && is_without_slash(line, args) => {
            let first = line.words().next().unwrap_or(line);
            let accepted = format!("/{0}, or /text {0} for a text that begins so", first.text);
            Err(first.not("a command without its slash", accepted))
        }
        command => Ok(command),
    }
}

fn is_without_slash(line: Word<'_>, args: &Args<'_>) -> bool {
    let text = format!("/{}", line.text);
    let line = Word { at: line.at, text: &text };
    let read = command(line, Some(args.entry), args.role, Scope::default());
    read.is_ok_and(|command| !matches!(command, Command::Nothing))
}

/// `/stop [N]`.
pub(crate) fn stop(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let which = number_or_nothing(args, "an /every")?;
    alone(Command::Stop(which), args)
}

fn number_or_nothing(args: &mut Args<'_>, of: &str) -> Result<Option<u64>, ParseError> {
    let Some(word) = args.word() else { return Ok(None) };
    let accepted = || format!("the number of {of}, or nothing");
    number(word.text).map(Some).ok_or_else(|| word.not("not a number", accepted()))
}

/// `/wait TIME`.
pub(crate) fn wait(args: &mut Args<'_>) -> Result<Command, ParseError> {
    alone(Command::Wait(time(args, "TIME")?), args)
}

fn time(args: &mut Args<'_>, argument: &'static str) -> Result<Duration, ParseError> {
    let word = args.need(argument)?;
    duration(word.text).map_err(|_| word.not("not a time", TIMES))
}

/// `/expect REGEX [TIMEOUT]`.
pub(crate) fn expect(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let expected = expected(args)?;
    let timeout = timeout(args)?;
    alone(Command::Expect { expected, timeout }, args)
}

/// `/expect-not REGEX [TIMEOUT]`.
pub(crate) fn expect_not(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let expected = expected(args)?;
    let timeout = timeout(args)?.unwrap_or(EXPECT_NOT_TIMEOUT);
    alone(Command::ExpectNot { expected, timeout }, args)
}

/// `REGEX`, or `PROTOCOL.FIELD=VALUE`.
fn expected(args: &mut Args<'_>) -> Result<Expected, ParseError> {
    let word = args.peek_assignment().filter(|(text, _)| FieldTest::of(text).is_some());
    let Some((text, len)) = word else { return pattern(args).map(Expected::Content) };
    let value = args.scope.text(Word { text: &text, ..args.trimmed() })?;
    let Some(test) = FieldTest::of(&value) else { return pattern(args).map(Expected::Content) };
    args.take(len);
    Ok(Expected::Field(test))
}

/// `/lens [NAME]`.
pub(crate) fn lens(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let choice = args.word().map(|word| {
        let names = || LensChoice::names().collect::<Vec<_>>().join(", ");
        LensChoice::of(word.text).ok_or_else(|| word.not("not a lens", names()))
    });
    alone(Command::Lens(choice.transpose()?), args)
}

/// `/stomp COMMAND …` and the like.
pub(crate) fn speak(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let word = args.entry.name;
    let piece = args.trimmed();
    let line = args.scope.text(piece)?.trim_end().to_owned();
    let commands = lens::find(word).map_or(&[][..], |protocol| protocol.commands);
    if line.is_empty() {
        return Err(args.missing(args.entry.args[0].shown));
    }
    let read = lens::SpeechCommand::find(commands, &line)
        .and_then(|(command, rest)| SpeechArguments::parse(command, rest).map(drop));
    match read {
        Ok(()) => Ok(Command::Speak { word, line }),
        Err(error) => {
            let why = sanitize::escaped(error.to_string().as_bytes());
            Err(ParseFault::NotSpoken { word, why }.at(piece.at))
        }
    }
}

/// `/expect-close CODE [TIMEOUT]`.
pub(crate) fn expect_close(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let code = crate::script::command::frame::code(args.need("CODE")?)?;
    let timeout = timeout(args)?;
    alone(Command::ExpectClose { code, timeout }, args)
}

/// `REGEX`, also between slashes or quotes.
fn pattern(args: &mut Args<'_>) -> Result<Pattern, ParseError> {
    match delimiter(args) {
        // JSON text may also begin with a quote. The quote is a delimiter only if it ends the word.
        Some(delimiter) if delimiter != '"' || args.is_quoted() => delimited_regex(args, delimiter),
        _ => {
            let word = args.peek_raw();
            args.need("REGEX")?;
            regex(word.unwrap_or(args.trimmed()), args.scope)
        }
    }
}

/// `[TIMEOUT]`.
fn timeout(args: &mut Args<'_>) -> Result<Option<Duration>, ParseError> {
    let timeout = args.word().map(|word| {
        let accepted = format!("{TIMES}; a regular expression with spaces is written /in slashes/");
        duration(word.text).map_err(|_| word.not("not a time", accepted))
    });
    timeout.transpose()
}

/// `/set [NAME [VALUE]]`.
pub(crate) fn set(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let Some(word) = args.word() else { return Ok(Command::Set { name: None, value: None }) };
    if !notation::is_variable(word.text) {
        let accepted = "letters, digits and _, no digit first, then a space and the value";
        return Err(word.not("not the name of a variable", accepted));
    }
    let value = match args.rest() {
        rest if args.peek().is_none() && rest.text.is_empty() => None,
        rest => Some(args.scope.text(rest)?.into_owned()),
    };
    Ok(Command::Set { name: Some(word.text.to_owned()), value })
}

/// `/on [REGEX COMMAND]`.
pub(crate) fn on(args: &mut Args<'_>) -> Result<Command, ParseError> {
    if args.peek().is_none() {
        return Ok(Command::On(None));
    }
    let pattern = pattern(args)?;
    let line = args.trimmed();
    let text = line.text.to_owned();
    let refused = |error: ParseError| ParseError { at: line.at + error.at, ..error };
    let varies = args.scope.variables().filter(|_| text.contains("${"));
    let command = match varies {
        // The values of the groups are not known yet. The check only shows that the line is an
        // answer.
        Some(variables) => {
            let mut variables = variables.clone();
            pattern.names().for_each(|name| variables.set(name, "0"));
            answer(&text, args, &variables).map_err(refused)?;
            None
        }
        None => Some(Box::new(answer(&text, args, &Variables::default()).map_err(refused)?)),
    };
    Ok(Command::On(Some(OnRule { pattern, line: text, command })))
}

/// The answer to a message: a command that sends at once.
fn answer(line: &str, args: &Args<'_>, variables: &Variables) -> Result<Command, ParseError> {
    let words;
    let scope = match args.scope.variables() {
        Some(_) => {
            words = variables::words(Word { at: 0, text: line }, variables)?;
            Scope::new(variables, &words)
        }
        None => Scope::default(),
    };
    let inner = Args::new(args.entry, args.role, scope, Word { at: 0, text: line });
    let command = nested(&inner)?;
    match &command {
        Command::To { .. } => Err(ParseFault::NoAnswer("to").at(0)),
        command if is_answer(command) => Ok(command.clone()),
        _ => {
            let name = line.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
            let name = table::find(name).map_or("on", |entry| entry.name);
            Err(ParseFault::NoAnswer(name).at(0))
        }
    }
}

/// Whether the command ends as soon as it has sent.
pub(crate) fn is_answer(command: &Command) -> bool {
    matches!(
        command,
        Command::Text(_)
            | Command::Binary(_)
            | Command::Ping(_)
            | Command::Pong(_)
            | Command::Close { .. }
            | Command::Frame(_)
            | Command::Bytes(_)
            | Command::Abort
            | Command::HalfClose
    )
}

/// `/off [N]`.
pub(crate) fn off(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let which = number_or_nothing(args, "an /on")?;
    alone(Command::OffRule(which), args)
}

/// The delimiter of a regular expression, if it has one.
fn delimiter(args: &Args<'_>) -> Option<char> {
    args.trimmed().text.chars().next().filter(|c| matches!(c, '/' | '"'))
}

fn delimited_regex(args: &mut Args<'_>, delimiter: char) -> Result<Pattern, ParseError> {
    let (at, text) = args.delimited(delimiter)?;
    regex(Word { at, text: &text }, args.scope)
}

/// The value of a variable in it is searched for literally.
fn regex(piece: Word<'_>, scope: Scope<'_>) -> Result<Pattern, ParseError> {
    let text = &*scope.text_with(piece, |value| regex_syntax::escape(value).into())?;
    let at = piece.at;
    Pattern::new(text)
        .map_err(|error| ParseFault::Regex { word: shown(text), why: error.to_string() }.at(at))
}

/// `/source FILE`.
pub(crate) fn source(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let path = PathBuf::from(args.path("FILE")?);
    alone(Command::Source(path), args)
}

/// `/show TOPIC`.
pub(crate) fn show(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let word = args.need("a topic")?;
    let what = match word.text {
        "handshake" => Show::Handshake,
        "tls" => Show::Tls,
        "stats" => Show::Stats,
        "state" => Show::State,
        "lens" => Show::Lens,
        "frames" => return frames(args),
        "message" => return message(args),
        _ => {
            let topics: Vec<_> = SHOWN.iter().map(|(topic, _)| *topic).collect();
            return Err(word.not("not a topic of /show", topics.join(", ")));
        }
    };
    alone(Command::Show(what), args)
}

/// `message [N [in|out]]`, after `/show`; without N, the last received message.
fn message(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let Some(word) = args.word() else { return alone(Command::Last, args) };
    let count = number(word.text.strip_prefix('#').unwrap_or(word.text));
    let count = count.ok_or_else(|| word.not("not the number of a frame", "a number, as in 3"))?;
    let sent = Direction::sent_by(args.role);
    let direction = match args.word() {
        None => None,
        Some(word) => Some(match word.text {
            "in" => sent.opposite(),
            "out" => sent,
            _ => return Err(word.not("not a direction", "in or out")),
        }),
    };
    alone(Command::Show(Show::Message(count, direction)), args)
}

/// `frames [N] [/REGEX/]`, after `/show`.
fn frames(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let mut most = FRAMES_SHOWN;
    if delimiter(args).is_none()
        && let Some(word) = args.word()
    {
        let count = number(word.text).and_then(|count| usize::try_from(count).ok());
        most = count
            .ok_or_else(|| word.not("not a number of frames", "a number, or nothing for 20"))?;
    }
    let command = match delimiter(args) {
        Some(delimiter) => Command::Find { pattern: delimited_regex(args, delimiter)?, most },
        None => Command::Show(Show::Frames(most)),
    };
    alone(command, args)
}

/// `/find REGEX`: the rest of the line, unless it is in slashes or quotes.
pub(crate) fn find(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let most = FRAMES_SHOWN;
    let pattern = match delimiter(args) {
        Some('/') => delimited_regex(args, '/')?,
        Some('"') if args.is_quoted() => delimited_regex(args, '"')?,
        _ => {
            let rest = args.trimmed();
            let text = rest.text.trim_end();
            if text.is_empty() {
                return Err(args.missing("REGEX"));
            }
            return regex(Word { at: rest.at, text }, args.scope)
                .map(|pattern| Command::Find { pattern, most });
        }
    };
    alone(Command::Find { pattern, most }, args)
}

/// `/pretty [WHEN]`.
pub(crate) fn pretty(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let when = one_of::<Pretty>(args, "not a setting of /pretty")?;
    alone(Command::Pretty(when), args)
}

/// `/view [VIEW]`.
pub(crate) fn view(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let view = one_of::<View>(args, "not a view")?;
    alone(Command::View(view), args)
}

/// `/timestamps [WHICH]`.
pub(crate) fn timestamps(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let which = one_of::<Timestamps>(args, "not a setting of /timestamps")?;
    alone(Command::Timestamps(which), args)
}

fn one_of<T: ValueEnum + 'static>(
    args: &mut Args<'_>,
    not: &'static str,
) -> Result<Option<T>, ParseError> {
    let Some(word) = args.word() else { return Ok(None) };
    T::from_str(word.text, false).map(Some).map_err(|_| {
        let names: Vec<_> = table::values::<T>().map(|(name, _)| name).collect();
        word.not(not, names.join(", "))
    })
}

/// `/filter [off | in|out|both] [OPCODES] [/REGEX/] [!/REGEX/]`.
pub(crate) fn filter(args: &mut Args<'_>) -> Result<Command, ParseError> {
    if args.peek().is_none() {
        return Ok(Command::Filter(FilterChange::Ask));
    }
    if args.take_if("off") {
        return alone(Command::Filter(FilterChange::Off), args);
    }
    let (mut filter, mut direction_given) = (Filter::default(), false);
    while let Some(word) = args.peek() {
        if args.role == Role::Server && word.text.starts_with(target::SIGN) {
            args.word();
            let target = target::parse(word)?;
            if std::mem::replace(&mut filter.clients, target) != ClientSet::All {
                return Err(ParseFault::Twice("whose frames are shown").at(word.at));
            }
            continue;
        }
        let negated = args.take_prefix('!', |rest| rest.starts_with(['/', '"']));
        if let Some(delimiter) = delimiter(args) {
            let regex = delimited_regex(args, delimiter)?;
            let place = if negated { &mut filter.unless } else { &mut filter.regex };
            if place.replace(regex).is_some() {
                return Err(ParseFault::Twice("the regular expression").at(word.at));
            }
            continue;
        }
        let sent = Direction::sent_by(args.role);
        let direction = match word.text {
            "in" => Some(Some(sent.opposite())),
            "out" => Some(Some(sent)),
            "both" => Some(None),
            _ => None,
        };
        args.word();
        if let Some(direction) = direction {
            if std::mem::replace(&mut direction_given, true) {
                return Err(ParseFault::Twice("the direction").at(word.at));
            }
            filter.direction = direction;
            continue;
        }
        let opcodes: Option<Vec<_>> = word.text.split(',').map(opcode).collect();
        let accepted = || {
            format!(
                "off, in, out, both, opcodes as in text,binary ({}), /a regular expression/ or !/one/ that must not match",
                notation::OPCODES
            )
        };
        let opcodes = opcodes.ok_or_else(|| word.not("not a filter", accepted()))?;
        if !std::mem::replace(&mut filter.opcodes, opcodes).is_empty() {
            return Err(ParseFault::Twice("the list of opcodes").at(word.at));
        }
    }
    Ok(Command::Filter(FilterChange::Only(filter)))
}

/// `/log [FILE|off]`.
pub(crate) fn log(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let change = match args.peek().map(|word| word.text) {
        None => LogChange::Ask,
        Some("off") => {
            args.word();
            LogChange::Off
        }
        Some("on" | "stop" | "end" | "none" | "of" | "OFF" | "Off") => {
            let word = args.need("FILE")?;
            let accepted =
                format!("off, or the name of a file; a file of this name is ./{}", word.text);
            return Err(word.not("not a choice of /log", accepted));
        }
        Some(_) => LogChange::File(PathBuf::from(args.path("FILE")?)),
    };
    alone(Command::Log(change), args)
}

/// `/headers [HEADER]`; the header is written as for `-H`.
pub(crate) fn headers(args: &Args<'_>) -> Result<Command, ParseError> {
    let header = args.trimmed();
    let text = &*args.scope.text(header)?;
    let text = text.trim_end();
    if text.is_empty() {
        return Ok(Command::Headers(None));
    }
    if text.starts_with('@') {
        return Ok(Command::Headers(Some(text.to_owned())));
    }
    let checked: Result<HeaderEdit, _> = text.parse();
    checked.map_err(|error| ParseFault::Header(error).at(header.at))?;
    Ok(Command::Headers(Some(text.to_owned())))
}

/// `/open URL`.
pub(crate) fn open(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let url = args.need("URL")?;
    Target::parse(url.text).map_err(|error| ParseFault::Url(error).at(url.at))?;
    alone(Command::Open(url.text.to_owned()), args)
}

/// `/help [COMMAND]`; the slash of the name may be left out.
pub(crate) fn help(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let topic = args.word().map(|word| {
        let name = word.text.strip_prefix('/').unwrap_or(word.text);
        let entry = table::find(name);
        entry.map(|entry| entry.name).ok_or_else(|| unknown(name, args.role, word.at))
    });
    alone(Command::Help(topic.transpose()?), args)
}
