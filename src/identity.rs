//! Who a client is, and who is here under which name.

use crate::cluster::Cluster;
use crate::cluster::guests::Elsewhere;
use crate::cluster::note::{Guest, Note};
use crate::error::Error;
use crate::name::PersonName;
use crate::store::{Person, PersonId, Role, Store, Time, TokenHash, random_hex};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// The cookie that carries a session's token.
pub const COOKIE: &str = "parlor_session";

/// Who a client is, settled at the handshake.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The name.
    pub name: PersonName,
    /// The account, where there is one: what stays the same whatever the name is.
    pub person: Option<PersonId>,
    /// What the person may do.
    pub role: Role,
    /// What tells two people of one name apart: the account, a guest's session, or the key of a guest's own choice.
    pub key: Option<TokenHash>,
    /// The session that the client came with: the connection ends when that does.
    pub session: Option<TokenHash>,
}

/// A token or key as it is kept and compared.
pub fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// A token for a program, which nobody has yet. It is known for what it is wherever it turns up, by what it begins with.
pub fn new_token() -> Result<String, Error> {
    Ok(format!("parlor_{}", random_hex(24)?))
}

/// The token in an `Authorization` field; None where that says something else.
pub fn bearer(field: &str) -> Option<TokenHash> {
    let (scheme, token) = field.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| hash(token.trim()))
}

/// Whose session or token it is, if it is anybody's.
pub fn person(store: &dyn Store, token: &TokenHash) -> Result<Option<Person>, Error> {
    let now = Time::now();
    match store.session(token, now)? {
        Some(person) => Ok(Some(person)),
        None => store.token(token, now),
    }
}

/// The names in use. A name belongs to one guest at a time, on as many connections as that guest shows the key for.
pub struct Guests {
    here: Mutex<HashMap<String, Holder>>,
    /// Known to nobody outside: the key of all for whom the program itself vouches.
    secret: TokenHash,
    /// The program's own names. Taken before `here`.
    reserved: Mutex<HashMap<String, Claim>>,
    /// The other nodes, and the names in use there. Taken after `here`.
    cluster: Cluster,
    elsewhere: Mutex<Elsewhere>,
}

struct Holder {
    shown: PersonName,
    key: Option<TokenHash>,
    connections: usize,
    /// Other nodes are told of it: it is a guest's, and nobody vouches for it. Since when, in milliseconds.
    told: Option<i64>,
}

impl Guests {
    /// Nobody yet.
    pub fn new(secret: &str) -> Guests {
        let (here, reserved, cluster, elsewhere) = Default::default();
        Guests { here, secret: hash(secret), reserved, cluster, elsewhere }
    }

    /// The same, at one of several nodes.
    pub fn among(self, cluster: Cluster) -> Guests {
        Guests { cluster, ..self }
    }

    /// A person for whom the program vouches.
    pub fn vouched(&self, name: PersonName) -> Identity {
        Identity { name, person: None, role: Role::Guest, key: Some(self.secret), session: None }
    }

    /// Whether the program vouches for that person.
    pub fn vouch_for(&self, who: &Identity) -> bool {
        who.key == Some(self.secret)
    }

    /// Somebody with an account, on as many devices as that person likes.
    pub fn account(&self, person: &Person, session: TokenHash) -> Identity {
        let mut key = Sha256::new_with_prefix(self.secret);
        key.update(person.id.to_le_bytes());
        let key = Some(key.finalize().into());
        let session = Some(session);
        Identity { name: person.name.clone(), person: Some(person.id), role: person.role, key, session }
    }

    /// Keeps a name for the program itself, for good. False: a guest has it just now.
    pub fn reserve(self: &Arc<Self>, name: &PersonName) -> bool {
        let mut reserved = self.reserved.lock();
        if let Entry::Vacant(free) = reserved.entry(name.folded()) {
            let Some(claim) = self.claim(&self.vouched(name.clone())) else { return false };
            free.insert(claim);
        }
        true
    }

    /// Whether a name is the program's own.
    pub fn is_reserved(&self, name: &PersonName) -> bool {
        self.reserved.lock().contains_key(&name.folded())
    }

    /// Takes the name for one more connection, until the claim is dropped. None: another guest has it. Whoever has an account
    /// under that name has it before any guest.
    pub fn claim(self: &Arc<Self>, who: &Identity) -> Option<Claim> {
        let name = who.name.folded();
        let mut here = self.here.lock();
        let is_guest = who.role == Role::Guest && !self.vouch_for(who);
        if is_guest && !here.contains_key(&name) && self.elsewhere.lock().is_taken(&name, who.key.as_ref()) {
            return None;
        }
        let free = Holder { shown: who.name.clone(), key: who.key, connections: 0, told: None };
        let holder = here.entry(name.clone()).or_insert(free);
        if who.role > Role::Guest {
            (holder.shown, holder.key) = (who.name.clone(), who.key);
        } else if holder.connections > 0 && !holder.is(who.key.as_ref()) {
            return None;
        }
        holder.connections += 1;
        if is_guest && holder.told.is_none() && self.cluster.is_there() {
            holder.told = Some(Time::now().0);
            self.cluster.tell(|| Note::Guest(holder.guest()));
        }
        Some(Claim { guests: self.clone(), name, shown: holder.shown.clone() })
    }

    /// The name as the one who has it just now writes it.
    pub fn shown(&self, name: &PersonName) -> Option<PersonName> {
        let here = self.here.lock().get(&name.folded()).map(|holder| holder.shown.clone());
        here.or_else(|| self.elsewhere.lock().shown(&name.folded()))
    }

    /// Whether a guest with another key has the name just now.
    pub fn is_taken(&self, name: &PersonName, key: Option<&TokenHash>) -> bool {
        let name = name.folded();
        let here = self.here.lock().get(&name).map(|holder| !holder.is(key));
        here.unwrap_or_else(|| self.elsewhere.lock().is_taken(&name, key))
    }
}

/// What other nodes tell, and are told.
#[cfg(feature = "cluster")]
impl Guests {
    /// All guests that are here.
    pub fn all(&self) -> Vec<Guest> {
        self.here.lock().values().filter(|holder| holder.told.is_some()).map(Holder::guest).collect()
    }

    /// A guest has come in at another node. True: somebody else has that name here and came later, and is to go.
    pub fn put_elsewhere(&self, node: &str, guest: Guest) -> bool {
        let folded = PersonName::trusted(&guest.name).folded();
        let mut here = self.here.lock();
        let own = here.get_mut(&folded).filter(|holder| !holder.is(guest.key.as_ref()));
        let loses = own.and_then(|holder| holder.told).is_some_and(|since| guest.since < since);
        self.elsewhere.lock().put(node, folded, guest);
        loses
    }

    /// A guest is no longer at another node.
    pub fn take_elsewhere(&self, node: &str, name: &str) {
        self.elsewhere.lock().take(node, &PersonName::trusted(name).folded());
    }

    /// No guest is at another node any more.
    pub fn forget_elsewhere(&self, node: &str) {
        self.elsewhere.lock().forget(node);
    }
}

impl Holder {
    fn guest(&self) -> Guest {
        Guest { name: self.shown.as_str().into(), key: self.key, since: self.told.unwrap_or_default() }
    }

    /// Only a key can show that two connections are one guest's.
    fn is(&self, key: Option<&TokenHash>) -> bool {
        key.is_some() && self.key.as_ref() == key
    }
}

/// A name in use by one connection.
pub struct Claim {
    guests: Arc<Guests>,
    name: String,
    /// The name as the first of the guest's connections wrote it: one person is not shown as two.
    pub shown: PersonName,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut here = self.guests.here.lock();
        if let Some(holder) = here.get_mut(&self.name) {
            holder.connections -= 1;
            if holder.connections == 0 {
                let told = here.remove(&self.name).filter(|holder| holder.told.is_some());
                told.iter().for_each(|_| self.guests.cluster.tell(|| Note::NoGuest(self.shown.as_str().into())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str, key: Option<&str>) -> Identity {
        let (name, key) = (PersonName::parse(name).unwrap(), key.map(hash));
        Identity { name, person: None, role: Role::Guest, key, session: None }
    }

    #[test]
    fn a_name_is_one_guests_at_a_time() {
        let guests = Arc::new(Guests::new("secret"));
        let ann = guests.claim(&guest("ann", None)).unwrap();
        assert!(guests.claim(&guest("ANN", None)).is_none());
        assert!(guests.claim(&guest("bob", None)).is_some());
        drop(ann);
        assert!(guests.claim(&guest("Ann", None)).is_some());
    }

    #[test]
    fn what_the_program_speaks_as_no_guest_can_be() {
        let guests = Arc::new(Guests::new("secret"));
        let name = |name| PersonName::parse(name).unwrap();
        let ann = guests.claim(&guest("ann", Some("k"))).unwrap();
        assert!(!guests.reserve(&name("Ann")));
        drop(ann);
        assert!(guests.reserve(&name("Ann")) && guests.reserve(&name("ANN")));
        assert!(guests.claim(&guest("ann", Some("k"))).is_none());
        assert!(guests.claim(&guests.vouched(name("ann"))).is_some());
    }

    #[test]
    fn a_key_takes_the_name_over_and_keeps_it_until_the_last_connection_ends() {
        let guests = Arc::new(Guests::new("secret"));
        let dying = guests.claim(&guest("ann", Some("k"))).unwrap();
        let back = guests.claim(&guest("ann", Some("k"))).unwrap();
        assert_eq!(guests.claim(&guest("ANN", Some("k"))).unwrap().shown.as_str(), "ann");
        assert!(guests.claim(&guest("ann", Some("other"))).is_none());
        drop(dying);
        assert!(guests.is_taken(&PersonName::parse("ann").unwrap(), None));
        assert!(!guests.is_taken(&PersonName::parse("ann").unwrap(), Some(&hash("k"))));
        drop(back);
        assert!(guests.claim(&guest("ann", None)).is_some());
    }
}
