//! What wscope reads and asks for before it connects: tokens, passwords, cookies, the passphrase of
//! a key, the format of `--write-out`.

use crate::config::ask::{self, PasswordError};
use crate::config::credentials::{CookieSource, TokenSource, bearer};
use crate::config::netrc::{self, Netrc};
use crate::config::reach::{Account, ReachConfig, WriteOut};
use crate::config::{OpenConfig, UsageError, environment};
use crate::engine::exit::Exit;
use crate::engine::run_facts::wall_seconds;
use crate::engine::runtime::Runtime;
use crate::net::files;
use crate::net::secret::Secret;
use crate::net::tls::options::Passphrase;
use crate::net::tls::{TlsClient, TlsError, TlsOptions};
use crate::ui::sanitize::escaped;
use crate::ui::write_out::WriteOutFormat;
use crate::wire::cookie::read_netscape;

/// Why wscope does not connect.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A file or value that the user named can't be used.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The user ended the program instead of answering.
    #[error("interrupted")]
    Ended(Exit),
}

fn usage(error: &dyn std::fmt::Display) -> AccountError {
    UsageError::new(error.to_string()).into()
}

/// Reads files and variables, and asks on the terminal. Puts the cookies of files into the jar.
///
/// # Errors
///
/// A file, a variable or the terminal gives no value.
pub fn prepare(
    open: &mut OpenConfig,
    reach: &ReachConfig,
    runtime: &mut Runtime,
) -> Result<(), AccountError> {
    match &reach.account {
        Account::Unspecified => {}
        Account::User(user) => {
            let password = match &user.password {
                Some(password) => password.clone(),
                None => ask::password(&user.question()).map_err(unanswered)?,
            };
            let value = user.basic(&password).map_err(|error| usage(&error))?;
            open.login.authorization = Some(value);
        }
        Account::Token(source) => {
            let value = bearer(&token(source)?).map_err(|error| usage(&error))?;
            open.login.authorization = Some(value);
        }
        Account::Netrc(path) => {
            let path = path.clone().or_else(|| netrc::usual_path(environment::variable));
            let path =
                path.ok_or_else(|| usage(&"--netrc: HOME is not set; use --netrc-file FILE"))?;
            let text =
                files::read_text(&path).map_err(|error| usage(&format!("--netrc: {error}")))?;
            let netrc = Netrc::parse(&text);
            for fault in &netrc.faults {
                note(&format!("{}: {fault}", path.display()), runtime);
            }
            open.login.netrc = Some(netrc);
        }
    }
    for source in &reach.cookies {
        match source {
            CookieSource::Given(cookie) => open.login.cookies.push(cookie.clone()),
            CookieSource::File(name) => read_cookies(name, runtime)?,
        }
    }
    if open.target.secure && open.transport.tls.identity.is_some() {
        ask_for_passphrase(&mut open.transport.tls);
    }
    Ok(())
}

/// Asks for the passphrase of an encrypted key if none was given, and keeps it in `options`, so
/// that it is requested once. Other errors of the files, and a missing answer, are reported when
/// the connection is opened.
fn ask_for_passphrase(options: &mut TlsOptions) {
    let Err(TlsError::PassphraseNeeded { path }) = TlsClient::new(options) else { return };
    // The user chose the file's name, but it may contain any characters.
    let name = escaped(path.as_os_str().as_encoded_bytes());
    if let Ok(text) = ask::password(&format!("passphrase for {name}: "))
        && let Some(identity) = &mut options.identity
    {
        identity.passphrase = Passphrase::Given(text);
    }
}

/// The format of `--write-out`, parsed before wscope connects.
///
/// # Errors
///
/// Its file can't be read, or contains no format.
pub fn format(reach: &ReachConfig) -> Result<Option<WriteOutFormat>, AccountError> {
    Ok(match &reach.write_out {
        None => None,
        Some(WriteOut::Format(format)) => Some(format.clone()),
        Some(WriteOut::File(name)) => {
            let text = files::read_text(name).map_err(|e| usage(&format!("--write-out: {e}")))?;
            Some(WriteOutFormat::parse(&text).map_err(|error| usage(&error))?)
        }
    })
}

fn token(source: &TokenSource) -> Result<Secret, AccountError> {
    match source {
        TokenSource::Given(token) => Ok(token.clone()),
        TokenSource::File(name) => {
            let text = files::read_text(name).map_err(|e| usage(&format!("--bearer: {e}")))?;
            Ok(Secret::new(text))
        }
        TokenSource::Variable(name) => {
            let value = environment::variable(name).and_then(|value| value.into_string().ok());
            let text = format!("--bearer: no environment variable {name}");
            value.map(Secret::new).ok_or_else(|| usage(&text))
        }
    }
}

fn read_cookies(name: &str, runtime: &mut Runtime) -> Result<(), AccountError> {
    let text = files::read_text(name).map_err(|error| usage(&format!("--cookie: {error}")))?;
    let (cookies, faults) = read_netscape(&text);
    for fault in &faults {
        note(&format!("{name}: line {}: {}", fault.line, fault.what), runtime);
    }
    let now = wall_seconds();
    for cookie in cookies {
        runtime.record.jar.put(cookie, now);
    }
    Ok(())
}

fn note(text: &str, runtime: &mut Runtime) {
    // If the transcript can't be written, its first event reports the error.
    let _ = runtime.note(text);
}

fn unanswered(error: PasswordError) -> AccountError {
    match error {
        PasswordError::Interrupted => AccountError::Ended(Exit::Interrupted),
        PasswordError::Terminated => AccountError::Ended(Exit::Terminated),
        error => usage(&error),
    }
}
