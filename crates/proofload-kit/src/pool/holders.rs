//! Who has a connection since when, and for whom that is too long. Pure: the time is an argument.

use std::collections::BTreeMap;
use std::panic::Location;
use std::time::Duration;

use tokio::time::Instant;

/// Where a connection was taken.
pub(super) type Place = &'static Location<'static>;

#[derive(Debug)]
struct Holder {
    place: Place,
    since: Instant,
    is_reported: bool,
}

/// A connection that is held for too long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Leak {
    pub(super) place: Place,
    pub(super) held: Duration,
}

/// Those who have a connection now, by a number that grows.
#[derive(Debug, Default)]
pub(super) struct Holders {
    next: u64,
    all: BTreeMap<u64, Holder>,
}

impl Holders {
    pub(super) fn add(&mut self, place: Place, now: Instant) -> u64 {
        let id = self.next;
        self.next += 1;
        self.all.insert(id, Holder { place, since: now, is_reported: false });
        id
    }

    /// How long it was held; with the place if that was reported as a leak.
    pub(super) fn remove(&mut self, id: u64, now: Instant) -> Option<(Duration, Option<Place>)> {
        let holder = self.all.remove(&id)?;
        Some((now - holder.since, holder.is_reported.then_some(holder.place)))
    }

    /// Those who hold one for `limit` or longer and were not reported yet.
    pub(super) fn leaks(&mut self, limit: Duration, now: Instant) -> Vec<Leak> {
        let mut leaks = Vec::new();
        // In the order in which they were taken: the first that is not late ends it.
        for holder in self.all.values_mut().take_while(|holder| now - holder.since >= limit) {
            if !std::mem::replace(&mut holder.is_reported, true) {
                leaks.push(Leak { place: holder.place, held: now - holder.since });
            }
        }
        leaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_reported_once_when_it_is_late() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let limit = Duration::from_secs(10);
        let place = Location::caller();
        let mut holders = Holders::default();
        let first = holders.add(place, at(0));
        let second = holders.add(place, at(2));
        let third = holders.add(place, at(5));
        let late = |holders: &mut Holders, now| -> Vec<u64> {
            holders.leaks(limit, at(now)).iter().map(|leak| leak.held.as_secs()).collect()
        };
        assert_eq!(late(&mut holders, 9), [0; 0]);
        assert_eq!(late(&mut holders, 11), [11]);
        assert_eq!(holders.remove(second, at(12)), Some((limit, None)));
        assert_eq!(late(&mut holders, 20), [15]);
        assert_eq!(late(&mut holders, 60), [0; 0]);
        let reported = |held| Some((Duration::from_secs(held), Some(place)));
        assert_eq!(holders.remove(first, at(61)), reported(61));
        assert_eq!(holders.remove(third, at(61)), reported(56));
        assert_eq!(holders.remove(third, at(62)), None);
        assert!(holders.all.is_empty());
    }
}
