//! How endpoints behave: `/autopong`, `/autoclose`, `/compress`, on connections that are open and on
//! those still to come.

use crate::script::command::Command;
use crate::script::runner::Settings;
use crate::script::runner::replies;
use crate::session::Endpoint;

impl Settings {
    /// Sets the endpoint of a new connection.
    pub fn apply(&self, endpoint: &mut Endpoint) {
        let Self { auto_pong, auto_close, compress } = *self;
        // Until it is set here, the command line decides.
        if let Some(auto_pong) = auto_pong {
            endpoint.set_auto_pong(auto_pong);
        }
        endpoint.set_auto_close(auto_close);
        endpoint.set_compress(compress);
    }

    /// Remembers what a command sets.
    pub(crate) fn note(&mut self, command: &Command) {
        match command {
            Command::AutoPong(Some(choice)) => self.auto_pong = Some(*choice),
            Command::AutoClose(Some(on)) => self.auto_close = *on,
            Command::Compress(Some(on)) => self.compress = *on,
            _ => {}
        }
    }
}

/// Whether a command sets something, rather than asking.
pub(crate) fn changes(command: &Command) -> bool {
    matches!(
        command,
        Command::AutoPong(Some(_)) | Command::AutoClose(Some(_)) | Command::Compress(Some(_))
    )
}

/// Sets it on an open connection.
pub(crate) fn set(command: &Command, endpoint: &mut Endpoint) {
    match command {
        Command::AutoPong(Some(choice)) => endpoint.set_auto_pong(*choice),
        Command::AutoClose(Some(on)) => endpoint.set_auto_close(*on),
        Command::Compress(Some(on)) => endpoint.set_compress(*on),
        _ => {}
    }
}

/// How it is set: on a connection, or, without one, on those still to come.
pub(crate) fn describe(
    command: &Command,
    settings: &Settings,
    endpoint: Option<&Endpoint>,
) -> String {
    match command {
        Command::AutoPong(_) => {
            let set = settings.auto_pong.unwrap_or_default();
            replies::auto_pong(endpoint.map_or(set, Endpoint::auto_pong))
        }
        Command::AutoClose(_) => {
            replies::auto_close(endpoint.map_or(settings.auto_close, Endpoint::auto_close))
        }
        _ => {
            let agreed = endpoint.map(|endpoint| endpoint.compresses().is_some());
            let on = endpoint.and_then(Endpoint::compresses);
            replies::compress(on.unwrap_or(settings.compress), agreed)
        }
    }
}
