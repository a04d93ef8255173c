//! What the targets of the lenses share: an input becomes a conversation, and what must hold of it.
//!
//! An input begins with the protocol and a byte of flags; messages follow, each with a byte of flags
//! and its length in two bytes.

use wscope::event::Direction;
use wscope::lens::{Carried, Conversation, Decoded, LensFacts, LensMessage, PROTOCOLS, Secrets, find};

/// URLs that are signs of some protocols.
const URLS: [&str; 4] =
    ["/", "/socket.io/?EIO=3&transport=websocket", "/a/000/b/websocket", "/socket/websocket?vsn=1"];

/// Reads the conversation that an input describes, in one of these protocols.
pub fn converse(protocols: &[&str], input: &[u8]) {
    let Some((&[protocol, flags], mut rest)) = input.split_first_chunk::<2>() else { return };
    let name = protocols[usize::from(protocol) % protocols.len()];
    let protocol = find(name).expect("a lens of this name");
    let subprotocol = protocol.subprotocols.get(usize::from(flags >> 3 & 7));
    let facts = LensFacts {
        subprotocol: subprotocol.map(|name| (*name).to_owned()),
        url: URLS[usize::from(flags >> 1 & 3)].to_owned(),
        ..LensFacts::default()
    };
    let mut conversation = match flags & 1 {
        0 => Conversation::of(protocol, facts),
        _ => Conversation::auto(&PROTOCOLS, facts),
    };
    let mut micros = 0;
    while let Some((&[flags, high, low], after)) = rest.split_first_chunk::<3>() {
        let len = usize::from(u16::from_be_bytes([high, low])).min(after.len());
        let (content, after) = after.split_at(len);
        let direction = if flags & 1 == 0 { Direction::ToServer } else { Direction::ToClient };
        let text = flags & 2 == 0 && std::str::from_utf8(content).is_ok();
        micros += i64::from(flags) * 1000;
        for mut decoded in conversation.read(&LensMessage { direction, text, content, micros }) {
            check(&decoded);
            decoded.mask(&Secrets {
                is_secret: &wscope::wire::secret::is_secret,
                clean: &|text| text.into(),
                mask: "-",
            });
            check(&decoded);
        }
        rest = after;
    }
    assert!(conversation.unanswered().len() <= 1024);
    assert!(conversation.state(micros).len() < 100_000);
    conversation.beat();
    conversation.expects();
}

/// Checks what must hold for every packet.
fn check(decoded: &Decoded) {
    assert!(decoded.summary.chars().count() <= 240);
    assert!(!decoded.line().contains(char::is_control));
    assert!(decoded.complaints.len() <= 8);
    for (_, value) in &decoded.fields {
        assert!(!value.json().is_empty());
    }
    decoded.inner.iter().for_each(check);
}
