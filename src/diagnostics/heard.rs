//! The meaning of the last message: a complaint of the application, which explains an end right
//! after it, or a heartbeat that waits for an answer.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use super::complaint::{faults, is_irc_error, refuses_plainly, says_none, shouts};
use super::facts::HEARD_MOST;
use super::said::says;
use super::{Facts, answer, xml};

/// The most characters of a message that are shown.
const SHOWN: usize = 160;

/// How surely a message is a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grievance {
    /// One of its words may mean a complaint, but it may be any text.
    Word,
    /// It begins as a complaint does. Lines of a log do that, too.
    Shouted,
    /// It is marked as an error.
    Marked,
    /// The protocol inside defines it as a refusal.
    Refusal,
}

/// Whether a message is a complaint, and how surely.
pub(super) fn complains(content: &[u8]) -> Option<Grievance> {
    let mut text = bare(&text(content)).into_owned();
    let start = text.as_str();
    if answer::list_complains(start) || is_irc_error(start) {
        return Some(Grievance::Marked);
    }
    if start.starts_with('{') {
        if let Some(mut members) = answer::object(start) {
            if answer::complains(&members) {
                return Some(Grievance::Marked);
            }
            members.retain(|name, _| !matches!(name.as_str(), "error" | "errors" | "problem"));
            text = Value::Object(members).to_string();
        }
    } else if start.starts_with('<') {
        let marked = |members| answer::complains(&members) && !answer::has_own_data(&members);
        if is_error_element(start) || xml::members(start).is_some_and(marked) {
            return Some(Grievance::Marked);
        }
    } else if refuses_plainly(start) {
        return Some(Grievance::Marked);
    } else if shouts(start) {
        let rest = start.split_once(' ').map(|(_, rest)| rest).unwrap_or_default();
        return Some(if refuses_plainly(rest) { Grievance::Marked } else { Grievance::Shouted });
    }
    let denied = ["no error", "without error", "0 error", "0 fail"];
    let lower = text.to_ascii_lowercase();
    let denies = denied.iter().any(|words| lower.contains(words));
    (!denies && faults(&text)).then_some(Grievance::Word)
}

/// The most bytes of a carrier's mark before the JSON that it carries.
const MARK: usize = 16;

/// The message inside its carrier. Some carriers put a mark without a word before JSON:
/// `~m~27~m~{…}`, `a[…]`, `42[…]`. Guacamole's instructions are elements behind their lengths,
/// `5.error,9.Not found;`: the result is a JSON list of the first element and the rest.
pub(super) fn bare(text: &str) -> Cow<'_, str> {
    // SignalR ends each message with a separator.
    let text = text.trim_end_matches('\u{1e}').trim_start();
    let mark = text.find(['{', '[']).unwrap_or_default();
    let letters = |pair: &[u8]| pair.iter().all(u8::is_ascii_alphabetic);
    let is_mark = |mark: &str| {
        let bytes = mark.as_bytes();
        let word = bytes.windows(2).any(letters);
        bytes.len() <= MARK && !word && bytes.iter().all(u8::is_ascii_graphic)
    };
    if mark > 0 && is_mark(&text[..mark]) {
        return text[mark..].into();
    }
    match instruction(text) {
        Some((name, rest)) => Value::from(vec![name, rest]).to_string().into(),
        None => text.into(),
    }
}

/// The first element of an instruction and the rest of it, if the first one is a name.
fn instruction(text: &str) -> Option<(&str, &str)> {
    let (len, elements) = text.split_once('.')?;
    let (name, rest) = elements.split_at_checked(len.parse().ok()?)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_name && rest.starts_with([',', ';'])).then_some((name, rest))
}

/// A message as the text of one JSON object, if it can be one: the only object of a list, or an XML
/// element.
pub(super) fn object_text(text: &str) -> Cow<'_, str> {
    match text.as_bytes().first() {
        Some(b'[') => match serde_json::from_str::<Vec<Map<String, Value>>>(text) {
            Ok(list) if list.len() == 1 => text.trim_end()[1..].trim_end_matches(']').trim().into(),
            _ => text.into(),
        },
        Some(b'<') => match xml::members(text) {
            Some(members) => Value::Object(members).to_string().into(),
            None => text.into(),
        },
        _ => text.into(),
    }
}

/// Whether the last message is a copy of one of ours.
pub(super) fn is_echo(facts: &Facts<'_>) -> bool {
    let Some(heard) = &facts.stream.heard else { return false };
    facts.stream.kept.iter().any(|one| one.ours && is_copy(one.content, heard.content))
}

/// Whether a message is a copy of one of ours, as far as both were kept.
pub(super) fn is_copy(ours: &[u8], theirs: &[u8]) -> bool {
    let kept = |content: &'_ [u8]| content.len().min(HEARD_MOST);
    ours[..kept(ours)].eq_ignore_ascii_case(&theirs[..kept(theirs)])
}

/// Whether the reason of a Close is a complaint, or a refusal of what its first word names.
pub(super) fn refuses(reason: &[u8]) -> bool {
    let text = text(reason);
    let about = ["websocket", "connection", "client", "session", "user"];
    let behind =
        text.split_once(' ').filter(|(word, _)| about.contains(&&*word.to_ascii_lowercase()));
    complains(reason) >= Some(Grievance::Shouted)
        || behind.is_some_and(|(_, rest)| refuses_plainly(rest))
}

/// Words in the reason of an end in order: a goodbye, or a statement that the work is done. No word
/// here negates another one.
const ORDINARY: &str = "ok 1000 normal normally closure connection goodbye bye all by client server close \
    closed closing end ended ends eof done over finish finished complete completed \
    completion success successful successfully sent delivered transferred the a of is \
    was has have been stream log logs data file result results message messages game \
    session job transfer request response output";

/// Whether the reason of an end in order is only a goodbye, or only says that everything was done.
/// It may contain only known words.
pub fn is_ordinary(reason: &[u8]) -> bool {
    let said = text(reason).to_ascii_lowercase();
    let words = said.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    // "no more data" is in order, "no data" is not.
    let words = words.strip_prefix(&["no", "more"]).unwrap_or(&words);
    let known = |word: &&str| ORDINARY.split(' ').any(|known| known == *word);
    // A short sentence about what is done, such as "build finished".
    let done = matches!(words, [.., "done" | "finished" | "complete" | "completed"])
        && words.len() <= 3
        && !words.iter().any(|word| matches!(*word, "not" | "never" | "be" | "no"));
    matches!(words, [word] if is_end(word)) || done || words.iter().all(known)
}

/// Works that may be done in a session. The parts of a server, such as a database, are none.
const WORKS: [&str; 33] = [
    "analysis",
    "backup",
    "batch",
    "build",
    "check",
    "compilation",
    "compile",
    "conversion",
    "deploy",
    "deployment",
    "download",
    "execution",
    "export",
    "game",
    "import",
    "installation",
    "job",
    "match",
    "migration",
    "pipeline",
    "playbook",
    "recording",
    "release",
    "render",
    "run",
    "scan",
    "simulation",
    "step",
    "suite",
    "task",
    "test",
    "upload",
    "workflow",
];

/// Words that may stand before a work and change nothing.
const QUALIFIERS: [&str; 8] =
    ["the", "your", "this", "unit", "integration", "nightly", "ci", "was"];

/// Whether a reason only tells how the work ended that was done in the session: `build failed`,
/// `exit code 1`. The connection is not to blame.
pub fn tells_outcome(reason: &[u8]) -> bool {
    let said = text(reason).to_ascii_lowercase();
    let words: Vec<&str> =
        said.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_work = |word: &&str| {
        let word = word.strip_suffix('s').filter(|one| one.len() > 2).unwrap_or(word);
        WORKS.contains(&word)
    };
    let qualifies = |word: &&str| {
        is_work(word) || QUALIFIERS.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit())
    };
    let about = |words: &[&str]| words.iter().any(is_work) && words.iter().all(qualifies);
    match words[..] {
        [ref work @ .., "failed" | "aborted" | "cancelled" | "canceled" | "stopped"] => about(work),
        ["exit" | "exited", .., last] => words.len() <= 4 && last.parse::<i32>().is_ok(),
        _ => false,
    }
}

/// Whether a reason says that there were too many pings or pongs.
pub fn limits_pings(reason: &[u8]) -> bool {
    let any = |words: &[&str]| words.iter().any(|word| says(&text(reason), word));
    any(&["ping*", "pong*"])
        && any(&["flood*", "too many", "too often", "rate", "excess*", "abuse"])
}

/// The reason in a goodbye in JSON, if it is a sentence. Fewer words name a state: `user left`.
pub(super) fn goodbye_reason(content: &[u8]) -> Option<String> {
    let text = text(content);
    let members = serde_json::from_str::<Map<String, Value>>(text.trim()).ok()?;
    let named = |name: &&str| members.get(*name).and_then(Value::as_str);
    let reason = ["reason", "message", "msg", "error"].iter().find_map(named)?;
    let sentence = reason.split_whitespace().count() >= 4;
    (sentence && kind(text.trim()).is_some_and(|kind| is_end(&kind))).then(|| reason.to_owned())
}

/// The most bytes of a binary message whose last words may be a reason.
const SHORT: usize = 160;

/// The words at the end of a short binary message: at least two, with eight letters.
pub(super) fn last_words(content: &[u8]) -> Option<String> {
    let printable = |byte: &u8| (b' '..=b'~').contains(byte);
    let start = content.iter().rposition(|byte| !printable(byte)).map_or(0, |at| at + 1);
    let words = std::str::from_utf8(&content[start..]).ok()?.trim();
    let letters = words.bytes().filter(u8::is_ascii_alphabetic).count();
    let is_text = letters >= 8 && words.contains(' ') && letters * 3 >= words.len() * 2;
    (start > 0 && content.len() <= SHORT && is_text).then(|| words.to_owned())
}

/// Whether a message tells something: it is an object that names its kind, and no success.
pub(super) fn tells(content: &[u8]) -> bool {
    let text = text(content);
    let members = serde_json::from_str::<Map<String, Value>>(text.trim()).unwrap_or_default();
    let fine = ["ok", "success"].iter().any(|name| members.get(*name) == Some(&Value::Bool(true)));
    kind(text.trim()).is_some() && !fine && !members.contains_key("result")
}

/// Whether a message is a greeting.
pub(super) fn greets(content: &[u8]) -> bool {
    let text = text(content);
    let words = ["welcome", "hello", "connected", "ready"];
    let members = serde_json::from_str::<Map<String, Value>>(text.trim()).unwrap_or_default();
    let states = [
        "status",
        "systemstatus",
        "system",
        "info",
        "serverinfo",
        "connection",
        "session",
        "init",
        "challenge",
        "authchallenge",
    ];
    let named = ["type", "event", "op", "channel", "a"];
    let mut named = named.iter().filter_map(|name| members.get(*name)?.as_str());
    // Meteor's `{"server_id":"0"}`, and a challenge of Nostr (NIP-42).
    let names_itself = members.len() == 1 && members.contains_key("server_id");
    words.iter().any(|word| says(&text, word))
        || named.any(|kind| states.contains(&&*bare_name(kind)))
        || names_itself
        || text.trim_start().starts_with("[\"AUTH\",")
}

/// Whether a reason says that something was completed, without a word that negates it.
pub(super) fn says_done(reason: &[u8]) -> bool {
    let done = ["done", "finished", "complete", "completed", "success", "successful"];
    let negating =
        ["not", "never", "no", "without", "cannot", "wasn't", "isn't", "didn't", "couldn't"];
    let any = |words: &[&str]| words.iter().any(|word| says(&text(reason), word));
    any(&done) && !any(&negating)
}

/// Kinds of messages by which a server says that it ends, in the form of [`bare_name`].
const LEAVING: [&str; 20] = [
    "shutdown",
    "shuttingdown",
    "servershutdown",
    "servershuttingdown",
    "restart",
    "restarting",
    "serverrestart",
    "serverrestarting",
    "servicerestart",
    "servicerestarting",
    "reboot",
    "rebooting",
    "serverreboot",
    "goingaway",
    "goaway",
    "goingdown",
    "serverclosing",
    "serverstopping",
    "serverdraining",
    "draining",
];

/// Members that an announcement may have: its kind, its time, its text. Any other member may name
/// another thing that ends.
const ANNOUNCING: [&str; 32] = [
    "op",
    "type",
    "event",
    "action",
    "method",
    "reason",
    "code",
    "server",
    "status",
    "level",
    "message",
    "msg",
    "text",
    "title",
    "body",
    "in",
    "at",
    "after",
    "when",
    "delay",
    "seconds",
    "eta",
    "deadline",
    "time",
    "ts",
    "timestamp",
    "seq",
    "reconnect",
    "retry",
    "data",
    "payload",
    "maintenance",
];

/// The longest time in seconds from an announcement to the end that it announces.
pub(super) const NOTICE: u64 = 120;

/// Whether a message announces that the server ends or restarts soon: by its kind or reason, or in
/// a sentence about the server.
pub(super) fn announces_end(content: &[u8]) -> bool {
    let text = text(content);
    match serde_json::from_str::<Map<String, Value>>(text.trim()) {
        Ok(members) => announces(&members),
        Err(_) => says_that_it_ends(&text),
    }
}

/// A name in lower case and without separators.
fn bare_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether the members of a message announce the end of the server.
fn announces(members: &Map<String, Value>) -> bool {
    let known = |name: &str| {
        let name = bare_name(name);
        let starts = ["retry", "reconnect", "delay", "timeout"];
        let own = ["shutdown", "shuttingdown", "restarting"].contains(&&*name);
        own || ANNOUNCING.contains(&&*name) || starts.iter().any(|start| name.starts_with(start))
    };
    let inner = ["data", "payload"].iter().filter_map(|name| members.get(*name)?.as_object());
    let inner: Vec<&Map<String, Value>> = inner.collect();
    let all = || members.iter().chain(inner.iter().flat_map(|inner| inner.iter()));
    if !all().all(|(name, value)| known(name) && !value.is_null()) {
        return false;
    }
    // A time that is given must be near.
    let waits = |name: &str| {
        let name = bare_name(name);
        let relative = ["in", "inms", "ininseconds", "after", "afterms", "seconds", "eta"];
        relative.contains(&&*name) || name.starts_with("delay")
    };
    let is_near = |name: &str, value: &Value| {
        let most = if bare_name(name).ends_with("ms") { NOTICE * 1000 } else { NOTICE };
        value.as_f64().is_none_or(|time| time <= most as f64)
    };
    let timed = all().any(|(name, value)| waits(name) && value.is_number());
    if !all().all(|(name, value)| !waits(name) || is_near(name, value)) {
        return false;
    }
    let kinds = ["op", "type", "event", "action", "method", "reason", "code"];
    let of_kind = |wanted: &dyn Fn(&str) -> bool| {
        let named = kinds.iter().filter_map(|name| members.get(*name)?.as_str());
        named.map(bare_name).any(|kind| wanted(&kind))
    };
    let on = |name: &&str| {
        all().any(|(member, value)| bare_name(member) == **name && *value == Value::Bool(true))
    };
    let states = ["maintenance", "shutdown", "shuttingdown", "restarting"];
    let told = ["message", "msg", "text", "reason", "title", "body"];
    let texts = all().filter(|(name, _)| told.contains(&name.as_str()));
    of_kind(&|kind| LEAVING.contains(&kind))
        || of_kind(&|kind| kind == "maintenance") && timed
        || states.iter().any(on)
        || texts.filter_map(|(_, value)| value.as_str()).any(says_that_it_ends)
}

/// Words of a text that speaks of another time, or denies. A point in time later today is too late.
const ELSEWHEN: &str = "not no never finished done complete completed over back was were had has been \
    cancelled canceled tomorrow tonight yesterday next last later week month today evening morning monday tuesday \
    wednesday thursday friday saturday sunday hour hours h day days if when";

/// Words about what a server is about to do.
const STEPS: &str = "shutting down|going down|going away|restarting|rebooting|stopping|be restarted|\
    be restarting|be shutting down|be going down|shut down|shutdown|restart|restarts|reboot|reboots|go down|goes down";

/// Whether a text has a sentence that says that the server ends now or soon:
/// `the server is restarting in 5 s`, `We are going down for maintenance`.
fn says_that_it_ends(text: &str) -> bool {
    !text.contains('?')
        && text.split(['.', '!', ';', '\n']).any(|sentence| {
            let lower = sentence.to_lowercase().replace("n't", " not");
            let words = lower.split(|c: char| !c.is_alphanumeric());
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            let elsewhen = |word: &&str| ELSEWHEN.split_whitespace().any(|one| one == *word);
            words.len() <= 16
                && !words.iter().any(elsewhen)
                && is_soon(&words)
                && ends_server(&words)
        })
}

/// Whether the minutes and seconds that a sentence names are few.
fn is_soon(words: &[&str]) -> bool {
    words.windows(2).all(|pair| {
        let Ok(number) = pair[0].parse::<u64>() else { return true };
        let minutes = pair[1] == "m" || pair[1].starts_with("min");
        number <= if minutes { NOTICE / 60 } else { NOTICE }
    })
}

/// Whether a sentence begins with the server, if with anything, and then says that it ends.
fn ends_server(words: &[&str]) -> bool {
    let subjects = ["server", "service", "gateway", "system", "instance", "backend", "node", "we"];
    let before = ["the", "this", "our", "attention", "warning", "notice", "chat", "game"];
    let start = words.iter().take_while(|word| before.contains(word)).count();
    let named = words.get(start).is_some_and(|word| subjects.contains(word));
    let rest = &words[start + usize::from(named)..];
    let helping = ["is", "are", "will", "about", "to", "now", "must", "needs", "going"];
    let going = |rest: &[&str]| matches!(rest, ["going", "down" | "away", ..]);
    let mut at = 0;
    while rest.get(at).is_some_and(|word| helping.contains(word)) && !going(&rest[at..]) {
        at += 1;
    }
    let follows = [
        "in",
        "now",
        "for",
        "soon",
        "shortly",
        "immediately",
        "momentarily",
        "to",
        "and",
        "please",
    ];
    let step = |step: &str| {
        let step: Vec<&str> = step.split(' ').collect();
        let after = rest[at..].strip_prefix(&step[..]);
        after.is_some_and(|after| after.first().is_none_or(|word| follows.contains(word)))
    };
    // Without a subject, only the form of an activity is an announcement.
    let begun = named || start == 0 && at == 0 && words.first().is_some_and(|w| w.ends_with("ing"));
    let maintenance = words.iter().skip_while(|word| ["scheduled", "planned"].contains(word));
    let maintenance: Vec<&str> = maintenance.copied().collect();
    begun && STEPS.split('|').map(str::trim).any(step)
        || matches!(
            maintenance[..],
            ["maintenance", "in" | "now" | "starts" | "begins" | "starting", ..]
        )
}

/// The text of a message, without a last character that was cut in two.
pub(super) fn text(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&content[..error.valid_up_to()]).into_owned()
        }
        _ => String::from_utf8_lossy(content).into_owned(),
    }
}

/// Whether the first element of an XML text is an error with a content, such as `<stream:error>`.
fn is_error_element(text: &str) -> bool {
    let mut rest = text;
    while let Some(prolog) = rest.strip_prefix("<?").or_else(|| rest.strip_prefix("<!")) {
        let Some((_, after)) = prolog.split_once('>') else { return false };
        rest = after.trim_start();
    }
    let Some(rest) = rest.strip_prefix('<') else { return false };
    let (tag, content) = rest.split_once('>').unwrap_or((rest, "…"));
    let tag = tag.trim_end_matches('/');
    let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let local = name.rsplit(':').next().unwrap_or_default();
    let zero = ["code=\"0\"", "code='0'"].iter().any(|zero| attributes.contains(zero));
    let says = content.split('<').next().unwrap_or_default();
    let more =
        !attributes.trim().is_empty() || content.starts_with('<') && !content.starts_with("</");
    local.eq_ignore_ascii_case("error") && !zero && (more || !says_none(says))
}

/// Names of heartbeats.
const BEATS: [&str; 6] =
    ["ping", "heartbeat", "heart-beat", "keepalive", "keep-alive", "keep_alive"];

/// Whether a message is a heartbeat that waits for an answer. With `engine_io`, the protocol inside
/// is Engine.IO. A word inside a text does not count.
pub(super) fn is_heartbeat(content: &[u8], engine_io: bool) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    // SignalR ends each message with a separator.
    let text = text.trim().trim_end_matches('\u{1e}');
    if matches!(text, "" | "{\"type\":6}") || (text == "2" && engine_io) {
        return true;
    }
    let beat = |word: &str| BEATS.iter().any(|beat| word.eq_ignore_ascii_case(beat));
    // For example `primus::ping::1796021128048`, and `PING :host` of IRC.
    let one = !text.contains(char::is_whitespace) && text.contains("::ping::");
    let irc = text.strip_prefix("PING :").is_some_and(|host| !host.contains(char::is_whitespace));
    beat(text)
        || one
        || irc
        || kind(text)
            .is_some_and(|kind| beat(kind.rsplit([':', '.', '/']).next().unwrap_or_default()))
}

/// Whether a message names itself a heartbeat, of any direction.
pub(super) fn keeps_alive(text: &str) -> bool {
    let beat = |word: &str| {
        let word = word.rsplit([':', '.', '/']).next().unwrap_or_default();
        let other = ["pong", "heartbeat_ack", "hb", "beat", "alive"];
        BEATS.iter().chain(&other).any(|beat| word.eq_ignore_ascii_case(beat))
    };
    let members = serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let kinds =
        ["op", "type", "event", "action", "method", "channel", "topic", "T", "t", "kind", "cmd"];
    let named = |name: &&str| members.get(*name).and_then(Value::as_str);
    is_heartbeat(text.as_bytes(), false)
        || beat(text.trim())
        || kinds.iter().filter_map(named).any(beat)
}

/// The interval of heartbeats that a message names. A number below 1000 counts seconds.
pub(super) fn beat_interval(content: &[u8]) -> Option<Duration> {
    fn find(members: &Map<String, Value>) -> Option<u64> {
        let named = |(name, value): (&String, &Value)| match value {
            Value::Object(inner) => find(inner),
            value => {
                let name = bare_name(name);
                let asks = ["heartbeatinterval", "heartbeatintervalms", "heartbeattimeout"];
                asks.contains(&&*name).then(|| value.as_u64()).flatten()
            }
        };
        members.iter().find_map(named).filter(|time| *time > 0)
    }
    let time = find(&serde_json::from_str(text(content).trim()).ok()?)?;
    Some(if time < 1000 { Duration::from_secs(time) } else { Duration::from_millis(time) })
}

/// Whether the name of the message's kind asks for a login.
pub(super) fn asks_login(content: &[u8]) -> bool {
    let kind = kind(text(content).trim()).unwrap_or_default().to_ascii_lowercase();
    let asks =
        ["auth_required", "auth_request", "authenticate", "login", "login_required", "identify"];
    asks.contains(&kind.as_str())
}

/// The name that a JSON message gives to its kind.
fn kind(text: &str) -> Option<String> {
    let members = serde_json::from_str::<Map<String, Value>>(text).ok()?;
    let named = |name: &&str| members.get(*name).and_then(Value::as_str);
    let kinds = ["op", "type", "event", "action", "method"];
    // If there are two names, the first one is more exact.
    kinds.iter().find_map(named).map(str::to_owned)
}

/// Whether a text has another one inside, as whole words.
pub(super) fn repeats(text: &str, other: &str) -> bool {
    let other = other.trim();
    let is_inside = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + other.len()..].chars().next();
        [before, after].into_iter().flatten().all(|c| !c.is_alphanumeric())
    };
    !other.is_empty() && text.match_indices(other).any(|(at, _)| is_inside(at))
}

/// Words with which a message asks for an end, or says that nothing comes after it, besides those
/// of [`is_end`].
const LAST: [&str; 18] = [
    "unsubscribe",
    "leave",
    "part",
    "finish",
    "finished",
    "finalize",
    "complete",
    "commit",
    "cancel",
    "abort",
    "eof",
    "eos",
    "last",
    "final",
    "kill",
    "shutdown",
    "restart",
    "reboot",
];

/// Whether a short message of ours may have been the last one that the peer waited for: it is
/// empty, or one of its words says so.
pub(super) fn may_be_last(content: &[u8]) -> bool {
    let text = text(content);
    let is_last = |word: &str| is_end(word) || LAST.contains(&&*word.to_ascii_lowercase());
    content.len() <= 1 || is_goodbye(content) || words_of(&text).any(|word| is_last(&word))
}

/// The words of a text. A name such as `closeStream` has several.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::new();
    let mut small = false;
    for c in text.chars() {
        if small && c.is_uppercase() {
            spaced.push(' ');
        }
        small = c.is_lowercase();
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
    }
    spaced.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// Things whose end ends the session, and words that say only that.
const SESSIONS: [&str; 26] = [
    "session",
    "connection",
    "client",
    "user",
    "you",
    "your",
    "target",
    "inspector",
    "tab",
    "page",
    "debugger",
    "socket",
    "websocket",
    "stream",
    "account",
    "subscriber",
    "peer",
    "was",
    "been",
    "has",
    "have",
    "were",
    "by",
    "server",
    "force",
    "reason",
];

/// Words that say that a session was ended.
const ENDED: [&str; 13] = [
    "detached",
    "closed",
    "closing",
    "terminated",
    "evicted",
    "kicked",
    "disconnected",
    "revoked",
    "banned",
    "expired",
    "logged",
    "destroyed",
    "replaced",
];

/// Whether a message says that the peer ended this session: its kind names the session and an end,
/// and nothing but a reason comes with it. The end of anything else ends no session.
pub(super) fn says_ended(content: &[u8]) -> bool {
    let text = text(content);
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(text.trim()) else { return false };
    let Some(kind) = kind(text.trim()) else { return false };
    let words: Vec<String> = words_of(&kind).map(|word| word.to_ascii_lowercase()).collect();
    let known = |word: &String| {
        let word = word.as_str();
        SESSIONS.contains(&word) || ENDED.contains(&word) || matches!(word, "out" | "off")
    };
    words.iter().any(|word| ENDED.contains(&&**word))
        && words.iter().all(known)
        && !answer::has_own_data(&members)
}

/// Whether a word, or its last part, is a goodbye.
fn is_end(word: &str) -> bool {
    let ends = [
        "bye",
        "goodbye",
        "close",
        "closed",
        "closing",
        "disconnect",
        "end",
        "quit",
        "exit",
        "logout",
        "stop",
        "terminate",
        "done",
    ];
    let word = word.rsplit("::").next().unwrap_or_default().trim_start_matches('/');
    ends.iter().any(|end| word.eq_ignore_ascii_case(end))
}

/// Whether a message only says that the session ends, or is empty.
pub(super) fn is_goodbye(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    let text = text.trim();
    matches!(text, "" | "{}" | "[]") || is_end(text) || kind(text).is_some_and(|kind| is_end(&kind))
}

/// The first member of a JSON text whose name and value are those of an explanation in words, with its
/// place. The text may be cut.
fn explaining(text: &str) -> Option<(usize, &str)> {
    const NAMES: [&str; 8] = [
        "message",
        "reason",
        "detail",
        "details",
        "description",
        "error_description",
        "msg",
        "error",
    ];
    let members = NAMES.iter().flat_map(|name| {
        let key = format!("\"{name}\"");
        text.match_indices(&*key).map(|(at, key)| (at, at + key.len())).collect::<Vec<_>>()
    });
    let sentence = |(at, end): (usize, usize)| {
        let rest = text[end..].trim_start().strip_prefix(':')?.trim_start();
        let value = rest.strip_prefix('"')?;
        let from = text.len() - value.len();
        let mut escaped = false;
        let closes = |(at, c): (usize, char)| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends.then_some(at)
        };
        let len = value.char_indices().find_map(closes);
        let until = len.map_or(text.len(), |len| from + len + 1);
        let words = value[..len.unwrap_or(value.len())].split_whitespace().count();
        (words > 1).then(|| (at, &text[at..until]))
    };
    let starts = text.trim_start().starts_with(['{', '[']);
    members.filter(|_| starts).filter_map(sentence).min_by_key(|(at, _)| *at)
}

/// The most characters before a sentence of a long message.
const BEFORE_SENTENCE: usize = 60;

/// The beginning of a message, for one line. If it is long, and a member with a sentence would be
/// cut, that member comes right after the beginning.
pub(super) fn shown(content: &[u8]) -> String {
    let text = text(content);
    let text = text.trim_end();
    if let Some((at, member)) = explaining(text)
        && text[..at].chars().count() + member.chars().count() > SHOWN
    {
        let start: String = text[..at].chars().take(BEFORE_SENTENCE).collect();
        let mut shown: String = member.chars().take(SHOWN).collect();
        let whole = shown.len() == member.len() && text.len() == at + member.len();
        if !whole || content.len() > HEARD_MOST {
            shown.push('…');
        }
        let gap = if start.len() < at { "…" } else { "" };
        return format!("{start}{gap}{shown}");
    }
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() || content.len() > HEARD_MOST {
        shown.push('…');
    }
    if shown.is_empty() { "an empty message".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_told_from_an_answer() {
        for (text, wanted) in [
            (r#"{"type":"error","data":"Invalid Host/Origin header"}"#, Some(Grievance::Marked)),
            (r#"{"type":"connection_error","payload":{"message":"no"}}"#, Some(Grievance::Marked)),
            ("-ERR 'Unknown Protocol Operation'\r\n", Some(Grievance::Shouted)),
            (r#"{"level":"error","msg":"disk full"}"#, Some(Grievance::Word)),
            (r#"{"id":null,"error":{"message":"invalid session","sta"#, Some(Grievance::Marked)),
            ("<stream:error><host-unknown/></stream:error>", Some(Grievance::Marked)),
            (r#"{"auth":"fail"}"#, Some(Grievance::Marked)),
            (r#"{"reason":"room full"}"#, None),
            (r#"{"type":"ConnectionError"}"#, Some(Grievance::Marked)),
            (r#"{"error":true}"#, Some(Grievance::Marked)),
            ("{\"error\":\"no such protocol\"}\u{1e}", Some(Grievance::Marked)),
            (r#"{"type":"auth_invalid","message":"no"}"#, Some(Grievance::Marked)),
            (r#"{"type":"disconnect","reason":"unauthorized"}"#, Some(Grievance::Marked)),
            (r#"{"type":"disconnect"}"#, None),
            (r#"[3,{"message":"no"},"wamp.error.no_such_realm"]"#, Some(Grievance::Marked)),
            (r#"[3,{},"wamp.close.normal"]"#, None),
            (r#"["NOTICE","ERROR: bad message"]"#, Some(Grievance::Marked)),
            (r#"["NOTICE","the error: none"]"#, Some(Grievance::Word)),
            (r#"{"command":"init","problem":"no-session"}"#, Some(Grievance::Marked)),
            ("ERROR\nmessage:no\n\n\0", Some(Grievance::Shouted)),
            (r#"{"error":{"code":5}}"#, Some(Grievance::Marked)),
            ("<?xml version='1.0'?><error code=\"5\"/>", Some(Grievance::Marked)),
            ("Error: no such room", Some(Grievance::Shouted)),
            ("ERR authentication failed", Some(Grievance::Marked)),
            ("-NOAUTH Authentication required.", Some(Grievance::Marked)),
            ("token expired", Some(Grievance::Marked)),
            ("Your token expired", Some(Grievance::Word)),
            ("Unauthorized", Some(Grievance::Marked)),
            ("Access denied: wrong password for ann", Some(Grievance::Marked)),
            ("Invalid or expired API key.", Some(Grievance::Marked)),
            ("Too many requests", Some(Grievance::Marked)),
            ("401 Unauthorized", Some(Grievance::Marked)),
            ("429 Too Many Requests", Some(Grievance::Marked)),
            ("404 Forbidden Planet", Some(Grievance::Word)),
            ("301 Unauthorized biographies", Some(Grievance::Word)),
            ("Too many cooks", Some(Grievance::Word)),
            ("Too many cooks spoil the broth", Some(Grievance::Word)),
            ("Forbidden fruit is the sweetest.", Some(Grievance::Word)),
            ("Forbidden Planet", Some(Grievance::Word)),
            ("Unauthorized biography of the Queen", Some(Grievance::Word)),
            (r#"{"type":"light","ok":false}"#, None),
            (r#"{"ok":false,"retry":true}"#, None),
            (r#"{"ok":false,"mensaje":"falta la sala"}"#, Some(Grievance::Marked)),
            (r#"{"ok":false,"room":"kitchen"}"#, None),
            (
                r#"{"type":"response.done","response":{"status":"failed","details":{"error":{"code":"quota","message":"used up"}}}}"#,
                Some(Grievance::Marked),
            ),
            (r#"{"type":"response.done","response":{"status":"cancelled","details":{}}}"#, None),
            (r#"{"type":"job","result":{"status":"failed","error":null}}"#, Some(Grievance::Word)),
            (":irc.example NOTICE * :Login authentication failed\r\n", Some(Grievance::Marked)),
            (":irc.example 433 * bob :Nickname is already in use\r\n", Some(Grievance::Marked)),
            (":irc.example NOTICE * :*** Looking up your hostname\r\n", None),
            (":irc.example 375 bob :- Message of the day\r\n", None),
            (":bob!b@h NOTICE * :it failed\r\n", Some(Grievance::Word)),
            (r#"{"action":"error","level":"info","n":3}"#, Some(Grievance::Word)),
            (r#"{"type":"disconnect","reason":"user left"}"#, None),
            (r#"{"type":"disconnect","reason":"too_many_websockets"}"#, Some(Grievance::Marked)),
            ("Invalid token", Some(Grievance::Marked)),
            (r#"["error",{"reason":"no such channel"}]"#, Some(Grievance::Marked)),
            (r#"{"success":false,"message":"wrong pin"}"#, Some(Grievance::Marked)),
            (r#"{"type":"auth_invalid"}"#, Some(Grievance::Marked)),
            (r#"{"success":true}"#, None),
            (r#"["info",{"reason":"done"}]"#, None),
            (r#"{"result":3,"error":null}"#, None),
            (r#"{"data":{"user":1},"errors":[]}"#, None),
            ("hello", None),
            ("", None),
            ("terror and mirrors", None),
        ] {
            assert_eq!(complains(text.as_bytes()), wanted, "{text}");
        }
        assert_eq!(complains(&[0xff, 0xfe, b'e']), None);
    }

    #[test]
    fn what_says_that_there_is_no_error_is_no_complaint() {
        for text in [
            r#"{"status":"no errors"}"#,
            r#"{"status":"no_error"}"#,
            r#"{"event":"error_count","value":0}"#,
            r#"{"error":"none"}"#,
            r#"{"error":"0"}"#,
            r#"{"error":{}, "x":1}"#,
            r#"{"errors":0.0,"ok":1}"#,
            r#"{"error":{"code":0,"message":"success"}}"#,
            r#"{"errors":{"name":[],"mail":null}}"#,
            r#"{"requests":100,"errors":3}"#,
            r#"{"type":"terror"}"#,
            r#"<report errors="0"/>"#,
            r#"<svg><g id="error-bars"/></svg>"#,
            "<html><p>no errors</p></html>",
            "<error/>",
            "<error>0</error>",
            "<error code='0'>done</error>",
            "ERRORS: 0",
            "Error: none",
            "error: 0 warnings",
        ] {
            let found = complains(text.as_bytes());
            assert!(!matches!(found, Some(Grievance::Marked | Grievance::Shouted)), "{text}");
        }
        for text in [
            "0 errors, 0 failed",
            "all required checks done",
            r#"{"ok":true,"missing":0}"#,
            "not found: 0 unknown: 0",
        ] {
            assert_eq!(complains(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_message_that_was_cut_is_judged_by_the_members_of_its_object() {
        let long = "x".repeat(400);
        for (text, wanted) in [
            (format!(r#"{{"error":"","data":"{long}"}}"#), false),
            (format!(r#"{{"error": {{}}, "data":["{long}"]}}"#), false),
            (format!(r#"{{"error":{{"code":0,"message":"{long}"}}}}"#), false),
            (format!(r#"{{"id":1,"schema":{{"error":{{"type":"string","x":"{long}"}}}}}}"#), false),
            (format!(r#"{{"id":1,"schema":[{{"type":"error","x":"{long}"}}]}}"#), false),
            (format!(r#"{{"data":"{long}","#), false),
            (format!(r#"{{"type":"error","data":"{long}"}}"#), true),
            (format!(r#"{{"error":"{long}"}}"#), true),
            (format!(r#"{{"id":1,"error":{{"message":"{long}"}}}}"#), true),
        ] {
            let found = complains(&text.as_bytes()[..HEARD_MOST]) == Some(Grievance::Marked);
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_cut_at_a_character_and_marked_so() {
        let long = "ü".repeat(HEARD_MOST);
        let cut = shown(&long.as_bytes()[..=HEARD_MOST]);
        assert_eq!(cut, format!("{}…", "ü".repeat(160)));
        let four = "\u{1f600}".repeat(HEARD_MOST);
        let cut = shown(&four.as_bytes()[..=HEARD_MOST]);
        assert_eq!(cut, format!("{}…", "\u{1f600}".repeat(80)));
        assert_eq!(shown("a".repeat(160).as_bytes()), "a".repeat(160));
    }

    #[test]
    fn the_sentence_of_a_long_message_is_shown_whole() {
        let sentence = r#""message":"Your session hit the maximum duration of 60 minutes.""#;
        let start = r#"{"type":"error","event_id":"event_C9","error":{"type":"invalid_request_error","code":"session_expired","#;
        let text = format!(r#"{start}{sentence},"param":null,"event_id":null}}}}"#);
        let told = shown(text.as_bytes());
        assert!(
            told.ends_with(&format!("{sentence}…")) && told.starts_with(r#"{"type":"error","#),
            "{told}"
        );
        // What fits, or is no sentence, stays as it is.
        let short = format!(r#"{{"type":"error",{sentence}}}"#);
        assert_eq!(shown(short.as_bytes()), short);
        let long = "a".repeat(200);
        for text in [
            format!(r#"{{"x":"{long}","message":"{long}"}}"#),
            format!(r#"{long} "message":"no room left""#),
            format!(r#"{{"{long}":"message": "#),
        ] {
            let cut: String = text.chars().take(160).collect();
            assert_eq!(shown(text.as_bytes()), format!("{cut}…"));
        }
        let cut = format!(r#"{{"x":"{long}","message":"no \"{long}\" he"#);
        let told = shown(cut.as_bytes());
        assert!(told.contains(r#"…"message":"no \"aaa"#) && told.ends_with('…'), "{told}");
    }

    #[test]
    fn a_carrier_hides_no_complaint() {
        for text in [
            r#"a[{"s":401,"i":1,"d":"Access is denied"}]"#,
            r#"~m~52~m~{"m":"protocol_error","p":["invalid parameters"]}"#,
            r#"42["error",{"message":"no"}]"#,
            "5.error,21.Invalid token or room,3.769;",
        ] {
            assert_eq!(complains(text.as_bytes()), Some(Grievance::Marked), "{text}");
        }
        for text in [
            r#"a[{"s":200,"i":1,"d":{}}]"#,
            r#"~m~12~m~{"m":"qsd","p":["error"]}"#,
            r#"42["chat",{"text":"no"}]"#,
            "4.sync,8.31415926;",
            "5.error",
            "5.0,2.5;",
            "see {\"error\":1}",
        ] {
            assert!(complains(text.as_bytes()) < Some(Grievance::Shouted), "{text}");
        }
    }

    #[test]
    fn what_was_not_done_is_not_done() {
        for (reason, done) in [
            ("export complete", true),
            ("transfer successful", true),
            ("the transfer was not successful", false),
            ("never finished", false),
            ("incomplete", false),
            ("unsuccessful", false),
        ] {
            assert_eq!(says_done(reason.as_bytes()), done, "{reason}");
        }
    }

    #[test]
    fn an_outcome_is_that_of_the_work() {
        for (reason, outcome) in [
            ("build failed", true),
            ("Job #7 aborted", true),
            ("exit code 1", true),
            ("exited with 137", true),
            ("login failed", false),
            ("authentication failed", false),
            ("token validation failed", false),
            ("failed", false),
            ("unit tests failed", true),
            ("the upload was aborted", true),
            ("pipeline 12 cancelled", true),
            ("checks failed", true),
            ("database failed", false),
            ("redis failed", false),
            ("license check failed", false),
            ("quota check failed", false),
            ("tls failed", false),
            ("node failed", false),
            ("worker stopped", false),
            ("out of memory failed", false),
            ("database migration failed", false),
            ("the client could not be served and failed", false),
            ("room full", false),
            ("", false),
        ] {
            assert_eq!(tells_outcome(reason.as_bytes()), outcome, "{reason}");
        }
    }

    #[test]
    fn an_announcement_speaks_of_the_server() {
        for text in [
            r#"{"type":"shutdown","in":5}"#,
            r#"{"event":"server_restart"}"#,
            r#"{"type":"notice","message":"server restarting in 5 s"}"#,
            r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#,
            "We are going down for maintenance",
            "The server will be restarted in 30 seconds.",
            "Server shutting down",
            "Restarting now",
            "Notice: the server is restarting: please reconnect",
            "Scheduled maintenance in 2 minutes",
            r#"{"type":"maintenance","in":60}"#,
            r#"{"event":"going_away","data":{"delay_ms":5000}}"#,
            r#"{"type":"status","maintenance":true}"#,
        ] {
            assert!(announces_end(text.as_bytes()), "{text}");
        }
        for text in [
            r#"{"type":"news","text":"restart your day"}"#,
            r#"{"user":"bob","text":"drained the pasta"}"#,
            r#"{"type":"tick","server":3}"#,
            "",
            r#"{"type":"status","server":"ok","maintenance":false}"#,
            r#"{"maintenance":false}"#,
            r#"{"server":{"shutdown":null}}"#,
            r#"{"node":"a","restarts":0}"#,
            r#"{"event":"battery_drain","value":3}"#,
            r#"{"type":"restart_round","n":3}"#,
            r#"{"type":"restart","player":"bob"}"#,
            r#"{"type":"shutdown","at":null}"#,
            r#"{"type":"shutdown","in":86400}"#,
            r#"{"type":"shutdown","cancelled":true}"#,
            r#"{"type":"maintenance"}"#,
            r#"{"type":"notice","text":"Scheduled maintenance tomorrow"}"#,
            r#"{"user":"bob","text":"the server is going down"}"#,
            "bob: the server is going down",
            "the server is not going down",
            "The server isn't restarting",
            "maintenance finished, service is back",
            "alice: we drain the lake tomorrow",
            "we are restarting the game",
            "service nginx restarted",
            "the server was shut down yesterday",
            "The server will restart in 30 minutes",
            "The server restarts on Sunday",
        ] {
            assert!(!announces_end(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_goodbye_is_bare() {
        for text in ["", " ", "{}", "bye", "server::close", r#"{"type":"disconnect"}"#] {
            assert!(is_goodbye(text.as_bytes()), "{text}");
        }
        for text in ["hello", r#"{"a":1}"#, "bye for now, said Ann"] {
            assert!(!is_goodbye(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_heartbeat_is_short_and_says_so() {
        for text in [
            "",
            "PING",
            r#"{"type":"ping"}"#,
            "\"primus::ping::1796021128048\"",
            "{\"type\":6}\u{1e}",
            r#"{"event":"phoenix","op":"heartbeat"}"#,
            "keep-alive",
            "PING :tmi.twitch.tv",
            r#"{"event":"pusher:ping","data":{}}"#,
        ] {
            assert!(is_heartbeat(text.as_bytes(), false), "{text}");
        }
        for text in [
            "pong",
            "2",
            "shipping",
            r#"{"type":"tick"}"#,
            "ping failed",
            "keep it alive",
            "Liverpool beat Everton",
            r#"{"user":"ping","text":"hi"}"#,
            "does anyone want to play ping pong?",
            "hb",
        ] {
            assert!(!is_heartbeat(text.as_bytes(), false), "{text}");
        }
        assert!(is_heartbeat(b"2", true));
        assert!(!is_heartbeat(&[0xff, 0x00], false));
    }
}
