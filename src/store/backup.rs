//! Copies of an SQLite database: made while it is written to, and looked through before one takes its place.

use super::link::refused;
use super::random_hex;
use super::schema::{facts, messages};
use super::sqlite::pending;
use crate::error::Error;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What stands in a file that is a database of ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contents {
    /// How many messages there are.
    pub messages: u64,
    /// How large it is, in bytes.
    pub bytes: u64,
}

/// A file that is being written, and is gone unless it is kept.
pub struct Draft {
    path: PathBuf,
    kept: bool,
}

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

impl Draft {
    /// Copies a database, all of one moment, into a new file beside `to`. Others write to it meanwhile.
    pub fn copy(database: &Path, to: &Path) -> Result<Draft, Error> {
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder).map_err(|cause| Error::File(folder.into(), cause))?;
        let path = folder.join(format!(".parlor-{}.tmp", random_hex(8)?));
        let mut connection = open(database, "ro")?;
        // For nobody else's eyes: there are hashes of passwords in it.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|cause| Error::File(to.into(), cause))?;
        let draft = Draft { path, kept: false };
        let into = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(text(&draft.path)?);
        into.execute(&mut connection).map_err(|cause| about(database, &cause))?;
        Ok(draft)
    }

    /// Looks whether it is whole, and a database that this program can read.
    pub fn check(&self, came_from: &Path) -> Result<Contents, Error> {
        let mut connection = open(&self.path, "rw")?;
        check(&mut connection, came_from)?;
        let count: i64 = messages::table.count().get_result(&mut connection).map_err(|e| about(came_from, &e))?;
        let bytes = fs::metadata(&self.path).map_err(|cause| Error::File(self.path.clone(), cause))?.len();
        Ok(Contents { messages: count as u64, bytes })
    }

    /// Gives it another epoch: numbers that were seen in the database it replaces mean nothing in this one.
    pub fn begin_an_epoch(&self) -> Result<(), Error> {
        let mut connection = open(&self.path, "rw")?;
        let row = facts::table.filter(facts::name.eq("epoch"));
        let begun = diesel::update(row).set(facts::value.eq(random_hex(8)?)).execute(&mut connection);
        begun.map(drop).map_err(|cause| refused(&cause))
    }

    /// Puts it in its place once it is on the disk, where nothing may stand yet.
    pub fn keep(mut self, to: &Path) -> Result<(), Error> {
        let failed = |cause| Error::File(to.into(), cause);
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(failed)?;
        // A link, unlike a new name, replaces nothing. Not every file system has them.
        match fs::hard_link(&self.path, to) {
            Ok(()) => {}
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists || to.exists() => {
                return Err(failed(io::ErrorKind::AlreadyExists.into()));
            }
            Err(_) => {
                fs::rename(&self.path, to).map_err(failed)?;
                self.kept = true;
            }
        }
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Looks through a file that is to become the database.
pub fn examine(file: &Path) -> Result<(), Error> {
    let mut connection = open(file, "ro")?;
    check(&mut connection, file)
}

/// How many migrations the database lacks that stands in this file.
pub fn lacks(file: &Path) -> Result<usize, Error> {
    pending(&mut open(file, "rw")?, &file.display().to_string())
}

/// Carries what stands in its log over into the database, so that it is one file. It fails while anybody has it open.
pub fn close(file: &Path) -> Result<(), Error> {
    use diesel::connection::SimpleConnection;
    open(file, "rw")?.batch_execute("PRAGMA journal_mode = DELETE;").map_err(|cause| about(file, &cause))
}

fn check(connection: &mut SqliteConnection, path: &Path) -> Result<(), Error> {
    let found = diesel::sql_query("PRAGMA integrity_check(1)").load::<Finding>(connection);
    let found = found.map_err(|cause| about(path, &cause))?;
    if let Some(broken) = found.iter().find(|finding| finding.integrity_check != "ok") {
        return Err(Error::Refused(format!("{} is damaged: {}", path.display(), broken.integrity_check)));
    }
    let epoch = facts::table.filter(facts::name.eq("epoch")).select(facts::value).first::<String>(connection);
    if epoch.is_err() {
        return Err(Error::Refused(format!("{} is a database, and none of Parlor's", path.display())));
    }
    pending(connection, &path.display().to_string()).map(drop)
}

/// Opens a database that is there.
fn open(path: &Path, mode: &str) -> Result<SqliteConnection, Error> {
    let found = fs::canonicalize(path).map_err(|cause| Error::File(path.into(), cause))?;
    let escaped = text(&found)?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let opened = SqliteConnection::establish(&format!("file:{escaped}?mode={mode}"));
    let mut connection = opened.map_err(|cause| about(path, &cause))?;
    diesel::sql_query("PRAGMA busy_timeout = 5000").execute(&mut connection).map_err(|cause| about(path, &cause))?;
    Ok(connection)
}

fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::Refused(format!("{} is no text; SQLite needs a path that is", path.display())))
}

fn about(path: &Path, cause: &dyn std::error::Error) -> Error {
    // What a damaged file says of itself may be anything.
    let cause = cause.to_string().replace(char::is_control, " ");
    Error::Store(format!("{cause} ({})", path.display()))
}
