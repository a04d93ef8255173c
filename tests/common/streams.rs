//! Random streams of frames: legal ones, slightly wrong ones, and noise.

use proptest::collection::vec;
use proptest::prelude::*;
use wscope::event::Direction;
use wscope::wire::deflate::codec::Deflater;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::mask::MaskKey;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Data, OpCode, Role};

use super::frames::{self, CLOSE, CONTINUATION, PING, PONG};
use super::seen::Stream;

/// A message as its fragments, with a control frame after each of some of them.
#[derive(Clone, Debug)]
pub struct Script {
    pub opcode: Data,
    pub fragments: Vec<(Vec<u8>, Option<Controlled>)>,
    pub compress: bool,
}

/// A ping or a pong.
#[derive(Clone, Debug)]
pub struct Controlled {
    pub opcode: OpCode,
    pub payload: Vec<u8>,
}

impl Script {
    /// The message's content.
    pub fn content(&self) -> Vec<u8> {
        self.fragments.iter().flat_map(|(piece, _)| piece.clone()).collect()
    }
}

/// Either direction.
pub fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::ToServer), Just(Direction::ToClient)]
}

/// Who sends in a direction.
pub fn sender(direction: Direction) -> Role {
    match direction {
        Direction::ToServer => Role::Client,
        Direction::ToClient => Role::Server,
    }
}

/// Every set of permessage-deflate parameters.
pub fn deflate_params() -> impl Strategy<Value = DeflateParams> {
    (any::<bool>(), any::<bool>(), 8u8..=15, 8u8..=15).prop_map(|(server, client, s, c)| {
        DeflateParams {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits: s,
            client_max_window_bits: c,
        }
    })
}

/// Places to cut a stream at.
pub fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(0usize..600, 0..12)
}

/// A message of text or of bytes in one to four fragments. A text may be cut inside a character.
pub fn script() -> impl Strategy<Value = Script> {
    let content = prop_oneof![
        4 => "[ -~äα€😀]{0,30}".prop_map(|text| (Data::Text, text.into_bytes())),
        3 => vec(any::<u8>(), 0..40).prop_map(|bytes| (Data::Binary, bytes)),
        1 => (120usize..140, any::<u8>()).prop_map(|(len, byte)| (Data::Binary, vec![byte; len])),
    ];
    let between = vec(proptest::option::weighted(0.3, control()), 4);
    (content, vec(0usize..140, 0..4), between, any::<bool>()).prop_map(
        |((opcode, content), cuts, between, compress)| {
            let pieces = super::seen::pieces(&content, &cuts);
            let fragments = pieces.into_iter().map(<[u8]>::to_vec).zip(between).collect();
            Script { opcode, fragments, compress }
        },
    )
}

fn control() -> impl Strategy<Value = Controlled> {
    let payload = prop_oneof![9 => vec(any::<u8>(), 0..8), 1 => vec(any::<u8>(), 120..=125)];
    (any::<bool>(), payload)
        .prop_map(|(ping, payload)| Controlled { opcode: if ping { PING } else { PONG }, payload })
}

/// A legal stream, perhaps compressed, perhaps with a Close at its end.
pub fn legal(
    deflate: impl Strategy<Value = Option<DeflateParams>>,
) -> impl Strategy<Value = Stream> {
    let close = proptest::option::of(prop_oneof![
        Just(Vec::new()),
        (prop_oneof![1000u16..=1003, 1007u16..=1014, 3000u16..=4999], "[a-z€]{0,5}")
            .prop_map(|(code, why)| frames::close_payload(code, why)),
    ]);
    let key = any::<MaskKey>();
    (direction(), deflate, vec(script(), 0..6), close, key).prop_map(
        |(direction, deflate, scripts, close, key)| {
            let mut frames = written(direction, deflate.as_ref(), &scripts);
            frames.extend(close.map(|payload| frames::frame(CLOSE, payload)));
            let key = (direction == Direction::ToServer).then_some(key);
            let bytes = frames::bytes(frames.into_iter().map(|f| RawFrame { mask: key, ..f }));
            Stream { deflate, ..Stream::new(direction, bytes) }
        },
    )
}

/// A legal stream in which a few bytes have been changed, dropped or added.
pub fn mutated(
    deflate: impl Strategy<Value = Option<DeflateParams>>,
) -> impl Strategy<Value = Stream> {
    let place = any::<proptest::sample::Index>;
    let change = prop_oneof![
        3 => (place(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => place().prop_map(Change::Remove),
    ];
    (legal(deflate), vec(change, 0..4)).prop_map(|(mut stream, changes)| {
        for change in changes {
            change.apply(&mut stream.bytes);
        }
        stream
    })
}

/// Noise whose length bytes are mostly small, so that it has many frames.
pub fn noise(
    deflate: impl Strategy<Value = Option<DeflateParams>>,
) -> impl Strategy<Value = Stream> {
    let byte = prop_oneof![2 => any::<u8>(), 1 => 0u8..10, 1 => 0x80u8..0x8b];
    (direction(), deflate, vec(byte, 0..200))
        .prop_map(|(direction, deflate, bytes)| Stream { deflate, ..Stream::new(direction, bytes) })
}

#[derive(Clone, Debug)]
enum Change {
    Flip(proptest::sample::Index, u8),
    Insert(proptest::sample::Index, u8),
    Remove(proptest::sample::Index),
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len()), byte),
            Self::Remove(at) => {
                bytes.remove(at.index(bytes.len()));
            }
        }
    }
}

fn written(
    direction: Direction,
    deflate: Option<&DeflateParams>,
    scripts: &[Script],
) -> Vec<RawFrame> {
    let role = sender(direction);
    let mut deflater =
        deflate.and_then(|p| Deflater::new(p.window_bits(role), p.no_context_takeover(role)));
    let mut frames = Vec::new();
    for script in scripts {
        let last = script.fragments.len() - 1;
        for (at, (piece, control)) in script.fragments.iter().enumerate() {
            let opcode = if at == 0 { OpCode::Data(script.opcode) } else { CONTINUATION };
            let mut frame = RawFrame { fin: at == last, ..frames::frame(opcode, piece) };
            if let (Some(deflater), true) = (&mut deflater, script.compress) {
                frame.rsv1 = at == 0;
                frame.payload.clear();
                deflater.deflate(piece, at == last, &mut frame.payload);
            }
            frames.push(frame);
            frames.extend(control.iter().map(|c| frames::frame(c.opcode, &c.payload)));
        }
    }
    frames
}
