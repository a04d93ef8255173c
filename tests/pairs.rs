//! Endpoints talking to each other, and to tungstenite's engine, through byte queues that cut the
//! stream anywhere: every message arrives in order and intact, and closing ends cleanly.

mod common;

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use tungstenite::Message;

use common::engine::Engine;
use common::party::{Party, Received};
use common::streams::{self, Script};
use wscope::event::{Cause, Lost};
use wscope::session::EndpointConfig;
use wscope::session::endpoint::State;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::{OpCode, Role};

/// One end of a link.
trait End {
    /// Sends a message, its fragments one by one with pings between them; gives the pings' number.
    fn perform(&mut self, script: &Script) -> usize;
    /// Starts the closing handshake.
    fn start_close(&mut self);
    fn deliver(&mut self, bytes: &[u8]);
    fn take_out(&mut self) -> Vec<u8>;
    /// The other end has hung up.
    fn hung_up(&mut self);
    /// Whether it would hang up once its output is written.
    fn hangs_up(&self) -> bool;
    fn received(&self) -> Vec<Received>;
    fn ended_cleanly(&self) -> bool;
}

impl End for Party {
    fn perform(&mut self, script: &Script) -> usize {
        let (last, mut pings) = (script.fragments.len() - 1, 0);
        for (at, (piece, control)) in script.fragments.iter().enumerate() {
            let sent = self.endpoint.send_fragment(script.opcode, piece, at == last, &mut self.out);
            assert_eq!(sent, Ok(()));
            if let Some(control) = control {
                self.ping(&control.payload);
                pings += 1;
            }
        }
        pings
    }

    fn start_close(&mut self) {
        self.close(Some(1000), "done");
    }

    fn deliver(&mut self, bytes: &[u8]) {
        self.receive_bytes(bytes);
    }

    fn take_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn hung_up(&mut self) {
        self.endpoint.end_of_stream(Lost::EndOfStream);
    }

    fn hangs_up(&self) -> bool {
        self.endpoint.is_done()
    }

    fn received(&self) -> Vec<Received> {
        self.messages.clone()
    }

    fn ended_cleanly(&self) -> bool {
        self.state() == State::Closed && self.ending().cause == Cause::Closed
    }
}

impl End for Engine {
    fn perform(&mut self, script: &Script) -> usize {
        let last = script.fragments.len() - 1;
        for (at, (piece, control)) in script.fragments.iter().enumerate() {
            let opcode =
                if at == 0 { OpCode::Data(script.opcode) } else { common::frames::CONTINUATION };
            self.send_fragment(opcode, piece, at == last);
            if let Some(control) = control {
                self.ping(&control.payload);
            }
        }
        // It answers pings of its own accord but doesn't match pongs.
        0
    }

    fn start_close(&mut self) {
        self.close();
    }

    fn deliver(&mut self, bytes: &[u8]) {
        self.receive_bytes(bytes);
    }

    fn take_out(&mut self) -> Vec<u8> {
        self.take()
    }

    fn hung_up(&mut self) {
        self.end_of_stream();
    }

    fn hangs_up(&self) -> bool {
        self.end.is_some()
    }

    fn received(&self) -> Vec<Received> {
        let received = |message: &Message| match message {
            Message::Text(text) => {
                Some(Received { opcode: common::frames::TEXT, content: text.as_bytes().to_vec() })
            }
            Message::Binary(bytes) => {
                Some(Received { opcode: common::frames::BINARY, content: bytes.to_vec() })
            }
            _ => None,
        };
        self.accepted.iter().filter_map(received).collect()
    }

    fn ended_cleanly(&self) -> bool {
        self.closed_cleanly()
    }
}

/// An end with what is under way to it.
struct Side<E> {
    end: E,
    inbound: VecDeque<u8>,
    hung_up: bool,
}

impl<E: End> Side<E> {
    fn new(end: E) -> Self {
        Self { end, inbound: VecDeque::new(), hung_up: false }
    }

    /// Delivers at most `n` bytes; gives whether anything moved.
    fn arrive(&mut self, n: usize) -> bool {
        let piece: Vec<u8> = self.inbound.drain(..n.min(self.inbound.len())).collect();
        if !piece.is_empty() {
            self.end.deliver(&piece);
        }
        !piece.is_empty()
    }
}

/// Two ends and the bytes between them.
struct Link<A, B> {
    a: Side<A>,
    b: Side<B>,
}

impl<A: End, B: End> Link<A, B> {
    /// Puts what was written on its way, then lets some of it arrive.
    fn pump(&mut self, to_a: usize, to_b: usize) -> bool {
        self.b.inbound.extend(self.a.end.take_out());
        self.a.inbound.extend(self.b.end.take_out());
        let moved = [self.a.arrive(to_a), self.b.arrive(to_b)];
        moved.contains(&true)
    }

    /// Lets everything arrive, and hangs up for those that are done.
    fn settle(&mut self, mut sizes: impl Iterator<Item = usize>) {
        loop {
            let mut size = || sizes.next().unwrap_or(1).max(1);
            while self.pump(size(), size()) {}
            let (a, b) = (&mut self.a, &mut self.b);
            if a.end.hangs_up() && !b.hung_up {
                b.hung_up = true;
                b.end.hung_up();
            } else if b.end.hangs_up() && !a.hung_up {
                a.hung_up = true;
                a.end.hung_up();
            } else {
                return;
            }
        }
    }
}

/// What both ends do, and how the stream is cut.
#[derive(Clone, Debug)]
struct Play {
    a: Vec<Script>,
    b: Vec<Script>,
    sizes: Vec<usize>,
    closes: Closes,
}

#[derive(Clone, Copy, Debug)]
enum Closes {
    A,
    B,
    Both,
}

fn play() -> impl Strategy<Value = Play> {
    let scripts = || vec(streams::script(), 0..6);
    let closes = prop_oneof![Just(Closes::A), Just(Closes::B), Just(Closes::Both)];
    let sizes = vec(prop_oneof![1usize..4, 1usize..300], 1..20);
    (scripts(), scripts(), sizes, closes).prop_map(|(a, b, sizes, closes)| Play {
        a,
        b,
        sizes,
        closes,
    })
}

impl Play {
    /// Plays it; gives the link at its end and how many pings each side sent.
    fn run<A: End, B: End>(&self, a: A, b: B) -> (Link<A, B>, [usize; 2]) {
        let mut link = Link { a: Side::new(a), b: Side::new(b) };
        let mut sizes = self.sizes.iter().copied().cycle();
        let mut pings = [0, 0];
        for at in 0..self.a.len().max(self.b.len()) {
            pings[0] += self.a.get(at).map_or(0, |script| link.a.end.perform(script));
            pings[1] += self.b.get(at).map_or(0, |script| link.b.end.perform(script));
            link.pump(sizes.next().unwrap_or(1), sizes.next().unwrap_or(1));
        }
        // All is sent before anyone closes: who has been closed can't answer pings.
        link.settle(sizes.clone());
        if matches!(self.closes, Closes::A | Closes::Both) {
            link.a.end.start_close();
        }
        if matches!(self.closes, Closes::B | Closes::Both) {
            link.b.end.start_close();
        }
        link.settle(sizes);
        (link, pings)
    }

    fn check<A: End, B: End>(&self, link: &Link<A, B>) -> Result<(), TestCaseError> {
        prop_assert_eq!(link.b.end.received(), expected(&self.a));
        prop_assert_eq!(link.a.end.received(), expected(&self.b));
        prop_assert!(link.a.end.ended_cleanly(), "a ends cleanly");
        prop_assert!(link.b.end.ended_cleanly(), "b ends cleanly");
        Ok(())
    }
}

fn expected(scripts: &[Script]) -> Vec<Received> {
    let received = |script: &Script| Received {
        opcode: OpCode::Data(script.opcode),
        content: script.content(),
    };
    scripts.iter().map(received).collect()
}

fn party(role: Role, deflate: Option<DeflateParams>) -> Party {
    Party::new(EndpointConfig { deflate, ..EndpointConfig::new(role) })
}

proptest! {
    #[test]
    fn client_and_server_understand_each_other(
        play in play(), deflate in proptest::option::of(streams::deflate_params()),
    ) {
        let (link, pings) = play.run(party(Role::Client, deflate), party(Role::Server, deflate));
        play.check(&link)?;
        let trips = [link.a.end.round_trips.len(), link.b.end.round_trips.len()];
        prop_assert_eq!(trips, pings, "every ping has its pong");
    }

    #[test]
    fn our_client_and_tungstenites_server_understand_each_other(play in play()) {
        let (link, pings) = play.run(party(Role::Client, None), Engine::new(Role::Server));
        play.check(&link)?;
        prop_assert_eq!(link.a.end.round_trips.len(), pings[0]);
    }

    #[test]
    fn our_server_and_tungstenites_client_understand_each_other(play in play()) {
        let (link, pings) = play.run(party(Role::Server, None), Engine::new(Role::Client));
        play.check(&link)?;
        prop_assert_eq!(link.a.end.round_trips.len(), pings[0]);
    }
}
