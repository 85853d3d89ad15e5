//! Sanctions: who may not speak, and who may not come in, from where.
//!
//! A mirror of what the store keeps, so that no post and no handshake waits for a database. Whoever changes it holds
//! [`Sanctions::acting`] over the store's transaction too, so that the two never differ.

use crate::name::PersonName;
use crate::protocol::{Muted, Problem};
use crate::store::{Penalty, Role, Sanction, Time};
use parking_lot::{Mutex, MutexGuard, RwLock};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// The penalties in force. The lock is held to look something up, never over anything that waits.
#[derive(Default)]
pub struct Sanctions {
    state: RwLock<State>,
    /// How many are muted: mostly nobody, and then no post is looked at.
    muted: AtomicUsize,
    acting: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// By folded name.
    mutes: HashMap<String, Sanction>,
    bans: HashMap<String, Sanction>,
}

impl State {
    fn of(&mut self, penalty: Penalty) -> &mut HashMap<String, Sanction> {
        match penalty {
            Penalty::Mute => &mut self.mutes,
            Penalty::Ban => &mut self.bans,
        }
    }
}

impl Sanctions {
    /// Takes in what the store keeps, in the place of what was known. Gives those who may speak now and could not, or the
    /// other way round, or for another time or reason.
    pub fn fill(&self, sanctions: Vec<Sanction>) -> Vec<PersonName> {
        let mut state = State::default();
        for sanction in sanctions {
            state.of(sanction.penalty).insert(sanction.name.folded(), sanction);
        }
        self.muted.store(state.mutes.len(), SeqCst);
        let mut current = self.state.write();
        let before = std::mem::replace(&mut *current, state);
        let terms = |mutes: &HashMap<String, Sanction>, folded: &String| {
            mutes.get(folded).map(|mute| (mute.until, mute.reason.clone()))
        };
        let all = before.mutes.iter().chain(&current.mutes);
        let other = all.filter(|(folded, _)| terms(&before.mutes, folded) != terms(&current.mutes, folded));
        // Whose mute has other terms is there twice, and told once.
        let other: HashMap<&String, &Sanction> = other.collect();
        other.into_values().map(|mute| mute.name.clone()).collect()
    }

    /// Held by whoever changes penalties, over the store and this mirror of it.
    pub fn acting(&self) -> MutexGuard<'_, ()> {
        self.acting.lock()
    }

    /// Takes in what was just stored.
    pub fn lay(&self, sanction: Sanction) {
        let mut state = self.state.write();
        state.of(sanction.penalty).insert(sanction.name.folded(), sanction);
        self.muted.store(state.mutes.len(), SeqCst);
    }

    /// Takes in that a penalty was lifted.
    pub fn lift(&self, name: &PersonName, penalty: Penalty) {
        let mut state = self.state.write();
        state.of(penalty).remove(&name.folded());
        self.muted.store(state.mutes.len(), SeqCst);
    }

    /// A person is called otherwise from now on, and nothing else changes.
    pub fn rename(&self, old: &PersonName, new: &PersonName) {
        let mut state = self.state.write();
        for penalty in [Penalty::Mute, Penalty::Ban] {
            let all = state.of(penalty);
            if let Some(sanction) = all.remove(&old.folded()) {
                all.insert(new.folded(), Sanction { name: new.clone(), ..sanction });
            }
        }
    }

    /// Until when a person is muted, and why; None: that person may speak.
    pub fn muted(&self, name: &PersonName) -> Option<Muted> {
        if self.muted.load(SeqCst) == 0 {
            return None;
        }
        let state = self.state.read();
        let mute = state.mutes.get(&name.folded()).filter(|mute| mute.holds(Time::now()))?;
        Some(Muted { until: mute.until, reason: mute.reason.clone() })
    }

    /// Whether a person is to be silent, as it is told.
    pub fn silences(&self, name: &PersonName) -> Option<Problem> {
        let Muted { until, reason } = self.muted(name)?;
        Some(Problem::muted(format!("you are muted {}{}", when(until), because(&reason)), until))
    }

    /// Why a person is not let in: by the name or, but for those who keep order, by where they come from.
    pub fn bars(&self, name: &PersonName, role: Role, address: Option<IpAddr>) -> Option<String> {
        let state = self.state.read();
        if state.bans.is_empty() {
            return None;
        }
        let now = Time::now();
        if let Some(ban) = state.bans.get(&name.folded()).filter(|ban| ban.holds(now)) {
            return Some(format!("you are banned {}{}", when(ban.until), because(&ban.reason)));
        }
        drop(state);
        if role >= Role::Moderator { None } else { self.bars_from(address) }
    }

    /// Why nobody is let in from an address.
    pub fn bars_from(&self, address: Option<IpAddr>) -> Option<String> {
        let state = self.state.read();
        if state.bans.is_empty() {
            return None;
        }
        let (network, now) = (network(address?), Time::now());
        let ban = state.bans.values().find(|ban| ban.networks.contains(&network) && ban.holds(now))?;
        Some(format!("nobody is let in from your address {}: somebody there was banned", when(ban.until)))
    }
}

/// An address as it is banned: of IPv6 the network, which one household has to itself.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("{v4}/32"),
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[4..].fill(0);
            format!("{}/64", std::net::Ipv6Addr::from(segments))
        }
    }
}

/// An end as people read it.
pub fn when(until: Option<Time>) -> String {
    match until {
        Some(until) => format!("until {until}"),
        None => "until a moderator lifts it".into(),
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PersonName {
        PersonName::parse(text).unwrap()
    }

    fn sanction(who: &str, penalty: Penalty, until: Option<i64>, networks: &[&str]) -> Sanction {
        let networks = networks.iter().map(|network| network.to_string()).collect();
        let (until, at) = (until.map(|ms| Time(Time::now().0 + ms)), Time::now());
        Sanction { name: name(who), penalty, until, reason: "spam".into(), by: "host".into(), at, networks }
    }

    #[test]
    fn a_mute_silences_until_its_end_and_follows_its_person() {
        let sanctions = Sanctions::default();
        assert!(sanctions.silences(&name("ann")).is_none());
        sanctions.lay(sanction("Ann", Penalty::Mute, Some(60_000), &[]));
        sanctions.lay(sanction("bob", Penalty::Mute, Some(-1), &[]));
        let told = sanctions.silences(&name("ann")).unwrap();
        assert!(told.message.starts_with("you are muted until 20") && told.message.ends_with(": spam"), "{told:?}");
        assert!(sanctions.silences(&name("bob")).is_none(), "it is over");
        sanctions.rename(&name("ann"), &name("Anna"));
        assert!(sanctions.silences(&name("ann")).is_none() && sanctions.silences(&name("anna")).is_some());
        sanctions.lift(&name("ANNA"), Penalty::Mute);
        assert!(sanctions.silences(&name("anna")).is_none());
    }

    #[test]
    fn what_is_filled_in_anew_names_those_whose_mute_is_another() {
        let sanctions = Sanctions::default();
        let (ann, bob) = (sanction("ann", Penalty::Mute, None, &[]), sanction("bob", Penalty::Mute, None, &[]));
        let names = |names: Vec<PersonName>| {
            let mut names: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
            names.sort_unstable();
            names
        };
        let eve = sanction("eve", Penalty::Ban, None, &[]);
        assert_eq!(names(sanctions.fill(vec![ann.clone(), bob.clone(), eve])), ["ann", "bob"]);
        assert!(sanctions.fill(vec![bob.clone(), ann]).is_empty());
        let longer = Sanction { until: Some(Time(Time::now().0 + 60_000)), ..bob };
        assert_eq!(names(sanctions.fill(vec![longer.clone()])), ["ann", "bob"]);
        assert_eq!(names(sanctions.fill(Vec::new())), ["bob"]);
    }

    #[test]
    fn a_ban_bars_the_person_and_everyone_there_but_those_who_keep_order() {
        let sanctions = Sanctions::default();
        sanctions.fill(vec![sanction("eve", Penalty::Ban, None, &["192.0.2.7/32", "2001:db8:1:2::/64"])]);
        let bars = |who: &str, role, from: &str| sanctions.bars(&name(who), role, from.parse().ok()).is_some();
        assert!(bars("EVE", Role::Guest, "198.51.100.1"));
        for from in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1:2:ffff::9"] {
            assert!(bars("ann", Role::Member, from), "{from}");
            assert!(!bars("ann", Role::Moderator, from), "{from}");
        }
        assert!(!bars("ann", Role::Guest, "192.0.2.8") && !bars("ann", Role::Guest, "2001:db8:1:3::1"));
        assert!(!bars("ann", Role::Guest, ""));
        sanctions.lift(&name("eve"), Penalty::Ban);
        assert!(!bars("eve", Role::Guest, "192.0.2.7"));
    }
}
