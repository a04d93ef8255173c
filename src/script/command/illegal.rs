//! Which rules an outgoing frame breaks.
//!
//! An illegal frame is sent without confirmation; one line says which rules it breaks. The checks
//! and texts are those for the peer's frames.

use crate::session::framing::{Situation, content_faults, judge};
use crate::wire::writer::RawFrame;
use crate::wire::{FrameHeader, LengthForm, ViolationKind};

/// What `frame` breaks if it is sent next, in one line: each rule with its code and its section,
/// divided by `; `. `None` if it is legal.
///
/// The mask must have been chosen. Rules that depend on later frames are not checked, such as
/// whether an unfinished text will be UTF-8.
pub fn breaches(frame: &RawFrame, situation: Situation) -> Option<String> {
    let len = frame.announced.unwrap_or(frame.payload.len() as u64);
    let minimal = LengthForm::minimal(len);
    let header = FrameHeader {
        fin: frame.fin,
        rsv1: frame.rsv1,
        rsv2: frame.rsv2,
        rsv3: frame.rsv3,
        opcode: frame.opcode,
        mask: frame.mask,
        len,
        form: frame.form.unwrap_or(minimal),
        offset: 0,
    };
    let mut found = Vec::new();
    judge(&header, situation, |kind, detail| {
        // A form that is too short is another fault, which is reported below.
        if kind != ViolationKind::NonMinimalLength || header.form > minimal {
            found.push(sentence(kind, &detail));
        }
    });
    if header.form < minimal {
        let bits = header.form.bits();
        found.push(format!("RFC 6455 §5.2: a length of {len} does not fit into {bits} bits"));
    }
    if len != frame.payload.len() as u64 {
        let has = frame.payload.len();
        found.push(format!(
            "RFC 6455 §5.2: the announced length is {len}, but the payload has {has} bytes, so the peer \
             misreads what follows"
        ));
    } else {
        let faults = content_faults(frame, situation).into_iter();
        found.extend(faults.map(|(kind, detail)| sentence(kind, &detail)));
    }
    (!found.is_empty()).then(|| found.join("; "))
}

fn sentence(kind: ViolationKind, detail: &str) -> String {
    let rule = kind.rule();
    let divider = if detail.is_empty() { "" } else { ": " };
    format!("{} {}: {}{divider}{detail}", rule.code, rule.section, rule.explanation)
}
