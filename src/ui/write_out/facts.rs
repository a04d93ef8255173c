//! The names of `--write-out`: one table, from which the texts, the JSON object and the
//! documentation are made.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::ui::sanitize;
use crate::ui::waterfall::Phase;

/// What is known of a run when it is over. What was not reached is `None`, empty or 0.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)] // NAMES describes what each is, to users too
pub struct Facts {
    pub url: String,
    pub scheme: &'static str,
    pub remote_ip: Option<String>,
    pub remote_port: Option<u16>,
    pub local_ip: Option<String>,
    pub local_port: Option<u16>,
    pub http_code: Option<u16>,
    pub http_version: Option<String>,
    pub subprotocol: Option<String>,
    pub extensions: Option<String>,
    pub close_code: Option<u16>,
    pub close_reason: String,
    pub exitcode: u8,
    pub errormsg: Option<String>,
    pub time_namelookup: Option<Duration>,
    pub time_connect: Option<Duration>,
    pub time_proxy: Option<Duration>,
    pub time_appconnect: Option<Duration>,
    pub time_upgrade: Option<Duration>,
    pub time_first_frame: Option<Duration>,
    pub time_total: Option<Duration>,
    pub frames_sent: u64,
    pub frames_received: u64,
    pub messages_sent: u64,
    pub messages_received: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub wire_bytes_sent: u64,
    pub wire_bytes_received: u64,
    pub ssl_verify_result: Option<u8>,
    pub tls_version: Option<String>,
    pub num_redirects: u32,
    pub num_retries: u32,
}

impl Facts {
    /// The phases of opening the connection that were reached, for `--timing`: each from the end
    /// of the one before.
    pub fn phases(&self) -> Vec<Phase> {
        let ends = [
            ("dns", self.time_namelookup),
            ("tcp", self.time_connect),
            ("proxy", self.time_proxy),
            ("tls", self.time_appconnect),
            ("upgrade", self.time_upgrade),
            ("first frame", self.time_first_frame),
        ];
        let mut start = Duration::ZERO;
        let reached = ends.into_iter().filter_map(|(name, end)| Some((name, end?)));
        reached
            .map(|(name, end)| {
                let phase = Phase { name, start, took: end.saturating_sub(start) };
                start = start.max(end);
                phase
            })
            .collect()
    }
}

/// A name and what it stands for.
#[derive(Debug)]
pub struct Variable {
    /// As it is written between `%{` and `}`.
    pub name: &'static str,
    /// One sentence for the manual.
    pub help: &'static str,
    get: Get,
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Variable {}

/// Where a value is taken from.
#[derive(Debug)]
enum Get {
    Text(fn(&Facts) -> Option<&str>),
    Number(fn(&Facts) -> Option<u64>),
    Time(fn(&Facts) -> Option<Duration>),
}

const fn name(name: &'static str, get: Get, help: &'static str) -> Variable {
    Variable { name, get, help }
}

/// Every name, in the order of the documentation.
#[rustfmt::skip] // a table
pub const NAMES: &[Variable] = &[
    name("url", Get::Text(|f| Some(f.url.as_str())), "the URL that was opened last, without user and password"),
    name("scheme", Get::Text(|f| Some(f.scheme)), "ws or wss"),
    name("remote_ip", Get::Text(|f| f.remote_ip.as_deref()), "the address connected to: the server's or the proxy's"),
    name("remote_port", Get::Number(|f| f.remote_port.map(u64::from)), "its port"),
    name("local_ip", Get::Text(|f| f.local_ip.as_deref()), "the address of this side"),
    name("local_port", Get::Number(|f| f.local_port.map(u64::from)), "its port"),
    name("http_code", Get::Number(|f| f.http_code.map(u64::from)), "the status of the last response; 101 opened the connection"),
    name("http_version", Get::Text(|f| f.http_version.as_deref()), "the version in that response, such as 1.1"),
    name("subprotocol", Get::Text(|f| f.subprotocol.as_deref()), "the subprotocol agreed on"),
    name("extensions", Get::Text(|f| f.extensions.as_deref()), "the extensions agreed on, as the server wrote them"),
    name("close_code", Get::Number(|f| f.close_code.map(u64::from)), "the code of the Close received, or of ours if none came"),
    name("close_reason", Get::Text(|f| Some(f.close_reason.as_str())), "the reason with it"),
    name("exitcode", Get::Number(|f| Some(f.exitcode.into())), "the exit status"),
    name("errormsg", Get::Text(|f| f.errormsg.as_deref()), "the error, if the run ended with one"),
    name("time_namelookup", Get::Time(|f| f.time_namelookup), "seconds from the start until the name was resolved"),
    name("time_connect", Get::Time(|f| f.time_connect), "seconds until TCP was connected"),
    name("time_proxy", Get::Time(|f| f.time_proxy), "seconds until the proxy had let through"),
    name("time_appconnect", Get::Time(|f| f.time_appconnect), "seconds until TLS was agreed"),
    name("time_upgrade", Get::Time(|f| f.time_upgrade), "seconds until the response was complete"),
    name("time_first_frame", Get::Time(|f| f.time_first_frame), "seconds until the first frame was received"),
    name("time_total", Get::Time(|f| f.time_total), "seconds until the end"),
    name("frames_sent", Get::Number(|f| Some(f.frames_sent)), "frames sent, control frames included"),
    name("frames_received", Get::Number(|f| Some(f.frames_received)), "frames received, control frames included"),
    name("messages_sent", Get::Number(|f| Some(f.messages_sent)), "messages sent"),
    name("messages_received", Get::Number(|f| Some(f.messages_received)), "messages received"),
    name("bytes_sent", Get::Number(|f| Some(f.bytes_sent)), "bytes of messages sent, before compression"),
    name("bytes_received", Get::Number(|f| Some(f.bytes_received)), "bytes of messages received, after decompression"),
    name("wire_bytes_sent", Get::Number(|f| Some(f.wire_bytes_sent)), "bytes of frames sent, headers included"),
    name("wire_bytes_received", Get::Number(|f| Some(f.wire_bytes_received)), "bytes of frames received, headers included"),
    name("ssl_verify_result", Get::Number(|f| f.ssl_verify_result.map(u64::from)), "0 if the certificate was verified, 1 if not"),
    name("tls_version", Get::Text(|f| f.tls_version.as_deref()), "the version of TLS, such as TLS 1.3"),
    name("num_redirects", Get::Number(|f| Some(f.num_redirects.into())), "redirects followed"),
    name("num_retries", Get::Number(|f| Some(f.num_retries.into())), "tries after the first"),
];

/// Finds a name.
pub(super) fn find(name: &str) -> Option<&'static Variable> {
    NAMES.iter().find(|variable| variable.name == name)
}

/// A value as text: nothing where there is none, but `0.000000` for a time, as curl does it.
pub(super) fn text(variable: &Variable, facts: &Facts) -> String {
    match variable.get {
        Get::Text(get) => sanitize::escaped(get(facts).unwrap_or_default().as_bytes()),
        Get::Number(get) => get(facts).map(|number| number.to_string()).unwrap_or_default(),
        Get::Time(get) => format!("{:.6}", get(facts).unwrap_or_default().as_secs_f64()),
    }
}

/// Every name in one object on one line; what is not known is `null`.
pub(super) fn json(facts: &Facts) -> String {
    let value = |variable: &Variable| match variable.get {
        Get::Text(get) => get(facts).map_or(Value::Null, Value::from),
        Get::Number(get) => get(facts).map_or(Value::Null, Value::from),
        Get::Time(get) => get(facts).map_or(Value::Null, |time| {
            // Microseconds, as in the texts.
            Value::from((time.as_secs_f64() * 1e6).round() / 1e6)
        }),
    };
    let object: Map<String, Value> =
        NAMES.iter().map(|variable| (variable.name.to_owned(), value(variable))).collect();
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_each_other() {
        let time = |millis| Some(Duration::from_millis(millis));
        let facts = Facts {
            time_namelookup: time(2),
            time_connect: time(5),
            time_upgrade: time(9),
            ..Facts::default()
        };
        let bars: Vec<_> = facts
            .phases()
            .iter()
            .map(|phase| (phase.name, phase.start.as_millis(), phase.took.as_millis()))
            .collect();
        assert_eq!(bars, [("dns", 0, 2), ("tcp", 2, 3), ("upgrade", 5, 4)]);
        assert!(Facts::default().phases().is_empty());
    }

    #[test]
    fn every_name_is_there_once_and_explained() {
        for (at, variable) in NAMES.iter().enumerate() {
            assert!(NAMES[..at].iter().all(|other| other.name != variable.name));
            assert!(!variable.help.is_empty() && !variable.help.ends_with('.'));
        }
    }
}
