//! What our own request says about a refusal: a token outside its time, a value that was never
//! filled in, a parameter for another transport.
//!
//! It only reads the facts; the secret values in them are never shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use super::diagnostic::CAUSES;
use super::facts::{Trial, TrialOutcome};
use super::said::{self, Subject};
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

/// How languages write a missing value or a value without text.
const UNFILLED: [&str; 3] = ["undefined", "NaN", "[object Object]"];

/// The same, but the words may also be an ordinary value.
const NOTHING: [&str; 3] = ["null", "None", "nil"];

/// The marks around a name that a template replaces by a value.
const TEMPLATES: [(&str, &str); 7] =
    [("{{", "}}"), ("${", "}"), ("{", "}"), ("<", ">"), ("[", "]"), ("%", "%"), ("$", "")];

/// The longest name in a template.
const NAME: usize = 40;

/// A part of our request that has a value.
struct Part {
    /// For example `the parameter token`.
    name: String,
    value: String,
    /// The value must not be shown.
    secret: bool,
    /// The part names a credential or an id, so that a word for nothing is not its value.
    filled: bool,
    place: PartPlace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartPlace {
    Path,
    Query,
    Header,
    Authorization,
}

/// A fault of our request that may be the cause of a refusal.
struct OwnFault {
    text: String,
    because: String,
    help: &'static str,
    /// Whether the server's own answer is about it.
    is_told: bool,
    /// Whether it is about credentials.
    of_login: bool,
}

/// Whether a diagnostic is about an answer to our request, or about an end of the session.
pub(super) fn may_explain(d: &Diagnostic) -> bool {
    matches!(d.entry.family, Family::Response | Family::CloseCode | Family::Ending)
}

/// Adds the fault of our own request that may have led to the refusal.
pub(super) fn explained(mut d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    if facts.role != Role::Client || !is_refusal(&d, facts) {
        return d;
    }
    let found = polling(&d, facts).or_else(|| token(&d, facts)).or_else(|| placeholder(&d, facts));
    let Some(fault) = found else { return d };
    if fault.of_login {
        // The fault says the same more exactly.
        d.causes.retain(|cause| !cause.text.contains("credentials sent are"));
    }
    // The end of a session without an error has a reason now.
    d.severity = d.severity.min(Severity::Warning);
    if fault.is_told {
        return d.because(fault.text, fault.because).help(fault.help);
    }
    let at = d.causes.iter().filter(|cause| cause.confidence == Confidence::High).count();
    let confidence = Confidence::Medium;
    d.causes.insert(
        at,
        Supported { confidence, text: fault.text.into(), because: Some(fault.because) },
    );
    d.causes.truncate(CAUSES);
    if at == 0 { d.help(fault.help) } else { d }
}

/// Whether the server refused the request for what it contains.
fn is_refusal(d: &Diagnostic, facts: &Facts<'_>) -> bool {
    match d.entry.family {
        Family::Response => {
            // The same values were accepted in another request.
            let accepted = Clue::UpgradePasses.seen(facts).is_some();
            let codes = [
                "W303", "W305", "W312", "W323", "W324", "W326", "W331", "W332", "W334", "W337",
                "W339", "W341", "W352",
            ];
            let gateway = matches!(facts.status(), Some(501..=599));
            !accepted && !gateway && codes.contains(&d.entry.code)
        }
        Family::CloseCode | Family::Ending => {
            facts.close.by_peer && facts.trials.iter().all(|trial| !is_open(trial))
        }
        _ => false,
    }
}

fn is_open(trial: &Trial) -> bool {
    matches!(trial.outcome, TrialOutcome::Stayed)
}

/// Whether a Close of the peer refuses the client.
fn is_refusing_close(facts: &Facts<'_>) -> bool {
    let code = facts.close.received.and_then(|body| body.code);
    matches!(code, Some(1008 | 3000 | 3003 | 4001 | 4003 | 4400 | 4401 | 4403))
}

/// The server's words about the refusal, without the requested path, which it only repeats.
fn words(facts: &Facts<'_>) -> String {
    let reason = facts.close.received.map(|body| &*body.reason).unwrap_or_default();
    let challenge = facts.response.and_then(|head| head.get("WWW-Authenticate"));
    let header = String::from_utf8_lossy(challenge.unwrap_or_default());
    let text = format!("{} {} {header}", said::words(facts.body), String::from_utf8_lossy(reason));
    let path = facts.url.map(|url| Url::of(url).path).unwrap_or_default();
    if path.len() > 1 { text.replace(path, " ") } else { text }
}

/// Whether the server judged the credentials that were sent, and did not miss any.
fn judges_login(facts: &Facts<'_>) -> bool {
    let text = words(facts);
    let misses = ["missing", "required", "not provided", "no token", "must"];
    said::subject(&text).is_some_and(|(subject, _)| subject == Subject::Credentials)
        && !misses.iter().any(|word| said::says(&text, word))
}

/// Whether a 401 asks for the scheme of the Authorization that was sent.
fn is_challenged(facts: &Facts<'_>) -> bool {
    let sent = facts.request.and_then(|request| request.get("Authorization"));
    let scheme = sent.and_then(|value| value.split(|byte| *byte == b' ').next());
    let (Some(scheme), Some(head)) = (scheme, facts.response) else { return false };
    facts.status() == Some(401)
        && head.get_all("WWW-Authenticate").any(|value| {
            let mut wanted = value.split(|byte| matches!(byte, b' ' | b','));
            wanted.any(|name| name.eq_ignore_ascii_case(scheme))
        })
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
        Family::Response => !matches!(d.entry.code, "W326" | "W332" | "W334"),
        _ => facts.stream.messages == 0,
    };
    (asks && engine_io && fits).then(|| OwnFault {
        text: "the URL asks for long polling, and a WebSocket was opened".to_owned(),
        because: "the URL has transport=polling".to_owned(),
        help: "write `transport=websocket` in place of `transport=polling`",
        is_told: d.entry.code == "W303",
        of_login: false,
    })
}

/// A JSON Web Token that was sent after its time, or before it (RFC 7519 §4.1.4, §4.1.5).
fn token(d: &Diagnostic, facts: &Facts<'_>) -> Option<OwnFault> {
    let refuses = match d.entry.family {
        Family::Response => matches!(facts.status(), Some(300..=403)) || d.entry.code == "W326",
        _ => is_refusing_close(facts) || judges_login(facts),
    };
    if !refuses {
        return None;
    }
    let now: Timestamp = facts.tls.now?.parse().ok()?;
    let date = |number: f64| Timestamp::from_second(number as i64).ok();
    let text = words(facts);
    let (part, is_late, date) = parts(facts).into_iter().find_map(|part| {
        let claims = claims(&part.value)?;
        let of = |name: &str| claims.get(name).and_then(Value::as_f64).and_then(date);
        match (of("exp"), of("nbf")) {
            // "the expiration time on or after which the JWT MUST NOT be accepted".
            (Some(until), _) if until <= now => Some((part, true, until)),
            (_, Some(from)) if from > now => Some((part, false, from)),
            _ => None,
        }
    })?;
    let now = Timestamp::from_second(now.as_second()).ok()?;
    let named = ["expired", "expir*", "jwt", "not yet valid", "nbf", "invalid_token"];
    let is_told = named.iter().any(|word| said::says(&text, word))
        || judges_login(facts)
        || part.place == PartPlace::Authorization && is_challenged(facts);
    // The server names another reason.
    if d.is_proved() && !is_told && !d.causes[0].text.contains("credentials sent are") {
        return None;
    }
    let name = &part.name;
    let (text, because) = match is_late {
        true => (
            "the token that was sent has expired",
            format!(
                "the token in {name} was valid until {date}, and this machine's clock said {now}"
            ),
        ),
        false => (
            "the token that was sent is not valid yet",
            format!(
                "the token in {name} is valid from {date}, and this machine's clock said {now}"
            ),
        ),
    };
    Some(OwnFault {
        text: text.to_owned(),
        because,
        help: match is_late {
            true => {
                "send a new token; if it is new, compare the clocks of this machine and of its issuer"
            }
            false => "compare the clocks of this machine and of the token's issuer",
        },
        is_told,
        of_login: true,
    })
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
fn placeholder(d: &Diagnostic, facts: &Facts<'_>) -> Option<OwnFault> {
    // A path that is unknown, or that fails, is known by the URL alone.
    let of_url = matches!(facts.status(), Some(404 | 410 | 500));
    let refuses = match d.entry.family {
        Family::Response => facts.status() >= Some(400) || d.entry.code == "W312",
        _ => is_refusing_close(facts),
    };
    let fits = |part: &Part| !of_url || matches!(part.place, PartPlace::Path | PartPlace::Query);
    let mut parts = parts(facts).into_iter().filter(|part| refuses && fits(part));
    let (part, unfilled) = parts.find_map(|part| unfilled(&part).map(|found| (part, found)))?;
    let text = words(facts);
    let shown = part.value.trim().to_ascii_lowercase();
    // A program that fails speaks of its own values.
    let repeated = shown.len() > 2 && said::says(&text, &shown) && facts.status() != Some(500);
    let of_login = part.secret || part.place == PartPlace::Authorization;
    let is_told = repeated
        || of_login && judges_login(facts)
        || part.place == PartPlace::Authorization && is_challenged(facts);
    Some(OwnFault {
        text: format!("{} {unfilled}", part.name),
        because: "the request that was sent shows it".to_owned(),
        help: "put the value in its place; a shell replaces `$NAME` in double quotes only, and by nothing if NAME is not set",
        is_told,
        of_login,
    })
}

/// What is wrong with a value that was never filled in.
fn unfilled(part: &Part) -> Option<String> {
    let value = part.value.trim();
    if value.is_empty() {
        // Many parameters may be empty; a credential may not.
        let named = part.secret && part.place != PartPlace::Header;
        return named.then(|| "is empty".to_owned());
    }
    let nothing = NOTHING.contains(&value) && part.filled;
    if UNFILLED.contains(&value) || value.contains("[object Object]") || nothing {
        let shown = UNFILLED.iter().chain(&NOTHING).find(|word| value.contains(*word))?;
        return Some(format!("is `{shown}`: the client had no value for it"));
    }
    let route = part.place == PartPlace::Path && value.strip_prefix(':').is_some_and(is_name);
    // GraphQL takes a query in braces.
    let query = part.name == "the parameter query";
    let template = !query && (route || is_template(part, value) || is_reminder(part, value));
    template.then(|| match part.secret {
        true => "still has a placeholder as its value".to_owned(),
        false => format!("still has the placeholder `{value}`"),
    })
}

/// Whether a value is the name of a variable, in the marks of a template.
fn is_template(part: &Part, value: &str) -> bool {
    let inside = ["{{", "${"].iter().any(|mark| {
        let rest = value.split_once(mark).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_once('}')).is_some_and(|(name, _)| is_name(name.trim()))
    });
    inside
        || TEMPLATES.iter().any(|(start, end)| {
            let inner = value.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            inner.is_some_and(|name| match *start {
                "$" | "%" => part.place != PartPlace::Path && name.len() > 1 && is_variable(name),
                "[" => part.secret && is_name(name),
                _ => is_name(name),
            })
        })
}

/// Whether a value reminds the reader to replace it, such as `YOUR_API_KEY`.
fn is_reminder(part: &Part, value: &str) -> bool {
    let lower = value.to_ascii_lowercase().replace(['-', ' '], "_");
    let shouted = value.starts_with("YOUR_") && is_variable(value);
    let asks = ["your_", "my_token", "my_api_key", "insert_", "replace_", "change_me", "changeme"];
    let asks = asks.iter().any(|start| lower.starts_with(start))
        || lower.ends_with("_here")
        || lower.len() > 2 && lower.bytes().all(|byte| byte == b'x');
    shouted || part.secret && asks
}

/// Whether a text is a name in the code of a program.
fn is_name(text: &str) -> bool {
    text.len() <= NAME
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
}

/// Whether a text is the name of a variable of the environment.
fn is_variable(text: &str) -> bool {
    is_name(text) && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The parts of our request that have a value of the user's application, the URL first.
fn parts(facts: &Facts<'_>) -> Vec<Part> {
    let mut found = Vec::new();
    let mut add = |name: String, key: &str, value: &str, secret: bool, place| {
        let names_id = key.eq_ignore_ascii_case("id")
            || ["Id", "ID", "_id", "-id"].iter().any(|end| key.ends_with(end));
        let filled = secret || names_id || place == PartPlace::Path;
        found.push(Part { name, value: value.to_owned(), secret, filled, place });
    };
    if let Some(url) = facts.url.map(Url::of) {
        let plain = |text: &str| String::from_utf8_lossy(&percent_decoded(text)).into_owned();
        for piece in url.path.split('/').filter(|piece| !piece.is_empty()) {
            add("the path".to_owned(), "", &plain(piece), false, PartPlace::Path);
        }
        for (name, value) in url.query.split('&').filter_map(|pair| pair.split_once('=')) {
            let (name, value) = (plain(name), plain(&value.replace('+', " ")));
            add(format!("the parameter {name}"), &name, &value, is_secret(&name), PartPlace::Query);
        }
    }
    let Some(request) = facts.request else { return found };
    for field in request.headers() {
        let name = String::from_utf8_lossy(field.name).into_owned();
        let value = String::from_utf8_lossy(field.value).into_owned();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                let content = value.trim().split_once(' ').map_or("", |(_, content)| content);
                let schemes = ["basic", "bearer", "digest", "token"];
                let bare = schemes.iter().any(|scheme| value.trim().eq_ignore_ascii_case(scheme));
                let content = if content.is_empty() && !bare { value.trim() } else { content };
                add(
                    "the Authorization header".to_owned(),
                    "",
                    content,
                    true,
                    PartPlace::Authorization,
                );
            }
            "cookie" => {
                for (name, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
                    let name = name.trim();
                    add(format!("the cookie {name}"), "", value.trim(), true, PartPlace::Header);
                }
            }
            "sec-websocket-protocol" => {
                for name in value.split(',') {
                    add("the subprotocol".to_owned(), "", name.trim(), true, PartPlace::Header);
                }
            }
            lower if OF_HTTP.contains(&lower) => {}
            _ => add(
                format!("the header {name}"),
                &name,
                &value,
                is_secret(&name),
                PartPlace::Header,
            ),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(name: &str, value: &str, place: PartPlace) -> Option<String> {
        let secret = is_secret(name);
        let filled = secret || name.ends_with("Id") || place == PartPlace::Path;
        let (name, value) = (format!("the parameter {name}"), value.to_owned());
        unfilled(&Part { name, value, secret, filled, place })
    }

    #[test]
    fn a_value_that_was_never_filled_in_is_known_by_its_form() {
        for (name, value, place) in [
            ("token", "", PartPlace::Query),
            ("token", "YOUR_API_KEY", PartPlace::Query),
            ("api_key", "your-api-key", PartPlace::Query),
            ("token", "<token>", PartPlace::Query),
            ("token", "$TOKEN", PartPlace::Query),
            ("token", "{{token}}", PartPlace::Query),
            ("token", "null", PartPlace::Query),
            ("token", "xxxx", PartPlace::Query),
            ("roomId", "null", PartPlace::Query),
            ("room", "undefined", PartPlace::Query),
            ("n", "NaN", PartPlace::Query),
            ("user", "[object Object]", PartPlace::Query),
            ("", "{roomId}", PartPlace::Path),
            ("", "${ROOM}", PartPlace::Path),
            ("", "room-${id}", PartPlace::Path),
            ("", ":roomId", PartPlace::Path),
            ("", "undefined", PartPlace::Path),
            ("", "YOUR_ROOM", PartPlace::Path),
        ] {
            assert!(fault(name, value, place).is_some(), "{name}={value}");
        }
        for (name, value, place) in [
            ("room", "", PartPlace::Query),
            ("cursor", "null", PartPlace::Query),
            ("filter", "{\"a\":1}", PartPlace::Query),
            ("filter", "{}", PartPlace::Query),
            ("query", "{hello}", PartPlace::Query),
            ("q", "undefined behaviour", PartPlace::Query),
            ("ids", "[1,2]", PartPlace::Query),
            ("tag", "[news]", PartPlace::Query),
            ("price", "$5", PartPlace::Query),
            ("token", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", PartPlace::Query),
            ("", "your-account", PartPlace::Path),
            ("", "$aws", PartPlace::Path),
            ("", "7:30", PartPlace::Path),
            ("", "ws", PartPlace::Path),
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
