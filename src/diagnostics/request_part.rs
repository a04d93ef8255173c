//! The parts of our request that have a value of the user's application: pieces of the path,
//! parameters, headers, cookies, subprotocols.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use super::Facts;
use super::url::Url;
use crate::wire::percent::percent_decoded;
use crate::wire::secret::{is_credential, is_secret};

/// The longest name in a template, and the longest name of a part that is shown.
const NAME: usize = 40;

/// A part of our request that has a value.
pub(super) struct Part {
    pub place: PartPlace,
    /// The name of the parameter, header or cookie; of a piece of the path, the piece before it.
    pub key: String,
    pub value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartPlace {
    Path,
    Query,
    Header,
    Cookie,
    Subprotocol,
}

impl Part {
    /// For example `the parameter token`.
    pub fn name(&self) -> String {
        let key: String = self.key.chars().take(NAME).collect();
        match self.place {
            PartPlace::Path => "the path".to_owned(),
            PartPlace::Query => format!("the parameter {key}"),
            PartPlace::Header if self.is_authorization() => format!("the {key} header"),
            PartPlace::Header => format!("the header {key}"),
            PartPlace::Cookie => format!("the cookie {key}"),
            PartPlace::Subprotocol => "the subprotocol".to_owned(),
        }
    }

    fn is_authorization(&self) -> bool {
        self.key.eq_ignore_ascii_case("authorization")
    }

    pub fn is_credential(&self) -> bool {
        self.place != PartPlace::Path && (self.is_authorization() || is_credential(&self.key))
    }

    /// Whether the server may know the user by this part. A cookie is known by its name alone:
    /// others, such as those of an analysis, hold tokens, too.
    pub fn may_log_in(&self) -> bool {
        let named = is_secret(&self.key) || self.key.to_ascii_lowercase().contains("sid");
        self.place != PartPlace::Path && named
            || self.place != PartPlace::Cookie && claims(&self.value).is_some()
    }

    /// What is wrong with a value that was never filled in.
    pub fn unfilled(&self) -> Option<String> {
        let value = self.value.trim();
        let free = matches!(&*self.key, "q" | "query" | "search" | "text");
        match value {
            _ if free && self.place == PartPlace::Query => None,
            "" => self.is_credential().then(|| "is empty".to_owned()),
            "null" | "None" if !self.is_credential() => None,
            "undefined" | "[object Object]" | "null" | "None" => {
                Some(format!("is `{value}`: the client had no value for it"))
            }
            _ if !self.is_template(value) => None,
            _ if self.is_credential() || is_secret(&self.key) => {
                Some("still has a placeholder as its value".to_owned())
            }
            _ => Some(format!("still has the placeholder `{value}`")),
        }
    }

    /// Whether the whole value is a name in the marks of a template. Some marks have other meanings,
    /// too: then the name must be that of the part, or of an id.
    fn is_template(&self, value: &str) -> bool {
        let inner = |start: &str, end: &str| {
            let name = value.strip_prefix(start)?.strip_suffix(end)?.trim();
            let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let known = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            (name.len() <= NAME && first && name.chars().all(known))
                .then(|| name.to_ascii_lowercase())
        };
        let fits = |name: String| {
            let key = self.key.to_ascii_lowercase();
            let key = key.trim_end_matches('s');
            let same = key.len() > 1 && (name.contains(key) || key.contains(&name));
            self.is_credential() || name.ends_with("id") || same
        };
        let upper = !value.contains(|c: char| c.is_ascii_lowercase());
        let route = inner(":", "").filter(|_| self.place == PartPlace::Path);
        inner("{{", "}}").or(inner("${", "}")).is_some()
            || upper && value.starts_with("YOUR_")
            || upper && self.is_credential() && inner("$", "").is_some()
            || inner("{", "}").or(inner("<", ">")).or(route).is_some_and(fits)
    }
}

/// The parts of our request that have a value of the user's application, the URL first.
pub(super) fn parts(facts: &Facts<'_>) -> Vec<Part> {
    let mut found = Vec::new();
    let mut add = |place, key: &str, value: &str| {
        let plain = |text: &str| match place {
            PartPlace::Path | PartPlace::Query => percent_decoded(text),
            _ => text.trim().as_bytes().to_vec(),
        };
        let plain = |text: &str| String::from_utf8_lossy(&plain(text)).into_owned();
        found.push(Part { place, key: plain(key), value: plain(value) });
    };
    if let Some(url) = facts.url.map(Url::of) {
        let pieces: Vec<_> = url.path.split('/').collect();
        let pairs = pieces.windows(2).filter(|pair| !pair[1].is_empty());
        pairs.for_each(|pair| add(PartPlace::Path, pair[0], pair[1]));
        for (name, value) in url.query.split('&').filter_map(|pair| pair.split_once('=')) {
            add(PartPlace::Query, name, &value.replace('+', " "));
        }
    }
    for field in facts.request.into_iter().flat_map(|request| request.headers()) {
        let name = String::from_utf8_lossy(field.name);
        let value = String::from_utf8_lossy(field.value);
        match &*name.to_ascii_lowercase() {
            "authorization" => {
                // A password is never judged.
                let (scheme, token) = value.trim().split_once(' ').unwrap_or((&value, ""));
                let bare = token.is_empty() && scheme.len() > "bearer".len();
                let whole = bare || scheme.eq_ignore_ascii_case("basic");
                add(PartPlace::Header, &name, if whole { &value } else { token });
            }
            "cookie" => {
                for (name, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
                    add(PartPlace::Cookie, name, value);
                }
            }
            "sec-websocket-protocol" => {
                value.split(',').for_each(|name| add(PartPlace::Subprotocol, "subprotocol", name));
            }
            "host" | "upgrade" | "connection" => {}
            lower if lower.starts_with("sec-websocket-") => {}
            _ => add(PartPlace::Header, &name, &value),
        }
    }
    found
}

/// The claims of the token in a text: a JSON Web Token, or an object in base64 that names the time
/// of its end.
pub(super) fn claims(text: &str) -> Option<Value> {
    let token = &text[text.find("eyJ")?..];
    let end = token.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.+/".contains(c)));
    let token = token[..end.unwrap_or(token.len())].replace('+', "-").replace('/', "_");
    let mut pieces = token.split('.');
    let object = |piece: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(piece).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
    };
    let first = object(pieces.next()?)?;
    match (pieces.next(), pieces.next()) {
        (Some(claims), Some(_signature)) => object(claims),
        (None, _) => Some(first).filter(|claims| expiry(claims).is_some()),
        _ => None,
    }
}

/// The earliest number that is a time in seconds since 1970 and not a duration.
const TIMES: f64 = 1e9;

/// When a token ends: in seconds since 1970, from a member such as `exp` or `session_expiry`, which
/// may count milliseconds, too.
pub(super) fn expiry(claims: &Value) -> Option<f64> {
    // Some issuers write 0 for no limit.
    let number = |value: &Value| value.as_f64().filter(|number| *number > 0.0);
    let other = |(name, value): (&String, &Value)| {
        let is_expiry = name.to_ascii_lowercase().contains("expir");
        let time = number(value).filter(|time| is_expiry && *time >= TIMES)?;
        Some(if time >= TIMES * 100.0 { time / 1000.0 } else { time })
    };
    let exp = claims.get("exp").and_then(number);
    exp.or_else(|| claims.as_object()?.iter().find_map(other))
}

/// Names of parameters for the time until which a signed URL is valid, in seconds since 1970.
const UNTIL: [&str; 6] = ["expires", "expire", "expiry", "exp", "valid_until", "validuntil"];

/// The parameter with the time until which the URL was valid, if that time has passed.
pub(super) fn expired_link(facts: &Facts<'_>) -> Option<String> {
    let now: Timestamp = facts.tls.now?.parse().ok()?;
    let pairs = facts.url.map(Url::of)?.query.split('&').filter_map(|pair| pair.split_once('='));
    let mut times = pairs.filter_map(|(name, value)| {
        let named = UNTIL.contains(&&*name.to_ascii_lowercase()) && value.len() == 10;
        let until = Timestamp::from_second(value.parse().ok().filter(|_| named)?).ok()?;
        (until <= now).then_some((name, until))
    });
    let (name, until) = times.next()?;
    Some(format!(
        "the parameter {name} is the time {until}, and this machine's clock said {now:.0}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(key: &str, value: &str, place: PartPlace) -> Option<String> {
        Part { place, key: key.to_owned(), value: value.to_owned() }.unfilled()
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
        for (text, time) in [
            (piece("{\"user\": 1, \"session_expiry\": 1796096574}"), Some(1_796_096_574.0)),
            (piece("{\"u\":\"ü??>\",\"expiresAt\":1796096574000}"), Some(1_796_096_574.0)),
            // A duration is no time, and an object without a time is no token.
            (piece("{\"user\":1,\"expires_in\":3600}"), None),
            (piece("{\"user\":1,\"name\":\"ann\"}"), None),
        ] {
            assert_eq!(claims(&text).and_then(|claims| expiry(&claims)), time, "{text}");
        }
        for text in ["", "eyJ", "eyJ.eyJ.eyJ", "abc.def.ghi", &token[..token.len() - 8]] {
            assert_eq!(claims(text), None, "{text}");
        }
    }
}
