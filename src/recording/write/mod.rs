//! Writes recordings in the formats of other programs.

mod artillery;
mod har;
mod html;
mod k6;
mod pcapng;
mod script;

pub use artillery::artillery;
pub use har::har;
pub use html::HtmlReport;
pub use k6::k6;
pub use pcapng::PcapngWriter;
pub use script::script;

use serde_json::{Value, json};

use super::session::RecordedSession;
use crate::event::Direction;
use crate::ui::redact::Redactor;

/// Header fields that each client creates itself.
const OWN: [&str; 9] = [
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
    "content-length",
    "user-agent",
];

/// The data of a connection for a load test, without secrets.
struct Plan {
    url: String,
    subprotocols: Vec<String>,
    /// Names, each with its value, or with the variable for its value.
    headers: Vec<(String, Result<String, String>)>,
    /// The client's messages: the milliseconds from the opening, `text` or `binary` in base64, and
    /// how many messages of the server came before.
    sends: Vec<Value>,
    /// The number of the server's messages.
    receives: usize,
    /// Milliseconds from the opening to the end.
    end: u64,
}

impl Plan {
    fn of(session: &RecordedSession) -> Self {
        let redactor = Redactor::new();
        let mut headers = Vec::new();
        for field in session.request.iter().flat_map(|head| head.headers()) {
            let name = String::from_utf8_lossy(field.name).into_owned();
            if OWN.contains(&&*name.to_ascii_lowercase()) {
                continue;
            }
            let value = String::from_utf8_lossy(field.value).into_owned();
            let hidden = redactor.hides(&name) || value.contains("[redacted]");
            headers.push((name.clone(), if hidden { Err(variable(&name)) } else { Ok(value) }));
        }
        let offered = session.request.iter().flat_map(|head| head.tokens("sec-websocket-protocol"));
        let subprotocols = offered.map(|name| String::from_utf8_lossy(name).into_owned());
        let opened = session.opened.unwrap_or(session.began);
        let since = |micros: i64| u64::try_from(micros.saturating_sub(opened) / 1000).unwrap_or(0);
        let (mut sends, mut receives) = (Vec::new(), 0);
        for message in &session.messages {
            if message.direction == Direction::ToClient {
                receives += 1;
                continue;
            }
            let at = since(message.micros);
            sends.push(match message.as_text() {
                Some(text) => json!({ "at": at, "after": receives, "text": text }),
                None => json!({ "at": at, "after": receives, "binary": base64(&message.content) }),
            });
        }
        Self {
            url: session.url(),
            subprotocols: subprotocols.collect(),
            headers,
            sends,
            receives,
            end: since(session.ended),
        }
    }
}

/// The name of a variable for the value of a header.
fn variable(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.encode(bytes)
}
