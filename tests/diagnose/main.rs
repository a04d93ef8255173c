//! The program explains every situation that is possible on loopback. Each family has one file with
//! the texts on stderr, the `diagnostic` objects and the exit status.
//!
//! `UPDATE=1 cargo test --test diagnose` writes these files.

mod against;
mod answers;
mod causes;
mod comparisons;
mod doctor;
mod endings;
mod every;
mod frames;
mod gateways;
mod golden;
mod hops;
mod inner;
mod offers;
mod reaching;
mod requests;
mod secrets;
mod server;
mod sessions;

#[path = "../common/golden.rs"]
mod committed;
