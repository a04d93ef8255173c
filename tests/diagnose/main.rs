//! Each situation that can be made on loopback, explained by the program itself: what it prints on
//! stderr, its `diagnostic` objects and its exit status, next to each other in one file a family.
//!
//! `UPDATE=1 cargo test --test diagnose` writes them anew.

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
mod reaching;
mod secrets;
mod server;
mod sessions;

#[path = "../common/golden.rs"]
mod committed;
