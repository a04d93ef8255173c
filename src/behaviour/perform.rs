//! Sends the data of one side of a recorded connection again, step by step.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::engine::outbox::{Producer, Sender};
use crate::recording::{ActKind, Piece, PlanStep, Values};
use crate::wire::writer::RawFrame;
use crate::wire::{Data, OpCode};

/// Sends the steps of a plan.
#[derive(Debug, Default)]
pub(super) struct Performer {
    /// The rest of a message whose content differs from the recording.
    pieces: VecDeque<Vec<u8>>,
}

impl Performer {
    /// Sends step `at`; `values` replace the recorded ones.
    pub fn send(
        &mut self,
        steps: &[PlanStep],
        at: usize,
        values: Option<&Values>,
        sender: &mut Sender<'_>,
    ) {
        match steps.get(at).map(|step| &step.what) {
            Some(ActKind::Piece(piece)) => {
                if let Some(values) = values.filter(|_| piece.first) {
                    self.renew(&steps[at..], values);
                }
                let content = self.pieces.pop_front();
                let content = content.as_deref().unwrap_or(&piece.content);
                send_piece(piece, content, sender);
            }
            // Each frame has a new key.
            Some(ActKind::Frame(frame)) => match &mut sender.endpoint {
                Some(endpoint) if frame.mask.is_some() => {
                    let mask = Some(endpoint.fresh_key());
                    sender.raw(&RawFrame { mask, ..frame.clone() });
                }
                _ => sender.raw(frame),
            },
            Some(ActKind::Bytes(bytes)) => sender.bytes(bytes),
            None => {}
        }
    }

    /// Replaces values in the message at the beginning of `steps`. Its fragments keep their lengths
    /// as far as possible; the last one gets the rest.
    fn renew(&mut self, steps: &[PlanStep], values: &Values) {
        self.pieces.clear();
        let mut pieces = Vec::new();
        for step in steps {
            if let ActKind::Piece(piece) = &step.what {
                pieces.push(piece);
                if piece.last {
                    break;
                }
            }
        }
        let whole = match pieces.as_slice() {
            [one] => Cow::Borrowed(&one.content[..]),
            more => more.iter().flat_map(|piece| &piece.content).copied().collect(),
        };
        let Cow::Owned(renewed) = values.to_send(&whole) else { return };
        let mut rest = &renewed[..];
        for piece in pieces {
            let (own, behind) = match piece.last {
                true => (rest, &rest[..0]),
                false => rest.split_at(rest.len().min(piece.content.len())),
            };
            self.pieces.push_back(own.to_vec());
            rest = behind;
        }
    }
}

/// Compressed again, or unchanged.
fn send_piece(piece: &Piece, content: &[u8], sender: &mut Sender<'_>) {
    if piece.compressed {
        // The connection is open; the caller has checked it.
        let _ = sender.fragment(Producer::Hand, piece.opcode, content, piece.last);
        return;
    }
    let mask = sender.endpoint.as_mut().and_then(|endpoint| endpoint.key());
    let opcode = if piece.first { piece.opcode } else { Data::Continue };
    sender.raw(&RawFrame {
        fin: piece.last,
        opcode: OpCode::Data(opcode),
        mask,
        payload: content.to_vec(),
        ..RawFrame::default()
    });
}
