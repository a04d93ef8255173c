//! The object with the meaning of a message.

use super::object::ObjectWriter;
use crate::event::Stamp;
use crate::lens::Decoded;
use crate::ui::clock::UtcClock;
use crate::ui::meaning::Meaning;

/// Appends the object.
pub(super) fn print(at: &Stamp, meaning: &Meaning, clock: &mut UtcClock, out: &mut Vec<u8>) {
    let mut object = ObjectWriter::begin("decoded", at, Some(meaning.direction), clock, out);
    object.number("message", meaning.number);
    object.array("packets", &meaning.packets, packet);
    object.end();
}

fn packet(packet: &Decoded, out: &mut Vec<u8>) {
    ObjectWriter::inline(out, |object| {
        object.word("protocol", packet.protocol);
        object.string("kind", &packet.kind);
        object.string("summary", &packet.summary);
        object.nested("fields", |object| {
            for (name, value) in &packet.fields {
                object.json(name, &value.json());
            }
        });
        object.nested_if("answers", packet.answered.as_ref(), |answered, object| {
            object.string("about", &answered.about);
            object.micros("after_us", answered.after);
        });
        object.array("complaints", &packet.complaints, |complaint, out| {
            ObjectWriter::inline(out, |object| {
                object.string("rule", complaint.rule);
                object.string("text", &complaint.text);
            });
        });
        object.flag("heartbeat", packet.heartbeat);
        object.optional("inflated", packet.inflated);
        object.array("inner", &packet.inner, self::packet);
    });
}
