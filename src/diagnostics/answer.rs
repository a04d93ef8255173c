//! Whether an answer of JSON refuses the request before it.
//!
//! Each application has its own words for that. What they share is an envelope: an id, a kind, a state
//! and a text. An answer that holds more is the result that was asked for, even if that result is that
//! something failed: a link that is dead, a word that is spelled wrong.

use serde_json::{Map, Value};

use super::complaint::{fails, faults, names_error, refuses_plainly, says_none, shouts};

type Object = Map<String, Value>;

/// How deep an envelope may be inside of others.
const DEPTH: usize = 3;

/// Members of an envelope, in lower case and without separators.
const ENVELOPE: [&str; 52] = [
    // Whom or what it is for.
    "seq",
    "ref",
    "nonce",
    "sn",
    "req",
    "ack",
    "channel",
    "room",
    "stream",
    "symbol",
    "user",
    "username",
    "path",
    "params",
    // What it is.
    "type",
    "typ",
    "event",
    "ev",
    "op",
    "opcode",
    "action",
    "method",
    "cmd",
    "command",
    "kind",
    "topic",
    "t",
    "jsonrpc",
    "version",
    "v",
    "response",
    // When.
    "time",
    "ts",
    "timestamp",
    "date",
    // How it went.
    "ok",
    "success",
    "status",
    "statuscode",
    "code",
    "result",
    "ret",
    "retcode",
    "fatal",
    "level",
    "severity",
    // Why.
    "message",
    "msg",
    "reason",
    "description",
    "detail",
    "details",
];

/// Parts of the names of members that say when to try again.
const RETRY: [&str; 5] = ["retry", "attempt", "remaining", "limit", "wait"];

/// Kinds of messages that are refusals by their name.
const REFUSALS: [&str; 17] = [
    "nack",
    "accessdenied",
    "permissiondenied",
    "denied",
    "refused",
    "rejected",
    "forbidden",
    "kicked",
    "banned",
    "unauthorized",
    "unauthenticated",
    "badrequest",
    "invalidrequest",
    "ratelimited",
    "sessionexpired",
    "tokenexpired",
    "authtimeout",
];

/// Whether the answer refuses the request, or says that it failed.
pub(super) fn refuses(request: &str, answer: &str) -> bool {
    let request = object(request).unwrap_or_default();
    let Some(answer) = object(answer) else { return false };
    !is_echo(&request, &answer) && (is_error(&answer) || is_fault(&answer, &request, DEPTH))
}

/// Whether an error of this side stands in the answer again, as in a chat.
fn is_echo(request: &Object, answer: &Object) -> bool {
    let again = |(name, value): (&String, &Value)| answer.get(name) == Some(value);
    complains(request) && request.iter().all(again)
}

/// Whether an object says that something failed: a request, or what the object is about.
pub(super) fn complains(object: &Object) -> bool {
    is_error(object) || has_fault(object) || is_fault(object, &Object::new(), DEPTH)
}

/// Whether a list of JSON is an error.
pub(super) fn list_complains(text: &str) -> bool {
    is_abort(text) || is_notice(text) || is_list_with_error(text) || names_error_first(text)
}

/// Whether the kind of an object is a refusal.
fn is_refusal(object: &Object) -> bool {
    kinds(object).any(|kind| REFUSALS.contains(&&*plain(kind)))
}

/// Whether an object, or the answer inside it, says that something failed and holds nothing else.
fn is_fault(object: &Object, request: &Object, depth: usize) -> bool {
    let fails = has_fault(object) || is_refusal(object) || spells_fault(object, request);
    if fails && !has_data(object, request) {
        return true;
    }
    let is_answer = kinds(object).any(|kind| {
        let mut words = kind.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| matches!(&*plain(word), "response" | "reply" | "ack" | "res"))
    });
    let mut inside =
        object.iter().filter_map(|(name, value)| Some((plain(name), value.as_object()?)));
    depth > 1
        && inside.any(|(name, inner)| match name.as_str() {
            "response" | "reply" | "requeststatus" => is_fault(inner, request, depth - 1),
            "payload" | "data" | "body" if is_answer => is_fault(inner, request, depth - 1),
            "d" => inner.iter().any(|(name, value)| {
                plain(name) == "requeststatus"
                    && value.as_object().is_some_and(|inner| is_fault(inner, request, 1))
            }),
            _ => false,
        })
}

/// Whether an object says in other words that the request failed.
fn spells_fault(object: &Object, request: &Object) -> bool {
    let words = ["message", "msg", "reason", "description", "comment", "detail", "errmsg"];
    let told = object.iter().any(|(name, value)| {
        let text = value.as_str().unwrap_or_default();
        words.contains(&&*plain(name)) && !is_none(&Value::from(text))
    });
    let states = |value: &Value| {
        let word = value.as_str().map(plain).unwrap_or_default();
        word == "error" || fails(&word) || REFUSALS.contains(&&*word)
    };
    object.iter().any(|(name, value)| match plain(name).as_str() {
        "err" | "errmsg" | "errormsg" | "errorreason" => value.is_string() && !is_none(value),
        "errcode" | "errorcode" | "errno" | "ret" | "retcode" => !is_none(value) && told,
        // What a number means is known only where it answers this request.
        "code" => told && value.is_number() && is_fault_code(value) && answers(object, request),
        "result" => states(value) || *value == Value::Bool(false) && told,
        // JSend (<https://github.com/omniti-labs/jsend>) has nothing but data beside it.
        "status" => states(value) && object.len() == 2 && object.contains_key("data"),
        _ => false,
    })
}

/// Whether a number is none of those that mean success.
fn is_fault_code(code: &Value) -> bool {
    code.as_i64().is_some_and(|code| code != 0 && !(200..300).contains(&code))
}

/// Whether an id of the request comes back.
fn answers(object: &Object, request: &Object) -> bool {
    let ids = |object: &Object| -> Vec<Value> {
        let named = |name: &str| is_id(&plain(name));
        let ids = object.iter().filter(|(name, value)| named(name) && !is_none(value));
        ids.map(|(_, value)| value.clone()).collect()
    };
    let asked = ids(request);
    ids(object).iter().any(|id| asked.contains(id))
}

/// Whether an object holds something that is no part of an envelope, or names what was asked about.
fn has_data(object: &Object, request: &Object) -> bool {
    let jsend = object.len() == 2;
    object.iter().any(|(key, value)| {
        let name = plain(key);
        // Under another name it was no id.
        let subject = || request.iter().any(|(asked, it)| it == value && !is_id(&plain(asked)));
        // A parameter of a request that is known by its id comes back with it.
        let parameter = || request.get(key) == Some(value) && answers(object, request);
        let envelope = ENVELOPE.contains(&&*name)
            || is_id(&name) && !subject()
            || name.starts_with("err")
            || RETRY.iter().any(|part| name.contains(part))
            || name == "data" && jsend;
        let empty = match value {
            Value::Null => true,
            // A sentence explains.
            Value::String(text) => text.is_empty() || text.trim().contains(' '),
            Value::Array(list) => list.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        // What was found in a text has a place there.
        let places = |item: &Value| {
            let mut names = ["line", "column", "row", "word", "position", "offset"].iter();
            item.as_object().is_some_and(|item| names.any(|name| item.contains_key(*name)))
        };
        let found = value.as_array().is_some_and(|items| items.iter().any(places));
        !envelope && !empty && !parameter() || found
    })
}

/// Whether the name of a member, as [`plain`] makes it, is that of an id.
fn is_id(name: &str) -> bool {
    name.ends_with("id") || name.ends_with("seq") || matches!(name, "ref" | "nonce" | "sn")
}

/// The values of the members that name the kind of a message.
fn kinds(object: &Object) -> impl Iterator<Item = &str> {
    let names = ["type", "typ", "event", "op", "action", "kind", "topic", "method", "cmd"];
    names.into_iter().filter_map(|name| object.get(name)?.as_str())
}

/// A name in lower case and without separators: `errorCode` and `error_code` are one.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether an object is an error by its kind or form, whatever else it holds.
fn is_error(members: &Object) -> bool {
    // The message that ends a session, with the fault that it names.
    let reason = members.get("reason").and_then(Value::as_str).unwrap_or_default();
    let leaves = members.get("type").is_some_and(|kind| kind == "disconnect");
    // API Gateway's own answer to a message.
    let ids = ["message", "connectionId", "requestId"];
    if members.len() == ids.len() && ids.iter().all(|name| members.contains_key(*name)) {
        return true;
    }
    leaves && faults(&reason.replace(['_', '-'], " "))
        || members.iter().any(|(name, value)| match name.as_str() {
            "error" => value.is_object() && !is_none(value),
            "problem" => value.is_string() && members.contains_key("command"),
            // An action called error asks for one to be logged.
            "auth" | "login" => {
                value.as_str().is_some_and(|value| fails(value) || names_error(value))
            }
            // What became of a request, in an envelope.
            "response" | "result" => value.as_object().is_some_and(has_failed),
            // DDP, which names the versions that it has.
            "msg" => value == "failed" && members.contains_key("version"),
            "type" | "event" | "op" | "kind" | "T" => says_failed(members, name, value),
            // A gateway's own refusal names nothing else than what it concerns.
            "message" => {
                members.keys().all(|name| ids.contains(&name.as_str()))
                    && value.as_str().is_some_and(refuses_plainly)
            }
            _ => false,
        })
}

/// Whether a member of an object says that something failed: the request, or what the object is about.
fn has_fault(members: &Object) -> bool {
    // A text of some words beside it, whatever its name and language.
    let sentence = |value: &Value| value.as_str().is_some_and(|text| text.trim().contains(' '));
    let bare = members.len() == 2 && members.values().any(sentence);
    members.iter().any(|(name, value)| match name.as_str() {
        // A number measures it.
        "error" | "errorMessage" | "error_message" => !is_none(value) && !value.is_number(),
        // `false` alone may be a state, such as a light that is off.
        "success" | "ok" => *value == Value::Bool(false) && (bare || explains(members, false)),
        // A number counts the errors.
        "errors" => !is_none(value) && !value.is_number() && !members.contains_key("valid"),
        // The numbers of HTTP.
        "code" | "statusCode" => {
            explains(members, true) && value.as_u64().is_some_and(|code| (400..600).contains(&code))
        }
        // That of a job or a device may be what was asked for.
        "status" => says_failed(members, name, value),
        _ => false,
    })
}

/// Whether the kind or the state of an object is a failure.
fn says_failed(members: &Object, name: &str, value: &Value) -> bool {
    // Where nothing but numbers is beside it, something is counted or measured.
    let mut others = members.iter().filter(|(other, _)| *other != name);
    let counted = members.len() > 1 && others.all(|(_, other)| other.is_number());
    value.as_str().is_some_and(|value| {
        fails(value) && explains(members, true) || names_error(value) && !counted
    })
}

/// Whether an object has a state of failure, and an error that says why, in itself or one level deeper.
fn has_failed(members: &Object) -> bool {
    let error = |members: &Object| {
        members
            .get("error")
            .and_then(Value::as_object)
            .is_some_and(|error| error.get("message").is_some_and(Value::is_string))
    };
    members.get("status").and_then(Value::as_str).is_some_and(fails)
        && (error(members) || members.values().filter_map(Value::as_object).any(error))
}

/// Whether an object has a member that explains, as a text if that is wanted.
fn explains(members: &Object, as_text: bool) -> bool {
    let words = ["message", "msg", "reason", "description", "detail", "details", "code", "body"];
    members.iter().any(|(name, value)| {
        let about = words.contains(&name.as_str()) || name.ends_with("_msg");
        about && !is_none(value) && (value.is_string() || !as_text)
    })
}

/// Whether a value says that there is none.
fn is_none(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => says_none(text),
        Value::Array(list) => list.iter().all(is_none),
        Value::Object(members) => {
            let code = ["code", "status"].iter().find_map(|name| members.get(*name));
            members.values().all(is_none)
                || code.is_some_and(|code| !code.is_null() && is_none(code))
        }
    }
}

/// The members of a JSON object; of one that was cut, those that came whole, and the beginning of the
/// last.
pub(super) fn object(text: &str) -> Option<Object> {
    let read = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    };
    read(text).or_else(|| {
        let (mut open, mut string, mut escaped) = (Vec::new(), false, false);
        // Where the text may be cut, and what closes it there.
        let mut comma = None;
        for (at, c) in text.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if string => escaped = true,
                '"' => string = !string,
                _ if string => {}
                '{' => open.push('}'),
                '[' => open.push(']'),
                '}' | ']' => drop(open.pop()),
                ',' => comma = Some((at, open.clone())),
                _ => {}
            }
        }
        let closed =
            |text: &str, open: &[char]| text.chars().chain(open.iter().rev().copied()).collect();
        let ended = if string { format!("{text}\"") } else { text.to_owned() };
        let whole: String = closed(&ended, &open);
        read(&whole).or_else(|| {
            let (at, open) = comma?;
            let rest: String = closed(&text[..at], &open);
            read(&rest)
        })
    })
}

/// Whether a message is a list of objects, each of which says that it is an error.
fn is_list_with_error(text: &str) -> bool {
    let objects = serde_json::from_str::<Vec<Object>>(text).unwrap_or_default();
    // The type of a record in a list is one of many, and a record has data.
    let marked = |mut members: Object| {
        members.remove("type");
        is_error(&members) || has_fault(&members) && !has_data(&members, &Object::new())
    };
    !objects.is_empty() && objects.into_iter().all(marked)
}

/// Whether a message is ABORT of WAMP, with the name of an error: `[3,{},"wamp.error.no_such_realm"]`.
/// The lens needs the subprotocol to know it.
fn is_abort(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("[3,") else { return false };
    rest.trim_end().rsplit('"').nth(1).is_some_and(|name| name.contains(".error."))
}

/// Whether a message is a list of texts, the last of which begins as an error: `["END","error: no"]`.
fn is_notice(text: &str) -> bool {
    let texts = serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    let kinds = ["notice", "closed", "error", "end"];
    let known = |kind: &str| kinds.iter().any(|one| one.eq_ignore_ascii_case(kind));
    matches!(&texts[..], [kind, text] if known(kind) && shouts(text))
}

/// Whether a list of JSON begins with the name of an error, as `["error",{…}]`.
fn names_error_first(text: &str) -> bool {
    let Ok(Value::Array(list)) = serde_json::from_str(text) else { return false };
    list.first().and_then(Value::as_str).is_some_and(names_error)
}

#[cfg(test)]
mod tests {
    use super::refuses;

    #[test]
    fn a_refusal_holds_an_envelope_and_nothing_else() {
        for (request, answer) in [
            ("{}", r#"{"error":"no such room"}"#),
            (r#"{"id":1}"#, r#"{"id":1,"code":20001,"message":"Invalid argument","data":{}}"#),
            (r#"{"id":"e7"}"#, r#"{"code":80014,"id":"e7","msg":"bad type","success":false}"#),
            (
                r#"{"id":"e7","reqType":"sub","dataType":"x"}"#,
                r#"{"code":80014,"id":"e7","msg":"dataType invalid","dataType":"x"}"#,
            ),
            (
                r#"{"seq":5,"command":"stackTrace"}"#,
                r#"{"seq":9,"request_seq":5,"success":false,"command":"stackTrace","message":"notStopped"}"#,
            ),
            ("{}", r#"{"errcode":40001,"errmsg":"invalid credential"}"#),
            ("{}", r#"{"ret":-1,"msg":"签名错误"}"#),
            ("{}", r#"{"status":"fail","data":{"title":"A title is required"}}"#),
            ("{}", r#"{"err":"stale revision 3"}"#),
            ("{}", r#"{"op":"join","result":"error","reason":"room_full"}"#),
            ("{}", r#"{"type":"auth","result":"fail","attempts_left":2}"#),
            ("{}", r#"{"type":"access_denied","channel":"admin"}"#),
            ("{}", r#"{"type":"nack","id":5,"reason":"revision is too old"}"#),
            (
                "{}",
                r#"{"response":true,"id":8,"ok":false,"errorCode":403,"errorReason":"not in this room"}"#,
            ),
            (
                "{}",
                r#"{"op":7,"d":{"requestType":"SetScene","requestStatus":{"result":false,"code":600,"comment":"No source was found"}}}"#,
            ),
            (
                "{}",
                r#"{"topic":"bridge/response/device/remove","payload":{"data":{},"status":"error","error":"Device 'lamp' does not exist"}}"#,
            ),
            ("{}", r#"{"type":"res","ok":false,"message":"Not allowed here"}"#),
            ("{}", r#"{"success":false,"ret_msg":"no handler","op":"x"}"#),
            ("{}", r#"{"ok":false,"mensaje":"falta la sala"}"#),
        ] {
            assert!(refuses(request, answer), "{answer}");
        }
    }

    #[test]
    fn a_result_that_was_asked_for_is_no_refusal() {
        for (request, answer) in [
            (
                r#"{"check":"https://a.example/x"}"#,
                r#"{"url":"https://a.example/x","status":404,"ok":false,"error":"Not Found"}"#,
            ),
            (
                r#"{"ping":"10.0.0.9"}"#,
                r#"{"host":"10.0.0.9","alive":false,"error":"Destination Host Unreachable"}"#,
            ),
            ("{}", r#"{"errors":[{"word":"teh","suggest":["the"]}],"count":1}"#),
            (
                "{}",
                r#"{"type":"build","success":false,"errors":[{"line":1,"message":"expected }"}]}"#,
            ),
            ("{}", r#"{"type":"attack_result","success":false,"damage":0,"message":"It dodges"}"#),
            (
                r#"{"field":"email"}"#,
                r#"{"type":"validation","field":"email","ok":false,"message":"must be an address"}"#,
            ),
            ("{}", r#"{"code":7,"message":"Door opened"}"#),
            (r#"{"id":1}"#, r#"{"id":1,"code":0,"message":"fine"}"#),
            (r#"{"id":1}"#, r#"{"id":1,"code":200,"message":"fine"}"#),
            ("{}", r#"{"job":12,"status":"failed","error":"disk full"}"#),
            ("{}", r#"{"status":"ok","data":{"error":"none"}}"#),
            ("{}", r#"{"type":"log","data":{"status":"error","error":"disk full"}}"#),
            ("{}", r#"{"ret":0,"msg":"ok"}"#),
            ("{}", r#"{"result":false}"#),
            (
                r#"{"get":"job-9"}"#,
                r#"{"id":"job-9","status":"failed","error":"exit code 1","attempts":3}"#,
            ),
            (
                r#"{"get":"pump-3"}"#,
                r#"{"id":"pump-3","state":"fault","error":"E17 overheat","since":"10:02"}"#,
            ),
            (
                r#"{"op":"status","app":"shop"}"#,
                r#"{"app":"shop","status":"error","message":"CrashLoopBackOff","replicas":0}"#,
            ),
            ("{}", r#"{"ok":false,"score":0,"message":"This is a top-10 common password"}"#),
            ("{}", r#"{"errors":[{"at":"10:00","message":"boom"}],"total":1}"#),
            (
                r#"{"error":"unauthorized","code":4001}"#,
                r#"{"from":"me","ts":1,"error":"unauthorized","code":4001}"#,
            ),
            (
                "{}",
                r#"{"op":"health","status":"error","services":[{"name":"db","status":"error"}]}"#,
            ),
            (
                "{}",
                r#"{"flagged":true,"action":"rejected","categories":["insult"],"reason":"insult"}"#,
            ),
            ("{}", r#"{"frame":12,"kind":"nack","snr":-4.2}"#),
            ("{}", r#"{"op":"prefs","error":true,"warning":false,"info":false}"#),
        ] {
            assert!(!refuses(request, answer), "{answer}");
        }
    }
}
