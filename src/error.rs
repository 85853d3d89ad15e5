//! What can go wrong, each with its cause and what to do about it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::{fmt, io};

/// An error of the server as a whole. What one client does wrong is answered to that client and never becomes an `Error`.
///
/// ```
/// let refused = parlor::Server::builder().max_rooms(0).bind().err().unwrap();
/// assert!(matches!(&refused, parlor::Error::Setting(_)) && refused.is_fatal());
/// println!("{refused}"); // says what is allowed
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on: taken, not of this machine, or not allowed.
    Listen(SocketAddr, io::Error),
    /// A setting makes no sense, alone or with the others; the text says which and what is allowed.
    Setting(String),
    /// The folder of the database cannot be made or written to.
    DataFolder(PathBuf, io::Error),
    /// The database was written by a newer Parlor: the version it has that this one does not know.
    NewerDatabase(PathBuf, String),
    /// Another server runs on the data folder; the number of its process, where it is known.
    FolderInUse(PathBuf, Option<u32>),
    /// A file that was named cannot be read or written.
    File(PathBuf, io::Error),
    /// The store refused; the text is the database's own. While the server runs this is not fatal: what was
    /// not stored is answered with `unavailable`, and the next batch tries again.
    Store(String),
    /// The database cannot be reached; the text says which and why. While the server runs this is not fatal: what was not stored
    /// is answered with `unavailable`, and all goes on once the database is back.
    Unreachable(String),
    /// What the program asked for was not done; the text says why and what is allowed. The server goes on.
    Refused(String),
    /// The server has stopped, or is about to.
    Stopped,
    /// A thread of the server's own panicked, this one, and the server has ended; what was received is stored as far as
    /// that went. It is a fault of the server.
    Fault(&'static str),
    /// A thread, a socket pair or the like could not be made: the machine is out of something.
    System(&'static str, io::Error),
}

impl Error {
    /// Whether the server that returned it has stopped. A store's refusal can pass, and what the program
    /// asked for was its own concern.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Error::Store(_) | Error::Unreachable(_) | Error::Refused(_) | Error::File(..))
    }

    /// Whether the log has it already: that a database is out of reach is said once, by who tried to reach it.
    pub(crate) fn is_said(&self) -> bool {
        matches!(self, Error::Unreachable(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Listen(address, cause) if cause.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "{address} is taken by another program. Stop that one, or choose another port: --listen {}:{}",
                address.ip(),
                address.port().checked_add(1).unwrap_or(8080)
            ),
            Error::Listen(address, cause) => {
                write!(f, "cannot listen on {address}: {cause}. Give an address of this machine with --listen")
            }
            Error::Setting(what) => f.write_str(what),
            Error::DataFolder(path, cause) => write!(
                f,
                "cannot write to the data folder {}: {cause}. Make it writable, choose another with --data, or keep nothing with --memory",
                path.display()
            ),
            Error::NewerDatabase(path, version) => write!(
                f,
                "{} was written by a newer Parlor (it has migration {version}, which this one does not know). \
                 Use that version, or another folder with --data, or another database with --database",
                path.display()
            ),
            Error::FolderInUse(path, process) => {
                let process = process.map(|process| format!(" (process {process})")).unwrap_or_default();
                write!(
                    f,
                    "a server runs on the data folder {} already{process}. Stop that one, or choose another folder with --data",
                    path.display()
                )
            }
            Error::File(path, cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                write!(f, "{} is there already, and is not overwritten. Choose another name", path.display())
            }
            Error::File(path, cause) => write!(f, "{}: {cause}", path.display()),
            Error::Store(what) => write!(f, "the database refused: {what}"),
            Error::Unreachable(why) => write!(f, "the database cannot be reached: {why}"),
            Error::Refused(why) => f.write_str(why),
            Error::Stopped => f.write_str("the server has stopped"),
            Error::Fault(name) => write!(
                f,
                "the {name}, a part of the server, panicked, which is a fault of ours: please report what stands above. \
                 What was received is stored as far as that went; start it again"
            ),
            Error::System(what, cause) => write!(f, "{what}: {cause}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Listen(_, cause) | Error::DataFolder(_, cause) | Error::File(_, cause) | Error::System(_, cause) => {
                Some(cause)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_error_is_small() {
        assert!(size_of::<super::Error>() <= 64, "{}", size_of::<super::Error>());
    }
}
