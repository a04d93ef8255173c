//! The list of the cases, and the description of one case.

use std::fmt::Write as _;

use serde_json::json;

use crate::check::case::{Case, Needs, Tested};
use crate::check::request::{RequestPlace, as_options, before, edited};

/// A selection of cases, to list it.
pub struct Catalogue<'a>(pub &'a [&'static Case]);

impl Catalogue<'_> {
    /// A line for each case, and what running them costs.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for case in self.0 {
            let risk = match case.risk {
                crate::check::case::Risk::Default => String::new(),
                risk => format!(" (--{})", risk.name()),
            };
            let _ = writeln!(text, "{:<18} {:<6} {}{risk}", case.id, case.level.name(), case.title);
        }
        let bytes: usize = self.0.iter().map(|case| case.bytes()).sum();
        let _ = writeln!(
            text,
            "\n{} cases: as many connections and about {} KB, plus control connections, and two messages that test for an echo",
            self.0.len(),
            bytes.div_ceil(1000),
        );
        text
    }

    /// An object for each case.
    pub fn json(&self) -> String {
        let object = |case: &&Case| {
            let object = json!({
                "event": "case",
                "id": case.id,
                "title": case.title,
                "level": case.level.name(),
                "risk": case.risk.name(),
                "tested": case.tested.name(),
                "sent": case.send,
                "data": case.sends_data(),
                "expected": case.expected(),
                "why": case.why,
                "rule": { "section": case.rule.section, "says": case.rule.says },
                "autobahn": case.autobahn,
            });
            format!("{object}\n")
        };
        self.0.iter().map(object).collect()
    }
}

/// Describes a case, with the commands that repeat it by hand.
pub fn show(case: &Case, url: Option<&str>) -> String {
    let mut text = format!("{}  {}\n\n", case.id, case.title);
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<9} {value}");
    };
    field("rule", &format!("{}: \"{}\"", case.rule.section, case.rule.says));
    field("level", case.level.name());
    field("why", case.why);
    field("expected", &case.expected());
    if !case.autobahn.is_empty() {
        field("Autobahn", case.autobahn);
    }
    let url = url.unwrap_or("URL");
    let deflate = match case.needs {
        Needs::Deflate | Needs::Takeover | Needs::NoTakeover => "",
        _ => " --no-compress",
    };
    text += "\nBy hand:\n\n";
    let client = case.tested == Tested::Client;
    match as_options(case.open) {
        Some(options) => {
            let _ = match client {
                true => writeln!(text, "  $ wscope listen{deflate}{options} 9001"),
                false => writeln!(text, "  $ wscope{deflate}{options} {url}"),
            };
            if case.connections > 1 {
                let _ = writeln!(text, "  and the same {} times at once", case.connections);
            }
            for line in case.send {
                let _ = writeln!(text, "  {line}");
            }
        }
        None if client => {
            text += "  this response to the client, with nc -l; the accept value is that of its key:\n\n";
            let usual = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                         Connection: Upgrade\r\n\
                         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            by_hand(usual, case, &mut text);
        }
        None => {
            text += "  these bytes to the server, with nc or openssl s_client:\n\n";
            let usual = "GET /path HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\n\
                         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                         Sec-WebSocket-Version: 13\r\n\r\n";
            by_hand(usual, case, &mut text);
        }
    }
    text
}

/// Our half of the handshake, line by line.
fn by_hand(usual: &str, case: &Case, text: &mut String) {
    let place = RequestPlace {
        target: "/path",
        host: "example",
        name: "example",
        origin: "http://example",
        subprotocol: "name",
    };
    let first = before(case.open).map(|edits| edited(usual.as_bytes(), edits, place));
    let own = edited(usual.as_bytes(), case.open, place);
    let bytes = [first.unwrap_or_default(), own].concat();
    for line in String::from_utf8_lossy(&bytes).split_inclusive('\n') {
        let shown: String = line.chars().take(200).collect();
        let _ = writeln!(text, "  {}", crate::ui::sanitize::escaped(shown.as_bytes()));
    }
}
