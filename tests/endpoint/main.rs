//! What an endpoint does: client and server, sending and receiving, before and after a Close.

#[path = "../common/mod.rs"]
mod common;

mod closing;
mod failing;
mod keepalive;
mod pings;
mod sending;

use common::party::Party;
use wscope::event::{Cause, Side};
use wscope::session::endpoint::State;

/// Checks that it is over, by whom and how.
#[track_caller]
fn ended(party: &Party, by: Side, cause: Cause) {
    let ending = party.ending();
    assert_eq!((party.state(), ending.by, ending.cause), (State::Closed, by, cause));
    assert_eq!(party.endpoint.deadline(), None, "nothing is left to do");
    assert!(party.endpoint.is_done());
}
