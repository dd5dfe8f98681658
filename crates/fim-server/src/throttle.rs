//! Sign-in attempts: who fails too often has to wait; pure.
//!
//! An attempt counts as a failure from its beginning and is given back when it turns out right. So attempts at the same
//! time cost what they would cost one after the other.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use fim_core::Timestamp;

use crate::network::Network;

/// Who may try to sign in now.
///
/// A caller is a name from a network: who guesses a user's password locks only himself out. Guesses at one name from
/// many networks share a budget that slows them down; a network from which that user has signed in does not share it,
/// so that nobody can keep a user out of where he works.
#[derive(Debug)]
pub struct SignIns {
    by_caller: Throttle<(String, Network)>,
    by_network: Throttle<Network>,
    by_name: Throttle<String>,
    /// Where a user has signed in, and when.
    known: HashMap<(String, Network), Timestamp>,
}

/// An attempt that is being judged, and that counts as a failure until it is handed back.
#[derive(Debug)]
pub struct Attempt {
    name: Option<String>,
    network: Network,
    shares_the_name: bool,
}

impl SignIns {
    /// No attempts yet.
    pub fn new() -> Self {
        Self {
            by_caller: Throttle::new(MOST_CALLERS, BY_CALLER),
            by_network: Throttle::new(MOST_CALLERS, BY_NETWORK),
            by_name: Throttle::new(MOST_NAMES, BY_NAME),
            known: HashMap::new(),
        }
    }

    /// Begins an attempt; the error is the seconds to wait before the next may begin. Without a `name` (a one-time code
    /// has none) the network alone counts.
    pub fn begin(&mut self, name: Option<&str>, address: IpAddr, now: Timestamp) -> Result<Attempt, u64> {
        let network = Network::of(address);
        let caller = name.map(|name| (name.to_owned(), network));
        let is_known = caller.as_ref().is_some_and(|caller| self.known.contains_key(caller));
        let shared = name.filter(|_| !is_known).map(str::to_owned);
        let waits = [
            self.by_network.wait_seconds(&network, now),
            caller.as_ref().and_then(|caller| self.by_caller.wait_seconds(caller, now)),
            shared.as_ref().and_then(|name| self.by_name.wait_seconds(name, now)),
        ];
        if let Some(seconds) = waits.into_iter().flatten().max() {
            return Err(seconds);
        }
        let attempt = Attempt { name: name.map(str::to_owned), network, shares_the_name: shared.is_some() };
        self.by_network.count(network, now);
        if let Some(caller) = caller {
            self.by_caller.count(caller, now);
        }
        if let Some(name) = shared {
            self.by_name.count(name, now);
        }
        Ok(attempt)
    }

    /// The attempt was right: the caller's failures are forgotten, and the network is known.
    pub fn succeeded(&mut self, attempt: Attempt, now: Timestamp) {
        let caller = attempt.name.clone().map(|name| (name, attempt.network));
        self.withdraw(attempt);
        if let Some(caller) = caller {
            self.by_caller.forget(&caller);
            make_room(&mut self.known, MOST_CALLERS, |at| *at);
            self.known.insert(caller, now);
        }
    }

    /// The attempt was not judged, or was no guess: it counts no more.
    pub fn withdraw(&mut self, attempt: Attempt) {
        self.by_network.give_back(&attempt.network);
        let Some(name) = attempt.name else { return };
        if attempt.shares_the_name {
            self.by_name.give_back(&name);
        }
        self.by_caller.give_back(&(name, attempt.network));
    }
}

/// How failures lead to waiting.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// So many failures cost nothing; after them each further attempt waits, twice as long each time.
    free_attempts: u32,
    /// The first wait.
    first_lock_nanos: i64,
    /// No wait is longer.
    longest_lock_nanos: i64,
}

/// Failed attempts by key.
///
/// The table is bounded. When it is full the entry that failed longest ago makes room, so that an attacker with many
/// names can only forget his own older tries.
#[derive(Debug)]
struct Throttle<K> {
    entries: HashMap<K, Entry>,
    capacity: usize,
    pace: Pace,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    last: Timestamp,
}

impl<K: Clone + Eq + Hash> Throttle<K> {
    fn new(capacity: usize, pace: Pace) -> Self {
        Self { entries: HashMap::new(), capacity: capacity.max(1), pace }
    }

    /// Seconds to wait before the next attempt; `None` if it may be made now.
    fn wait_seconds(&self, key: &K, now: Timestamp) -> Option<u64> {
        let entry = self.entries.get(key)?;
        let until = entry.last.plus_nanos(self.lock_nanos(entry.failures));
        let left = until.nanos_since(now);
        (left > 0).then(|| u64::try_from(left.div_euclid(NANOS)).unwrap_or(0) + 1)
    }

    /// Notes a failure.
    fn count(&mut self, key: K, now: Timestamp) {
        self.entries.retain(|_, entry| now.nanos_since(entry.last) < FORGOTTEN_NANOS);
        if !self.entries.contains_key(&key) {
            make_room(&mut self.entries, self.capacity, |entry| entry.last);
        }
        let entry = self.entries.entry(key).or_insert(Entry { failures: 0, last: now });
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
    }

    /// Takes one failure back.
    fn give_back(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.failures = entry.failures.saturating_sub(1);
        }
    }

    /// Forgets every failure.
    fn forget(&mut self, key: &K) {
        self.entries.remove(key);
    }

    fn lock_nanos(&self, failures: u32) -> i64 {
        let Pace { free_attempts, first_lock_nanos, longest_lock_nanos } = self.pace;
        match failures.checked_sub(free_attempts) {
            None => 0,
            Some(extra) => first_lock_nanos.saturating_mul(1 << extra.min(10)).min(longest_lock_nanos),
        }
    }
}

/// Makes room for one more entry, if there is none, by taking out the oldest.
fn make_room<K: Clone + Eq + Hash, V>(
    entries: &mut HashMap<K, V>,
    most: usize,
    age: impl Fn(&V) -> Timestamp,
) {
    if entries.len() < most {
        return;
    }
    let oldest = entries.iter().min_by_key(|(_, entry)| age(entry)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        entries.remove(&oldest);
    }
}

const NANOS: i64 = 1_000_000_000;
const FORGOTTEN_NANOS: i64 = 60 * 60 * NANOS;
/// Names from networks that are remembered.
const MOST_CALLERS: usize = 10_000;
/// Names that are remembered.
const MOST_NAMES: usize = 1_000;
/// One who knows the password mistypes it less often in a row.
const BY_CALLER: Pace =
    Pace { free_attempts: 5, first_lock_nanos: 5 * NANOS, longest_lock_nanos: 15 * 60 * NANOS };
/// Many people may share an address.
const BY_NETWORK: Pace =
    Pace { free_attempts: 30, first_lock_nanos: 5 * NANOS, longest_lock_nanos: 15 * 60 * NANOS };
/// From all networks together no more than one guess in ten seconds, in the long run.
const BY_NAME: Pace =
    Pace { free_attempts: 100, first_lock_nanos: 5 * NANOS, longest_lock_nanos: 10 * NANOS };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_has_an_end() {
        let mut throttle = Throttle::new(10, Pace { free_attempts: 3, ..BY_CALLER });
        for _ in 0..2 {
            throttle.count("eve", at(0));
        }
        assert_eq!(throttle.wait_seconds(&"eve", at(0)), None);
        throttle.count("eve", at(0));
        assert_eq!(throttle.wait_seconds(&"eve", at(0)), Some(6));
        assert_eq!(throttle.wait_seconds(&"eve", at(5)), None);
        throttle.count("eve", at(5));
        assert_eq!(throttle.wait_seconds(&"eve", at(5)), Some(11));
        for _ in 0..40 {
            throttle.count("eve", at(5));
        }
        assert_eq!(throttle.wait_seconds(&"eve", at(5)), Some(901));
    }

    #[test]
    fn an_attempt_counts_before_it_is_judged() {
        let mut sign_ins = SignIns::new();
        let begun = (0..200).filter(|_| sign_ins.begin(Some("admin"), address(1), at(0)).is_ok()).count();
        assert_eq!(begun, 5);
    }

    #[test]
    fn success_forgives_and_what_was_not_judged_does_not_count() {
        let mut sign_ins = SignIns::new();
        for _ in 0..100 {
            let attempt = sign_ins.begin(Some("admin"), address(1), at(0)).unwrap();
            sign_ins.withdraw(attempt);
        }
        fail(&mut sign_ins, address(1), 4);
        let attempt = sign_ins.begin(Some("admin"), address(1), at(0)).unwrap();
        sign_ins.succeeded(attempt, at(0));
        fail(&mut sign_ins, address(1), 5);
        assert_eq!(sign_ins.begin(Some("admin"), address(1), at(0)).unwrap_err(), 6);
    }

    #[test]
    fn who_guesses_locks_only_himself_out() {
        let mut sign_ins = SignIns::new();
        fail(&mut sign_ins, address(1), 5);
        assert!(sign_ins.begin(Some("admin"), address(1), at(0)).is_err());
        assert!(sign_ins.begin(Some("admin"), address(2), at(0)).is_ok());
    }

    #[test]
    fn guesses_from_many_networks_are_slow_and_lock_no_user_out_of_where_he_works() {
        let mut sign_ins = SignIns::new();
        let attempt = sign_ins.begin(Some("admin"), address(1000), at(0)).unwrap();
        sign_ins.succeeded(attempt, at(0));
        for number in 0..100 {
            fail(&mut sign_ins, address(number), 1);
        }
        assert_eq!(sign_ins.begin(Some("admin"), address(200), at(0)).unwrap_err(), 6);
        assert!(sign_ins.begin(Some("admin"), address(1000), at(0)).is_ok());
        assert!(sign_ins.begin(Some("other"), address(200), at(0)).is_ok());
        // However long it goes on, the wait stays short.
        for number in 1..1000 {
            let now = at(20 * i64::from(number));
            assert!(sign_ins.begin(Some("admin"), address(number), now).is_ok());
        }
    }

    #[test]
    fn a_line_s_ipv6_addresses_are_one_network() {
        let mut sign_ins = SignIns::new();
        for host in 0..5 {
            let address = format!("2001:db8:1:2:{host}::1").parse().unwrap();
            fail(&mut sign_ins, address, 1);
        }
        let mut begin =
            |address: &str| sign_ins.begin(Some("admin"), address.parse().unwrap(), at(0)).is_ok();
        assert!(!begin("2001:db8:1:2:ffff::1"));
        assert!(begin("2001:db8:1:3::1"));
    }

    #[test]
    fn a_network_that_tries_many_names_waits() {
        let mut sign_ins = SignIns::new();
        let begun = (0..100)
            .filter(|number| sign_ins.begin(Some(&format!("user{number}")), address(1), at(0)).is_ok());
        assert_eq!(begun.count(), 30);
        assert!(sign_ins.begin(None, address(1), at(0)).is_err());
    }

    #[test]
    fn the_tables_are_bounded_and_forget() {
        let mut throttle = Throttle::new(4, BY_CALLER);
        for name in 0..1000 {
            throttle.count(name, at(name));
        }
        assert!(throttle.entries.len() <= 4);
        assert!(throttle.entries.contains_key(&999));
        throttle.count(1, at(999 + 3600));
        assert_eq!(throttle.entries.len(), 1);
    }

    fn fail(sign_ins: &mut SignIns, address: IpAddr, times: usize) {
        for _ in 0..times {
            assert!(sign_ins.begin(Some("admin"), address, at(0)).is_ok());
        }
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::from((0x0a00_0000 + number).to_be_bytes())
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * NANOS)
    }
}
