//! The common parts of all modes that connect: credentials, opening with retries, the session, the
//! summary, and trials that distinguish causes.

pub mod account;
pub mod idle_limit;
pub mod probe;
mod refusal;
pub mod retry;
pub mod session;
pub mod single;
pub mod summary;
pub mod talk;

use self::account::AccountError;
pub use self::refusal::{failed, lead, one_line, refused};
use self::summary::RunSummary;
use crate::config::OpenConfig;
use crate::config::reach::ReachConfig;
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;

/// Reads and asks everything that wscope needs before it connects. Returns the status if the run
/// ends here, as with `--dry-run`.
///
/// # Errors
///
/// A file, a variable or the terminal gives no value.
pub fn prepare(
    open: &mut OpenConfig,
    reach: &ReachConfig,
    runtime: &mut Runtime,
) -> anyhow::Result<Result<RunSummary, Exit>> {
    let begun = RunSummary::begin(reach);
    let begun = begun.and_then(|summary| Ok((summary, account::prepare(open, reach, runtime)?)));
    match (begun, reach.instead) {
        (Err(AccountError::Ended(exit)), _) => Ok(Err(exit)),
        (Err(AccountError::Usage(error)), _) => Err(error.into()),
        (Ok(_), Some(what)) => summary::instead(what, open, reach, runtime).map(Err),
        (Ok((summary, ())), None) => Ok(Ok(summary)),
    }
}
