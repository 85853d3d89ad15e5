//! Backups: the whole database as one file, and back.

use super::Admin;
use crate::error::Error;
use crate::folder::{DATABASE, Lock};
use crate::store::backup::{self as file, Draft};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use time::OffsetDateTime;
use time::macros::format_description;

/// What became of a backup, or of one that was restored.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// parlor::Admin::make(folder)?;
/// let backup = parlor::Admin::back_up(folder, &folder.join("backup.db"))?;
/// assert_eq!((backup.messages, backup.kept), (0, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backup {
    /// How many messages are in it.
    pub messages: u64,
    /// How large it is, in bytes.
    pub bytes: u64,
    /// Where the database is kept that it took the place of, if there was one.
    pub kept: Option<PathBuf>,
}

impl Admin {
    /// Copies the database of a data folder into a new file, all of one moment, while a server writes to it or not. When this
    /// returns the copy is whole and on the disk; otherwise there is none. Nothing is overwritten.
    ///
    /// # Errors
    /// [`Error::File`] where the copy cannot be written or something stands there; [`Error::Refused`] where there is no database or a damaged
    /// one; [`Error::NewerDatabase`]; [`Error::Store`].
    pub fn back_up(folder: &Path, to: &Path) -> Result<Backup, Error> {
        if !Admin::is_there(folder) {
            let folder = folder.display();
            return Err(Error::Refused(format!("there is no database in {folder}; say which folder with --data")));
        }
        if to.symlink_metadata().is_ok() {
            return Err(Error::File(to.into(), std::io::ErrorKind::AlreadyExists.into()));
        }
        let draft = Draft::copy(&folder.join(DATABASE), to)?;
        let contents = draft.check(&folder.join(DATABASE))?;
        draft.keep(to)?;
        Ok(Backup { messages: contents.messages, bytes: contents.bytes, kept: None })
    }

    /// Puts a backup in the place of the database in a data folder, once it was looked through. What was there is kept beside
    /// it, under another name. The database has another epoch then: clients forget the numbers that they know.
    ///
    /// # Errors
    /// [`Error::FolderInUse`] while a server runs there, [`Error::Refused`] while another program has the database open, or for a
    /// file that is damaged or no database of Parlor's; [`Error::NewerDatabase`]; [`Error::File`]; [`Error::Store`].
    pub fn restore(folder: &Path, from: &Path) -> Result<Backup, Error> {
        fs::metadata(from).map_err(|cause| Error::File(from.into(), cause))?;
        file::examine(from)?;
        let _lock = Lock::take(folder)?;
        let database = folder.join(DATABASE);
        let draft = Draft::copy(from, &database)?;
        draft.begin_an_epoch()?;
        let contents = draft.check(from)?;
        let kept = put_aside(folder)?;
        if let Err(cause) = draft.keep(&database) {
            // As it was before.
            if let Some(kept) = &kept {
                let _ = fs::rename(kept, &database);
            }
            return Err(cause);
        }
        Ok(Backup { messages: contents.messages, bytes: contents.bytes, kept })
    }
}

/// Gives the database in a folder another name, as one file if that can be.
fn put_aside(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let database = folder.join(DATABASE);
    if !Admin::is_there(folder) {
        return Ok(None);
    }
    let is_open = || Error::Refused(format!("another program has {} open; end that one first", database.display()));
    match file::close(&database) {
        Ok(()) => {}
        Err(Error::Store(why)) if why.contains("locked") => return Err(is_open()),
        // It is damaged: that may be why it is replaced. Its log goes with it.
        Err(_) => {}
    }
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let now = OffsetDateTime::from(SystemTime::now()).format(&format).unwrap_or_default();
    let mut kept = folder.join(format!("{DATABASE}.before-{now}"));
    for count in 2.. {
        if !kept.exists() {
            break;
        }
        kept = folder.join(format!("{DATABASE}.before-{now}-{count}"));
    }
    fs::rename(&database, &kept).map_err(|cause| Error::File(database.clone(), cause))?;
    for log in ["-wal", "-shm"] {
        let own = |file: &Path| PathBuf::from(format!("{}{log}", file.display()));
        // Where there is none, there is nothing to keep.
        let _ = fs::rename(own(&database), own(&kept));
    }
    Ok(Some(kept))
}
