//! The data folder: what stands in it, and which server it belongs to while one runs.

use crate::error::Error;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The database.
pub const DATABASE: &str = "parlor.db";

/// Held by the server that runs. Its number stands in it.
const LOCK: &str = "parlor.lock";

/// Where a server listens for commands.
pub const SOCKET: &str = "parlor.sock";

/// Somebody who only looks holds the lock for a moment; a server waits so long.
const PATIENCE: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(20);

/// The folder is this process's alone until this is dropped, however the process ends.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes a folder, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::FolderInUse`] when another server has it; [`Error::DataFolder`].
    pub fn take(folder: &Path) -> Result<Lock, Error> {
        let failed = |cause| Error::DataFolder(folder.into(), cause);
        fs::create_dir_all(folder).map_err(failed)?;
        let path = folder.join(LOCK);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = open.map_err(failed)?;
        let until = Instant::now() + PATIENCE;
        while let Err(cause) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if cause != rustix::io::Errno::WOULDBLOCK {
                return Err(failed(cause.into()));
            }
            if Instant::now() > until {
                return Err(Error::FolderInUse(folder.into(), holder(&mut file)));
            }
            std::thread::sleep(AGAIN);
        }
        let number = std::process::id().to_string();
        file.set_len(0).and_then(|()| file.write_all(number.as_bytes())).map_err(failed)?;
        Ok(Lock { _file: file })
    }

    /// Whether a server has this folder.
    pub fn is_held(folder: &Path) -> bool {
        let Ok(file) = File::open(folder.join(LOCK)) else { return false };
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
    }
}

/// The process that wrote its number there.
fn holder(file: &mut File) -> Option<u32> {
    let mut number = String::new();
    file.read_to_string(&mut number).ok()?;
    number.trim().parse().ok()
}

/// The path of a socket in a folder, in a form that is short enough for one where there is such a form.
pub struct Address {
    path: PathBuf,
    /// Open for as long as the path goes through it.
    _folder: Option<File>,
}

impl Address {
    /// Bytes that the path of a socket may have; some systems allow fewer than Linux.
    const LONGEST: usize = 100;

    /// Where the server of this folder listens.
    pub fn of(folder: &Path) -> Address {
        let path = folder.join(SOCKET);
        if path.as_os_str().len() > Address::LONGEST
            && let Ok(file) = File::open(folder)
        {
            use std::os::fd::AsRawFd;
            let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", file.as_raw_fd()));
            return Address { path, _folder: Some(file) };
        }
        Address { path, _folder: None }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_servers_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Lock::is_held(folder.path()));
        let lock = Lock::take(folder.path()).unwrap();
        assert!(Lock::is_held(folder.path()));
        let refused = Lock::take(folder.path()).err().unwrap();
        assert!(matches!(&refused, Error::FolderInUse(_, Some(id)) if *id == std::process::id()), "{refused}");
        drop(lock);
        assert!(!Lock::is_held(folder.path()));
        Lock::take(folder.path()).unwrap();
    }
}
