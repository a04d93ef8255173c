//! The catalogue's tables, one file for each section.
//!
//! The tables hold only texts. If `wire` has its own table, as for violations, the texts come from
//! there.

use super::CatalogueEntry;

mod builder;
mod clients;
mod close_codes;
mod disconnects;
mod endpoints;
mod extensions;
mod frames;
mod reaching;
mod refusals;
mod statuses;
mod switching;
pub(super) mod tls;

pub use tls::of_alert;

/// Entries in one list.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The subject of these entries.
    pub title: &'static str,
    /// The entries, in the order of their codes.
    pub entries: &'static [CatalogueEntry],
}

/// The whole catalogue, in the order of the codes.
pub const SECTIONS: &[Section] = &[
    Section { title: "URL, name, TCP, proxy, first bytes", entries: reaching::ENTRIES },
    Section { title: "TLS", entries: tls::ENTRIES },
    Section { title: "Pages and redirects instead of 101", entries: statuses::ENTRIES },
    Section { title: "Error statuses instead of 101", entries: refusals::ENTRIES },
    Section { title: "Clients of listen", entries: clients::ENTRIES },
    Section { title: "The 101 and the subprotocol", entries: switching::ENTRIES },
    Section { title: "Extensions, and what follows the 101", entries: extensions::ENTRIES },
    Section { title: "Another protocol inside", entries: endpoints::ENTRIES },
    Section { title: "Frames", entries: frames::ENTRIES },
    Section { title: "Close codes", entries: close_codes::ENTRIES },
    Section { title: "Endings and timing", entries: disconnects::ENTRIES },
];
