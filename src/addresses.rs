//! How many connections each address has: one that takes them all leaves none for the others.

use crate::refusal::Refusal;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Connections by where they come from.
pub(crate) struct Addresses {
    /// None: as many as they like.
    limit: Option<usize>,
    here: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection, counted until this is let go of.
pub(crate) struct Stay {
    addresses: Arc<Addresses>,
    place: IpAddr,
}

impl Addresses {
    pub fn new(limit: Option<usize>) -> Arc<Addresses> {
        Arc::new(Addresses { limit, here: Mutex::default() })
    }

    /// Counts a connection, or says that its address has as many as it may. None: it is not counted.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Option<Stay>, Refusal> {
        let Some(limit) = self.limit else { return Ok(None) };
        let address = address.to_canonical();
        // What runs on this machine can harm it in easier ways: `parlor bench`, a tunnel, a proxy that nobody told of.
        if address == IpAddr::from([127, 0, 0, 1]) || address == Ipv6Addr::LOCALHOST {
            return Ok(None);
        }
        let place = place(address);
        let mut here = self.here.lock();
        let count = here.entry(place).or_insert(0);
        if *count >= limit {
            return Err(Refusal::crowded(limit));
        }
        *count += 1;
        Ok(Some(Stay { addresses: self.clone(), place }))
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut here = self.addresses.here.lock();
        if let Some(count) = here.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                here.remove(&self.place);
            }
        }
    }
}

/// Of IPv6 the network: one household has 2⁶⁴ addresses to itself.
fn place(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(addresses: &Arc<Addresses>, from: &str) -> Option<Option<Stay>> {
        addresses.enter(from.parse().unwrap()).ok()
    }

    #[test]
    fn an_address_has_so_many_at_once_and_a_network_of_ipv6_counts_as_one() {
        let addresses = Addresses::new(Some(2));
        let first = enter(&addresses, "192.0.2.1");
        let second = enter(&addresses, "::ffff:192.0.2.1");
        assert!(first.is_some() && second.is_some() && enter(&addresses, "192.0.2.1").is_none());
        assert!(enter(&addresses, "192.0.2.2").is_some(), "another one may come");
        drop(first);
        assert!(enter(&addresses, "192.0.2.1").is_some());
        let house = [enter(&addresses, "2001:db8:0:7::1"), enter(&addresses, "2001:db8:0:7:ffff::2")];
        assert!(house.iter().all(Option::is_some) && enter(&addresses, "2001:db8:0:7::3").is_none());
        assert!(enter(&addresses, "2001:db8:0:8::1").is_some());
        drop((second, house));
        assert!(addresses.here.lock().is_empty(), "whoever is gone is forgotten");
    }

    #[test]
    fn this_machine_is_not_counted_and_nobody_is_where_that_is_off() {
        let counted = |limit, from| {
            let addresses = Addresses::new(limit);
            (0..9).filter(|_| enter(&addresses, from).is_some_and(|stay| stay.is_none())).count()
        };
        assert_eq!([counted(Some(1), "127.0.0.1"), counted(Some(1), "::1"), counted(None, "192.0.2.1")], [9; 3]);
    }
}
