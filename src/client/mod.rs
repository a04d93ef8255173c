//! What all modes that connect share: credentials, opening with retries, the session, the summary,
//! and additional connections that compare causes.

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
use crate::engine::runtime::Runtime;

/// Everything that is read or asked before wscope connects.
///
/// # Errors
///
/// It can't be obtained.
pub fn prepare(
    open: &mut OpenConfig,
    reach: &ReachConfig,
    runtime: &mut Runtime,
) -> Result<RunSummary, AccountError> {
    let summary = RunSummary::begin(reach)?;
    account::prepare(open, reach, runtime)?;
    Ok(summary)
}
