//! Checks the options of `cli/reach.rs`: credentials, redirects, retries.

use std::path::PathBuf;

use super::credentials::{CookieSource, TokenSource, User};
use super::usage::UsageError;
use crate::cli::{AccountOptions, ReachOptions, RetryArguments};
use crate::net::redirect::RedirectOptions;
use crate::net::retry::RetryOptions;
use crate::ui::write_out::{FormatSource, WriteOutFormat};

/// What to do before and after a connection, or instead of one.
#[derive(Clone, Default)]
pub struct ReachConfig {
    /// The sources of credentials, before anything has been read or asked.
    pub account: Account,
    /// The cookies to send.
    pub cookies: Vec<CookieSource>,
    /// The file for all cookies at the end.
    pub cookie_jar: Option<PathBuf>,
    /// Which redirects are followed; `None`: no redirects.
    pub redirects: Option<RedirectOptions>,
    /// Retries after a failed opening.
    pub retry: RetryOptions,
    /// Retries after a connection has ended; `retry.retries` limits them if it was given.
    pub reconnect: Option<RetryOptions>,
    /// What to print instead of connecting.
    pub instead: Option<Preview>,
    /// The output at the end.
    pub write_out: Option<WriteOut>,
    /// Draw the phases at the end.
    pub timing: bool,
    /// The given options about the connection, with their long names and values, including
    /// defaults: for `--curl`.
    pub given: Vec<(String, Option<String>)>,
}

/// The credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// None, or those in the URL or in a header.
    #[default]
    Unspecified,
    /// A name and a password.
    User(User),
    /// A token.
    Token(TokenSource),
    /// The entry for the host in a file; `None` is `~/.netrc`.
    Netrc(Option<PathBuf>),
}

/// What is printed instead of making a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    /// `--dry-run`.
    DryRun,
    /// `--curl`.
    Curl,
}

/// `--write-out`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOut {
    /// A parsed format.
    Format(WriteOutFormat),
    /// A file with the format; `-` is stdin. It must be read before connecting.
    File(String),
}

/// Hides given values, which may be secrets.
impl std::fmt::Debug for ReachConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReachConfig")
            .field("account", &self.account)
            .field("redirects", &self.redirects)
            .field("retry", &self.retry)
            .field("reconnect", &self.reconnect)
            .finish_non_exhaustive()
    }
}

impl ReachConfig {
    /// Whether cookies of responses are stored, for later requests and the jar.
    pub fn keeps_cookies(&self) -> bool {
        !self.cookies.is_empty() || self.cookie_jar.is_some()
    }

    /// Only the credentials.
    ///
    /// # Errors
    ///
    /// A token's place or a cookie can't be used.
    pub fn of_account(account: AccountOptions) -> Result<Self, UsageError> {
        let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
        let cookies: Result<_, _> =
            account.cookie.iter().map(|text| CookieSource::parse(text)).collect();
        Ok(Self {
            cookies: cookies.map_err(|error| usage(&error))?,
            cookie_jar: account.cookie_jar.clone(),
            account: who(account).map_err(|error| usage(&error))?,
            ..Self::default()
        })
    }

    /// Checks what was typed.
    ///
    /// # Errors
    ///
    /// A token's place, a cookie or a format can't be used.
    pub fn resolve(options: ReachOptions) -> Result<Self, UsageError> {
        let ReachOptions { account, location, report, defaults: _ } = options;
        let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
        let write_out = report.write_out.as_deref().map(|text| match FormatSource::of(text) {
            FormatSource::Given(format) => WriteOutFormat::parse(format).map(WriteOut::Format),
            FormatSource::File(name) => Ok(WriteOut::File(name.to_owned())),
        });
        let follows = location.location || location.location_trusted || location.location_downgrade;
        let redirects = RedirectOptions {
            limit: location.max_redirs,
            trusted: location.location_trusted,
            downgrade: location.location_downgrade,
        };
        Ok(Self {
            redirects: follows.then_some(redirects),
            instead: match (report.dry_run, report.curl) {
                (true, _) => Some(Preview::DryRun),
                (_, true) => Some(Preview::Curl),
                _ => None,
            },
            write_out: write_out.transpose().map_err(|error| usage(&error))?,
            timing: report.timing,
            ..Self::of_account(account)?
        })
    }

    /// Adds the retries.
    pub(super) fn again(self, typed: &RetryArguments) -> Self {
        let retry =
            |without| RetryOptions { retries: typed.retry.or(without), delay: typed.retry_delay };
        Self { retry: retry(Some(0)), reconnect: typed.reconnect.then(|| retry(None)), ..self }
    }
}

/// A typed user or token overrides netrc.
fn who(options: AccountOptions) -> Result<Account, super::credentials::CredentialError> {
    Ok(match (options.user, options.bearer) {
        (Some(user), _) => Account::User(User::parse(&user)),
        (None, Some(token)) => Account::Token(TokenSource::parse(&token)?),
        (None, None) if options.netrc || options.netrc_file.is_some() => {
            Account::Netrc(options.netrc_file)
        }
        (None, None) => Account::Unspecified,
    })
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn resolve(line: &str) -> Result<ReachConfig, String> {
        let command = ReachOptions::augment_args(clap::Command::new("wscope"));
        let command = RetryArguments::augment_args(command);
        command.clone().debug_assert();
        let words = ["wscope"].into_iter().chain(line.split_whitespace());
        let matches = command.try_get_matches_from(words).map_err(|error| error.to_string())?;
        let options =
            ReachOptions::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        let again =
            RetryArguments::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        assert!(!format!("{options:?}").contains("hunter2"));
        let made = ReachConfig::resolve(options).map_err(|error| error.to_string())?;
        Ok(made.again(&again))
    }

    fn config(line: &str) -> ReachConfig {
        resolve(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn nothing_is_done_that_was_not_asked_for() {
        let config = config("");
        assert_eq!((config.account, config.redirects), (Account::Unspecified, None));
        assert_eq!((config.retry.retries, config.reconnect), (Some(0), None));
        assert!(config.instead.is_none() && config.write_out.is_none() && !config.timing);
    }

    #[test]
    fn each_option_has_its_effect() {
        let made = config(
            "-u me:hunter2 -L --max-redirs 3 --retry 2 --retry-delay 250ms --dry-run --timing --cookie a=hunter2 --cookie @jar",
        );
        assert_eq!(made.account, Account::User(User::parse("me:hunter2")));
        assert_eq!(made.redirects, Some(RedirectOptions { limit: 3, ..Default::default() }));
        assert_eq!((made.retry.retries, made.retry.delay.as_millis()), (Some(2), 250));
        assert_eq!(made.instead, Some(Preview::DryRun));
        assert_eq!((made.cookies.len(), made.timing), (2, true));
        assert_eq!(config("--curl").instead, Some(Preview::Curl));
        assert_eq!(config("--netrc").account, Account::Netrc(None));
        assert_eq!(config("--netrc-file f").account, Account::Netrc(Some("f".into())));
        let trusted = config("--location-trusted").redirects;
        assert!(trusted.is_some_and(|options| options.trusted && !options.downgrade));
        assert_eq!(config("--write-out @f").write_out, Some(WriteOut::File("f".to_owned())));
    }

    #[test]
    fn reconnecting_has_no_limit_unless_one_is_given() {
        let retries = |line| config(line).reconnect.map(|options| options.retries);
        assert_eq!(retries("--reconnect"), Some(None));
        assert_eq!(retries("--reconnect --retry 3"), Some(Some(3)));
    }

    #[test]
    fn wrong_values_are_wrong_usage() {
        for (line, expected) in [
            ("--bearer @", "--bearer @ needs a name"),
            ("--cookie hunter2", "--cookie takes NAME=VALUE"),
            ("--write-out %{urll}", "did you mean url?"),
            ("--dry-run --curl", "cannot be used with"),
            ("-u a --bearer b", "cannot be used with"),
        ] {
            let error = resolve(line).expect_err(line);
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }
}
