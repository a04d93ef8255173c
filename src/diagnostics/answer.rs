//! Whether a JSON answer refuses the request before it.
//!
//! Each application has its own words for a refusal. But all refusals have the same envelope: an
//! id, a kind, a state and a text. An answer with more content is the requested result. That result
//! may itself be a failure: a dead link, a misspelled word.

use serde_json::{Map, Value};

use super::complaint::{denies, fails, faults, names_error, refuses_plainly, says_none, shouts};
use super::said::says;

type Object = Map<String, Value>;

/// Members of an envelope, in lower case and without separators. The result of a request has other
/// names.
const ENVELOPE: &[&str] = &[
    // Names for the addressee or the subject.
    "ref",
    "nonce",
    "sn",
    "req",
    "ack",
    "channel",
    "room",
    "stream",
    "symbol",
    "path",
    "params",
    "echo",
    "replyto",
    "inreplyto",
    "responseto",
    "extra",
    "trace",
    "server",
    "service",
    "field",
    "state",
    // Names for the kind of the message.
    "type",
    "typ",
    "msgtype",
    "messagetype",
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
    "meta",
    "extensions",
    "ts",
    "date",
    "timestamp",
    // Names for the result.
    "ok",
    "success",
    "successful",
    "sucesso",
    "status",
    "stat",
    "statuscode",
    "http",
    "code",
    "result",
    "ret",
    "retcode",
    "fatal",
    "level",
    "severity",
    "softlogout",
    "advice",
    // Names for the reason and for advice.
    "messages",
    "fails",
    "validation",
    "expected",
    "allowed",
    "docs",
    "doc",
    "link",
    "hint",
    "help",
];

/// The beginnings of such names: `request_id`, `errorCode`, `retry_after`, `time_in`,
/// `supportedVersions`.
const ENVELOPE_STARTS: [&str; 7] =
    ["req", "err", "retry", "time", "supported", "connection", "api"];

/// Parts of the names of such members.
const ENVELOPE_PARTS: [&str; 4] = ["attempt", "remaining", "limit", "wait"];

/// Members that say where or when something was found.
const PLACES: [&str; 7] = ["line", "column", "row", "word", "position", "offset", "at"];

/// The number of first letters that two forms of a verb share: `subscribe` and
/// `subscriptionStatus`.
const STEM: usize = 6;

/// Names of members with an explanation, in some languages.
const EXPLAINING: [&str; 19] = [
    "message",
    "msg",
    "retmsg",
    "statusmsg",
    "reason",
    "description",
    "desc",
    "detail",
    "details",
    "comment",
    "body",
    "errmsg",
    "mensaje",
    "mensagem",
    "messaggio",
    "nachricht",
    "fehler",
    "motivo",
    "grund",
];

/// Kinds of messages whose names mean a refusal.
const REFUSALS: [&str; 12] = [
    "nack",
    "accessdenied",
    "permissiondenied",
    "forbidden",
    "unauthorized",
    "unauthenticated",
    "badrequest",
    "invalidrequest",
    "ratelimited",
    "sessionexpired",
    "tokenexpired",
    "authtimeout",
];

/// Kinds that refuse if a text says why.
const REJECTIONS: [&str; 5] = ["reject", "rejected", "refused", "denied", "deny"];

/// States that refuse what was sent if a text says why.
const REJECTED: [&str; 12] = [
    "rejected",
    "refused",
    "denied",
    "undeliverable",
    "undelivered",
    "notdelivered",
    "notfound",
    "unknown",
    "invalid",
    "unsupported",
    "forbidden",
    "unauthorized",
];

/// Kinds of messages that report what happened elsewhere.
const REPORTS: [&str; 10] = [
    "log",
    "logs",
    "audit",
    "record",
    "event",
    "alert",
    "notification",
    "notify",
    "metric",
    "metrics",
];

/// Names of members that contain the state or the code of an answer. A word as a result is data.
const STATES: [&str; 8] =
    ["s", "st", "status", "statuscode", "code", "ret", "retcode", "errorcode"];

/// Names of members that contain the answer itself.
const CONTAINERS: [&str; 6] = ["d", "b", "response", "responses", "reply", "content"];

/// Names of members that contain the answer itself, or something that the server measured.
const RESULTS: [&str; 3] = ["data", "payload", "body"];

/// Short names of members with a text.
const SHORT_TEXTS: [&str; 3] = ["d", "p", "m"];

/// Verbs of requests that ask for the state of a thing, such as a job.
const READING: [&str; 9] =
    ["get", "poll", "read", "fetch", "describe", "lookup", "watch", "inspect", "track"];

/// Names of such states, at the end of the name of a request.
const READ: [&str; 4] = ["status", "state", "info", "history"];

/// Verbs that change what the rest of the name says.
const WRITING: [&str; 9] =
    ["set", "add", "update", "put", "post", "create", "change", "send", "save"];

/// Requests that ask for a judgement. Longer names may ask for more: `verify_login`.
const CHECKING: [&str; 8] =
    ["check", "validate", "verify", "test", "lint", "moderate", "solve", "guess"];

/// Phrases that find fault with the request, and not with the thing that it asks about.
const WRONG: [&str; 9] = [
    "unknown",
    "no such",
    "not found",
    "does not exist",
    "doesn't exist",
    "out of range",
    "syntax error",
    "unsupported",
    "not supported",
];

/// Kinds that end a session. If the session continues, they may be about other users.
const ENDS: [&str; 2] = ["kicked", "banned"];

/// Whether the answer refuses the request, or says that it failed. If the answer is not `whole`,
/// its other members are unknown.
pub(super) fn refuses(request: &str, answer: &str, whole: bool) -> bool {
    let asked = object(request);
    let nothing = asked.as_ref().is_some_and(Object::is_empty);
    let request = asked.unwrap_or_default();
    let Some(answer) = object(answer) else { return false };
    // An empty request has nothing that its answer could repeat.
    let ours = nothing || repeats(&answer, &request);
    let succeeds =
        ["ok", "success"].iter().any(|name| answer.get(*name) == Some(&Value::Bool(true)));
    // If the answer contains our own error again, as in a chat, it is an echo.
    let again = |(name, value): (&String, &Value)| answer.get(name) == Some(value);
    let echo = complains(&request) && request.iter().all(again);
    let refused = match whole {
        true => is_refusal(&answer, &request, ours),
        false => answer.get("error").is_some_and(|error| error.is_object() && !is_none(error)),
    };
    !succeeds && !echo && !is_requested_state(&request, &answer) && (is_error(&answer) || refused)
}

/// Whether the answer reports the failure of the thing that the request asked about.
fn is_requested_state(request: &Object, answer: &Object) -> bool {
    let kinds: Vec<&str> = kinds(request).collect();
    // Without a kind, the name of a member is the verb: `{"poll":"b1"}`.
    let names: Vec<&str> = match kinds.is_empty() {
        true => request.keys().map(String::as_str).collect(),
        false => kinds,
    };
    let reads = names.iter().any(|name| {
        let words = words(name);
        let of = |word: Option<&String>, list: &[&str]| {
            word.is_some_and(|word| list.contains(&word.as_str()))
        };
        let writes = words.iter().any(|word| WRITING.contains(&word.as_str()));
        let ends = of(words.last(), &READING) || of(words.last(), &READ);
        !writes && (of(words.first(), &READING) || ends)
    });
    let checks = names.iter().any(|name| CHECKING.contains(&&*plain(name)));
    let texts = || answer.values().filter_map(Value::as_str);
    let denied = texts().any(|text| denies(text) || refuses_plainly(text));
    let wrong = || texts().any(|text| WRONG.iter().any(|phrase| says(text, phrase)));
    let state = ["status", "state"].iter().filter_map(|name| answer.get(*name)?.as_str());
    let failed = state.into_iter().any(|state| fails(state) || REJECTED.contains(&&*plain(state)));
    let judged = ["ok", "success", "valid", "passed"];
    let judged = judged.iter().any(|name| answer.get(*name) == Some(&Value::Bool(false)));
    // An error of its own beside the judgement is about the request.
    let error = ["error", "code"].iter().any(|name| answer.get(*name).is_some_and(|e| !is_none(e)));
    !denied && (failed && reads && !wrong() || (failed || judged) && checks && !error)
}

/// Whether the last message before an end says that something failed. The message is this object.
pub(super) fn complains(object: &Object) -> bool {
    let nothing = Object::new();
    let ends = is_kind_in(object, &ENDS) && !has_data(object, &nothing, "");
    is_error(object) || marks(object) > 0 || ends || is_refusal(object, &nothing, false)
}

/// Whether a JSON list is an error.
pub(super) fn list_complains(text: &str) -> bool {
    is_abort(text)
        || is_notice(text)
        || is_nostr_refusal(text)
        || is_list_with_error(text)
        || names_error_first(text)
}

/// Whether an object contains only an envelope and is marked as a failure. The same applies to the
/// inner object that is the answer. Without `ours`, it may be an event about something else.
fn is_refusal(object: &Object, request: &Object, ours: bool) -> bool {
    let asked = is_kind_in(request, &REJECTIONS);
    let state = ["status", "state"].iter().filter_map(|name| object.get(*name)?.as_str());
    let rejected = is_kind_in(object, &REJECTIONS)
        || state.into_iter().any(|state| REJECTED.contains(&&*plain(state)));
    let rejects = ours && rejected && explains(object, true) && !asked;
    let failed = marks(object) > 0
        || spells_fault(object)
        || rejects
        || is_kind_in(object, &REFUSALS)
        || names_error_elsewhere(object);
    if failed && !has_data(object, request, "") || denies_inside(object, request, ours, true) {
        return true;
    }
    let answers = kinds(object).any(|kind| {
        let mut words = kind.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| ["response", "reply", "ack", "res"].contains(&&*plain(word)))
    });
    object.iter().any(|(key, value)| {
        let Some(inner) = value.as_object() else { return false };
        let refused = match plain(key).as_str() {
            "response" | "reply" => {
                (has_failed(inner) && answers) || marks(inner) > 0 && !has_data(inner, request, "")
            }
            "payload" | "data" | "body" => {
                answers && marks(inner) > 1 && !has_data(inner, request, "")
                    || ours
                        && is_http_error(object)
                        && !names_url(request)
                        && explains(inner, true)
                        && !has_data(inner, request, "")
            }
            // OBS Studio: `{"op":7,"d":{"requestStatus":{"result":false,"code":600,…},…}}`.
            "d" => inner.get("requestStatus").is_some_and(|status| status["result"] == false),
            _ => false,
        };
        refused && !has_data(object, request, key)
    })
}

/// Whether the status of an object is one of HTTP for an error.
fn is_http_error(object: &Object) -> bool {
    let status =
        ["status", "statusCode", "code"].iter().filter_map(|name| object.get(*name)?.as_u64());
    status.into_iter().any(|code| (400..600).contains(&code))
}

/// Whether a request names another server, whose answer may be the result.
fn names_url(request: &Object) -> bool {
    request.values().filter_map(Value::as_str).any(|text| text.contains("://"))
}

/// Whether an object, or the innermost object that it contains, is only a state that refuses:
/// `{"response":[{"command":"LOGIN","content":{"code":3,"msg":"LOGIN_DENIED"}}]}`. Each object
/// around it is only an envelope. Without `by_number`, a number is not such a state.
fn denies_inside(object: &Object, request: &Object, ours: bool, by_number: bool) -> bool {
    let logs = ["level", "severity"].iter().any(|name| object.contains_key(*name));
    if logs || is_kind_in(object, &REPORTS) || is_about(object, "t", &REPORTS) {
        return false;
    }
    // A number of HTTP without a text refuses, unless it is the state of a thing that was asked for.
    let checks = || {
        let mut verbs = kinds(request).chain(request.keys().map(String::as_str));
        verbs.any(|verb| CHECKING.contains(&&*plain(verb))) || names_url(request)
    };
    let alone = || by_number && is_http_error(object) && !explains(object, true) && !checks();
    if (is_denial(object, ours, by_number) || alone()) && !has_data(object, request, "") {
        return true;
    }
    object.iter().any(|(key, value)| {
        let inner = match value {
            Value::Object(inner) => inner,
            Value::Array(list) => match &list[..] {
                [Value::Object(inner)] => inner,
                _ => return false,
            },
            _ => return false,
        };
        let name = plain(key);
        let (contains, result) = (CONTAINERS.contains(&&*name), RESULTS.contains(&&*name));
        (contains || result)
            && denies_inside(inner, request, ours, by_number && !result)
            && !has_data(object, request, key)
    })
}

/// Whether a member of this name is in the list.
fn is_about(object: &Object, name: &str, list: &[&str]) -> bool {
    object.get(name).and_then(Value::as_str).is_some_and(|kind| list.contains(&&*plain(kind)))
}

/// Whether the state of an object is a refusal: a word or a number, with a text that refuses. The
/// numbers of HTTP need only a text about a fault. In an answer to `ours`, the word is enough.
fn is_denial(object: &Object, ours: bool, by_number: bool) -> bool {
    let texts = || {
        // A status with a body may be what another server answered.
        let about = |name: &str| {
            name != "body" && EXPLAINING.contains(&name) || SHORT_TEXTS.contains(&name)
        };
        let texts = object.iter().filter(move |(name, _)| about(&plain(name)));
        texts.filter_map(|(_, value)| value.as_str())
    };
    let refused = || texts().any(|text| denies(text) || refuses_plainly(text));
    object.iter().any(|(name, value)| {
        let known = STATES.contains(&&*plain(name));
        known
            && match value {
                Value::String(word) if word.parse::<u64>().is_err() => {
                    denies(word) && (ours || refused())
                }
                Value::String(_) | Value::Number(_) if by_number => {
                    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                    let http = number.is_some_and(|code| (400..600).contains(&code));
                    let fine = number.is_some_and(|code| (200..300).contains(&code));
                    !fine && !is_zero(value) && (refused() || http && texts().any(faults))
                }
                _ => false,
            }
    })
}

/// Whether a less usual member names an error as the kind of the message, and a text explains it:
/// `{"m":"protocol_error","p":["invalid parameters"]}`, `{"channel":"error","data":"no such room"}`.
fn names_error_elsewhere(object: &Object) -> bool {
    let short = |name| object.get(name).is_some_and(|value| is_short_text(name, value));
    let told = || {
        let data = object.get("data").is_some_and(Value::is_string);
        explains(object, true) || short("d") || short("p") || data
    };
    let kinds = ["m", "t", "msg", "channel", "msg_type", "msgType", "messageType", "action", "cmd"];
    kinds.iter().filter_map(|name| object.get(*name)?.as_str()).any(names_error) && told()
}

/// Whether a member is a text with a short name, or a list of texts.
fn is_short_text(name: &str, value: &Value) -> bool {
    let texts = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    SHORT_TEXTS.contains(&name) && (value.is_string() || texts)
}

/// The first letters of a verb, which its forms share.
pub(super) fn stem(kind: &str) -> String {
    kind.chars().take(STEM).collect()
}

/// The words of a name such as `job.get` or `getJob`, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut spaced = String::new();
    for c in name.chars() {
        if c.is_uppercase() || !c.is_alphanumeric() {
            spaced.push(' ');
        }
        if c.is_alphanumeric() {
            spaced.extend(c.to_lowercase());
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Whether the kind of an object is in this list.
fn is_kind_in(object: &Object, list: &[&str]) -> bool {
    kinds(object).any(|kind| list.contains(&&*plain(kind)))
}

/// The number of members that usually mean a failure, either of the request or of the object's
/// subject.
fn marks(object: &Object) -> usize {
    let zero = object.iter().any(|(name, value)| {
        matches!(&*plain(name), "code" | "errcode" | "errorcode") && is_zero(value)
    });
    let marked = |(name, value): &(&String, &Value)| match name.as_str() {
        // A number is a measured error, and a zero beside it means that there is no error.
        "error" | "errorMessage" | "error_message" => {
            let code = object.len() == 1 && value.is_i64();
            !is_none(value) && (!value.is_number() || code) && !zero
        }
        // `false` without an explanation may be a state, such as a light that is off.
        "success" | "ok" | "successful" => **value == Value::Bool(false) && explains(object, false),
        // A number counts errors, and `valid` belongs to the result of a check.
        "errors" => !is_none(value) && !value.is_number() && !object.contains_key("valid"),
        // The statuses of HTTP.
        "code" | "statusCode" => {
            explains(object, true) && value.as_u64().is_some_and(|code| (400..600).contains(&code))
        }
        // The status of a job or a device may be the requested result.
        "status" => says_failed(object, name, value),
        _ => false,
    };
    object.iter().filter(marked).count()
}

/// Whether an object says in less usual words that the request failed.
fn spells_fault(object: &Object) -> bool {
    let told = explains(object, true);
    let faulty = || object.values().filter_map(Value::as_str).any(faults);
    // In most systems of codes, a number may also mean success; a negative one does not.
    let bad =
        |value: &Value| value.as_f64().is_some_and(|code| code < 0.0 || code >= 300.0 && faulty());
    let zero = |name: &str| object.get(name).is_some_and(is_zero);
    object.iter().any(|(name, value)| match plain(name).as_str() {
        "err" | "errmsg" | "errormsg" | "errorreason" | "erro" | "erreur" | "errore" | "fehler" => {
            let told = value.is_string() || value.as_object().is_some_and(|e| explains(e, true));
            told && !is_none(value) && !zero("errcode") && !zero("code")
        }
        "errcode" | "errorcode" | "errno" => told && !is_zero(value) && !is_none(value),
        "code" | "ret" | "retcode" => told && bad(value),
        "result" => *value == "error",
        // JSend (<https://github.com/omniti-labs/jsend>): the only other member is `data`.
        "status" => {
            matches!(value.as_str(), Some("fail" | "error"))
                && object.len() == 2
                && object.get("data").is_some_and(Value::is_object)
        }
        // The result of a login is always about the request.
        "type" if matches!(value.as_str(), Some("auth" | "login")) => {
            object.get("result").and_then(Value::as_str).is_some_and(fails)
        }
        _ => false,
    })
}

/// Whether an object contains data outside an envelope, or names the subject of the request. The
/// member `except` does not count.
fn has_data(object: &Object, request: &Object, except: &str) -> bool {
    // An answer that repeats the id or the verb of the request also repeats its parameters.
    let asked =
        |value: &Value| request.values().any(|one| one == value || one.get(0) == Some(value));
    let repeats = repeats(object, request);
    let whole = |value: &Value| !request.is_empty() && value.as_object() == Some(request);
    object.iter().filter(|(key, _)| *key != except).any(|(key, value)| {
        let name = plain(key);
        let named = ENVELOPE.contains(&&*name)
            || EXPLAINING.contains(&&*name)
            || ENVELOPE_PARTS.iter().any(|part| name.contains(part))
            || ENVELOPE_STARTS.iter().any(|start| name.starts_with(start));
        // The subject of the request may return as the id of a thing, as a field of a form, or as a
        // code.
        let renamed = is_id(&name) && request.get(key) != Some(value);
        let thing = value.is_string() && (renamed || name == "field") || name == "code";
        let subject = thing && asked(value);
        let jsend = name == "data" && object.len() == 2;
        let number = value.is_u64() && matches!(key.as_str(), "i" | "r");
        let state = !value.is_object() && matches!(key.as_str(), "s" | "st" | "res");
        let short = number || state || is_short_text(key, value);
        let envelope = jsend || *value == "error" || (named || is_id(&name) || short) && !subject;
        // The result of a check has the places of the errors.
        let placed = |item: &Value| PLACES.iter().any(|place| item.get(place).is_some());
        let found = value.as_array().is_some_and(|items| items.iter().any(placed));
        let repeated = repeats && asked(value) || whole(value);
        found || !(envelope || is_empty(value) || repeated)
    })
}

/// Whether an answer repeats the id or the verb of the request.
fn repeats(object: &Object, request: &Object) -> bool {
    let id =
        |(name, value): (&String, &Value)| is_id(&plain(name)) && request.get(name) == Some(value);
    let mut verbs = kinds(request);
    object.iter().any(id) || verbs.any(|asked| kinds(object).any(|kind| stem(kind) == stem(asked)))
}

/// Whether a value is empty.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a member is an id, by its name in the form of [`plain`].
fn is_id(name: &str) -> bool {
    let starts = ["seq", "transaction"].iter().any(|start| name.starts_with(start));
    starts
        || name.ends_with("id")
        || name.ends_with("seq")
        || matches!(name, "ref" | "nonce" | "sn")
}

/// Names of ids that tie an answer to its request.
const REQUEST_IDS: [&str; 20] = [
    "id",
    "reqid",
    "requestid",
    "req",
    "msgid",
    "messageid",
    "mid",
    "ref",
    "nonce",
    "sn",
    "cid",
    "rid",
    "tid",
    "txid",
    "callid",
    "correlationid",
    "transactionid",
    "transaction",
    "invocationid",
    "seq",
];

/// Names of ids of the request in an answer to it.
const ANSWER_IDS: [&str; 8] =
    ["ack", "re", "replyto", "inreplyto", "responseto", "requestseq", "requestid", "responseid"];

/// The ids of a message: the name, whether it is a name of answers only, and the value.
pub(super) fn ids(object: &Object) -> impl Iterator<Item = (String, bool, &Value)> {
    object.iter().filter_map(|(name, value)| {
        let name = plain(name);
        let (asks, answers) = (REQUEST_IDS.contains(&&*name), ANSWER_IDS.contains(&&*name));
        let is_id = value.is_number() || value.as_str().is_some_and(|id| !id.is_empty());
        ((asks || answers) && is_id).then_some((name, answers, value))
    })
}

/// Whether an object has data outside an envelope.
pub(super) fn has_own_data(object: &Object) -> bool {
    has_data(object, &Object::new(), "")
}

/// Whether a code means that there is no error: `0`, `"00000"`.
fn is_zero(code: &Value) -> bool {
    let zeros = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    code.as_f64() == Some(0.0) || code.as_str().is_some_and(zeros)
}

/// The values of the members that contain the kind of a message.
pub(super) fn kinds(object: &Object) -> impl Iterator<Item = &str> {
    let names =
        ["type", "typ", "event", "op", "action", "kind", "topic", "method", "cmd", "command"];
    names.into_iter().filter_map(|name| object.get(name)?.as_str())
}

/// A name in lower case and without separators, so that `errorCode` and `error_code` are equal.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether the kind of an object is an error, whatever its other members are.
fn is_error(object: &Object) -> bool {
    // A message of type `disconnect` ends the session; its reason names the error.
    let reason = object.get("reason").and_then(Value::as_str).unwrap_or_default();
    let leaves = object.get("type").is_some_and(|kind| kind == "disconnect");
    // The own answer of AWS API Gateway to a message.
    let ids = ["message", "connectionId", "requestId"];
    if object.len() == ids.len() && ids.iter().all(|name| object.contains_key(*name)) {
        return true;
    }
    let is_answer = kinds(object).any(|kind| matches!(kind, "response" | "reply"));
    leaves && faults(&reason.replace(['_', '-'], " "))
        || is_answer && object.get("status").is_some_and(|status| status == "error")
        || object.iter().any(|(name, value)| match name.as_str() {
            "problem" => value.is_string() && object.contains_key("command"),
            // The result of a login.
            "auth" | "login" => {
                value.as_str().is_some_and(|value| fails(value) || names_error(value))
            }
            // DDP names the versions that it supports.
            "msg" => value == "failed" && object.contains_key("version"),
            // A member named `action` does not count: the action `error` asks the server to log
            // one.
            "type" | "event" | "op" | "kind" | "T" => says_failed(object, name, value),
            // A gateway's own refusal has no other members than these ids.
            "message" => {
                object.keys().all(|name| ids.contains(&name.as_str()))
                    && value.as_str().is_some_and(refuses_plainly)
            }
            _ => false,
        })
}

/// Whether the kind or the state of an object means a failure.
fn says_failed(object: &Object, name: &str, value: &Value) -> bool {
    // If all other members are numbers, the object counts or measures something.
    let mut others = object.iter().filter(|(other, _)| *other != name);
    let counted = object.len() > 1 && others.all(|(_, other)| other.is_number());
    value.as_str().is_some_and(|value| {
        fails(value) && explains(object, true) || names_error(value) && !counted
    })
}

/// Whether an object has a state of failure, and an error with a message, in itself or one level
/// deeper.
fn has_failed(object: &Object) -> bool {
    let error = |object: &Object| {
        object.get("error").is_some_and(|error| error.get("message").is_some_and(Value::is_string))
    };
    object.get("status").and_then(Value::as_str).is_some_and(fails)
        && (error(object) || object.values().filter_map(Value::as_object).any(error))
}

/// Whether an object has a member that explains. With `as_text`, the explanation must be a text.
fn explains(object: &Object, as_text: bool) -> bool {
    object.iter().any(|(name, value)| {
        let name = plain(name);
        let about = EXPLAINING.contains(&&*name) || name == "code";
        let error = name.starts_with("err") && value.is_string();
        (about || error) && !is_none(value) && (value.is_string() || !as_text)
    })
}

/// Whether a value means that there is no error.
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

/// The members of a JSON object. If the text was cut, its complete members, and the beginning of
/// the last one.
pub(super) fn object(text: &str) -> Option<Object> {
    let read = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    };
    read(text).or_else(|| {
        let (mut open, mut string, mut escaped) = (Vec::new(), false, false);
        // The position of the last comma, where the text may be cut, and the brackets that are open
        // there.
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

/// Whether a message is a list of objects that all are errors.
fn is_list_with_error(text: &str) -> bool {
    let objects = serde_json::from_str::<Vec<Object>>(text).unwrap_or_default();
    // The member `type` of a record is not the kind of the message, and a record has data.
    let marked = |mut members: Object| {
        members.remove("type");
        let nothing = Object::new();
        is_error(&members)
            || marks(&members) > 0 && !has_data(&members, &nothing, "")
            || denies_inside(&members, &nothing, false, true)
    };
    !objects.is_empty() && objects.into_iter().all(marked)
}

/// Whether a message is ABORT of WAMP with the name of an error:
/// `[3,{},"wamp.error.no_such_realm"]`. The lens recognises it only with the subprotocol.
fn is_abort(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("[3,") else { return false };
    rest.trim_end().rsplit('"').nth(1).is_some_and(|name| name.contains(".error."))
}

/// Whether a message is a list of a known kind and a text that begins as an error: `["END","error:
/// no"]`.
fn is_notice(text: &str) -> bool {
    let texts = serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    let kinds = ["notice", "closed", "error", "end"];
    let known = |kind: &str| kinds.iter().any(|one| one.eq_ignore_ascii_case(kind));
    matches!(&texts[..], [kind, text] if known(kind) && shouts(text))
}

/// Whether a message is a refusal of a Nostr relay: `["OK",ID,false,"blocked: …"]` or
/// `["CLOSED",ID,"restricted: …"]` (<https://github.com/nostr-protocol/nips/blob/master/01.md>).
fn is_nostr_refusal(text: &str) -> bool {
    let list: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let prefixes =
        ["auth-required", "restricted", "blocked", "rate-limited", "invalid", "pow", "error"];
    let refuses = |text: &Value| {
        let prefix = text.as_str().and_then(|text| text.split_once(": "));
        prefix.is_some_and(|(prefix, _)| prefixes.contains(&prefix))
    };
    match &list[..] {
        [kind, Value::String(_), Value::Bool(false), why] => kind == "OK" && refuses(why),
        [kind, Value::String(_), why] => kind == "CLOSED" && refuses(why),
        _ => false,
    }
}

/// Whether a JSON list begins with the name of an error, such as `["error",{…}]`.
fn names_error_first(text: &str) -> bool {
    let Ok(Value::Array(list)) = serde_json::from_str(text) else { return false };
    // A list of words, such as levels of a log, is data.
    let levels = ["warn", "warning", "info", "debug"];
    let words = list.len() > 2 && list.iter().all(Value::is_string)
        || list.get(1).and_then(Value::as_str).is_some_and(|word| levels.contains(&word));
    !words && list.first().and_then(Value::as_str).is_some_and(names_error)
}

#[cfg(test)]
mod tests {
    use super::{list_complains, refuses};

    #[test]
    fn a_refusal_holds_an_envelope_and_nothing_else() {
        for (request, answer) in [
            ("{}", r#"{"error":"no such room"}"#),
            (r#"{"op":"get"}"#, r#"{"status":403}"#),
            (r#"{"op":"get"}"#, r#"{"code":401,"data":null}"#),
            (r#"{"op":"join"}"#, r#"{"type":"room_full"}"#),
            ("{}", r#"{"error":"no such room","request":{"op":"join","room":"x"}}"#),
            ("{}", r#"{"error":"Unknown op","supported":["join"]}"#),
            ("{}", r#"{"error":"Missing member","field":"room"}"#),
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
            ("{}", r#"{"sucesso":false,"erro":"Sala não encontrada"}"#),
            ("on", r#"{"error":9}"#),
            (
                "{}",
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden","reason":"Forbidden","code":403}"#,
            ),
            (
                r#"{"event":"auth"}"#,
                r#"{"event":"jwt error","args":["jwt: exp claim is invalid"]}"#,
            ),
            ("{}", r#"{"op":"join","result":"error","reason":"room_full"}"#),
            ("{}", r#"{"type":"auth","result":"fail","attempts_left":2}"#),
            ("{}", r#"{"type":"access_denied","channel":"admin"}"#),
            ("{}", r#"{"type":"nack","id":5,"reason":"revision is too old"}"#),
            (
                "{}",
                r#"{"response":true,"id":8,"ok":false,"errorCode":403,"errorReason":"not in it"}"#,
            ),
            (
                "{}",
                r#"{"op":7,"d":{"requestType":"SetScene","requestStatus":{"result":false,"code":600,"comment":"No source was found"}}}"#,
            ),
            (
                "{}",
                r#"{"topic":"bridge/response/device/remove","payload":{"data":{},"status":"error","error":"Device 'lamp' does not exist"}}"#,
            ),
            (
                "{}",
                r#"{"type":"response.done","response":{"object":"x","status":"failed","details":{"error":{"message":"used up"}}}}"#,
            ),
            ("{}", r#"{"type":"res","ok":false,"message":"Not allowed here"}"#),
            ("{}", r#"{"success":false,"ret_msg":"no handler","op":"x"}"#),
            ("{}", r#"{"ok":false,"mensaje":"falta la sala"}"#),
            // Of XRPL, BitMEX, Kraken, Signal K, Matrix, ntfy, fastify, GraphQL and Betfair.
            (
                r#"{"id":1,"command":"account_info","account":"rX"}"#,
                r#"{"account":"rX","error":"actNotFound","error_code":19,"id":1,"ledger_current_index":57,"status":"error","type":"response","validated":false}"#,
            ),
            ("{}", r#"{"status":400,"error":"Unknown table: x","meta":{},"request":{"op":"x"}}"#),
            (
                r#"{"event":"subscribe","pair":["ETHUSD"],"subscription":{"name":"ticker"}}"#,
                r#"{"errorMessage":"Currency pair not in ISO","event":"subscriptionStatus","pair":"ETHUSD","status":"error","subscription":{"name":"ticker"}}"#,
            ),
            (
                r#"{"method":"subscribe","req_id":1}"#,
                r#"{"error":"not supported XX","method":"subscribe","req_id":1,"success":false,"symbol":"XX","time_in":"a","time_out":"b"}"#,
            ),
            (
                "{}",
                r#"{"requestId":"r1","state":"COMPLETED","statusCode":403,"message":"no right"}"#,
            ),
            ("{}", r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Unknown token","soft_logout":true}"#),
            ("{}", r#"{"code":40401,"http":404,"error":"page not found","link":"https://a"}"#),
            ("{}", r#"{"statusCode":400,"error":"Bad Request","message":"x","validation":[{}]}"#),
            ("{}", r#"{"errors":[{"message":"no field a"}],"extensions":{"code":"X"}}"#),
            (
                r#"{"seq":1,"action":"x"}"#,
                r#"{"status":"FAIL","error":{"message":"Unknown action"},"seq_reply":1}"#,
            ),
            (
                "{}",
                r#"{"janus":"error","session_id":1,"transaction":"t","error":{"code":458,"reason":"No such session"}}"#,
            ),
            ("{}", r#"{"op":"status","id":1,"errorMessage":"no key","connectionClosed":true}"#),
        ] {
            assert!(refuses(request, answer, true), "{answer}");
        }
        let cut = r#"{"error":{"code":-32601,"message":"the method is not kno"#;
        assert!(refuses("{}", cut, false));
    }

    #[test]
    fn a_refusal_may_be_deep_inside_envelopes() {
        for answer in [
            // Of Firebase, Schwab, Tradovate and TradingView.
            r#"{"t":"d","d":{"r":2,"b":{"s":"permission_denied","d":"Permission denied"}}}"#,
            r#"{"response":[{"service":"ADMIN","command":"LOGIN","requestid":"1","content":{"code":3,"msg":"LOGIN_DENIED: bad token"}}]}"#,
            r#"{"s":401,"i":1,"d":"Access is denied"}"#,
            r#"{"m":"protocol_error","p":["invalid parameters"]}"#,
            r#"{"m":"critical_error","p":"no such study"}"#,
            r#"{"type":"reject","reason":"the room is full"}"#,
            r#"{"id":3,"reply":{"status":403,"message":"Forbidden: not a member"}}"#,
            r#"{"id":3,"data":{"status":"unauthorized"}}"#,
            // Of Hyperliquid, Slack and OKX.
            r#"{"channel":"error","data":"Invalid subscription x"}"#,
            r#"{"ok":false,"reply_to":1,"error":{"code":2,"msg":"message text is missing"}}"#,
            r#"{"code":"60009","msg":"Login failed."}"#,
        ] {
            assert!(refuses("{}", answer, true), "{answer}");
        }
        let ours = r#"{"ticks":"R_1"}"#;
        let echoed = r#"{"echo_req":{"ticks":"R_1"},"error":{"code":"InvalidSymbol","message":"x"},"msg_type":"tick"}"#;
        assert!(refuses(ours, echoed, true));
        for (request, answer) in [
            // The same forms with success, with data, or as reports.
            ("{}", r#"{"t":"d","d":{"r":2,"b":{"s":"ok","d":""}}}"#),
            ("{}", r#"{"t":"d","d":{"r":2,"b":{"s":"ok","d":"permission denied"}}}"#),
            (
                "{}",
                r#"{"response":[{"service":"ADMIN","command":"LOGIN","requestid":"1","content":{"code":0,"msg":"server=s;status=NP"}}]}"#,
            ),
            ("{}", r#"{"s":200,"i":1,"d":"Access granted"}"#),
            ("{}", r#"{"s":404,"i":1,"d":"a room with 404 seats"}"#),
            ("{}", r#"{"m":"quote_error","p":[1,2]}"#),
            ("{}", r#"{"m":"error","user":"bob"}"#),
            ("{}", r#"{"data":{"result":"access denied","user":"bob"}}"#),
            ("{}", r#"{"type":"audit","data":{"result":"access denied"}}"#),
            ("{}", r#"{"door":{"state":"access denied"}}"#),
            ("{}", r#"{"visa":"v7","status":"denied"}"#),
            ("{}", r#"{"status":"denied"}"#),
            ("{}", r#"{"id":1,"data":{"status":403,"message":"Forbidden"}}"#),
            ("{}", r#"{"id":1,"result":{"status":403,"message":"Forbidden"}}"#),
            ("{}", r#"{"data":[{"status":403,"message":"Forbidden"},{"status":200}]}"#),
            ("{}", r#"{"type":"rejected","id":4}"#),
            ("{}", r#"{"content":{"code":3,"msg":"three rooms"}}"#),
            ("{}", r#"{"channel":"error","text":"hi all"}"#),
            ("{}", r#"{"code":"60009","msg":"three rooms"}"#),
        ] {
            assert!(!refuses(request, answer, true), "{answer}");
        }
    }

    #[test]
    fn the_state_of_a_thing_and_an_event_are_no_refusals() {
        for (request, answer) in [
            // A word as the result.
            (
                r#"{"type":"translate","text":"verboten"}"#,
                r#"{"type":"translate","result":"forbidden"}"#,
            ),
            (r#"{"op":"spell","text":"forbiden"}"#, r#"{"result":"forbidden"}"#),
            (r#"{"op":"exec","cmd":"ls /root"}"#, r#"{"op":"exec","result":"Permission denied"}"#),
            (r#"{"type":"can","user":"bob"}"#, r#"{"type":"can","result":"permission_denied"}"#),
            (r#"{"op":"classify"}"#, r#"{"data":{"result":"unauthorized"}}"#),
            // The state of a thing.
            (r#"{"op":"order","id":7}"#, r#"{"op":"order","id":7,"status":"payment_denied"}"#),
            (
                r#"{"id":3,"method":"loan.status"}"#,
                r#"{"id":3,"status":"loan denied","reason":"score"}"#,
            ),
            (r#"{"op":"apply","id":3}"#, r#"{"id":3,"status":"application_denied"}"#),
            (r#"{"op":"pay","id":3}"#, r#"{"id":3,"status":"card_denied"}"#),
            (r#"{"op":"pair"}"#, r#"{"device_id":"x","status":"unauthorized"}"#),
            (r#"{"op":"fetch","url":"http://a"}"#, r#"{"status":403,"body":"Forbidden"}"#),
            // Events.
            (
                r#"{"type":"subscribe"}"#,
                r#"{"topic":"door/7","payload":{"state":"closed","status":"access_denied"}}"#,
            ),
            (
                r#"{"type":"subscribe"}"#,
                r#"{"type":"security","data":{"status":"access_denied","user_id":5}}"#,
            ),
            (
                r#"{"op":"tail"}"#,
                r#"{"ts":1,"level":"warn","code":7,"msg":"permission denied: /etc"}"#,
            ),
            (
                r#"{"type":"subscribe","channel":"orders"}"#,
                r#"{"type":"rejected","id":"o-77","reason":"insufficient funds"}"#,
            ),
            (r#"{"type":"call","to":"bob"}"#, r#"{"type":"denied","reason":"busy"}"#),
            (r#"{"type":"fw.watch"}"#, r#"{"action":"deny","reason":"rule 7"}"#),
            (r#"{"type":"moderate"}"#, r#"{"type":"rejected","message":"contains links"}"#),
            ("watch the firewall", r#"{"action":"deny","reason":"rule 7"}"#),
            (r#"{"watch":"door"}"#, r#"{"data":{"status":"unauthorized"}}"#),
        ] {
            assert!(!refuses(request, answer, true), "{answer}");
        }
        for (request, answer) in [
            (r#"{"op":"join","id":3}"#, r#"{"id":3,"status":"access_denied"}"#),
            (r#"{"op":"join","id":3}"#, r#"{"id":3,"status":"unauthorized"}"#),
            (r#"{"op":"join"}"#, r#"{"op":"join","status":"permission_denied"}"#),
            (
                r#"{"op":"join","id":3}"#,
                r#"{"type":"rejected","id":3,"reason":"the room is full"}"#,
            ),
            (r#"{"op":"join"}"#, r#"{"status":"access_denied","message":"Access denied"}"#),
            (r#"{"op":"join"}"#, r#"{"error":"access denied"}"#),
        ] {
            assert!(refuses(request, answer, true), "{answer}");
        }
        assert!(!list_complains(r#"["error","warn","info"]"#));
        assert!(list_complains(r#"["error","no such room"]"#));
    }

    #[test]
    fn the_state_of_what_was_asked_about_is_no_refusal() {
        for (request, answer) in [
            (
                r#"{"op":"job.get","id":"build-77"}"#,
                r#"{"id":"build-77","status":"failed","exit":1}"#,
            ),
            (
                r#"{"op":"job.get","id":"build-77"}"#,
                r#"{"id":"build-77","status":"failed","error":"exit code 1"}"#,
            ),
            (
                r#"{"op":"getJob","id":7}"#,
                r#"{"op":"getJob","id":7,"status":"failed","message":"tests failed"}"#,
            ),
            (r#"{"poll":"b1"}"#, r#"{"status":"FAILED","reason":"out of memory"}"#),
            (r#"{"op":"validate","value":"x"}"#, r#"{"ok":false,"message":"not an address"}"#),
            (r#"{"check":"teh"}"#, r#"{"valid":false,"errors":["no such word"]}"#),
            (r#"{"op":"check","host":"db1"}"#, r#"{"status":503}"#),
            (r#"{"get":"https://a.example/x"}"#, r#"{"status":404}"#),
            (r#"{"user":"bob","check":"teh"}"#, r#"{"valid":false,"errors":["no such word"]}"#),
        ] {
            assert!(!refuses(request, answer, true), "{answer}");
        }
        for (request, answer) in [
            (r#"{"op":"job.get","id":"b1"}"#, r#"{"id":"b1","error":"no such job"}"#),
            (r#"{"op":"get","id":1}"#, r#"{"id":1,"status":"failed","error":"access denied"}"#),
            (r#"{"op":"get","key":"a"}"#, r#"{"ok":false,"error":"no such key"}"#),
            (r#"{"op":"job.start","id":1}"#, r#"{"id":1,"status":"failed","error":"no queue"}"#),
            (
                r#"{"op":"state.set","value":1}"#,
                r#"{"status":"failed","message":"value out of range"}"#,
            ),
            (r#"{"op":"show_message","id":1}"#, r#"{"status":"failed","message":"screen is off"}"#),
            (r#"{"op":"test"}"#, r#"{"ok":false,"error":"unknown op test"}"#),
            (r#"{"op":"validate"}"#, r#"{"ok":false,"code":17,"message":"log in first"}"#),
            (
                r#"{"action":"verify_login","pw":"x"}"#,
                r#"{"success":false,"message":"session not found"}"#,
            ),
            (r#"{"op":"verify_pin"}"#, r#"{"success":false,"message":"server busy"}"#),
            (
                r#"{"type":"query","sql":"x"}"#,
                r#"{"status":"failed","message":"syntax error near x"}"#,
            ),
            (
                r#"{"info":{"x":1},"op":"join"}"#,
                r#"{"status":"fail","message":"room does not exist"}"#,
            ),
            (
                r#"{"op":"join","info":{"x":1}}"#,
                r#"{"status":"fail","message":"room does not exist"}"#,
            ),
            (r#"{"op":"job.get","id":7}"#, r#"{"status":"failed","message":"job 7 not found"}"#),
        ] {
            assert!(refuses(request, answer, true), "{answer}");
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
            ("{}", r#"{"url":"https://a","alive":false,"error":{"code":"ENOTFOUND"}}"#),
            ("{}", r#"{"url":"https://a","ms":1,"response":{"statusCode":404,"message":"no"}}"#),
            ("{}", r#"{"errors":[{"word":"teh","suggest":["the"]}],"count":1}"#),
            ("{}", r#"{"errors":[{"at":"10:00","message":"boom"}],"total":1}"#),
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
            (r#"{"id":1}"#, r#"{"id":1,"code":1000,"message":"Command completed successfully"}"#),
            (r#"{"id":1}"#, r#"{"id":1,"code":304,"message":"Not Modified"}"#),
            ("{}", r#"{"error":0.25}"#),
            ("{}", r#"{"error":0}"#),
            ("{}", r#"{"ret":true,"msg":"saved"}"#),
            ("{}", r#"{"ret":1,"msg":"logged in as bob"}"#),
            ("{}", r#"{"ret":200,"msg":"welcome back","data":{}}"#),
            ("{}", r#"{"retCode":"00","msg":"Approved"}"#),
            ("{}", r#"{"errorCode":"00000","msg":"paid in full"}"#),
            ("{}", r#"{"errcode":0,"errmsg":"request successful"}"#),
            (r#"{"cmd":"kick","user":"troll"}"#, r#"{"event":"kicked","user":"troll"}"#),
            (r#"{"action":"reject","id":4}"#, r#"{"type":"rejected","id":4}"#),
            ("{}", r#"{"type":"forbidden","success":true}"#),
            ("{}", r#"{"ok":false,"name":"Living room lamp"}"#),
            ("{}", r#"{"ok":false,"message":"Not yet","riddle":"What has keys but no locks?"}"#),
            ("{}", r#"{"type":"check","result":"failure"}"#),
            ("{}", r#"{"op":"vote","result":"rejected","message":"12 against 9"}"#),
            ("{}", r#"{"result":false,"message":"91 is 7 x 13"}"#),
            ("{}", r#"{"status":"failed","data":{"tests":10,"failed":2}}"#),
            ("{}", r#"{"type":"ping_response","data":{"ok":false,"message":"no answer in 2 s"}}"#),
            (
                "{}",
                r#"{"id":1,"result":{"job":"j1","status":"failed","error":{"message":"exit code 1"}}}"#,
            ),
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
            (
                "{}",
                r#"{"op":"health","status":"error","services":[{"name":"db","status":"error"}]}"#,
            ),
            ("{}", r#"{"ok":false,"score":0,"message":"This is a top-10 common password"}"#),
            (
                r#"{"error":"unauthorized","code":4001}"#,
                r#"{"from":"me","ts":1,"error":"unauthorized","code":4001}"#,
            ),
            (
                "{}",
                r#"{"flagged":true,"action":"rejected","categories":["insult"],"reason":"insult"}"#,
            ),
            ("{}", r#"{"frame":12,"kind":"nack","snr":-4.2}"#),
            (r#"{"solve":"x7"}"#, r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#),
            (r#"{"explain":4001}"#, r#"{"code":4001,"message":"Unauthorized: it expired"}"#),
            ("{}", r#"{"op":"prefs","error":true,"warning":false,"info":false}"#),
            ("{}", r#"{"error":"Error","unauthorized":"Please log in","ok":"OK"}"#),
        ] {
            assert!(!refuses(request, answer, true), "{answer}");
        }
        let cut = r#"{"status":"failed","description":"a long one"#;
        assert!(!refuses("{}", cut, false));
    }

    #[test]
    fn records_in_a_list_are_no_errors() {
        assert!(list_complains(
            r#"[{"channel":"/meta/handshake","successful":false,"error":"403::denied","advice":{"reconnect":"none"},"supportedConnectionTypes":["websocket"],"version":"1.0","id":"1"}]"#
        ));
        assert!(list_complains(r#"[{"errors":[{"message":"no field a"}],"extensions":{}}]"#));
        assert!(list_complains(r#"[{"s":401,"i":1,"d":"Access is denied"}]"#));
        assert!(list_complains(r#"["OK","e1",false,"blocked: no"]"#));
        assert!(list_complains(r#"["CLOSED","s1","auth-required: log in"]"#));
        assert!(!list_complains(r#"["OK","e1",true,"duplicate: have it"]"#));
        assert!(!list_complains(r#"["CLOSED","s1","done"]"#));
        assert!(!list_complains(r#"["EVENT","s1","error: my diary"]"#));
        assert!(!list_complains(r#"[{"s":200,"i":1,"d":"Access is denied"}]"#));
        assert!(!list_complains(r#"[{"test":"login","result":"fail","error":"expected 200"}]"#));
    }
}
