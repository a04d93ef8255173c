//! Every code of the catalogue: the facts of real servers, explained as text and as JSON. The
//! explanations are committed in `golden/`; `UPDATE=1 cargo test --test diagnostics` writes them.

mod catalogue;
mod golden;
mod openings;
mod order;
mod support;

mod clients;
mod closing;
mod common_ends;
mod conversation;
mod doubts;
mod evidence;
mod frames;
mod fronts;
mod inside;
mod last;
mod lost;
mod reached;
mod reaching;
mod refusals;
mod refused;
mod requests;
mod ruled_out;
mod statuses;
mod switching;
mod timing;
mod tls;
mod trials;
mod waits;
mod words;

#[path = "../ui_json/schema.rs"]
#[allow(dead_code)]
mod schema;

use golden::Golden;

/// Makes the fixtures of a family.
type Cases = fn(&mut Golden);

/// The families of fixtures, with the names of their golden files.
const FAMILIES: [(&str, Cases); 10] = [
    ("reaching", reaching::cases),
    ("tls", tls::cases),
    ("statuses", statuses::cases),
    ("refusals", refusals::cases),
    ("clients", clients::cases),
    ("switching", switching::cases),
    ("inside", inside::cases),
    ("frames", frames::cases),
    ("closing", closing::cases),
    ("timing", timing::cases),
];

#[test]
fn explanations_are_the_committed_ones() {
    for (name, cases) in FAMILIES {
        let mut golden = Golden::default();
        cases(&mut golden);
        golden.compare(name);
    }
}

#[test]
fn every_code_has_a_fixture() {
    let mut golden = Golden::default();
    FAMILIES.iter().for_each(|(_, cases)| cases(&mut golden));
    for entry in wscope::diagnostics::entries() {
        assert!(golden.codes.contains(entry.code), "{}: {}", entry.code, entry.title);
    }
}

#[path = "../common/golden.rs"]
mod committed;
