//! The clients of a server by their place, with their tokens, their turns and their timers.
//!
//! An idle client costs nothing in a round: only those in the queue, or whose timer has run off,
//! are looked at.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use mio::Token;

use crate::event::ConnId;
use crate::modes::listen::client::Client;

/// Tokens below this one belong to the program; each client has three from here on.
const FIRST_TOKEN: usize = 16;
const TOKENS: usize = 3;

/// Where a client is kept; used again for others after it.
pub type Place = usize;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The connection.
    Socket,
    /// Its process takes something.
    ChildStdin,
    /// Its process says something.
    ChildStdout,
}

/// All clients.
#[derive(Default)]
pub struct Clients {
    places: Vec<Option<Box<Client>>>,
    free: Vec<Place>,
    /// Whose turn it is, in order.
    queue: VecDeque<Place>,
    timers: BinaryHeap<Reverse<(Instant, Place)>>,
    /// Where the client was that was looked for last: the next one asked for is often its
    /// neighbour.
    found: Place,
}

/// The token of a client's event.
pub fn token(place: Place, source: Source) -> Token {
    Token(FIRST_TOKEN + place * TOKENS + source as usize)
}

/// Whose event a token stands for.
pub fn whose(token: Token) -> Option<(Place, Source)> {
    let at = token.0.checked_sub(FIRST_TOKEN)?;
    let source = match at % TOKENS {
        0 => Source::Socket,
        1 => Source::ChildStdin,
        _ => Source::ChildStdout,
    };
    Some((at / TOKENS, source))
}

impl Clients {
    /// How many there are, those included who are leaving.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of the next client.
    pub fn next_place(&self) -> Place {
        self.free.last().copied().unwrap_or(self.places.len())
    }

    /// Keeps a client at [`Clients::next_place`].
    pub fn insert(&mut self, client: Client) -> Place {
        let place = self.next_place();
        let client = Some(Box::new(client));
        match self.free.pop() {
            Some(place) => self.places[place] = client,
            None => self.places.push(client),
        }
        place
    }

    /// Drops one.
    pub fn remove(&mut self, place: Place) {
        if self.places[place].take().is_some() {
            self.free.push(place);
        }
    }

    /// The client at a place, if it is still there.
    pub fn get_mut(&mut self, place: Place) -> Option<&mut Client> {
        self.places.get_mut(place)?.as_deref_mut()
    }

    /// All of them, by place.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.places.iter().filter_map(|client| client.as_deref())
    }

    /// Does something to each, and gives a turn to those to whom it was done; says to how many.
    pub fn each(&mut self, mut act: impl FnMut(&mut Client) -> bool) -> usize {
        let mut count = 0;
        for place in 0..self.places.len() {
            if self.get_mut(place).is_some_and(&mut act) {
                self.enqueue(place);
                count += 1;
            }
        }
        count
    }

    /// The place of a client by its number.
    pub fn find(&mut self, id: ConnId) -> Option<Place> {
        let is = |place: &Place| self.places[*place].as_ref().is_some_and(|c| c.id() == id);
        let first = self.found.min(self.places.len());
        self.found = (first..self.places.len()).chain(0..first).find(is)?;
        Some(self.found)
    }

    /// Gives a client a turn in this round, or in the next.
    pub fn enqueue(&mut self, place: Place) {
        if let Some(client) = self.get_mut(place).filter(|client| !client.queued) {
            client.queued = true;
            self.queue.push_back(place);
        }
    }

    /// How many wait for their turn.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The next in the queue.
    pub fn dequeue(&mut self) -> Option<Place> {
        let place = self.queue.pop_front()?;
        if let Some(client) = self.get_mut(place) {
            client.queued = false;
        }
        Some(place)
    }

    /// Sees to it that a client has a turn at `deadline`. An earlier timer is left: it finds out
    /// that nothing is due, and sets the next. Without a deadline it means nothing any more.
    pub fn arm(&mut self, place: Place, deadline: Option<Instant>) {
        let Some(client) = self.get_mut(place) else { return };
        let Some(at) = deadline else {
            client.armed = None;
            return;
        };
        if client.armed.is_none_or(|armed| at < armed) {
            client.armed = Some(at);
            self.timers.push(Reverse((at, place)));
        }
    }

    /// Gives a turn to each whose timer has run off.
    pub fn ring(&mut self, now: Instant) {
        while self.deadline().is_some_and(|at| at <= now) {
            let Some(Reverse((_, place))) = self.timers.pop() else { break };
            if let Some(client) = self.get_mut(place) {
                client.armed = None;
                self.enqueue(place);
            }
        }
    }

    /// When the next timer runs off. Drops those before it that mean nothing: of clients that have
    /// left or have no deadline. A wait with a deadline costs the system more than one without.
    pub fn deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, place))) = self.timers.peek().copied() {
            if self.get_mut(place).is_some_and(|client| client.armed == Some(at)) {
                return Some(at);
            }
            self.timers.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_tokens_of_its_own() {
        let sources = [Source::Socket, Source::ChildStdin, Source::ChildStdout];
        for place in [0, 1, 77, 100_000] {
            for source in sources {
                assert_eq!(whose(token(place, source)), Some((place, source)));
            }
        }
        assert_eq!(whose(Token(FIRST_TOKEN - 1)), None);
    }
}
