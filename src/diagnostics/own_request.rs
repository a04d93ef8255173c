//! What our own request says about a refusal: a token outside its time, a value that was never
//! filled in, a parameter for another transport.
//!
//! The answer must leave the fault possible: a reason that the server states, and a trial with the
//! same value that was accepted, exclude it. Values are never shown, only the marks of a template.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::diagnostic::CAUSES;
use super::facts::{Trial, TrialOutcome, Variation};
use super::said;
use super::url::Url;
use super::{Clue, Confidence, Diagnostic, Facts, Family, Severity, Supported};
use crate::wire::Role;
use crate::wire::percent::percent_decoded;
use crate::wire::secret::is_secret;

/// The headers that hold no value of the user's application.
const OF_HTTP: [&str; 12] = [
    "host",
    "upgrade",
    "connection",
    "origin",
    "referer",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
];

/// The names of values that a server needs to know the user, without their marks between words.
const CREDENTIALS: &str = "token accesstoken authtoken xauthtoken xaccesstoken xtoken idtoken \
    apikey xapikey jwt bearer authorization ticket";

/// The names of parameters that hold a free text or a query language, which has braces, too.
const FREE: &str = "q query text search expr expression filter like document pattern \
    subscription match selector";

/// What a template names most often.
const NAMED: &str = "id uuid token key name slug room user";

/// Words of an answer that is about a login.
const LOGIN: &str = "token tokens jwt bearer login auth authentication authenticated \
    authorization authorized unauthenticated unauthorized credentials";

/// Words of a reason for which the time of a token, or a missing value, does not matter.
const OTHERS: &str = "subscription license licence invite invitation session revoked \
    signature audience aud issuer iss scope scopes insufficient permission permissions \
    role roles rate limit quota plan trial password username user account key ip address \
    origin csrf certificate banned blocked suspended disabled deleted locked malformed \
    algorithm many used wrong unexpected room channel tenant";

/// Words of an answer that misses a value.
const MISSES: &str = "missing required provided empty no must";

/// An end this soon after the opening is a reaction to the request.
const SOON: Duration = Duration::from_secs(5);

/// The longest name in a template, and the longest name of a part that is shown.
const NAME: usize = 40;

/// A part of our request that has a value.
struct Part {
    place: PartPlace,
    /// The name of the parameter, header or cookie; of a piece of the path, the piece before it.
    key: String,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartPlace {
    Path,
    Query,
    Header,
    Authorization,
    Cookie,
    Subprotocol,
}

impl Part {
    /// For example `the parameter token`.
    fn name(&self) -> String {
        let key: String = self.key.chars().take(NAME).collect();
        match self.place {
            PartPlace::Path => "the path".to_owned(),
            PartPlace::Query => format!("the parameter {key}"),
            PartPlace::Header => format!("the header {key}"),
            PartPlace::Authorization => "the Authorization header".to_owned(),
            PartPlace::Cookie => format!("the cookie {key}"),
            PartPlace::Subprotocol => "the subprotocol".to_owned(),
        }
    }

    /// Whether the name is exactly that of a credential.
    fn is_credential(&self) -> bool {
        self.place != PartPlace::Path && has(CREDENTIALS, &plain(&self.key))
    }

    /// Whether the server may know the user by this part. A cookie is known by its name alone:
    /// others, such as those of an analysis, hold tokens, too.
    fn may_log_in(&self) -> bool {
        let named = self.place != PartPlace::Path
            && (self.is_credential() || is_secret(&self.key) || plain(&self.key).contains("sid"));
        named || self.place != PartPlace::Cookie && claims(&self.value).is_some()
    }
}

/// Whether a list has this word.
fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// A name in lower case, without the marks between its words.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '_', '.', ' '], "")
}

/// A fault of our request that may be the cause of a refusal.
struct OwnFault {
    text: String,
    because: String,
    help: &'static str,
    /// Whether the server's own words, or its protocol, name the fault.
    is_told: bool,
    /// Whether it says more exactly that the credentials are refused.
    of_login: bool,
}

/// Whether a diagnostic is about an answer to our request, or about an end of the session.
pub(super) fn may_explain(d: &Diagnostic) -> bool {
    matches!(d.entry.family, Family::Response | Family::CloseCode | Family::Ending)
}

/// Adds the fault of our own request that may have led to the refusal.
pub(super) fn explained(mut d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    // The answer to the same request changes, so the request is not its cause.
    if facts.role != Role::Client || facts.trial(Variation::Unchanged).is_some() {
        return d;
    }
    if let Some(fault) = polling(&d, facts) {
        // Even an end without an error has this reason.
        d.severity = d.severity.min(Severity::Warning);
        return placed(d, fault);
    }
    let answer = Answer::of(facts);
    let found = token(&d, facts, &answer).or_else(|| placeholder(&d, facts, &answer));
    match found {
        Some(fault) => placed(d, fault),
        None => d,
    }
}

/// Adds the fault as a cause: in front if the server names it, else after everything that the
/// server says or that a trial proves.
fn placed(mut d: Diagnostic, fault: OwnFault) -> Diagnostic {
    if fault.of_login {
        let entry = d.entry;
        d.causes.retain(|cause| {
            let refused = |clue| matches!(clue, Some(Clue::CredentialsSent | Clue::SecretSent));
            !entry.causes.iter().any(|listed| refused(listed.clue) && listed.text == cause.text)
        });
    }
    if fault.is_told {
        return d.because(fault.text, fault.because).help(fault.help);
    }
    let confidence = Confidence::Medium;
    let stated = |cause: &Supported| {
        cause.confidence == Confidence::High
            || cause.confidence == Confidence::Medium && cause.text.contains('"')
    };
    let at = d.causes.iter().rposition(stated).map_or(0, |at| at + 1);
    let (text, because) = (fault.text.into(), Some(fault.because));
    d.causes.insert(at, Supported { confidence, text, because });
    d.causes.truncate(CAUSES);
    if at == 0 { d.help(fault.help) } else { d }
}

/// What the server says about the refusal.
struct Answer {
    text: String,
    /// Its words in lower case.
    words: Vec<String>,
    /// It says no more than its status.
    is_bare: bool,
}

impl Answer {
    fn of(facts: &Facts<'_>) -> Self {
        let reason = facts.close.received.map(|body| &*body.reason).unwrap_or_default();
        let mut text = said::words(facts.body);
        let challenges =
            facts.response.into_iter().flat_map(|head| head.get_all("WWW-Authenticate"));
        for value in challenges {
            let value = String::from_utf8_lossy(value);
            // Realm and scope describe the server, not this refusal.
            for name in ["error=", "error_description="] {
                let told = value.split_once(name).map(|(_, told)| told.trim_start_matches('"'));
                let told = told.and_then(|told| told.split('"').next()).unwrap_or_default();
                text = format!("{text}. {told}");
            }
        }
        text = format!("{text}. {}", String::from_utf8_lossy(reason));
        // The server only repeats the requested path.
        let path = facts.url.map(|url| Url::of(url).path).unwrap_or_default();
        if path.len() > 1 {
            text = text.replace(path, " ");
        }
        let lower = text.to_ascii_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words = words.map(str::to_owned).collect();
        let phrase = facts.response.and_then(|head| head.status_line()).map(|line| line.reason);
        let status = facts.status().unwrap_or_default();
        let is_bare =
            said::is_vague(&text) || said::is_bare(&text, status, phrase.unwrap_or_default());
        Self { text, words, is_bare }
    }

    fn has(&self, list: &str) -> bool {
        self.words.iter().any(|word| has(list, word))
    }

    /// Whether one sentence says that a token is outside its time.
    fn tells_time(&self) -> bool {
        if self.text.to_ascii_lowercase().contains("signature has expired") {
            // The words of a library for exactly this.
            return true;
        }
        !self.has(OTHERS)
            && self.text.to_ascii_lowercase().split(['.', '!', ';', '\n']).any(|sentence| {
                let says = |list: &str| {
                    sentence.split(|c: char| !c.is_alphanumeric()).any(|word| has(list, word))
                };
                let early = ["not yet valid", "not valid yet", "not active", "not before"];
                let early = early.iter().any(|phrase| sentence.contains(phrase));
                // `invalid or expired` leaves it open.
                says("token jwt") && (says("expired") && !says("or not if") || early)
            })
    }

    /// Whether the time of a token may be the reason.
    fn is_about_login(&self) -> bool {
        let missed = self.has("token jwt") && self.has(MISSES);
        self.has(LOGIN) && !self.has(OTHERS) && !missed
    }
}

/// Whether a Close of the peer refuses the client.
fn is_refusing_close(facts: &Facts<'_>) -> bool {
    let code = facts.close.received.and_then(|body| body.code);
    facts.close.by_peer
        && matches!(code, Some(1008 | 3000 | 3003 | 4001 | 4003 | 4400 | 4401 | 4403))
}

/// Whether the session had just opened, so that its end may be a reaction to the request.
fn is_soon(facts: &Facts<'_>) -> bool {
    facts.stream.messages == 0 && facts.end.is_none_or(|end| end.lifetime < SOON)
}

/// Whether the server accepted another request with the same value.
fn is_accepted(part: &Part, facts: &Facts<'_>) -> bool {
    use Variation as V;
    let carries = |trial: &Trial| match trial.variation {
        V::NoSubprotocol | V::Subprotocol | V::NoUpgrade => part.place != PartPlace::Subprotocol,
        V::OwnOrigin | V::NoOrigin | V::OwnHost | V::Again | V::Pinged => true,
        // These have no query, or no credentials.
        V::OtherPath | V::OtherScheme | V::NearHost | V::OtherFamily | V::Redirected => false,
        V::Unchanged | V::OnlyHttp2 | V::NoName => false,
    };
    let took = |trial: &Trial| match trial.outcome {
        TrialOutcome::Ended(_) => false,
        _ => matches!(trial.status(), Some(101 | 200..=299)),
    };
    facts.trials.iter().any(|trial| carries(trial) && took(trial))
}

/// A parameter that asks Engine.IO for long polling instead of a WebSocket.
fn polling(d: &Diagnostic, facts: &Facts<'_>) -> Option<OwnFault> {
    let url = Url::of(facts.url?);
    let asks = url.query.split('&').any(|pair| pair.eq_ignore_ascii_case("transport=polling"));
    let engine_io = url.query.contains("EIO=")
        || url.path.contains("/socket.io")
        || url.path.contains("/engine.io");
    // A server of Engine.IO opens such a WebSocket, and closes it at once.
    let fits = match d.entry.family {
        Family::Response => {
            REFUSALS.contains(&d.entry.code) && !matches!(d.entry.code, "W326" | "W332" | "W334")
        }
        _ => facts.close.by_peer && facts.stream.messages == 0,
    };
    (asks && engine_io && fits).then(|| OwnFault {
        text: "the URL asks for long polling, and a WebSocket was opened".to_owned(),
        because: "the URL has transport=polling".to_owned(),
        help: "write `transport=websocket` in place of `transport=polling`",
        is_told: d.entry.code == "W303",
        of_login: false,
    })
}

/// The verdicts on a request that its content may explain.
const REFUSALS: [&str; 13] = [
    "W303", "W305", "W312", "W323", "W324", "W326", "W331", "W332", "W334", "W337", "W339", "W341",
    "W352",
];

/// A JSON Web Token that was sent after its time, or before it (RFC 7519 §4.1.4, §4.1.5), or whose
/// time ended during the session.
fn token(d: &Diagnostic, facts: &Facts<'_>, answer: &Answer) -> Option<OwnFault> {
    let told = answer.tells_time();
    let open = d.entry.family != Family::Response;
    let refuses = match facts.status() {
        _ if open => is_refusing_close(facts) || facts.close.by_peer && told,
        Some(401 | 403) => REFUSALS.contains(&d.entry.code),
        Some(400) => REFUSALS.contains(&d.entry.code) && !answer.is_bare,
        _ => d.entry.code == "W312",
    };
    if !refuses || !(told || answer.is_bare || answer.is_about_login()) {
        return None;
    }
    let now: Timestamp = facts.tls.now?.parse().ok()?;
    let now = Timestamp::from_second(now.as_second()).ok()?;
    let lifetime = facts.end.map(|end| end.lifetime).unwrap_or_default();
    let end = now.checked_add(SignedDuration::try_from(lifetime).ok()?).ok()?;
    let parts = parts(facts);
    let mut logins = parts.iter().filter(|part| part.may_log_in());
    let (part, text, because, help) = logins.find_map(|part| {
        let claims = claims(&part.value)?;
        // Some issuers write 0 for no limit.
        let of = |name: &str| {
            let number = claims.get(name).and_then(Value::as_f64).filter(|number| *number > 0.0)?;
            Timestamp::from_second(number as i64).ok()
        };
        let name = part.name();
        let clock = format!("this machine's clock said {now}");
        let new =
            "send a new token; if it is new, compare the clocks of this machine and of its issuer";
        match (of("exp"), of("nbf")) {
            // "the expiration time on or after which the JWT MUST NOT be accepted".
            (Some(until), _) if until <= now && (!open || is_soon(facts)) => Some((
                part,
                "the token that was sent has expired",
                format!("the token in {name} was valid until {until}, and {clock}"),
                new,
            )),
            (Some(until), _) if open && until > now && until <= end => Some((
                part,
                "the token that was sent expired during the session",
                format!(
                    "the token in {name} was valid until {until}; the session was open from {now} to {end:.0}"
                ),
                "send a new token before the old one expires, as the application expects it",
            )),
            (_, Some(from)) if from > now && (!open || is_soon(facts)) => Some((
                part,
                "the token that was sent is not valid yet",
                format!("the token in {name} is valid from {from}, and {clock}"),
                "compare the clocks of this machine and of the token's issuer",
            )),
            _ => None,
        }
    })?;
    // The server may have judged another credential.
    let outranked = |other: &Part| {
        other.place == PartPlace::Cookie && part.place != PartPlace::Cookie
            || other.value == part.value
    };
    let alone = parts.iter().all(|other| !other.may_log_in() || outranked(other));
    let named = part.place != PartPlace::Path && part.key.len() > 3 && answer.names(&part.key);
    if !(alone || named) || is_accepted(part, facts) {
        return None;
    }
    Some(OwnFault { text: text.to_owned(), because, help, is_told: told, of_login: true })
}

/// The claims of the JSON Web Token in a text.
fn claims(text: &str) -> Option<Value> {
    let token = &text[text.find("eyJ")?..];
    let end = token.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let mut pieces = token[..end.unwrap_or(token.len())].split('.');
    let (head, claims, _signature) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let object = |piece: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(piece).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
    };
    object(head)?;
    object(claims)
}

/// A value that was never filled in.
fn placeholder(d: &Diagnostic, facts: &Facts<'_>, answer: &Answer) -> Option<OwnFault> {
    // A path that is unknown, or that fails, is known by the URL alone.
    let of_url = matches!(facts.status(), Some(404 | 410 | 500));
    let refuses = match d.entry.family {
        Family::Response => {
            let gateway = matches!(facts.status(), Some(501..=599));
            let code = facts.status() >= Some(400) || d.entry.code == "W312";
            REFUSALS.contains(&d.entry.code) && code && !gateway
        }
        _ => is_refusing_close(facts) && is_soon(facts),
    };
    if !refuses {
        return None;
    }
    // If an unknown path is refused alike, the path does not matter.
    let alike = facts.trial(Variation::OtherPath).and_then(Trial::status) == facts.status();
    let fits = |part: &Part| match part.place {
        PartPlace::Path => !alike || matches!(facts.status(), Some(404 | 410)),
        PartPlace::Query => true,
        _ => !of_url,
    };
    let parts = parts(facts);
    let mut found = parts.iter().filter(|part| fits(part) && !is_accepted(part, facts));
    let (part, unfilled) = found.find_map(|part| unfilled(part).map(|found| (part, found)))?;
    let is_told = answer.quotes(part);
    let of_login = part.is_credential();
    // A credential explains nothing if the server speaks of something else.
    let about = answer.is_bare || answer.has(LOGIN) && !answer.has(OTHERS);
    if of_login && !is_told && !about {
        return None;
    }
    Some(OwnFault {
        text: format!("{} {unfilled}", part.name()),
        because: "the request that was sent shows it".to_owned(),
        help: "put the value in its place; a shell replaces `$NAME` in double quotes only, and by nothing if NAME is not set",
        is_told,
        of_login,
    })
}

impl Answer {
    /// Whether the text has this name as a whole word.
    fn names(&self, name: &str) -> bool {
        said::says(&self.text, &name.to_ascii_lowercase())
    }

    /// Whether one sentence has the name of a part and its value, the value in quotes or after `=`.
    fn quotes(&self, part: &Part) -> bool {
        let (key, value) = (part.key.to_ascii_lowercase(), part.value.trim().to_ascii_lowercase());
        let marks = [("'", "'"), ("\"", "\""), ("`", "`"), ("=", "")];
        let named = part.place == PartPlace::Query && key.len() > 1 && !value.is_empty();
        named
            && self.text.to_ascii_lowercase().split(['.', '!', ';', '\n']).any(|sentence| {
                let quoted = |(open, close): &(&str, &str)| {
                    sentence.contains(&format!("{open}{value}{close}"))
                };
                said::says(sentence, &key) && marks.iter().any(quoted)
            })
    }
}

/// What is wrong with a value that was never filled in.
fn unfilled(part: &Part) -> Option<String> {
    let value = part.value.trim();
    let credential = part.is_credential();
    if part.place == PartPlace::Query && has(FREE, &plain(&part.key)) {
        return None;
    }
    if value.is_empty() {
        return credential.then(|| "is empty".to_owned());
    }
    let nothing = matches!(value, "null" | "None") && credential;
    if matches!(value, "undefined" | "[object Object]") || nothing {
        return Some(format!("is `{value}`: the client had no value for it"));
    }
    let is_template = template(part, value);
    is_template.then(|| match credential || is_secret(&part.key) {
        true => "still has a placeholder as its value".to_owned(),
        false => format!("still has the placeholder `{value}`"),
    })
}

/// Whether the whole value is a name in the marks of a template.
fn template(part: &Part, value: &str) -> bool {
    let marked = |start, end| {
        let inner: Option<&str> = value.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        inner.map(str::trim).filter(|name| is_name(name))
    };
    if marked("{{", "}}").or(marked("${", "}")).is_some() {
        return true;
    }
    let reminder = value.starts_with("YOUR_") && is_variable(value);
    let shell = value.strip_prefix('$').is_some_and(is_variable) && part.is_credential();
    let route = match part.place {
        PartPlace::Path => marked(":", ""),
        _ => None,
    };
    // These marks have other meanings, too.
    let named = marked("{", "}").or(marked("<", ">")).or(route);
    reminder || shell || named.is_some_and(|name| part.is_credential() || fits(name, &part.key))
}

/// Whether the name in a template is that of the part, or one that templates often have.
fn fits(name: &str, key: &str) -> bool {
    let (lower, key) = (plain(name), plain(key));
    let key = key.trim_end_matches('s');
    let common = NAMED.split(' ').any(|word| {
        let upper = word[..1].to_ascii_uppercase() + &word[1..];
        lower == word || name.ends_with(&upper) || name.ends_with(&format!("_{word}"))
    });
    common || key.len() > 1 && (lower.contains(key) || key.contains(&lower))
}

/// Whether a text is a name in the code of a program.
fn is_name(text: &str) -> bool {
    text.len() <= NAME
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Whether a text is the name of a variable of the environment.
fn is_variable(text: &str) -> bool {
    is_name(text) && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The parts of our request that have a value of the user's application, the URL first.
fn parts(facts: &Facts<'_>) -> Vec<Part> {
    let mut found = Vec::new();
    let mut add = |place, key: &str, value: &str| {
        found.push(Part { place, key: key.trim().to_owned(), value: value.trim().to_owned() });
    };
    if let Some(url) = facts.url.map(Url::of) {
        let plain = |text: &str| String::from_utf8_lossy(&percent_decoded(text)).into_owned();
        let mut before = String::new();
        for piece in url.path.split('/').filter(|piece| !piece.is_empty()).map(plain) {
            add(PartPlace::Path, &before, &piece);
            before = piece;
        }
        for (name, value) in url.query.split('&').filter_map(|pair| pair.split_once('=')) {
            add(PartPlace::Query, &plain(name), &plain(&value.replace('+', " ")));
        }
    }
    for field in facts.request.into_iter().flat_map(|request| request.headers()) {
        let name = String::from_utf8_lossy(field.name);
        let value = String::from_utf8_lossy(field.value);
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                let value = value.trim();
                let (scheme, content) = value.split_once(' ').unwrap_or((value, ""));
                let known = ["basic", "bearer", "digest", "token"];
                let known = known.iter().any(|known| scheme.eq_ignore_ascii_case(known));
                // A password is never judged.
                let content = match scheme.eq_ignore_ascii_case("basic") {
                    true => value,
                    false if content.is_empty() && !known => value,
                    false => content,
                };
                add(PartPlace::Authorization, "Authorization", content);
            }
            "cookie" => {
                for (name, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
                    add(PartPlace::Cookie, name, value);
                }
            }
            "sec-websocket-protocol" => {
                value.split(',').for_each(|name| add(PartPlace::Subprotocol, "", name));
            }
            lower if OF_HTTP.contains(&lower) => {}
            _ => add(PartPlace::Header, &name, &value),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(key: &str, value: &str, place: PartPlace) -> Option<String> {
        unfilled(&Part { place, key: key.to_owned(), value: value.to_owned() })
    }

    #[test]
    fn a_value_that_was_never_filled_in_is_known_by_its_form() {
        use PartPlace::{Cookie, Path, Query};
        for (name, value, place) in [
            ("token", "", Query),
            ("token", "YOUR_API_KEY", Query),
            ("token", "<token>", Query),
            ("token", "$TOKEN", Query),
            ("token", "{{token}}", Query),
            ("token", "null", Query),
            ("room", "undefined", Query),
            ("room", "{roomId}", Query),
            ("user", "[object Object]", Query),
            ("access_token", "null", Cookie),
            ("rooms", "{roomId}", Path),
            ("rooms", "${ROOM}", Path),
            ("rooms", ":roomId", Path),
            ("rooms", "undefined", Path),
            ("rooms", "YOUR_ROOM", Path),
        ] {
            assert!(fault(name, value, place).is_some(), "{name}={value}");
        }
        for (name, value, place) in [
            ("room", "", Query),
            ("keyword", "", Query),
            ("cursor", "null", Query),
            ("roomId", "null", Query),
            ("passengers", "None", Query),
            ("VOID", "null", Query),
            ("theme", "null", Cookie),
            ("consent", "[all]", Cookie),
            ("filter", "{\"a\":1}", Query),
            ("query", "{hello}", Query),
            ("document", "{hello}", Query),
            ("subscription", "{ticks}", Query),
            ("expr", "{app}", Query),
            ("metric", "{app=\"x\"}", Query),
            ("q", "undefined", Query),
            ("q", "what is [object Object] in js", Query),
            ("like", "%FOO%", Query),
            ("ids", "[1,2]", Query),
            ("sort_key", "[name]", Query),
            ("symbol", "$TSLA", Query),
            ("topic", "$SYS", Query),
            ("password", "$SECRET1", Query),
            ("password", "a${b}c", Query),
            ("password", "xxx", Query),
            ("token", "my_token_4f8a9b", Query),
            ("token", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Query),
            ("", "your-account", Path),
            ("db", ":memory", Path),
            ("tz", "null", Path),
            ("", "$aws", Path),
            ("", "7:30", Path),
            ("", "your_game_v1", PartPlace::Subprotocol),
        ] {
            assert_eq!(fault(name, value, place), None, "{name}={value}");
        }
    }

    #[test]
    fn a_secret_value_is_not_shown() {
        let hidden = fault("token", "{hunter}", PartPlace::Query).expect("a placeholder");
        assert!(!hidden.contains("hunter"), "{hidden}");
        let shown = fault("room", "{roomId}", PartPlace::Query).expect("a placeholder");
        assert!(shown.contains("{roomId}"), "{shown}");
        let long =
            Part { place: PartPlace::Query, key: "k".repeat(900), value: "undefined".to_owned() };
        assert!(long.name().len() < 60, "{}", long.name());
        assert_eq!(fault("dsn", "postgres://bob:hunter2@db/${x}", PartPlace::Query), None);
    }

    #[test]
    fn claims_are_read_only_from_a_whole_token() {
        let piece = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!("{}.{}.c2ln", piece("{\"alg\":\"none\"}"), piece("{\"exp\":7}"));
        for text in [token.clone(), format!("Bearer {token}"), format!("v1.{token}; x")] {
            let claims = claims(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(claims["exp"], 7);
        }
        for text in ["", "eyJ", "eyJ.eyJ.eyJ", "abc.def.ghi", &token[..token.len() - 8]] {
            assert_eq!(claims(text), None, "{text}");
        }
    }
}
