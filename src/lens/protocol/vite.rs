//! The hot updates of Vite's development server:
//! <https://vite.dev/guide/api-hmr.html>, `packages/vite/types/hmrPayload.d.ts`.

use crate::lens::text::{brief, listed};
use crate::lens::{AwaitedMessage, Decoded, Lens, LensMessage, Protocol, Value};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "vite",
    word: "vite",
    title: "Vite's hot updates",
    subprotocols: &["vite-hmr", "vite-ping"],
    url: crate::lens::text::no_url,
    beginning: |message| {
        let kind = message.as_json();
        let kind = kind.as_ref().and_then(|value| value.text_of("type"));
        kind.is_some_and(|kind| match message.from_client() {
            true => ["custom", "ping"].contains(&kind),
            false => kind == "connected",
        })
    },
    begins_like_others: true,
    lens: |_| Box::new(Vite::default()),
    commands: &[],
};

const NAME: &str = "vite";

const KINDS: [&str; 8] =
    ["connected", "ping", "pong", "update", "full-reload", "custom", "prune", "error"];

#[derive(Default)]
struct Vite {
    connected: bool,
}

impl Lens for Vite {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = message.as_json()?;
        let kind = value.text_of("type").filter(|kind| KINDS.contains(kind))?;
        self.connected |= kind == "connected";
        let paths = |list: &str, key: Option<&str>| {
            let all = value.get(list).and_then(Value::as_list).unwrap_or_default();
            let path = |item: &Value| match key {
                Some(key) => item.text_of(key).unwrap_or_default().to_owned(),
                None => item.plain(),
            };
            listed(all.iter().map(path), all.len(), 150)
        };
        let summary = match kind {
            "update" => format!("update {}", paths("updates", Some("path"))),
            "prune" => format!("prune {}", paths("paths", None)),
            "full-reload" => format!("full-reload {}", brief(value.text_of("path").unwrap_or("*"))),
            "custom" => {
                let data = value.get("data").map(Value::short).unwrap_or_default();
                format!("custom {} {data}", brief(value.text_of("event").unwrap_or_default()))
            }
            "error" => {
                let why = value.path("err.message").map(Value::plain);
                format!("error {}", brief(&why.unwrap_or_default()))
            }
            kind => kind.to_owned(),
        };
        let decoded = match kind {
            "ping" | "pong" => Decoded::heartbeat(NAME, kind),
            _ => Decoded::new(NAME, kind, summary.trim_end()),
        };
        let mut decoded = decoded.field("type", kind);
        for field in ["event", "data", "updates", "paths", "path", "err"] {
            decoded = decoded.field_if(field, value.get(field));
        }
        let of_client = ["custom", "ping"].contains(&kind);
        Some(vec![decoded.breaks_if(
            message.from_client() && !of_client,
            "Vite, HMR payloads",
            "only the server sends it",
        )])
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        let otherwise = "a server whose token does not match closes the connection";
        (!self.connected).then(|| AwaitedMessage::of_server("connected", otherwise))
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn updates_name_their_files() {
        let mut script = Script::auto("vite-hmr", "/?token=x");
        script.server(r#"{"type":"connected"}"#);
        script.server(r#"{"type":"update","updates":[{"type":"js-update","path":"/src/a.js"},{"type":"css-update","path":"/b.css"}]}"#);
        assert_eq!(script.last(), "update /src/a.js, /b.css");
        script.server(r#"{"type":"error","err":{"message":"no such file","stack":""}}"#);
        assert_eq!(script.last(), "error no such file");
        script.client(r#"{"type":"ping"}"#);
        assert!(script.decoded().heartbeat);
        script.client(r#"{"type":"update","updates":[]}"#);
        assert_eq!(complaints(script.decoded()), ["only the server sends it"]);
    }
}
