//! The pen: whoever writes takes it, one at a time. A writer that never comes back is given up, and the next one has another.

use super::super::database::Database;
use super::super::link::{ANSWER, Link};
use super::writer::{People, Writer};
use crate::error::Error;
use diesel::result::QueryResult;
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;

/// What writes, and where it comes from.
pub struct Pen {
    link: Arc<Link>,
    writer: Mutex<Arc<Mutex<Writer>>>,
}

impl Pen {
    pub fn new(link: Arc<Link>) -> Result<Pen, Error> {
        let writer = Mutex::new(Arc::new(Mutex::new(Writer::new(link.clone())?)));
        Ok(Pen { link, writer })
    }

    /// As [`Writer::transaction`].
    pub fn transaction<T>(&self, work: impl FnMut(&mut Database, &mut People) -> QueryResult<T>) -> QueryResult<T> {
        self.taken(|writer| writer.transaction(work))
    }

    /// As [`Writer::look`].
    pub fn look<T, E: From<diesel::result::Error>>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, E>,
    ) -> Result<T, E> {
        self.taken(|writer| writer.look(work))
    }

    /// As [`Writer::forget`].
    pub fn forget(&self) {
        let _ = self.taken(|writer| {
            writer.forget();
            QueryResult::Ok(())
        });
    }

    fn taken<T, E: From<diesel::result::Error>>(&self, work: impl FnOnce(&mut Writer) -> Result<T, E>) -> Result<T, E> {
        self.link.check()?;
        let writer = self.writer.lock().clone();
        if !self.link.is_shared() {
            return work(&mut writer.lock());
        }
        if let Some(mut writer) = writer.try_lock_for(ANSWER) {
            return work(&mut writer);
        }
        self.give_up(&writer);
        Err(self.link.hangs(ANSWER).into())
    }

    /// Whoever has the pen does not come back, or not soon: what it does may still be done, and the next writer waits for the
    /// rooms that it has locked.
    pub fn renew(&self) {
        let writer = self.writer.lock().clone();
        self.give_up(&writer);
    }

    /// Takes another for one that others may have given up before.
    fn give_up(&self, old: &Arc<Mutex<Writer>>) {
        let mut writer = self.writer.lock();
        if Arc::ptr_eq(&writer, old)
            && let Ok(another) = Writer::unconnected(self.link.clone())
        {
            *writer = Arc::new(Mutex::new(another));
        }
    }

    /// Runs something while nobody writes, where only one may: in SQLite.
    pub fn rests<T>(&self, work: impl FnOnce() -> T) -> T {
        let writer = self.writer.lock().clone();
        let _turn: Option<MutexGuard<Writer>> = (!self.link.is_shared()).then(|| writer.lock());
        work()
    }
}
