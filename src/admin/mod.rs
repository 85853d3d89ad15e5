//! Looking after what a server keeps, from outside it: a program that has the data folder at hand, whether or not a server
//! runs on it.

mod accounts;
mod backup;
mod order;
mod rooms;
mod tokens;
mod transcript;

use crate::control;
use crate::doors::Doors;
use crate::error::Error;
use crate::folder::{DATABASE, Lock};
use crate::name::{PersonName, RoomName};
use crate::store::Address;
use crate::store::{Outcome, Record, Sql, Store, Synchronous, backup as file};
use std::path::{Path, PathBuf};

pub use accounts::Account;
pub use backup::Backup;
pub use order::Sanction;
pub use rooms::RoomDetails;
pub use tokens::Token;
pub use transcript::TranscriptLine;

/// Looks after the accounts, the rooms and the messages in a data folder. A server may run on it meanwhile; what was done, it
/// takes in when it is told, by [`Admin::tell`].
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let admin = parlor::Admin::make(folder)?;
/// admin.add_account("ann", "correct horse", parlor::Role::Owner)?;
/// admin.create_room("garden", "The garden")?;
///
/// let builder = parlor::Server::builder().listen("127.0.0.1:0".parse()?);
/// let server = builder.sqlite(folder, parlor::Synchronous::Normal).bind()?.spawn()?;
/// admin.set_role("ann", parlor::Role::Member).unwrap_err(); // somebody must own the server
/// admin.archive_room("garden", true)?;
/// assert!(admin.tell()?, "from now on it knows");
/// # server.shutdown();
/// # server.join()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Admin {
    store: Sql,
    /// Where a server that runs takes commands.
    folder: PathBuf,
    /// What it keeps, in words, where that is not the database in the folder.
    elsewhere: Option<String>,
}

impl Admin {
    /// Opens the database in a data folder.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is none, or where an older server runs that does not know what this program would make of
    /// it; [`Error::NewerDatabase`]; [`Error::DataFolder`]; [`Error::Store`].
    pub fn open(folder: &Path) -> Result<Admin, Error> {
        if !Admin::is_there(folder) {
            let folder = folder.display();
            return Err(Error::Refused(format!("there is no database in {folder}; say which folder with --data")));
        }
        Admin::make(folder)
    }

    /// The same, and makes folder and database where they are missing.
    ///
    /// # Errors
    /// As [`Admin::open`].
    pub fn make(folder: &Path) -> Result<Admin, Error> {
        if Admin::is_there(folder) && Lock::is_held(folder) && file::lacks(&folder.join(DATABASE))? > 0 {
            let folder = folder.display();
            let why = format!("the server that runs on {folder} is older than this program; start that one anew first");
            return Err(Error::Refused(why));
        }
        // How many rooms there may be, is said to those who chat.
        let store = Sql::sqlite(folder, Synchronous::Full, usize::MAX)?;
        Ok(Admin { store, folder: folder.into(), elsewhere: None })
    }

    /// Opens a database that is in no data folder, at an address as [`Builder::database`](crate::Builder::database) takes it.
    /// The server that runs on it is told through `folder`, if it was given that for [`commands`](crate::Builder::commands);
    /// servers on other machines are not.
    ///
    /// # Errors
    /// [`Error::Setting`] for an address that makes no sense; [`Error::Refused`] where there is no chat at that address;
    /// [`Error::Unreachable`]; otherwise as [`Admin::open`].
    pub fn at(database: &str, folder: &Path) -> Result<Admin, Error> {
        let address = Address::parse(database)?;
        if !Sql::is_there(&address)? {
            return Err(Error::Refused(format!("there is no chat in {address}; a server makes it at its first start")));
        }
        Admin::make_at(database, folder)
    }

    /// The same, and makes the tables where they are missing.
    ///
    /// # Errors
    /// As [`Admin::at`].
    pub fn make_at(database: &str, folder: &Path) -> Result<Admin, Error> {
        let address = Address::parse(database)?;
        if let Some(folder) = address.folder() {
            return Admin::make(&folder);
        }
        let store = Sql::open(&address, Synchronous::Full, usize::MAX)?;
        Ok(Admin { store, folder: folder.into(), elsewhere: Some(address.to_string()) })
    }

    /// Whether servers may run on the database that are on other machines, and are not told of anything.
    pub fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Whether there is a database in that folder.
    pub fn is_there(folder: &Path) -> bool {
        folder.join(DATABASE).is_file()
    }

    /// Tells the server that runs on the folder to look again: it shows what is new to those who may see it, and closes
    /// the connections of people who are signed out, banned, or have another role now. False: none runs.
    ///
    /// # Errors
    /// [`Error::Refused`] when one runs and could not be told. It will know when it is started anew.
    pub fn tell(&self) -> Result<bool, Error> {
        control::tell(&self.folder, self.elsewhere.as_ref().map(|_| self.store.epoch()))
    }

    /// Stores something, if the program may do that.
    fn record(&self, record: Record) -> Result<Outcome, Error> {
        let doors = Doors::new(self.store.every_room()?);
        doors.judge(&record).map_err(|problem| Error::Refused(problem.message))?;
        let outcomes = self.store.record(std::slice::from_ref(&record))?;
        outcomes.into_iter().next().ok_or_else(|| Error::Store("it gave no answer".into()))
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match &self.elsewhere {
            Some(database) => write!(f, "Admin({database})"),
            None => write!(f, "Admin({})", self.folder.display()),
        }
    }
}

/// A person's name, or why it is none.
fn person_name(name: &str) -> Result<PersonName, Error> {
    PersonName::parse(name).map_err(|why| Error::Refused(format!("\"{name}\": {why}")))
}

/// A room's name, or why it is none.
fn room_name(name: &str) -> Result<RoomName, Error> {
    RoomName::parse(name).map_err(|why| Error::Refused(format!("\"{name}\": {why}")))
}
