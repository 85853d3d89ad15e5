//! Order: who is banned or muted, laid upon people from outside a server and lifted again.

use super::{Admin, person_name};
use crate::error::Error;
use crate::name::PersonName;
use crate::order::{LONGEST, Terms, reason, written, written_off};
use crate::store::{self, Order, Penalty, People, Role, Store, Time};
use serde::Serialize;
use std::time::{Duration, SystemTime};

/// Who it was, in the book and wherever it is said who keeps somebody out.
const SHELL: &str = "(the shell)";

/// A penalty that is in force.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let admin = parlor::Admin::make(folder.path())?;
/// admin.ban("eve", None, "spam")?;
/// let ban = &admin.sanctions()?[0];
/// assert_eq!((ban.name.as_str(), ban.penalty.as_str(), ban.until), ("eve", "ban", None));
/// assert!(admin.unban("eve")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sanction {
    /// Upon whom.
    pub name: String,
    /// `ban`: does not come in; or `mute`: says nothing.
    pub penalty: String,
    /// When it ends. None: when somebody lifts it.
    #[serde(with = "crate::message::rfc3339::optional")]
    pub until: Option<SystemTime>,
    /// Why; empty where nobody has said.
    pub reason: String,
    /// Who laid it upon them.
    pub by: String,
    /// When.
    #[serde(with = "crate::message::rfc3339")]
    pub at: SystemTime,
}

impl Admin {
    /// All penalties that are in force, of guests too, the oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn sanctions(&self) -> Result<Vec<Sanction>, Error> {
        Ok(self.store.sanctions(Time::now())?.into_iter().map(Sanction::of).collect())
    }

    /// Keeps a person out, for so long or until somebody lifts it; in the place of a ban that there was. It stands in the book
    /// of what was done. A guest need not have been here yet.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is none, for an owner, a time of less than a second or more than 366 days, and
    /// a reason of more than 200 characters or one line; [`Error::Store`].
    pub fn ban(&self, name: &str, span: Option<Duration>, reason: &str) -> Result<Sanction, Error> {
        self.lay(name, Penalty::Ban, span, reason)
    }

    /// Lets a person in again. False: nobody of that name was banned.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is none; [`Error::Store`].
    pub fn unban(&self, name: &str) -> Result<bool, Error> {
        self.lift(name, Penalty::Ban)
    }

    /// Silences a person everywhere, for so long or until somebody lifts it; otherwise as [`Admin::ban`].
    ///
    /// # Errors
    /// As [`Admin::ban`].
    pub fn mute(&self, name: &str, span: Option<Duration>, reason: &str) -> Result<Sanction, Error> {
        self.lay(name, Penalty::Mute, span, reason)
    }

    /// Lets a person speak again. False: nobody of that name was muted.
    ///
    /// # Errors
    /// As [`Admin::unban`].
    pub fn unmute(&self, name: &str) -> Result<bool, Error> {
        self.lift(name, Penalty::Mute)
    }

    fn lay(&self, name: &str, penalty: Penalty, span: Option<Duration>, why: &str) -> Result<Sanction, Error> {
        let name = self.as_written(name)?;
        if self.store.account(&name)?.is_some_and(|account| account.person.role == Role::Owner) {
            let word = penalty.as_str();
            return Err(Error::Refused(format!("there is no {word} of an owner; give {name} another role first")));
        }
        let until = span.map(end).transpose()?;
        let reason = reason(why).map_err(|why| Error::Refused(format!("the reason: {why}")))?;
        let (sanction, deed) = written(&shell(), &name, penalty, Terms { until, reason }, Vec::new());
        self.store.sanction(&sanction, &deed)?;
        Ok(Sanction::of(sanction))
    }

    fn lift(&self, name: &str, penalty: Penalty) -> Result<bool, Error> {
        let name = self.as_written(name)?;
        self.store.lift(&name, penalty, &written_off(&shell(), &name, penalty))
    }

    /// A name, as the person writes it if that is known.
    fn as_written(&self, name: &str) -> Result<PersonName, Error> {
        let name = person_name(name)?;
        Ok(self.store.known(&name)?.unwrap_or(name))
    }
}

impl Sanction {
    fn of(sanction: store::Sanction) -> Sanction {
        let store::Sanction { name, penalty, until, reason, by, at, .. } = sanction;
        Sanction {
            name: name.as_str().to_owned(),
            penalty: penalty.as_str().to_owned(),
            until: until.map(SystemTime::from),
            reason,
            by,
            at: at.into(),
        }
    }
}

fn shell() -> PersonName {
    PersonName::trusted(SHELL)
}

fn end(span: Duration) -> Result<Time, Error> {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    if !(1..=LONGEST).contains(&seconds) {
        let why = "the time is from a second to 366 days; with none it is until somebody lifts it";
        return Err(Error::Refused(why.into()));
    }
    Ok(Time(Time::now().0 + seconds * 1000))
}
