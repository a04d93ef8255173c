//! A log of this program (`--log`, `--output json`) as the bytes that it is about.
//!
//! A line of a log has what a frame's header was and its payload; put together again they go through
//! the same observers as captured bytes, one for each direction of each connection.

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::event::{ConnId, Direction, Stamp};
use crate::modes::decode::decoding::Decoding;
use crate::session::Observer;
use crate::ui::base64;
use crate::ui::clock;
use crate::ui::hex::unhex;
use crate::wire::head::{Head, HeadKind};
use crate::wire::mask::{self, MaskKey};

/// What is known of the connections of a log.
#[derive(Default)]
pub(super) struct Log {
    observers: HashMap<(ConnId, Direction), Observer>,
    /// The masks of frames whose payload follows in pieces.
    masks: HashMap<(ConnId, Direction), Option<MaskKey>>,
    line: u64,
}

impl Log {
    /// Takes a line, and decodes the bytes that it is about.
    pub fn line(&mut self, line: &str, decoding: &mut Decoding<'_>) -> anyhow::Result<()> {
        self.line += 1;
        if line.trim().is_empty() {
            return Ok(());
        }
        let place = format!("line {}", self.line);
        let object: Value = match serde_json::from_str(line) {
            Ok(object) => object,
            Err(error) => bail!("{place}: not a line of a log: {error}"),
        };
        self.object(&object, decoding).context(place)
    }

    fn object(&mut self, object: &Value, decoding: &mut Decoding<'_>) -> anyhow::Result<()> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let event = text("event").context("not an event of a log: it has no event")?;
        if event == "start" {
            self.observers.clear();
            decoding.begin_log(text("role") == Some("server"));
            return Ok(());
        }
        let conn = ConnId(object.get("conn").and_then(Value::as_u64).unwrap_or(1));
        if event == "end" {
            self.observers.retain(|(other, _), _| *other != conn);
            self.masks.retain(|(other, _), _| *other != conn);
            return Ok(());
        }
        let direction = match text("dir") {
            Some("to-server") => Direction::ToServer,
            Some("to-client") => Direction::ToClient,
            // What is of no direction is about no bytes.
            _ => return Ok(()),
        };
        // What a proxy put in is no part of what the ends sent.
        if object.get("made").is_some() {
            return Ok(());
        }
        let key = (conn, direction);
        let micros = text("time").and_then(clock::micros).context("its time can't be read")?;
        decoding.stamp = Stamp { micros, conn };
        let payload = || -> anyhow::Result<Vec<u8>> {
            Ok(match (text("text"), text("base64")) {
                (Some(text), _) => text.as_bytes().to_vec(),
                (None, Some(digits)) => base64::decode(digits).context("base64")?,
                (None, None) => Vec::new(),
            })
        };
        let bytes = match event {
            "head" => {
                let raw = match (text("raw_base64"), text("raw")) {
                    (Some(digits), _) => base64::decode(digits).context("raw_base64")?,
                    (None, raw) => raw.unwrap_or_default().as_bytes().to_vec(),
                };
                self.head(key, &raw, decoding);
                raw
            }
            "body" | "undecodable" => payload()?,
            "frame" => {
                let mut bytes = unhex(text("header_hex").context("it has no header_hex")?)
                    .context("header_hex")?;
                let mask = text("mask").map(|hex| {
                    let key = unhex(hex).ok().and_then(|key| MaskKey::try_from(&key[..]).ok());
                    key.context("mask: not 8 hex digits")
                });
                let mask = mask.transpose()?;
                match text("payload") {
                    Some(_) => drop(self.masks.insert(key, mask)),
                    None => bytes.extend(masked(mask, 0, payload()?)),
                }
                bytes
            }
            "payload" => {
                let mask = self.masks.get(&key).copied().flatten();
                let offset = object.get("offset").and_then(Value::as_u64).unwrap_or_default();
                masked(mask, offset, payload()?)
            }
            _ => return Ok(()),
        };
        if object.get("auto").and_then(Value::as_bool) == Some(true) {
            decoding.automatic(direction);
        }
        self.feed(key, bytes, decoding)
    }

    /// Heads begin a stream anew; a 101 begins the frames of both.
    fn head(&mut self, key: (ConnId, Direction), raw: &[u8], decoding: &Decoding<'_>) {
        let (conn, direction) = key;
        self.observers.insert(key, Observer::before_handshake(direction, decoding.limits));
        if direction == Direction::ToClient {
            let head = Head::parse(HeadKind::Response, raw);
            let agreed = decoding.agreed(&head);
            if let Some(other) = self.observers.get_mut(&(conn, Direction::ToServer))
                && head.status_line().is_some_and(|line| line.code == 101)
            {
                other.expect_frames(agreed.as_ref());
            }
        }
    }

    fn feed(
        &mut self,
        key: (ConnId, Direction),
        mut bytes: Vec<u8>,
        decoding: &mut Decoding<'_>,
    ) -> anyhow::Result<()> {
        let (_, direction) = key;
        if decoding.leaves_out(direction) {
            return Ok(());
        }
        let observer = self.observers.remove(&key).unwrap_or_else(|| decoding.of_frames(direction));
        decoding.observer = Some((direction, observer));
        let result = decoding.observe(&mut bytes);
        if let Some((_, observer)) = decoding.observer.take() {
            self.observers.insert(key, observer);
        }
        result
    }
}

fn masked(key: Option<MaskKey>, offset: u64, mut payload: Vec<u8>) -> Vec<u8> {
    if let Some(key) = key {
        mask::apply(key, offset, &mut payload);
    }
    payload
}
