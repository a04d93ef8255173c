//! Opens and reads the files that commands name.
//!
//! A file may be a pipe, a device, or one of `/proc`, whose size the system does not know. It is
//! opened non-blocking, so that a pipe without a writer does not block the loop.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags};

use crate::net::plain_io::plain_io;
use crate::ui::sanitize::escaped;

/// The largest file that is read as a whole.
const MAX_WHOLE: usize = 64 * 1024 * 1024;

/// The time limit for a pipe that is read whole: the loop is blocked meanwhile.
pub(crate) const PIPE_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads a file of at most 64 MiB. For a pipe, `timeout` limits the wait.
///
/// # Errors
///
/// In words: it can't be read, has more than 64 MiB (then the error has the advice `instead`), or
/// its writer does not end it in time.
pub(crate) fn read_whole(
    path: &Path,
    timeout: Option<Duration>,
    instead: &str,
) -> Result<Vec<u8>, String> {
    let name = escaped(path.as_os_str().as_encoded_bytes());
    let plain = |error: io::Error| format!("{name}: {}", plain_io(&error));
    let file = open(path).map_err(plain)?;
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut bytes = Vec::new();
    loop {
        let at_end = read_into(&file, MAX_WHOLE + 1, &mut bytes).map_err(plain)?;
        if bytes.len() > MAX_WHOLE {
            return Err(format!("{name}: a file that is read whole has at most 64 MiB; {instead}"));
        }
        if at_end {
            return Ok(bytes);
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(format!("{name}: its writer did not close it within a second"));
        }
        events(&file, left).map_err(plain)?;
    }
}

/// Opens a file without waiting for a writer.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    File::options().read(true).custom_flags(flags).open(crate::config::expand_home(path))
}

/// Reads until `buffer` has `most` bytes, the file ends, or no more data is available now. Returns
/// whether the file has ended.
pub(crate) fn read_into(file: &File, most: usize, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let room = most.saturating_sub(buffer.len()) as u64;
    match file.take(room).read_to_end(buffer) {
        Ok(_) if buffer.len() == most => Ok(false),
        // A pipe without a writer so far also returns no data, but it has not ended.
        Ok(_) => {
            Ok(!is_pipe(file)? || events(file, Some(Duration::ZERO))?.contains(PollFlags::HUP))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_pipe(file: &File) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode) == FileType::Fifo)
}

/// Waits until the file has data or its writers have closed it; returns which.
fn events(file: &File, time: Option<Duration>) -> io::Result<PollFlags> {
    let time = time.map(|time| Timespec {
        tv_sec: time.as_secs() as i64,
        tv_nsec: time.subsec_nanos().into(),
    });
    let mut fds = [PollFd::new(file, PollFlags::IN)];
    poll(&mut fds, time.as_ref())?;
    Ok(fds[0].revents())
}
