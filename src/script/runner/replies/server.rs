//! Replies to the commands of a server that ask: the list of clients, and the client a reply is
//! about.

use std::fmt::Write as _;
use std::time::Instant;

use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::script::runner::replies::amounts;
use crate::script::runner::{ClientFacts, Connections};
use crate::ui::clock;
use crate::ui::filter::ClientSet;
use crate::wire::Role;

/// Those meant, as in `client 3`, `clients 3,5`, `all clients`.
pub(crate) fn clients(target: &ClientSet) -> String {
    match target {
        ClientSet::All => "all clients".to_owned(),
        ClientSet::Only(ids) if ids.len() == 1 => format!("client {target}"),
        ClientSet::Only(_) => format!("clients {target}"),
    }
}

/// Begins an answer of a server: of which client it speaks.
pub(crate) fn name_client(id: ConnId, reporter: &Reporter, out: &mut Vec<u8>) {
    if reporter.role() == Role::Server {
        out.extend_from_slice(format!("client {}\n", id.0).as_bytes());
    }
}

/// `/clients`.
pub(crate) fn client_list(connections: &dyn Connections, now: Instant) -> Vec<u8> {
    let mut text = String::new();
    for client in connections.clients(now) {
        let _ = writeln!(text, "{}", entry(&client, connections));
    }
    if text.is_empty() {
        text.push_str("nobody is connected\n");
    }
    text.into_bytes()
}

/// `/status` of a server.
pub(crate) fn status_of_server(connections: &dyn Connections) -> String {
    let there = match connections.present(&ClientSet::All).len() {
        0 => "nobody is connected".to_owned(),
        1 => "1 client".to_owned(),
        n => format!("{n} clients"),
    };
    format!("listening on {}; {there}", connections.urls().join(", "))
}

/// `/status` of one of its clients.
pub(crate) fn status_of_client(id: ConnId, connections: &dyn Connections, now: Instant) -> String {
    match connections.clients(now).iter().find(|client| client.id == id) {
        Some(client) => entry(client, connections),
        None => format!("client {} is not connected", id.0),
    }
}

/// Who it is; how it stands.
fn entry(client: &ClientFacts, connections: &dyn Connections) -> String {
    let ClientFacts { id, about, state, times } = client;
    let mut text = format!("[{}] {about}\n    {state}", id.0);
    if let Some((age, idle)) = times {
        let _ = write!(text, " for {}, silent for {}", clock::seconds(*age), clock::seconds(*idle));
    }
    if let Some(book) = connections.reporter().connection_history(*id) {
        let _ = write!(text, "; {}", amounts(book, connections.reporter().sent()));
    }
    text
}
