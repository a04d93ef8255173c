//! What our own request says about a refusal: a token outside its time, a value that was never
//! filled in, a parameter for another transport, a part that did not arrive.
//!
//! The answer must leave the fault possible: a reason that the server states, and a trial with the
//! same value that was accepted, exclude it. Values are never shown, only the marks of a template.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::facts::{SILENCE, Trial, TrialOutcome, Variation};
use super::request_part::{Part, PartPlace, claims, expiry, parts};
use super::url::Url;
use super::{Clue, Confidence, Diagnostic, Facts, Family, Severity, Supported, said};
use crate::wire::Role;

/// The words of an answer that only says that a login is required, or that it failed.
const LOGIN: &[u8] =
    b" token tokens jwt bearer login auth authentication authenticated authorization authorized \
    unauthenticated credentials valid expired required provided must be id access header";

/// Kinds of parts. A sentence with one is about the request, and not about a thing with that name.
const KINDS: &str = "header cookie query parameter param field";

/// The words beside them that change nothing, and the names of members with a reason.
const FILLERS: &str = "a an the is was required value error message detail reason";

/// What the rest of a sentence says of a part that the server misses.
const MISSED: [&str; 6] =
    ["missing", "not provided", "not present", "not set", "not sent", "not found"];

/// An end this soon after the opening is a reaction to the request.
const SOON: Duration = Duration::from_secs(5);

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

/// Adds the fault of our own request that may have led to the refusal: in front if the server names
/// it, else after everything that the server says or that a trial proves.
pub(super) fn explained(mut d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    // If the answer to the same request changes, the request is not its cause.
    if facts.role != Role::Client || facts.trial(Variation::Unchanged).is_some() {
        return d;
    }
    let refusal = RefusedRequest::of(&d, facts);
    let polling = refusal.polling();
    if polling.is_some() {
        // Even an end without an error has this reason.
        d.severity = d.severity.min(Severity::Warning);
    }
    let found = polling.or_else(|| refusal.lost()).or_else(|| refusal.token());
    let Some(fault) = found.or_else(|| refusal.placeholder()) else { return d };
    if fault.of_login {
        let refused = |clue| matches!(clue, Some(Clue::CredentialsSent | Clue::SecretSent));
        let vaguer = d.entry.causes.iter().filter(|listed| refused(listed.clue));
        d.causes.retain(|cause| !vaguer.clone().any(|listed| listed.text == cause.text));
    }
    if fault.is_told {
        return d.because(fault.text, fault.because).help(fault.help);
    }
    let stated = |cause: &Supported| match cause.confidence {
        Confidence::High => true,
        Confidence::Medium => cause.text.contains('"'),
        Confidence::Low => false,
    };
    let at = d.causes.iter().rposition(stated).map_or(0, |at| at + 1);
    if d.place(at, fault.text, Some(fault.because)) == 0 { d.help(fault.help) } else { d }
}

/// A refusal, and what the server says about it.
struct RefusedRequest<'a> {
    facts: &'a Facts<'a>,
    code: &'static str,
    /// The session had opened.
    opened: bool,
    /// The status, if the handshake failed.
    status: u16,
    /// The words of the answer or of the Close.
    text: String,
    /// The answer says no more than its status.
    is_bare: bool,
    parts: Vec<Part>,
}

impl<'a> RefusedRequest<'a> {
    fn of(d: &Diagnostic, facts: &'a Facts<'a>) -> Self {
        let lossy = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let reason = facts.close.received.map(|body| lossy(&body.reason)).unwrap_or_default();
        let challenge = facts.response.and_then(said::challenge).map(lossy).unwrap_or_default();
        let mut text = format!("{}. {challenge}. {reason}", said::words(facts.body));
        // The server may only repeat the requested path.
        let path = facts.url.map(|url| Url::of(url).path).unwrap_or_default();
        if path.len() > 1 {
            text = text.replace(path, " ");
        }
        let status = facts.status().unwrap_or_default();
        let phrase = facts.response.and_then(|head| Some(head.status_line()?.reason));
        let is_bare =
            said::is_vague(&text) || said::is_bare(&text, status, phrase.unwrap_or_default());
        let opened = d.entry.family != Family::Response;
        Self { facts, code: d.entry.code, opened, status, text, is_bare, parts: parts(facts) }
    }

    /// Whether the answer refuses a request that the server has read: the entry is not about the
    /// handshake, a gateway or a limit.
    fn is_of_request(&self) -> bool {
        let ours = [
            "W305", "W323", "W324", "W326", "W331", "W332", "W334", "W337", "W339", "W341", "W352",
        ];
        self.code == "W312" || ours.contains(&self.code) && self.status >= 400
    }

    /// Whether a Close of the peer refuses the client.
    fn is_refusing_close(&self) -> bool {
        let code = self.facts.close.received.and_then(|body| body.code);
        self.facts.close.by_peer
            && matches!(code, Some(1008 | 3000 | 3003 | 4001 | 4003 | 4400 | 4401 | 4403))
    }

    /// Whether the peer closed in order at once, without a message of either side.
    fn is_closed_at_once(&self) -> bool {
        let code = self.facts.close.received.and_then(|body| body.code);
        let stream = &self.facts.stream;
        matches!(code, None | Some(1000 | 1011))
            && stream.messages == 0
            && stream.sent.is_none()
            && self.facts.end.is_some_and(|end| end.last < SILENCE)
    }

    /// Whether the end may be a reaction to the request.
    fn is_soon(&self) -> bool {
        !self.opened
            || self.facts.stream.messages == 0
                && self.facts.end.is_none_or(|end| end.lifetime < SOON)
    }

    /// Whether the words say nothing but that a login is required, or that it failed.
    fn is_about_login(&self) -> bool {
        self.is_bare || said::is_bare(&self.text, self.status, &[said::VAGUE, LOGIN].concat())
    }

    fn sentences(&self) -> impl Iterator<Item = &str> {
        self.text.split(['.', '!', ';', '\n'])
    }

    /// Whether a sentence says nothing but that a part with this name is missing, and names its
    /// kind. `token required` and `missing or invalid` fit wrong values, too, and `missing room 5` a
    /// thing.
    fn misses(&self, name: &str) -> bool {
        self.says_missing(name, true)
    }

    /// Like [`Self::misses`]; without `kind`, the sentence need not name the kind of the part.
    fn says_missing(&self, name: &str, kind: bool) -> bool {
        let mark = |c: char| !c.is_alphanumeric() && c != '_';
        let is_of = |list: &str, word: &str| list.split(' ').any(|one| one == word);
        self.sentences().any(|sentence| {
            let lower = sentence.to_ascii_lowercase();
            let words: Vec<_> =
                lower.split_whitespace().map(|word| word.trim_matches(mark)).collect();
            let plain = words.iter().filter(|word| !is_of(KINDS, word) && !is_of(FILLERS, word));
            let plain = plain.copied().collect::<Vec<_>>().join(" ");
            let missed = plain == format!("missing {name}")
                || plain == format!("no {name}")
                || MISSED.iter().any(|end| plain == format!("{name} {end}"));
            missed && (!kind || words.iter().any(|word| is_of(KINDS, word)))
        })
    }

    /// Whether the server accepted another request with the same value.
    fn is_accepted(&self, part: &Part) -> bool {
        use Variation as V;
        let carries = |trial: &Trial| match trial.variation {
            V::NoSubprotocol | V::Subprotocol | V::NoUpgrade => {
                part.place != PartPlace::Subprotocol
            }
            other => {
                matches!(other, V::OwnOrigin | V::NoOrigin | V::OwnHost | V::Again | V::Pinged)
            }
        };
        let took = |trial: &Trial| {
            let ended = matches!(trial.outcome, TrialOutcome::Ended(_));
            !ended && matches!(trial.status(), Some(101 | 200..=299))
        };
        self.facts.trials.iter().any(|trial| carries(trial) && took(trial))
    }

    /// A parameter that asks Engine.IO for long polling instead of a WebSocket. A server of
    /// Engine.IO opens such a WebSocket, and closes it at once.
    fn polling(&self) -> Option<OwnFault> {
        let url = Url::of(self.facts.url?);
        let asks = url.query.split('&').any(|pair| pair.eq_ignore_ascii_case("transport=polling"));
        let engine_io = url.query.contains("EIO=") || url.path.contains("/socket.io");
        let fits = match self.opened {
            true => self.facts.close.by_peer && self.facts.stream.messages == 0,
            false => matches!(self.status, 200 | 400),
        };
        (asks && engine_io && fits).then(|| OwnFault {
            text: "the URL asks for long polling, and a WebSocket was opened".to_owned(),
            because: "the URL has transport=polling".to_owned(),
            help: "write `transport=websocket` in place of `transport=polling`",
            is_told: self.code == "W303",
            of_login: false,
        })
    }

    /// A part that was sent, and that the server misses.
    fn lost(&self) -> Option<OwnFault> {
        let sent =
            self.parts.iter().filter(|part| !part.value.is_empty() && part.unfilled().is_none());
        // Of subprotocols, their own entry says it.
        let mut sent = sent.filter(|part| {
            !matches!(part.place, PartPlace::Path | PartPlace::Subprotocol) && part.key.len() > 3
        });
        let part = sent.find(|part| self.misses(&part.key.to_ascii_lowercase()))?;
        let underscore = part.place == PartPlace::Header && part.key.contains('_');
        let refused = !self.opened && (400..500).contains(&self.status);
        refused.then(|| OwnFault {
            text: format!("{} was sent, and the server misses it: it was lost on the way, or the server looks for it in another place", part.name()),
            because: "the answer says that it is missing".to_owned(),
            help: match underscore {
                true => "nginx and others drop headers with an underscore in their names (`underscores_in_headers on` lets them pass): use a name without one",
                false => "find out what arrives at the server: a proxy may drop it; then whether it reads a header, a cookie, the query or a subprotocol",
            },
            is_told: true,
            of_login: true,
        })
    }

    /// Whether the server says that a token is outside its time. `invalid or expired` leaves it
    /// open.
    fn tells_time(&self) -> bool {
        let open = said::says(&self.text, "or expired") || said::says(&self.text, "or not");
        let says = |subject: &str| {
            let ends = [
                "expired",
                "has expired",
                "is expired",
                "not active",
                "not yet valid",
                "is not yet valid",
                "is not valid yet",
            ];
            ends.iter().any(|end| said::says(&self.text, &format!("{subject} {end}")))
        };
        !open && ["token", "jwt", "signature"].into_iter().any(says)
    }

    /// A JSON Web Token that was sent after its time, or before it (RFC 7519 §4.1.4, §4.1.5), or
    /// whose time ended during the session.
    fn token(&self) -> Option<OwnFault> {
        let told = self.tells_time();
        let refuses = match self.status {
            _ if self.opened => {
                self.is_refusing_close()
                    || self.facts.close.by_peer && (told || self.is_closed_at_once())
            }
            400 => self.is_of_request() && !self.is_bare,
            401 | 403 => self.is_of_request(),
            _ => self.code == "W312",
        };
        let missed = ["token", "jwt"].iter().any(|name| self.says_missing(name, false));
        if !refuses || !(told || self.is_about_login() && !missed) {
            return None;
        }
        let now: Timestamp = self.facts.tls.now?.parse().ok()?;
        let now = Timestamp::from_second(now.as_second()).ok()?;
        let lifetime = self.facts.end.map(|end| end.lifetime).unwrap_or_default();
        let end = now.checked_add(SignedDuration::try_from(lifetime).ok()?).ok()?;
        let clock = match self.opened {
            true => format!("the session was open from {now} to {end:.0}"),
            false => format!("this machine's clock said {now}"),
        };
        let mut logins = self.parts.iter().filter(|part| part.may_log_in());
        let (part, text, valid) = logins.find_map(|part| {
            let claims = claims(&part.value)?;
            let time = |number: Option<f64>| Timestamp::from_second(number? as i64).ok();
            let from = claims.get("nbf").and_then(Value::as_f64).filter(|number| *number > 0.0);
            let (text, valid) = match (time(expiry(&claims)), time(from)) {
                // "the expiration time on or after which the JWT MUST NOT be accepted".
                (Some(until), _) if until <= now && self.is_soon() => {
                    ("has expired", format!("was valid until {until}"))
                }
                (Some(until), _) if self.opened && until > now && until <= end => {
                    ("expired during the session", format!("was valid until {until}"))
                }
                (_, Some(from)) if from > now && self.is_soon() => {
                    ("is not valid yet", format!("is valid from {from}"))
                }
                _ => return None,
            };
            Some((part, text, valid))
        })?;
        // The server may have judged another credential.
        let outranked = |other: &Part| {
            other.place == PartPlace::Cookie && part.place != PartPlace::Cookie
                || other.value == part.value
        };
        let alone = self.parts.iter().all(|other| !other.may_log_in() || outranked(other));
        let named = part.key.len() > 3 && said::says(&self.text, &part.key.to_ascii_lowercase());
        (alone || named).then_some(()).filter(|()| !self.is_accepted(part))?;
        Some(OwnFault {
            text: format!("the token that was sent {text}"),
            because: format!("the token in {} {valid}, and {clock}", part.name()),
            help: "send a new token before the old one expires; if it is valid, compare the clocks of this machine and of its issuer",
            is_told: told,
            of_login: true,
        })
    }

    /// A value that was never filled in.
    fn placeholder(&self) -> Option<OwnFault> {
        let refuses = match self.opened {
            true => self.is_refusing_close() && self.is_soon(),
            false => self.is_of_request() && !matches!(self.status, 501..=599),
        };
        // An unknown path, or one that fails, is known by the URL alone. If an unknown path is
        // refused alike, the path does not matter.
        let of_url = matches!(self.status, 404 | 410 | 500);
        let other = self.facts.trial(Variation::OtherPath).and_then(Trial::status);
        let alike = other == self.facts.status() && !matches!(self.status, 404 | 410);
        let fits = |part: &&Part| match part.place {
            PartPlace::Path => !alike,
            PartPlace::Query => true,
            _ => !of_url,
        };
        let mut found = self.parts.iter().filter(fits).filter(|part| !self.is_accepted(part));
        let (part, unfilled) = found.find_map(|part| Some((part, part.unfilled()?)))?;
        let (is_told, of_login) = (self.quotes(part), part.is_credential());
        // A credential explains nothing if the server speaks of something else.
        let possible = refuses && (is_told || !of_login || self.is_about_login());
        possible.then(|| OwnFault {
            text: format!("{} {unfilled}", part.name()),
            because: "the request that was sent shows it".to_owned(),
            help: "put the value in its place; a shell replaces `$NAME` in double quotes only, and by nothing if NAME is not set",
            is_told,
            of_login,
        })
    }

    /// Whether one sentence has the name of a parameter and its value, the value in quotes or after
    /// `=`.
    fn quotes(&self, part: &Part) -> bool {
        let (key, value) = (part.key.to_ascii_lowercase(), part.value.trim().to_ascii_lowercase());
        let named = part.place == PartPlace::Query && key.len() > 1 && !value.is_empty();
        let marks = [("'", "'"), ("\"", "\""), ("`", "`"), ("=", "")];
        let quoted = |sentence: &str| {
            let lower = sentence.to_ascii_lowercase();
            marks.iter().any(|(open, close)| lower.contains(&format!("{open}{value}{close}")))
        };
        named && self.sentences().any(|sentence| said::says(sentence, &key) && quoted(sentence))
    }
}
