//! `--list-faults`: the catalogue as text, one block for each fault.

use std::fmt::Write as _;

use crate::wire::Role;
use crate::wire::fault::{Argument, FaultInfo, FaultKind};

const OF_SERVERS: &str = "\
Faults for wscope listen --fault NAME[:ARG][@WHEN]. WHEN is @open, right after the 101 (the default),
or @message:N, after N messages of the client were received and answered; faults of the handshake
take no WHEN. `random` picks a fault for each connection and prints its seed; `random:SEED` picks the
same again.
";

const OF_CLIENTS: &str = "\
Faults for wscope connect --fault NAME[:ARG][@WHEN]. WHEN is @open, right after the opening handshake
(the default), or @message:N, after N messages of the server were received and answered. `random`
picks a fault for each connection and prints its seed; `random:SEED` picks the same again.
";

/// All faults of a role.
pub fn list(role: Role) -> String {
    let (preamble, peer) = match role {
        Role::Server => (OF_SERVERS, "client"),
        Role::Client => (OF_CLIENTS, "server"),
    };
    let mut text = preamble.to_owned();
    let mut part = "";
    for info in FaultInfo::of(role) {
        if part != title(info.kind) {
            part = title(info.kind);
            let _ = write!(text, "\n{part}\n");
        }
        let usage = info.argument.usage();
        let codes: String = info.codes.iter().map(|code| format!(", {code}")).collect();
        let _ = write!(
            text,
            "\n  {}{usage}{}\n    sends:  {}\n    rule:   {}{codes}\n    {peer}: {}\n",
            info.name,
            default(info.argument),
            info.does,
            info.rule,
            info.peer
        );
    }
    text
}

fn title(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Head(_) => "A wrong 101",
        FaultKind::Answer(_) => "Something other than a 101",
        FaultKind::Pace(_) => "A late 101",
        FaultKind::Frames(_) => "Frames",
        FaultKind::Behaviour(_) => "Behaviour and transport",
    }
}

fn default(argument: Argument) -> String {
    match argument {
        Argument::None => String::new(),
        Argument::Place => " (at once)".to_owned(),
        Argument::Number { default, .. } => format!(" ({default})"),
        Argument::Text { default, .. } => format!(" ({default})"),
        Argument::Close { default } => format!(" ({default})"),
        Argument::Time { default } if default.subsec_millis() > 0 => {
            format!(" ({}ms)", default.as_millis())
        }
        Argument::Time { default } => format!(" ({}s)", default.as_secs()),
    }
}
