//! An HTTP archive as Chrome writes it.

use serde_json::{Value, json};

use super::base64;
use crate::event::Direction;
use crate::recording::session::{RecordedSession, SessionMessage};
use crate::ui::clock::UtcClock;
use crate::wire::head::Head;

/// The archive of these connections.
pub fn har(sessions: &[RecordedSession]) -> Value {
    let entries: Vec<Value> = sessions.iter().map(entry).collect();
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "pages": [],
        "entries": entries,
    } })
}

fn entry(session: &RecordedSession) -> Value {
    let millis = |from: i64, to: i64| to.saturating_sub(from).max(0) as f64 / 1000.0;
    let opened = session.opened.unwrap_or(session.began);
    let line = session.response.as_ref().and_then(Head::status_line);
    let mut started = Vec::new();
    UtcClock::default().write(session.began, &mut started);
    let messages: Vec<Value> = session.messages.iter().map(message).collect();
    let url = session.url();
    let query: Vec<Value> = url::Url::parse(&url).map_or_else(
        |_| Vec::new(),
        |url| {
            let pair = |(name, value)| json!({ "name": name, "value": value });
            url.query_pairs().map(pair).collect()
        },
    );
    json!({
        "_connectionId": session.conn.to_string(),
        "_resourceType": "websocket",
        "_webSocketMessages": messages,
        "cache": {},
        "connection": session.conn.to_string(),
        "request": {
            "method": "GET",
            "url": url,
            "httpVersion": "HTTP/1.1",
            "headers": headers(session.request.as_ref()),
            "queryString": query,
            "cookies": [],
            "headersSize": session.request.as_ref().map_or(-1, |head| head.raw().len() as i64),
            "bodySize": 0,
        },
        "response": {
            "status": line.as_ref().map_or(101, |line| line.code),
            "statusText": line.as_ref().map_or_else(
                || "Switching Protocols".into(), |line| String::from_utf8_lossy(line.reason)),
            "httpVersion": "HTTP/1.1",
            "headers": headers(session.response.as_ref()),
            "cookies": [],
            "content": { "size": 0, "mimeType": "x-unknown" },
            "redirectURL": "",
            "headersSize": session.response.as_ref().map_or(-1, |head| head.raw().len() as i64),
            "bodySize": -1,
            "_transferSize": 0,
            "_error": null,
        },
        "serverIPAddress": session.server.rsplit_once(':').map_or(&*session.server, |(ip, _)| ip),
        "startedDateTime": String::from_utf8_lossy(&started),
        "time": millis(session.began, session.ended),
        "timings": {
            "blocked": 0,
            "dns": -1,
            "ssl": -1,
            "connect": -1,
            "send": 0,
            "wait": millis(session.began, opened),
            "receive": millis(opened, session.ended),
        },
    })
}

fn headers(head: Option<&Head>) -> Vec<Value> {
    let field = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fields = head.into_iter().flat_map(Head::headers);
    fields.map(|one| json!({ "name": field(one.name), "value": field(one.value) })).collect()
}

/// "If the opcode isn't 1, then payloadData is a base64 encoded string" (Chrome DevTools Protocol,
/// `Network.WebSocketFrame`).
fn message(message: &SessionMessage) -> Value {
    let data = match message.text {
        true => String::from_utf8_lossy(&message.content).into_owned(),
        false => base64(&message.content),
    };
    json!({
        "type": if message.direction == Direction::ToServer { "send" } else { "receive" },
        "time": message.micros as f64 / 1e6,
        "opcode": if message.text { 1 } else { 2 },
        "data": data,
    })
}
