//! Payload formats without a protocol: each message is a value. Only the user can choose them, by
//! name.

use std::sync::Arc;

use crate::lens::payload::schema::Schema;
use crate::lens::payload::{cbor, json, msgpack, protobuf};
use crate::lens::{
    Decoded, Lens, LensMessage, Outgoing, Protocol, SpeechArguments, SpeechCommand, SpeechError,
    Value,
};

pub(super) static JSON: Protocol = Protocol {
    name: "json",
    word: "json",
    title: "JSON",
    lens: |_| {
        Box::new(PlainLens::new("json", |_, bytes| json::read(std::str::from_utf8(bytes).ok()?)))
    },
    ..MESSAGEPACK
};

pub(super) static CBOR: Protocol = Protocol {
    name: "cbor",
    word: "cbor",
    title: "CBOR",
    lens: |_| Box::new(PlainLens::new("cbor", |_, bytes| cbor::read(bytes))),
    ..MESSAGEPACK
};

pub(super) static PROTOBUF: Protocol = Protocol {
    name: "protobuf",
    word: "protobuf",
    title: "Protocol Buffers",
    lens: |facts| {
        let read = |schema: Option<&Schema>, bytes: &[u8]| protobuf::read(bytes, schema);
        Box::new(PlainLens { schema: facts.schema.clone(), ..PlainLens::new("protobuf", read) })
    },
    commands: &[],
    ..MESSAGEPACK
};

pub(super) static MSGPACK: Protocol = MESSAGEPACK;

const MESSAGEPACK: Protocol = Protocol {
    name: "msgpack",
    word: "msgpack",
    title: "MessagePack",
    subprotocols: &[],
    url: crate::lens::text::no_url,
    beginning: |_| false,
    begins_like_others: false,
    lens: |_| Box::new(PlainLens::new("msgpack", |_, bytes| msgpack::read(bytes))),
    commands: &[SpeechCommand {
        name: "",
        arguments: "VALUE…",
        help: "Sends a value that is written as JSON.",
        example: "{\"a\":[1,2.5]}",
    }],
};

struct PlainLens {
    name: &'static str,
    read: fn(Option<&Schema>, &[u8]) -> Option<Value>,
    schema: Option<Arc<Schema>>,
}

impl PlainLens {
    fn new(name: &'static str, read: fn(Option<&Schema>, &[u8]) -> Option<Value>) -> Self {
        Self { name, read, schema: None }
    }
}

impl Lens for PlainLens {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = (self.read)(self.schema.as_deref(), message.content)?;
        let kind = match &value {
            Value::Map(_) => "map",
            Value::List(_) => "list",
            _ => "value",
        };
        Some(vec![Decoded::new(self.name, kind, value.beginning()).field("value", value)])
    }

    fn speak(
        &mut self,
        _command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let text = arguments.get(0);
        let wrong = || SpeechError::Wrong(format!("VALUE is not JSON: {text}"));
        let value = json::read(text).ok_or_else(wrong)?;
        let mut content = Vec::new();
        match self.name {
            "msgpack" => msgpack::write(&value, &mut content),
            "cbor" => cbor::write(&value, &mut content),
            _ => return Ok(vec![Outgoing::json(value)]),
        }
        Ok(vec![Outgoing::binary(content)])
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_message_is_a_value() {
        let mut script = Script::of("msgpack", "", "/");
        script.server_bytes(b"\x82\xa7compact\xc3\xa6schema\x00");
        assert_eq!(script.last(), r#"{"compact":true,"schema":0}"#);
        script.server_bytes(b"\xc1");
        assert_eq!(complaints(script.decoded()), ["the message is not one of this protocol"]);
        let mut script = Script::of("protobuf", "", "/");
        script.server_bytes(b"\x08\x96\x01");
        assert_eq!(script.last(), "{1:150}");
    }

    #[test]
    fn a_compressed_message_is_inflated() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"{\"a\":1}").expect("a Vec takes all");
        let mut script = Script::of("json", "", "/");
        script.server_bytes(&gzip.finish().expect("a Vec takes all"));
        assert_eq!(script.last(), r#"{"a":1}"#);
        assert_eq!(script.decoded().inflated, Some("gzip"));
    }

    #[test]
    fn what_is_too_large_is_named() {
        let mut script = Script::of("json", "", "/");
        script.server_bytes(&vec![b'1'; crate::lens::LARGEST + 1]);
        assert_eq!(script.last(), "1048577 B, too large for a lens");
    }

    #[test]
    fn what_is_nested_too_deep_or_inflates_too_far_breaks_no_rule() {
        let mut script = Script::of("json", "", "/");
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        script.server(&nested(256));
        assert!(script.last().starts_with("[[["), "{}", script.last());
        script.server(&nested(257));
        assert_eq!(script.last(), "514 B, nested too deeply for a lens");
        assert!(complaints(script.decoded()).is_empty());
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&vec![b'1'; (1 << 20) + 1]).expect("a Vec takes all");
        script.server_bytes(&gzip.finish().expect("a Vec takes all"));
        assert!(script.last().ends_with(" B, too large for a lens when inflated"));
        assert!(complaints(script.decoded()).is_empty());
        script.server(&nested(257).replace(']', ""));
        script.server("1");
        assert_eq!(script.last(), "1", "the lens goes on");
    }
}
