//! The passphrase of an encrypted key, asked on the terminal where nobody has said it.

use crate::config::ask;
use crate::net::tls::options::Passphrase;
use crate::net::tls::{TlsClient, TlsError, TlsOptions};
use crate::ui::sanitize::escaped;

/// Sets TLS up, and asks for the passphrase of an encrypted key if nobody has said it. It is kept
/// in `options`, so that nobody is asked twice.
///
/// # Errors
///
/// Those of [`TlsClient::new`]; [`TlsError::PassphraseNeeded`] when there is no terminal.
pub fn tls_client(options: &mut TlsOptions) -> Result<TlsClient, TlsError> {
    match TlsClient::new(options) {
        Err(TlsError::PassphraseNeeded { path }) => {
            // A file's name is the user's own, but may hold anything.
            let name = escaped(path.as_os_str().as_encoded_bytes());
            let Ok(text) = ask::password(&format!("passphrase for {name}: ")) else {
                return Err(TlsError::PassphraseNeeded { path });
            };
            if let Some(identity) = &mut options.identity {
                identity.passphrase = Passphrase::Given(text);
            }
            TlsClient::new(options)
        }
        other => other,
    }
}
