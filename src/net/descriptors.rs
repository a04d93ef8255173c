//! How many descriptors this process may still open: each connection takes one.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for what is opened beside connections: a client that is refused, a file of a command, the
/// pipes of a process while it starts.
const SPARE: u64 = 8;

/// Raises the soft limit to the hard one, and returns how many descriptors are left beside those
/// that are open and a few to spare; about `u64::MAX` if there is no limit.
///
/// The soft limit (1024 on most systems) protects programs that use `select`; this one does not.
pub fn left() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // macOS refuses what is beyond OPEN_MAX; then the limit stays as it was.
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // The folder of open descriptors is open while it is read. Where it can't be read, so many
    // are reserved as a server without clients has been seen to use.
    let open = fs::read_dir("/dev/fd").map_or(24, |entries| entries.count() as u64 - 1);
    allowed.unwrap_or(u64::MAX).saturating_sub(open + SPARE)
}
